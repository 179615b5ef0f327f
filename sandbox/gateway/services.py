"""The AWS services, with a private copy of botocore's models of them.

Every service that botocore knows is read and rebuilt in one way. Models are read at a service's
first use (2 to 80 ms), never from ~/.aws/models, and a few are kept: a script decides which ones
are used, and each takes 0.2 to 18 MB. Reading and rebuilding share them. What this module leans on
inside botocore is pinned with its version.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sandbox.errors import Unidentified
from sandbox.gateway.kept import SERVICES_KEPT

if TYPE_CHECKING:
    from botocore.loaders import Loader
    from botocore.model import OperationModel, ServiceModel


@dataclass(frozen=True, slots=True)
class Service:
    """One service, with what it takes to write its requests."""

    name: str
    """botocore client name."""
    protocol: str
    """As botocore resolves it, such as "rest-json"."""
    model: ServiceModel
    rules: Any
    """botocore's rule set for its endpoints, as data."""
    partitions: Any
    serializer: Any
    resolvers: OrderedDict[Any, Any] = field(default_factory=OrderedDict)
    """What `endpoints` keeps of it. It holds the models, so it has to go with them."""

    def operation(self, name: str) -> OperationModel:
        """Return the model of an operation; raises Unidentified when there is none."""
        if name not in self.model.operation_names:
            raise Unidentified(f"{self.name} has no operation {name!r}")
        operation = self.model.operation_model(name)
        if self.name == "s3":
            _leave_bucket_to_endpoint(operation)
        if self.name == "s3control":
            _leave_account_to_endpoint(operation)
        return operation


@lru_cache(maxsize=SERVICES_KEPT)
def service_named(name: str) -> Service:
    """Return a service by its botocore client name; raises Unidentified for an unknown one."""
    from botocore.exceptions import UnknownServiceError
    from botocore.model import ServiceModel
    from botocore.serialize import create_serializer

    from sandbox.gateway.models import FewModels, partitions

    loader = FewModels()
    try:
        model = ServiceModel(loader.load_service_model(name, "service-2"), name)
    except UnknownServiceError as error:
        raise Unidentified(f"botocore knows no service {name!r}") from error
    return Service(
        name=name,
        protocol=model.resolved_protocol,
        model=model,
        rules=loader.load_service_model(name, "endpoint-rule-set-1"),
        partitions=partitions(),
        serializer=create_serializer(model.resolved_protocol, False),
    )


def streams(service: str, operation: str) -> bool:
    """Tell whether the answer of an operation is a stream, which may be long or never end.

    Raises Unidentified when there is no such operation.
    """
    model = service_named(service).operation(operation)
    return bool(model.has_streaming_output or model.has_event_stream_output)


def private_loader() -> Loader:
    """Return a loader that sees botocore's own data and nothing else."""
    from botocore.loaders import Loader

    return Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)


# ------------------------------------------------------------------ as clients change their models
def _leave_bucket_to_endpoint(operation: OperationModel) -> None:
    """Take the bucket out of the path, as clients do: the endpoint rules have it, too."""
    operation.http["requestUri"] = operation.http["requestUri"].removeprefix("/{Bucket}")


def _leave_account_to_endpoint(operation: OperationModel) -> None:
    """Take the account out of the host's prefix, as clients do: the endpoint rules have it, too."""
    endpoint = operation.endpoint or {}
    prefix = endpoint.get("hostPrefix", "")
    if prefix == "{AccountId}.":
        endpoint.pop("hostPrefix", None)  # by whichever thread is first
    elif prefix.startswith("{AccountId}."):
        endpoint["hostPrefix"] = prefix.removeprefix("{AccountId}.")

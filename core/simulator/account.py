"""The one place that touches moto: an AWS account in this process, with our clock and ids.

`ask` is a botocore client whose requests end in moto instead of the network, so what goes in and
comes out is checked against AWS's own models. Nothing of moto is patched but its clock, and that
before any of its services is loaded: resources are made in the past, and then time stands still.
Its sessions share what botocore reads for them: it makes four to name regions, and ec2 is large.

moto answers `ask` for everything; whether that answer is true is decided in answers.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from core.errors import MachineUnfit
from sandbox.gateway.services import private_loader, service_named
from sandbox.job import Response

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from botocore.session import Session

_KEY = "AKIAIOSFODNN7EXAMPLE"
_ACCOUNT = "x-moto-account-id"


class MotoAccount:
    """An empty account, until things are made in it; for one thread."""

    def __init__(self, number: str, seed: int) -> None:
        """Raises MachineUnfit when moto is not installed."""
        self.now = datetime.fromtimestamp(0)  # noqa: DTZ006 - moto's own times are naive
        self._number = number
        self._session: Session | None = None
        self._clients: dict[tuple[str, str], BaseClient] = {}
        self._stub = _stub(self._clock, seed)

    def ask(self, service: str, operation: str, region: str, **parameters: Any) -> dict[str, Any]:
        """Return moto's whole answer, all pages of it; raises ClientError, NotImplementedError."""
        client = self._client(service, region)
        mapping = client.meta.method_to_api_mapping
        method = next(name for name in mapping if mapping[name] == operation)
        if client.can_paginate(method):
            pages = client.get_paginator(method).paginate(**parameters)
            answer: dict[str, Any] = pages.build_full_result()
        else:
            answer = getattr(client, method)(**parameters)
        answer.pop("ResponseMetadata", None)
        return answer

    def _clock(self) -> datetime:
        return self.now

    def _client(self, service: str, region: str) -> BaseClient:
        from botocore.session import Session

        if self._session is None:
            self._session = Session()
            self._session.register_component("data_loader", private_loader())
        key = service, region
        if key not in self._clients:
            client = self._session.create_client(
                service,
                region_name=region,
                aws_access_key_id=_KEY,
                aws_secret_access_key="none",  # noqa: S106 - nobody checks it
            )
            client.meta.events.register("before-send", self._answer)
            self._clients[key] = client
        return self._clients[key]

    def _answer(self, request: Any, **rest: Any) -> Any:
        request.headers[_ACCOUNT] = self._number
        return self._stub(request=request, **rest)


def serialize(service: str, operation: str, answer: Mapping[str, Any], request_id: str) -> Response:
    """Return an answer as the service would write it, in its own protocol."""
    from moto.core.serialize import SerializationContext, get_serializer_class
    from moto.core.utils import get_service_model

    serializer = get_serializer_class(service, service_named(service).protocol)(
        get_service_model(service).operation_model(operation), SerializationContext(request_id)
    )
    made = serializer.serialize(dict(answer))
    body = made["body"]
    content = body.encode() if isinstance(body, str) else bytes(body)
    headers = {name.lower(): str(value) for name, value in made["headers"].items()}
    return Response(made["status_code"], {**headers, "x-amzn-requestid": request_id}, content)


def _stub(clock: Callable[[], datetime], seed: int) -> Callable[..., Any]:
    """Return moto's entrance, with our clock and its ids made from `seed`."""
    import botocore.session

    if not hasattr(botocore.session.create_loader, "cache_info"):
        botocore.session.create_loader = cache(botocore.session.create_loader)
    try:
        import moto.core.utils
        from moto.core.botocore_stubber import BotocoreStubber
        from moto.moto_api._internal import mock_random
    except ImportError as error:
        raise MachineUnfit(
            f"the simulator is not installed: {error}",
            hint="install it with: pip install 'countersign[simulator]'",
        ) from error
    # Services take it from here by name when they are first used, which is after this.
    moto.core.utils.utcnow = clock
    mock_random.seed(seed)
    stub = BotocoreStubber()
    stub.enabled = True
    return stub

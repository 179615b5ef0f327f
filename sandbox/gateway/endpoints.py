"""Where a call may go: the URLs that botocore's endpoint rules give for it.

A script's client may have been told to use another style of endpoint than ours: dual-stack, FIPS,
an account's own, a bucket in the path or in the host. All of them are the same call, and what is
rebuilt uses the gateway's own style.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from threading import Lock
from typing import TYPE_CHECKING, Any

from sandbox.gateway.kept import kept
from sandbox.gateway.services import Service, service_named

if TYPE_CHECKING:
    from botocore.model import OperationModel

_RESOLVERS_KEPT = 16
"""Of each service: S3 needs four for a region."""
_RESOLVING = Lock()
_ACCOUNT = re.compile(r"([0-9]{12})\.ddb\.")
_GLOBAL_STS = ("sts", "us-east-1")
"""sts.amazonaws.com is a second name of the endpoint there, and of no other."""


@dataclass(frozen=True, slots=True)
class Style:
    """How endpoints are chosen; the defaults are those of a client without settings."""

    dualstack: bool = False
    fips: bool = False
    path: bool = False
    """S3: the bucket stands in the path, whatever its name."""
    everywhere: bool = False
    """S3 and STS: the old name of the endpoint in us-east-1."""
    account: str = ""
    """DynamoDB: the account whose own endpoint it is."""
    endpoint: str = ""
    """A URL that the client was given instead of what the rules say."""
    prefixed: bool = True
    """Whether operations put their prefix before the host."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a call goes, and what it is signed for there."""

    url: str
    signs_as: str
    """A name; "" = the one of the service."""
    signs_in: str
    """A region; "" = the one of the client."""
    scheme: str
    """How, such as "sigv4a"; "" = as the service has it signed."""


def styles(service: Service, region: str, host: str) -> Iterator[Style]:
    """Yield the styles in which a client may have sent a call of a service to `host`."""
    of_s3 = service.model.signing_name == "s3"
    accounts = _ACCOUNT.match(host)
    for dualstack, fips, everywhere, path in product(
        (False, True) if "dualstack" in host or ".api." in host else (False,),
        (False, True) if "fips" in host else (False,),
        (False, True) if of_s3 or (service.name, region) == _GLOBAL_STS else (False,),
        (False, True) if of_s3 else (False,),
    ):
        yield Style(dualstack=dualstack, fips=fips, everywhere=everywhere, path=path)
    if accounts is not None:
        yield Style(account=accounts[1])


def endpoint_of(
    service: Service,
    operation: OperationModel,
    region: str,
    parameters: dict[str, Any],
    style: Style,
) -> Endpoint:
    """Return the endpoint of a call; raises BotoCoreError where there is none."""
    if operation.context_parameters or operation.operation_context_parameters:
        resolver = _resolver(service, region, style)
        return _found(resolver.construct_endpoint(operation, parameters, {}))
    return _same_for_all(service.name, region, style, operation.name)


@lru_cache(maxsize=1024)
def _same_for_all(name: str, region: str, style: Style, operation: str) -> Endpoint:
    service = service_named(name)
    resolver = _resolver(service, region, style)
    return _found(resolver.construct_endpoint(service.operation(operation), {}, {}))


def _found(endpoint: Any) -> Endpoint:
    scheme, *_ = endpoint.properties.get("authSchemes") or [{}]
    names = str(scheme.get("signingName", "")), str(scheme.get("signingRegion", ""))
    return Endpoint(str(endpoint.url), *names, str(scheme.get("name", "")))


def _resolver(service: Service, region: str, style: Style) -> Any:
    with _RESOLVING:
        return kept(
            service.resolvers,
            (region, style),
            lambda: _new_resolver(service, region, style),
            _RESOLVERS_KEPT,
        )


def _new_resolver(service: Service, region: str, style: Style) -> Any:
    from botocore.hooks import HierarchicalEmitter
    from botocore.regions import EndpointRulesetResolver

    return EndpointRulesetResolver(
        endpoint_ruleset_data=service.rules,
        partition_data=service.partitions,
        service_model=service.model,
        builtins=_builtins(region, style),
        client_context={},
        event_emitter=HierarchicalEmitter(),
    )


def _builtins(region: str, style: Style) -> dict[str, Any]:
    return {
        "AWS::Region": region,
        "AWS::UseFIPS": style.fips,
        "AWS::UseDualStack": style.dualstack,
        "AWS::STS::UseGlobalEndpoint": style.everywhere,
        "AWS::S3::UseGlobalEndpoint": style.everywhere,
        "AWS::S3::Accelerate": False,
        "AWS::S3::ForcePathStyle": style.path,
        "AWS::S3::UseArnRegion": True,
        "AWS::S3Control::UseArnRegion": False,
        "AWS::S3::DisableMultiRegionAccessPoints": False,
        "AWS::S3::DisableS3ExpressSessionAuth": True,
        "SDK::Endpoint": style.endpoint or None,
        "AWS::Auth::AccountId": style.account or None,
        "AWS::Auth::AccountIdEndpointMode": "preferred" if style.account else "disabled",
    }

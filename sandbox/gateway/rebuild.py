"""Makes a new request from a call: what leaves is built from what was judged, never copied.

The gateway's own botocore client does all of it - validation, serialisation, endpoint, checksums,
signature - and the finished request is taken out at botocore's last hook before the network. Then
it is held against what `restate` says of the call: a request with another method, URL, body or
header of the operation is not sent. That turns "the reader and the client agree" from something
that a test has seen into something that holds for every single call.

Where the client was seen to add nothing to what `restate` says (`signing`), it is left out from the
second request of an operation on: what `restate` says is validated, signed and sent.

Retries, redirects and settings of the environment play no part: one call is one request, and the
script's own client decides about another. Keys are asked for at every single call.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sandbox.errors import Unidentified
from sandbox.gateway.endpoints import Style
from sandbox.gateway.kept import SERVICES_KEPT, kept
from sandbox.gateway.presigned import same_but_for_url, url_in
from sandbox.gateway.recognise import OF_THE_TRANSPORT
from sandbox.gateway.restate import Stated, restate, same_url
from sandbox.gateway.services import service_named
from sandbox.gateway.signing import (
    USER_AGENT,
    is_plain,
    may_be_plain,
    now,
    plain_request,
    signed_for,
)
from sandbox.job import AwsCall, Credentials, Response

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest
    from botocore.client import BaseClient
    from botocore.session import Session

Transport = Callable[["AWSPreparedRequest"], Response]
"""Takes a finished request to where it belongs and returns the raw answer."""

CLIENTS_KEPT = 32
"""Of all services and regions; each takes about half a megabyte, besides the model they share."""
WAYS_KEPT = 4096
"""Operations in a region of which it is known whether they need a client."""
_SETTINGS = {
    "config_file": os.devnull,
    "credentials_file": os.devnull,
    "ec2_metadata_service_endpoint": "",
    "s3_disable_express_session_auth": True,
    "sts_regional_endpoints": "regional",
}
_SIGNING: ContextVar[Credentials] = ContextVar("the credentials of the call that is being built")


def placeholder(_: str) -> Credentials:
    """Return keys for upstreams that look at no signature, such as a recording."""
    return Credentials("PLACEHOLDER", "PLACEHOLDER")


class Rebuilder:
    """Builds requests, each signed with the credentials of its principal; threads may share it.

    A client is made for each service and region, and a few are kept: a script decides which.
    """

    def __init__(
        self,
        credentials_of: Callable[[str], Credentials] = placeholder,
        *,
        dualstack: bool = False,
        fips: bool = False,
    ) -> None:
        """`credentials_of` gets the principal of a call, for each call, and may raise ValueError.

        `dualstack` and `fips` choose the endpoints, whichever the script had chosen.
        """
        self._credentials_of = credentials_of
        self._style = Style(dualstack=dualstack, fips=fips)
        self._lock = Lock()
        self._session: Session | None = None
        self._clients: OrderedDict[str, OrderedDict[str, BaseClient]] = OrderedDict()
        self._plain: OrderedDict[tuple[str, str, str], bool] = OrderedDict()

    def send(self, call: AwsCall, transport: Transport, host: str = "") -> Response:
        """Build the request of `call` and give it to `transport`, once; returns what that returns.

        It goes to `host` where one is named, and otherwise where the endpoint rules have it go.
        Raises ValueError when it can't be built; nothing was sent then.
        """
        return transport(self.build(call, host))

    def build(self, call: AwsCall, host: str = "") -> AWSPreparedRequest:
        """Return the signed request of `call`; raises ValueError when it can't be built.

        Only what needs no client can be made for a `host` of its own.
        """
        from botocore.exceptions import BotoCoreError

        keys = self._credentials_of(call.principal)
        way = (call.service, call.region, call.operation)
        if host and way not in self._plain:
            self.build(call)  # to know whether it needs one
        try:
            if self._plain.get(way):
                return self._plainly(call, keys, host)
            if host:
                raise ValueError(f"{call.service}.{call.operation} can't be sent to {host}")
            signing = _SIGNING.set(keys)
            try:
                request = _take_out(self._client(call.service, call.region), call)
            finally:
                _SIGNING.reset(signing)
        except BotoCoreError as error:
            raise ValueError(f"no request can be made of it: {error}") from error
        stated = self._check(request, call)
        if way not in self._plain:
            self._learn(way, request, stated, keys)
        return request

    def _plainly(self, call: AwsCall, keys: Credentials, host: str) -> AWSPreparedRequest:
        """Build a request of an operation to which clients add nothing."""
        service = service_named(call.service)
        operation = service.operation(call.operation)
        parameters = dict(call.parameters)
        _validate(operation, parameters)
        try:
            [stated] = restate(service, operation, call.region, parameters, [self._style])
        except Unidentified as error:
            raise ValueError(error.reason) from error
        if host:
            stated = replace(stated, url=urlsplit(stated.url)._replace(netloc=host).geturl())
        return plain_request(stated, signed_for(stated, service, call.region), keys, now())

    def _learn(
        self,
        way: tuple[str, str, str],
        request: AWSPreparedRequest,
        stated: Stated,
        keys: Credentials,
    ) -> None:
        """Remember whether a client adds something to an operation of its own."""
        service = service_named(way[0])
        plain = may_be_plain(service, service.operation(way[2])) and is_plain(
            request, stated, signed_for(stated, service, way[1]), keys
        )
        with self._lock:
            kept(self._plain, way, lambda: plain, WAYS_KEPT)

    def _client(self, service: str, region: str) -> BaseClient:
        with self._lock:  # making clients is not safe between threads, using them is
            session = self._session = self._session or _new_session()
            client = kept(
                kept(self._clients, service, OrderedDict, SERVICES_KEPT),
                region,
                lambda: _new_client(session, service, region, self._style),
                CLIENTS_KEPT,
            )
            while sum(map(len, self._clients.values())) > CLIENTS_KEPT:
                self._forget_one()
            return client

    def _forget_one(self) -> None:
        """Let go of the longest unused client of the longest unused service."""
        service, regions = next(iter(self._clients.items()))
        regions.popitem(last=False)
        if not regions:
            del self._clients[service]

    def _check(self, request: AWSPreparedRequest, call: AwsCall) -> Stated:
        """Return what was judged, word for word; raises ValueError for a request that is not."""
        try:
            service = service_named(call.service)
            operation = service.operation(call.operation)
            styles = [self._style, Style(self._style.dualstack, self._style.fips, path=True)]
            for stated in restate(
                service, operation, call.region, dict(call.parameters), styles[: _ways(service)]
            ):
                if same_url(stated.url, request.url):
                    _compare(stated, request, signs_url=bool(url_in(operation)))
                    return stated
        except Unidentified as error:
            raise ValueError(f"the request made of it can't be checked: {error.reason}") from error
        raise ValueError(f"the request made of it would go to {request.url}")


def _ways(service: Any) -> int:
    return 2 if service.model.signing_name == "s3" else 1


def _compare(stated: Stated, request: AWSPreparedRequest, *, signs_url: bool) -> None:
    body = request.body or b""
    same = stated.method == request.method and (
        stated.body == body or (signs_url and same_but_for_url(stated.body, body))
    )
    headers = {name.lower(): _text(value) for name, value in request.headers.items()}
    if headers.get("content-length", str(len(body))) != str(len(body)):
        raise ValueError("the request made of it announces a body of another length")
    if not same or any(headers.get(name) != text for name, text in stated.headers.items()):
        raise ValueError("the request made of it says something else than what was judged")
    for name in headers.keys() - stated.headers.keys() - OF_THE_TRANSPORT:
        if not name.startswith("x-amz-checksum-"):
            raise ValueError(f"the request made of it says more than what was judged, in {name}")


def _validate(operation: Any, parameters: dict[str, Any]) -> None:
    """Raise botocore's error for parameters that its client would not take."""
    from botocore.exceptions import ParamValidationError
    from botocore.validate import ParamValidator

    if operation.input_shape is not None:
        report = ParamValidator().validate(parameters, operation.input_shape)
        if report.has_errors():
            raise ParamValidationError(report=report.generate_report())


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


# ------------------------------------------------------------------ the gateway's own client
class _Keys:
    """What botocore takes for credentials: those of the call that is being built."""

    method = "explicit"

    def get_deferred_property(self, _: str) -> Callable[[], None]:
        """Return what gives the account of the keys: nothing asks for its own endpoint."""
        return lambda: None

    def get_frozen_credentials(self) -> Any:
        from botocore.credentials import ReadOnlyCredentials

        keys = _SIGNING.get()
        return ReadOnlyCredentials(keys.access_key, keys.secret_key, keys.token or None, None)


class _Finished(Exception):
    """Carries the finished request out of botocore, past its connection and its retries."""

    def __init__(self, request: AWSPreparedRequest) -> None:
        super().__init__()
        self.request = request


def _new_session() -> Session:
    """Return a botocore session that knows botocore's own data and no settings of anybody's."""
    from botocore.handlers import (
        BUILTIN_HANDLERS,
        remove_accid_host_prefix_from_model,
        remove_bucket_from_url_paths_from_model,
    )
    from botocore.session import Session

    from sandbox.gateway.models import FewModels

    session = Session()
    session.register_component("data_loader", FewModels())
    for name, value in _SETTINGS.items():
        session.set_config_variable(name, value)
    # The script's own client has filled in parameters already; doing it again would change them.
    for event, handler, *_ in BUILTIN_HANDLERS:
        if event.startswith("before-parameter-build") and handler not in (
            remove_accid_host_prefix_from_model,
            remove_bucket_from_url_paths_from_model,
        ):
            session.unregister(event, handler)
    session._credentials = _Keys()  # noqa: SLF001 - an object in place of keys has no public way in
    return session


def _new_client(session: Session, service: str, region: str, style: Style) -> BaseClient:
    from botocore.config import Config
    from botocore.discovery import block_endpoint_discovery_required_operations
    from botocore.exceptions import UnknownServiceError

    try:
        client = session.create_client(
            service,
            region_name=region,
            config=Config(
                account_id_endpoint_mode="disabled",
                disable_request_compression=True,
                endpoint_discovery_enabled=False,
                ignore_configured_endpoint_urls=True,
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                retries={"mode": "standard", "total_max_attempts": 1},
                s3={"us_east_1_regional_endpoint": "regional"},
                use_dualstack_endpoint=style.dualstack,
                use_fips_endpoint=style.fips,
                user_agent=USER_AGENT,
            ),
        )
    except UnknownServiceError as error:
        raise ValueError(f"{service!r} is not a service that botocore knows") from error
    # Whoever sends it finds the cell that is responsible, where a service has such.
    client.meta.events.unregister(
        "before-parameter-build", block_endpoint_discovery_required_operations
    )
    client.meta.events.register("before-call", _checksum_in_header)
    client.meta.events.register("before-send", _leave)
    return client


def _checksum_in_header(params: dict[str, Any], **_: object) -> None:
    """Keep a checksum out of the end of the body, which would have to be sent in chunks then."""
    algorithm = params["context"].get("checksum", {}).get("request_algorithm", {})
    if isinstance(algorithm, dict) and algorithm.get("in") == "trailer":
        algorithm["in"] = "header"


def _leave(request: AWSPreparedRequest, **_: object) -> None:
    raise _Finished(request)


def _take_out(client: BaseClient, call: AwsCall) -> AWSPreparedRequest:
    """Have `client` make the call up to the last hook before the network."""
    if call.operation not in client.meta.service_model.operation_names:
        raise ValueError(f"{call.service} has no operation {call.operation!r}")
    try:
        client._make_api_call(call.operation, dict(call.parameters))  # noqa: SLF001 - by its name
    except _Finished as finished:
        request = finished.request
        request.body = request.body.encode() if isinstance(request.body, str) else request.body
        return request
    raise ValueError("botocore answered the call without sending it")

"""Reads a request as exactly one AWS operation, or refuses it with the reason.

The signing name names the service, the protocol's one marker the operation, the signing region and
botocore's endpoint rules the host, the operation's shape the parameters; all of them must agree. A
request that a more lenient reader could take for another operation (two markers, a field twice, a
query string) is refused: strictness costs nothing, since botocore never sends such a thing. Only
what is recovered here goes on; the script's own bytes are never forwarded.

There is one way for every service that botocore knows: `recognise`.

Not looked at: whether the signature is right (the key is a dummy, and the connection is the run's
own; that of a link was looked at before, in `links`), and headers that say nothing about the
operation.
"""

from __future__ import annotations

import re

from sandbox.errors import Unidentified
from sandbox.gateway.arrived import Arrived, Headers, arrived
from sandbox.gateway.bodies import FORM, read_pairs
from sandbox.gateway.recognise import Scope, recognise
from sandbox.gateway.routes import services_signing_as
from sandbox.gateway.unsigned import not_modelled, not_signed
from sandbox.job import AwsCall

__all__ = ["Headers", "Scope", "identify", "scope_of"]

_CBOR = "application/cbor"
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<access_key>[A-Za-z0-9_]{1,128})/[0-9]{8}"
    r"/(?P<region>[a-z0-9-]{1,63})/(?P<signing_name>[A-Za-z0-9-]{1,63})/aws4_request"
    r", SignedHeaders=[a-z0-9;-]+, Signature=[0-9a-f]{64}"
)


def identify(method: str, url: str, headers: Headers, body: bytes) -> AwsCall:
    """Return the one call that a request means; raises Unidentified(reason, candidates).

    `url` is absolute: it holds the real AWS host, or our own and `/_svc/` with botocore's name of
    the service (see `arrived`). Pure: no I/O after a service's first call.
    """
    request = arrived(method, url, headers, body)
    try:
        scope = scope_of(headers)
    except Unidentified as error:
        raise not_signed(request, error.reason) from error
    if not services_signing_as(scope.signing_name):
        raise not_modelled(request, scope.signing_name)
    _check_markers(scope.signing_name, request)
    return recognise(scope, request)


def scope_of(headers: Headers) -> Scope:
    """Return what a request was signed for; raises Unidentified when it is not signed that way."""
    values = [value for name, value in headers if name.lower() == "authorization"]
    if not values:
        raise Unidentified("the request is not signed in its headers, nor a link that is followed")
    match = _AUTHORIZATION.fullmatch(values[0])
    if match is None or len(values) > 1:
        raise Unidentified("the request is not signed the way botocore signs (SigV4, one header)")
    return Scope(**match.groupdict())


# ------------------------------------------------------------------ one request, one marker
def _check_markers(signing_name: str, request: Arrived) -> None:
    """Refuse a request in which more than one thing names the operation."""
    services = services_signing_as(signing_name)
    if all(service.rest for service in services):
        return  # method and path name the operation, and a body may hold whatever it likes
    markers = _markers(request)
    if len(markers) > 1:
        said = ", ".join(f"{where} says {operation!r}" for where, operation in markers)
        candidates = {
            f"{service.service}.{operation}": None
            for _, operation in markers
            for service in services
            if operation in service.operations
        }
        raise Unidentified(f"more than one thing names the operation: {said}", tuple(candidates))


def _markers(request: Arrived) -> list[tuple[str, str]]:
    headers = request.headers
    found = []
    if "x-amz-target" in headers:
        found.append(("X-Amz-Target", headers["x-amz-target"].rpartition(".")[2]))
    if "smithy-protocol" in headers:
        found.append(("smithy-protocol", request.path.rpartition("/")[2]))
    found += [("the query string", text) for name, text in request.query if name == "Action"]
    if request.body.startswith(b"{") or not (found or headers.get("content-type") == FORM):
        return found  # JSON: no form begins so, and texts in it may well hold "&Action="
    if headers.get("content-type") == _CBOR:
        return found
    form = read_pairs(request.body.decode("utf-8", "replace"))
    return found + [("the body", text) for name, text in form if name == "Action"]

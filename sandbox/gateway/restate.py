"""Says a call again: the one request that botocore's serializers and endpoint rules make of it.

This is how a reading is proved. Whatever was recovered from a request is written anew, from the
parameters alone, and must come out as the same method, URL, headers and body; a reader that missed,
added or mistook something can't pass. What is rebuilt is held against the same words before it is
sent. No client is involved, so that nothing of anybody's settings plays a part.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.errors import Unidentified
from sandbox.gateway.endpoints import Style, endpoint_of
from sandbox.gateway.services import Service

if TYPE_CHECKING:
    from botocore.model import OperationModel


@dataclass(frozen=True, slots=True)
class Stated:
    """A request without its signature."""

    method: str
    url: str
    """With https, unless its style has an endpoint of its own."""
    headers: dict[str, str]
    """What the operation says in headers, names in lower case."""
    body: bytes
    signs_as: str
    """The name that the endpoint has it signed for; "" = the one of the service."""
    signs_in: str
    """The region; "" = the one of the client."""
    scheme: str
    """How the endpoint has it signed, such as "sigv4a"; "" = as the service has it signed."""


def restate(
    service: Service,
    operation: OperationModel,
    region: str,
    parameters: dict[str, Any],
    styles: Iterable[Style],
) -> Iterator[Stated]:
    """Yield the requests of a call, one for each style that gives another URL.

    Raises Unidentified when no request can be made of it.
    """
    from botocore.exceptions import BotoCoreError

    try:
        written = service.serializer.serialize_to_request(parameters, operation)
        headers = {name.lower(): str(text) for name, text in written["headers"].items()}
        body = _body(written["body"])
        seen: set[str] = set()
        for style in styles:
            try:
                endpoint = endpoint_of(service, operation, region, parameters, style)
            except BotoCoreError:
                if seen:
                    continue  # no endpoint in this style; there is one in another
                raise
            url = _url(written, endpoint.url, style)
            if url not in seen:
                seen.add(url)
                signed = endpoint.signs_as, endpoint.signs_in, endpoint.scheme
                yield Stated(written["method"], url, headers, body, *signed)
    except (AttributeError, BotoCoreError, KeyError, TypeError, ValueError) as error:
        # What the serializers and the rules raise for parameters that no valid call has.
        raise Unidentified(f"no request can be made of what it says: {error}") from error


def _url(written: dict[str, Any], endpoint: str, style: Style) -> str:
    from botocore.awsrequest import prepare_request_dict

    request = dict(written)
    if not style.prefixed:
        request.pop("host_prefix", None)
    prepare_request_dict(request, endpoint)
    return str(request["url"])


def _body(body: Any) -> bytes:
    from urllib.parse import urlencode

    if isinstance(body, dict):
        body = urlencode(body, doseq=True)
    return body.encode() if isinstance(body, str) else bytes(body)


def same_url(stated: str, other: str) -> bool:
    """Compare URLs; the order of query parameters is botocore's own affair."""
    if stated == other:
        return True
    *path, query = stated.partition("?")
    *other_path, other_query = other.partition("?")
    return path == other_path and sorted(query.split("&")) == sorted(other_query.split("&"))

"""Takes a request apart before anybody asks what it means, and refuses what is no single request.

Two ways lead here. Through the proxy a request names the real host of AWS. With an endpoint of its
own (`AWS_ENDPOINT_URL_CLOUDWATCH=http://127.0.0.1:PORT/_svc/cloudwatch`) it names our listener, and
the first two parts of its path name the service; S3 and a few others put a label before that host.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from sandbox.errors import Unidentified
from sandbox.gateway.chunked import without_chunks

Headers = Sequence[tuple[str, str]]
"""Names in any case, in the order they arrived, with duplicates."""

_URL = re.compile(r"(https?)://([^/?#@]+)(/[^?#]*)(?:\?([^#]*))?")
_OURS = re.compile(r"(?:(.+)[.-])?((?:127\.0\.0\.1|localhost)(?::[0-9]{1,5})?)")
_SERVICE = re.compile(r"/_svc/([a-z0-9-]{1,64})(/.*)?", re.DOTALL)
_LOSES_ITS_PATH = "s3control"
"""For directory buckets its endpoint rules drop the path of the endpoint that it was given."""
_OTHER_METHODS = ("x-http-method", "x-http-method-override", "x-method-override")


@dataclass(frozen=True, slots=True)
class Arrived:
    """A request that is to be recognised."""

    method: str
    url: str
    """With https for a host of AWS, whatever it came with; without `x-id`."""
    host: str
    path: str
    """Without what names the service."""
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    """Names in lower case, each once."""
    body: bytes
    service: str = ""
    """The botocore client name that its path named; "" when it came through the proxy."""
    endpoint: str = ""
    """The URL that its client was given, when it came with an endpoint of its own."""
    said_to_be: str = ""
    """The operation that the JavaScript SDK says it is, in `x-id`."""

    @property
    def label(self) -> str:
        """What stands before our own host: a bucket, or what an operation puts there."""
        match = _OURS.fullmatch(self.host) if self.endpoint else None
        return (match[1] or "") if match else ""


def arrived(method: str, url: str, headers: Headers, body: bytes) -> Arrived:
    """Return a request taken apart; raises Unidentified for what can't be a single request."""
    named = _once_each(headers)
    match = _URL.fullmatch(url)
    if match is None:
        raise Unidentified("the URL is not an absolute http URL")
    scheme, host, path, query = match.groups()
    _check(named, host, path)
    if "aws-chunked" in named.get("content-encoding", ""):
        named, body = without_chunks(named, body)
    query, said_to_be = _without_id(query)
    local = _OURS.fullmatch(host)
    ours = _SERVICE.fullmatch(path) if local else None
    service = ours[1] if ours else ""
    rest = path if query is None else f"{path}?{query}"
    return Arrived(
        method=method,
        url=f"{scheme if local else 'https'}://{host}{rest}",
        host=host,
        path=(ours[2] or "/") if ours else path,
        query=tuple(parse_qsl(query or "", keep_blank_values=True)),
        headers=named,
        body=body,
        service=service,
        endpoint=f"{scheme}://{local[2]}/_svc/{service or _LOSES_ITS_PATH}" if local else "",
        said_to_be=said_to_be,
    )


def _once_each(headers: Headers) -> dict[str, str]:
    named = {name.lower(): value for name, value in headers}
    if len(named) != len(headers):
        twice, _ = Counter(name.lower() for name, _ in headers).most_common(1)[0]
        raise Unidentified(f"the header {twice!r} is there more than once")
    return named


def _check(named: Mapping[str, str], host: str, path: str) -> None:
    if named.get("host", host) != host:
        raise Unidentified(f"the URL names {host!r} and the Host header {named['host']!r}")
    if not {".", ".."}.isdisjoint(path.split("/")):
        # HTTP clients take such parts out of a path, and what is sent would be another request.
        raise Unidentified("the path holds '.' or '..' as a part")
    for name in _OTHER_METHODS:
        if name in named:
            raise Unidentified(f"a header asks for another method ({name})")


def _without_id(query: str | None) -> tuple[str | None, str]:
    """Return a query string without the key of the JavaScript SDK, and what that said."""
    if query is None or "x-id=" not in query:
        return query, ""
    parts = query.split("&")
    said = [part for part in parts if part.startswith("x-id=")]
    left = [part for part in parts if not part.startswith("x-id=")]
    if len(said) > 1 or said == ["x-id="]:
        raise Unidentified("the query parameter 'x-id' does not name one operation")
    return ("&".join(left) if left else None), said[0].removeprefix("x-id=") if said else ""

"""Signs a stated request by itself (SigV4), where botocore's client adds nothing of its own.

A client takes three times as long as all the rest of the gateway to make a request that `restate`
has already written. So the first request of an operation is made by a client, and if the one that
is made here is the same, byte for byte and with the same signature, the following ones are made
here. What a client does by a rule that looks at the parameters is left to it: checksums, URLs that
are signed inside a call, S3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from hmac import digest
from os import urandom
from time import gmtime, strftime
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from sandbox.gateway.presigned import url_in
from sandbox.gateway.restate import Stated
from sandbox.gateway.services import Service
from sandbox.job import Credentials

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest
    from botocore.model import OperationModel

_NOT_SIGNED = frozenset({"expect", "transfer-encoding", "user-agent", "x-amzn-trace-id"})
_NO_LENGTH = ("GET", "HEAD", "OPTIONS")
_TIME = "%Y%m%dT%H%M%SZ"
_SIGNING_KEYS_KEPT = 64
"""One for each secret, day, region and service."""
_BY_CLIENTS = ("s3", "s3control", "s3outposts")
USER_AGENT = "Countersign"
"""What CloudTrail shows; botocore's own tells of this machine, and takes a sixth of the time."""
_INVOCATION, _DATE = "amz-sdk-invocation-id", "x-amz-date"


@dataclass(frozen=True, slots=True)
class Once:
    """What differs from one request to the next that says the same."""

    invocation: str
    time: str


def now() -> Once:
    """Return what the next request has: a random UUID, and the time."""
    text = urandom(15).hex()
    groups = text[:8], text[8:12], f"4{text[12:15]}", f"a{text[15:18]}", text[18:]
    return Once("-".join(groups), strftime(_TIME, gmtime()))


def may_be_plain(service: Service, operation: OperationModel) -> bool:
    """Tell whether what a client adds to an operation can't depend on its parameters."""
    return not (
        service.name in _BY_CLIENTS
        or operation.http_checksum
        or operation.http_checksum_required
        or url_in(operation)
    )


def signed_for(stated: Stated, service: Service, region: str) -> str:
    """Return the region and the name that a call in `region` is signed for, as in a scope."""
    return f"{stated.signs_in or region}/{stated.signs_as or service.model.signing_name}"


def plain_request(stated: Stated, home: str, keys: Credentials, once: Once) -> AWSPreparedRequest:
    """Return the request of what is stated, signed for `home`; raises ValueError if it can't be."""
    from botocore.awsrequest import AWSPreparedRequest

    if stated.scheme not in ("", "sigv4"):
        raise ValueError(f"it would have to be signed with {stated.scheme}")
    headers = {
        **stated.headers,
        "user-agent": USER_AGENT,
        _DATE: once.time,
    }
    if keys.token:
        headers["x-amz-security-token"] = keys.token
    scope = f"{once.time[:8]}/{home}/aws4_request"
    headers["authorization"] = _authorization(stated, headers, keys, scope, once.time)
    headers[_INVOCATION] = once.invocation
    headers["amz-sdk-request"] = "attempt=1; max=1"
    if stated.method not in _NO_LENGTH:
        headers["content-length"] = str(len(stated.body))
    named = {name: text.encode() for name, text in headers.items()}
    return AWSPreparedRequest(stated.method, stated.url, named, stated.body or None, False)


def is_plain(request: AWSPreparedRequest, stated: Stated, home: str, keys: Credentials) -> bool:
    """Tell whether what a client has made is what would be made here, signature included."""
    theirs = _texts(request.headers)
    once = Once(theirs.get(_INVOCATION, ""), theirs.get(_DATE, ""))
    try:
        ours = plain_request(stated, home, keys, once)
    except ValueError:
        return False
    same = request.method == ours.method and (request.body or b"") == (ours.body or b"")
    return same and theirs == _texts(ours.headers)


def _authorization(
    stated: Stated, headers: Mapping[str, str], keys: Credentials, scope: str, time: str
) -> str:
    parts = urlsplit(stated.url)
    signed = {name: text for name, text in headers.items() if name not in _NOT_SIGNED}
    signed["host"] = parts.netloc
    names = sorted(signed)
    lines = (
        stated.method,
        _path(parts.path),
        "&".join("=".join(pair) for pair in sorted(_pairs(parts.query))),
        *(f"{name}:{' '.join(signed[name].split())}" for name in names),
        "",
        ";".join(names),
        sha256(stated.body).hexdigest(),
    )
    canonical = "\n".join(lines)
    hashed = sha256(canonical.encode()).hexdigest()
    to_sign = f"AWS4-HMAC-SHA256\n{time}\n{scope}\n{hashed}"
    signature = digest(_signing_key(keys.secret_key, scope), to_sign.encode(), "sha256").hex()
    return (
        f"AWS4-HMAC-SHA256 Credential={keys.access_key}/{scope}, "
        f"SignedHeaders={';'.join(names)}, Signature={signature}"
    )


@lru_cache(maxsize=_SIGNING_KEYS_KEPT)
def _signing_key(secret_key: str, scope: str) -> bytes:
    """Return what a secret signs with in a scope: the same for all requests of a day."""
    key = f"AWS4{secret_key}".encode()
    for part in scope.split("/"):
        key = digest(key, part.encode(), "sha256")
    return key


def _path(path: str) -> str:
    """Return a path as it is signed: without dots and empty parts, and escaped a second time."""
    if path == "/":
        return path
    from botocore.utils import normalize_url_path

    return quote(normalize_url_path(path), safe="/~")


def _pairs(query: str) -> list[tuple[str, str]]:
    """Return names and values, as they are escaped."""
    split = (text.partition("=") for text in query.split("&") if query)
    return [(name, value) for name, _, value in split]


def _texts(headers: Mapping[str, str | bytes]) -> dict[str, str]:
    return {
        name.lower(): text.decode("utf-8") if isinstance(text, bytes) else text
        for name, text in headers.items()
    }

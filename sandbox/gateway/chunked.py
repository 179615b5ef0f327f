"""Takes apart bodies that are sent as aws-chunked with a checksum at the end.

That is what clients do with what they stream over TLS (x-amz-content-sha256 is
STREAMING-UNSIGNED-PAYLOAD-TRAILER). The checksum is verified, and is a header to those who read on.
Chunks that are signed one by one (STREAMING-AWS4-...) are refused, since no signature of the script
is looked at.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Callable, Mapping

from sandbox.errors import Unidentified

_UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
_SIZE = re.compile(rb"(0|[1-9a-f][0-9a-f]{0,7})\r\n")
_END = re.compile(rb"(?:(x-amz-checksum-[a-z0-9]{3,9}):([A-Za-z0-9+/]{1,86}={0,2})\r\n)?\r\n")
_MADE_FOR_CHUNKS = ("content-encoding", "x-amz-decoded-content-length", "x-amz-trailer")


def without_chunks(headers: Mapping[str, str], body: bytes) -> tuple[dict[str, str], bytes]:
    """Return headers (names in lower case) and body as if nothing had been chunked.

    Raises Unidentified unless the chunks are as botocore writes them and the checksum is right.
    """
    if headers.get("x-amz-content-sha256") != _UNSIGNED_TRAILER:
        raise Unidentified(
            "its body is sent in chunks (aws-chunked) that are signed one by one; only unsigned "
            f"chunks with a checksum at the end are supported ({_UNSIGNED_TRAILER})"
        )
    payload, position = _payload(body)
    end = _END.fullmatch(body, position)
    if end is None:
        raise Unidentified("its aws-chunked body does not end as botocore ends one")
    if headers.get("x-amz-decoded-content-length", str(len(payload))) != str(len(payload)):
        raise Unidentified("its aws-chunked body is not as long as x-amz-decoded-content-length")
    left = {name: text for name, text in headers.items() if name not in _MADE_FOR_CHUNKS}
    if "content-length" in left:
        left["content-length"] = str(len(payload))  # a parameter of some operations
    encodings = [each.strip() for each in headers["content-encoding"].split(",")]
    encodings.remove("aws-chunked")
    if encodings:
        left["content-encoding"] = ",".join(encodings)
    return left | _checksum(headers, end, payload), payload


def _payload(body: bytes) -> tuple[bytes, int]:
    parts: list[bytes] = []
    position = 0
    while True:
        size = _SIZE.match(body, position)
        if size is None:
            raise Unidentified("its aws-chunked body can't be read")
        length = int(size[1], 16)
        if length == 0:
            return b"".join(parts), size.end()
        end = size.end() + length
        if body[end : end + 2] != b"\r\n":
            raise Unidentified("its aws-chunked body has a chunk that is not as long as it says")
        parts.append(body[size.end() : end])
        position = end + 2


def _checksum(headers: Mapping[str, str], end: re.Match[bytes], payload: bytes) -> dict[str, str]:
    named = end[1].decode("ascii") if end[1] else None
    if headers.get("x-amz-trailer") != named:
        raise Unidentified("x-amz-trailer does not name what is at the end of the body")
    if named is None:
        return {}
    if named in headers:
        raise Unidentified(f"{named} is in the headers and at the end of the body")
    algorithm = named.removeprefix("x-amz-checksum-")
    if algorithm not in _DIGESTS:
        raise Unidentified(f"the checksum {algorithm} is not known: use CRC32 or SHA256")
    said = end[2].decode("ascii")
    if said != base64.b64encode(_DIGESTS[algorithm](payload)).decode("ascii"):
        raise Unidentified(f"the checksum {algorithm} at the end of the body is wrong")
    return {named: said}


# ------------------------------------------------------------------ checksums
def _crc32(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4, "big")


def _crc32c(data: bytes) -> bytes:
    return _by_library("CRC32C", data).to_bytes(4, "big")


def _crc64nvme(data: bytes) -> bytes:
    return _by_library("CRC64-NVME", data).to_bytes(8, "big")


def _by_library(model: str, data: bytes) -> int:
    """Return a checksum that the standard library has not; 16 MiB of it take 2 ms."""
    from anycrc import Model

    return int(Model(model).calc(data))


_DIGESTS: Mapping[str, Callable[[bytes], bytes]] = {
    "crc32": _crc32,
    "crc32c": _crc32c,
    "crc64nvme": _crc64nvme,
    "md5": lambda data: hashlib.md5(data, usedforsecurity=False).digest(),
    "sha1": lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),
    "sha256": lambda data: hashlib.sha256(data).digest(),
    "sha512": lambda data: hashlib.sha512(data).digest(),
}

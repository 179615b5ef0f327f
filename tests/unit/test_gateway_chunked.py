"""Bodies in chunks are taken apart exactly, with the checksum at their end verified, or refused."""

from __future__ import annotations

import base64
import hashlib
import zlib

import pytest

from sandbox.errors import Unidentified
from sandbox.gateway.chunked import without_chunks

PAYLOAD = b"123456789"


def b64(data: bytes) -> str:
    """Return bytes as they are in a header."""
    return base64.b64encode(data).decode()


CHECKSUMS = {
    "crc32": b64(zlib.crc32(PAYLOAD).to_bytes(4, "big")),
    "crc32c": b64(0xE3069283.to_bytes(4, "big")),
    "crc64nvme": b64(0xAE8B14860A799888.to_bytes(8, "big")),
    "md5": b64(hashlib.md5(PAYLOAD).digest()),
    "sha1": b64(hashlib.sha1(PAYLOAD).digest()),
    "sha256": b64(hashlib.sha256(PAYLOAD).digest()),
    "sha512": b64(hashlib.sha512(PAYLOAD).digest()),
}
"""Those of CRC-32C and CRC-64/NVME are the check values of their catalogue entries."""


LONGER = {
    ("crc32c", bytes(32)): 0x8A9136AA,
    ("crc32c", b"\xff" * 32): 0x62A8AB43,
    ("crc32c", bytes(range(32))): 0x46DD794E,
    ("crc64nvme", bytes(4096)): 0x6482D367EB22B64E,
    ("crc64nvme", b"\xff" * 4096): 0xC0DDBA7302ECA3AC,
}
"""Those of RFC 3720 and of the NVMe specification."""


def headers(algorithm: str = "crc32", **more: str) -> dict[str, str]:
    """Return the headers of a chunked request; "" takes one away."""
    made = {
        "content-encoding": "aws-chunked",
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length": "9",
        "x-amz-trailer": f"x-amz-checksum-{algorithm}",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    return {name: value for name, value in made.items() if value}


def body(algorithm: str = "crc32", checksum: str = "") -> bytes:
    """Return the payload in two chunks, with its checksum."""
    said = checksum or CHECKSUMS[algorithm]
    return f"5\r\n12345\r\n4\r\n6789\r\n0\r\nx-amz-checksum-{algorithm}:{said}\r\n\r\n".encode()


@pytest.mark.parametrize("algorithm", CHECKSUMS)
def test_the_checksum_becomes_a_header(algorithm: str) -> None:
    """All that are known; nothing of the framing is left."""
    left, payload = without_chunks(headers(algorithm), body(algorithm))
    assert payload == PAYLOAD
    assert left == {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        f"x-amz-checksum-{algorithm}": CHECKSUMS[algorithm],
    }


@pytest.mark.parametrize(("known", "checksum"), LONGER.items(), ids=lambda each: str(each)[:30])
def test_checksums_are_those_of_the_papers(known: tuple[str, bytes], checksum: int) -> None:
    """What a library computes for us is right over more than a few bytes."""
    algorithm, payload = known
    said = b64(checksum.to_bytes(8 if algorithm == "crc64nvme" else 4, "big"))
    end = f"\r\n0\r\nx-amz-checksum-{algorithm}:{said}\r\n\r\n".encode()
    length = str(len(payload))
    left, _ = without_chunks(
        headers(algorithm, x_amz_decoded_content_length=length),
        b"%x\r\n%b%b" % (len(payload), payload, end),
    )
    assert left[f"x-amz-checksum-{algorithm}"] == said


def test_the_length_is_that_of_the_payload() -> None:
    """PutObject has the header as a parameter, and would announce the length of the chunks."""
    left, payload = without_chunks(headers(content_length="73"), body())
    assert left["content-length"] == str(len(payload))


def test_another_encoding_beside_it_is_kept() -> None:
    """An object that is stored compressed says so in the same header."""
    left, _ = without_chunks(headers(content_encoding="gzip,aws-chunked"), body())
    assert left["content-encoding"] == "gzip"


def test_chunks_without_a_checksum_are_read() -> None:
    """Then no trailer may be announced."""
    left, payload = without_chunks(headers(x_amz_trailer=""), b"9\r\n123456789\r\n0\r\n\r\n")
    assert (payload, "x-amz-checksum-crc32" in left) == (PAYLOAD, False)


REFUSED = {
    "signed chunks": (
        headers(x_amz_content_sha256="STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
        b"9;chunk-signature=0\r\n123456789\r\n0\r\n\r\n",
        "signed one by one",
    ),
    "a wrong checksum": (headers(), body(checksum="AAAAAA=="), "is wrong"),
    "a wrong CRC64NVME": (headers("crc64nvme"), body("crc64nvme", "AAAAAAAAAAA="), "is wrong"),
    "an unknown checksum": (headers("xxhash64"), body("xxhash64", "AAAAAAAAAAA="), "is not known"),
    "another trailer": (headers("sha1"), body(), "does not name"),
    "a checksum twice": (headers(x_amz_checksum_crc32="x"), body(), "and at the end"),
    "a longer body": (headers(x_amz_decoded_content_length="10"), body(), "not as long"),
    "bytes behind": (headers(), body() + b"x", "does not end"),
    "no end": (headers(), b"5\r\n12345\r\n", "can't be read"),
    "a chunk too short": (headers(), b"6\r\n12345\r\n0\r\n\r\n", "not as long as it says"),
    "a size with zeros": (headers(), b"05\r\n12345\r\n0\r\n\r\n", "can't be read"),
    "a size with an extension": (headers(), b"5;a=b\r\n12345\r\n0\r\n\r\n", "can't be read"),
    "a huge size": (headers(), b"fffffffff\r\n1\r\n0\r\n\r\n", "can't be read"),
    "nothing": (headers(), b"", "can't be read"),
}


@pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED)
def test_what_is_not_exactly_so_is_refused(refused: tuple[dict[str, str], bytes, str]) -> None:
    """Each with its own reason."""
    given, data, reason = refused
    with pytest.raises(Unidentified, match=reason):
        without_chunks(given, data)

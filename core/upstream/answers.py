"""Reads the answer to a request off a connection, up to its end.

Almost every answer of AWS is a head that says how long its body is, and that body. Such a one is
taken apart here; whatever is written in another way (chunks, an answer before the answer, folded
lines, a body up to the end of the connection) the standard library reads, from its first byte on,
in five times as long.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from http.client import HTTPResponse, IncompleteRead, RemoteDisconnected
from socket import socket

from sandbox.job import Response

MOST_BODY = 64 * 1024 * 1024
"""Of an answer that is held in memory; longer ones only come from operations that stream."""

_MOST_HEAD = 64 * 1024
_PIECE = 64 * 1024
_END = b"\r\n\r\n"
_STATUS = re.compile(rb"HTTP/1\.1 ([2-5][0-9][0-9])(?: [^\r\n\0]*)?")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*)")
_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)
_NO_BODY = (204, 304)


def answer_from(peer: socket, method: str, host: str) -> tuple[bool, Response]:
    """Return the answer, and whether the connection may be used again.

    Raises ValueError for one that is too large, OSError or HTTPException for one that breaks off.
    """
    received = peer.recv(_PIECE)
    while _END not in received:
        more = peer.recv(_PIECE) if received else b""
        if not more or len(received) > _MOST_HEAD:
            raise RemoteDisconnected("half a head is no answer, and the library would take it")
        received += more
    head, _, body = received.partition(_END)
    plain = _plain_head(head) if method != "HEAD" else None
    if plain is None:
        return _by_the_library(received, peer, method, host)
    status, headers, length = plain
    content = _content(peer, body, length, host)
    # What comes after the body belongs to no request of ours.
    kept = len(body) <= length and "close" not in _named(headers, "connection").lower()
    return kept, Response(status, headers, content)


def joined(headers: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Return headers by name; those that are there more than once, one after the other."""
    found: dict[str, str] = {}
    for name, text in headers:
        found[name] = f"{found[name]}, {text}" if name in found else text
    return found


def _plain_head(head: bytes) -> tuple[int, Mapping[str, str], int] | None:
    """Return status, headers and length of the body, None when the head is no ordinary one."""
    first, *lines = head.split(b"\r\n")
    status = _STATUS.fullmatch(first)
    matches = [_HEADER.fullmatch(line.decode("latin-1")) for line in lines]
    if status is None or int(status[1]) in _NO_BODY:
        return None
    pairs = [(match[1], match[2].rstrip(" \t")) for match in matches if match is not None]
    length = [text for name, text in pairs if name.lower() == "content-length"]
    chunked = any(name.lower() == "transfer-encoding" for name, _ in pairs)
    if len(pairs) < len(lines) or chunked or len(length) != 1 or not _LENGTH.fullmatch(length[0]):
        return None
    return int(status[1]), joined(pairs), int(length[0])


def _named(headers: Mapping[str, str], wanted: str) -> str:
    return next((text for name, text in headers.items() if name.lower() == wanted), "")


def _content(peer: socket, begun: bytes, length: int, host: str) -> bytes:
    """Return a body of a length, of which something has arrived."""
    if length > MOST_BODY:
        raise _too_large(host)
    if len(begun) >= length:
        return begun[:length]
    body = bytearray(begun)
    while len(body) < length:
        piece = peer.recv(min(_PIECE, length - len(body)))
        if not piece:
            raise IncompleteRead(bytes(body), length - len(body))
        body += piece
    return bytes(body)


def _by_the_library(received: bytes, peer: socket, method: str, host: str) -> tuple[bool, Response]:
    with HTTPResponse(_Begun(received, peer), method=method) as answer:  # type: ignore[arg-type]  # all that it asks a socket for
        answer.begin()
        content = answer.read(MOST_BODY + 1)
        if len(content) > MOST_BODY:
            raise _too_large(host)
        if answer.length:
            raise IncompleteRead(content, answer.length)
        headers = joined(answer.headers.items())
        return not answer.will_close, Response(answer.status, headers, content)


def _too_large(host: str) -> ValueError:
    return ValueError(f"the answer of {host} is larger than {MOST_BODY} bytes")


class _Begun(io.RawIOBase):
    """A connection of which something was read already, as a file."""

    def __init__(self, received: bytes, peer: socket) -> None:
        self._received = received
        self._peer = peer

    def makefile(self, _: str) -> io.BufferedReader:
        """Return what a response is read from."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # a writable buffer
        """Fill a buffer with what comes next; returns how much that is, 0 at the end."""
        if not self._received:
            return self._peer.recv_into(buffer)
        piece, self._received = self._received[: len(buffer)], self._received[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)

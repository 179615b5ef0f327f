"""One connection from the sandbox: a request is read, strictly, its answer is written, and again.

Requests arrive as at a plain-HTTP proxy: an absolute URL and a body with a length; or, by a
service's endpoint variable, with a path below /_svc/. The head is checked here byte by byte, more
strictly than a parser that serves everybody does it: bare line feeds, folded and repeated headers
could be read differently by another one. What passes, h11 reads once more, and only what both read
alike is accepted; that is a tenth of the time of a call, and a second lock on the first door. What
is not acceptable is answered and closed, never skipped over, and so is whatever comes with more
than one request at once.

An answer goes out with one write, or, where it is a stream, piece by piece as it comes. A stream
that breaks off cuts the connection: its end would say that it was whole.

A next request is read once the answer to the one before is written, and nothing else was there to
read: one after the other, each with a parser of its own. That spares client and gateway a connect
and a thread for each call: 0.4 ms of 2.4 where it was measured.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from socket import IPPROTO_TCP, SHUT_WR, TCP_NODELAY, socket
from time import monotonic

import h11

from sandbox.gateway.identify import Headers
from sandbox.gateway.run import Request
from sandbox.job import Response

MOST_HEAD = 16 * 1024
MOST_BODY = 16 * 1024 * 1024
"""More than a part of an upload needs, as clients cut them."""
WRITE_SECONDS = 30.0
"""For a whole answer to be taken; of a stream, for each piece."""

_LINGER_SECONDS = 1.0
_LINGER_BYTES = 1024 * 1024
_MOST_COPIED = 256 * 1024
"""A larger body is written after its head, not put together with it."""
_REQUEST_LINE = re.compile(rb"([A-Z]{1,16}) ([\x21-\x7e]+) HTTP/([0-9]\.[0-9])")
_HEADER_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\t]*)")
_LENGTH = re.compile(r"0|[1-9][0-9]{0,7}", re.ASCII)
_STATED_LENGTH = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_SERVICE_PATH = "/_svc/"
"""How the target of a request begins that comes by an endpoint variable, whose host we are."""
_HOP_BY_HOP = (
    "connection",
    "content-length",
    "keep-alive",
    "trailer",
    "transfer-encoding",
    "upgrade",
)
_NO_BODY = (204, 304)
_END_OF_HEAD = b"\r\n\r\n"


class Gone(Exception):
    """The peer went away or sent nothing, or its answer broke off: there is nobody to answer."""


class _Refused(Exception):
    """What arrived is not a request that can be accepted; `str(error)` says why."""


class Connection:
    """One accepted connection; used by one thread."""

    def __init__(self, peer: socket, patience_s: float, write_s: float = WRITE_SECONDS) -> None:
        """The whole of a request is there within `patience_s`; `write_s` is for each write."""
        self._peer = peer
        self._patience_s = patience_s
        self._write_s = write_s
        self._received = b""
        self.kept = False
        """Whether a next request may come, after an answer was written."""
        self.length = 0
        """Bytes of the request's body, known once its head was read."""
        self._begin()
        peer.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)

    @property
    def waits(self) -> bool:
        """Whether the peer sends its body only when it is asked to (Expect: 100-continue)."""
        return self._waits

    def wait(self) -> None:
        """Return when a next request begins to arrive; raises Gone when none does."""
        try:
            self._peer.settimeout(None)
            self._received = self._peer.recv(64 * 1024)
        except OSError as error:
            raise Gone from error
        if not self._received:
            raise Gone
        self._begin()

    def read_head(self) -> Request:
        """Return the request without its body, with `problem` set when it can't be accepted.

        Raises Gone.
        """
        request = Request("", "", (), None)
        try:
            head, rest = self._read_head()
            request = _parse_head(head)
            named = _named(request.headers)
            length = _length(named)
            _read_again(head, request.headers)
        except _Refused as error:
            return _refused(request, error)
        self._rest, self._waits = rest, "expect" in named
        self._method, self.length = request.method, length
        self.kept = "close" not in named.get("connection", "").lower()
        return request

    def read_body(self, request: Request) -> Request:
        """Return the request of `read_head` with its body, or with a problem; raises Gone."""
        if request.problem:
            return request
        try:
            return replace(request, body=self._read_body())
        except _Refused as error:
            return _refused(request, error)

    def write(self, response: Response) -> None:
        """Send the answer; raises Gone, also when a stream breaks off."""
        self.kept = self.kept and not self._unread
        head, length = _head(response, self._method, kept=self.kept)
        if self._method == "HEAD" or response.status in _NO_BODY:
            self._send(head)
        elif response.stream is not None:
            self._pass_on(head, response, length)
        elif len(response.body) <= _MOST_COPIED:
            self._send(head + response.body)
        else:
            self._send(head)
            self._send(response.body)
        if self._unread:
            self._linger()

    def _begin(self) -> None:
        """Make ready for a request."""
        self._deadline = monotonic() + self._patience_s
        self._rest, self._waits = b"", False
        self._method, self.length = "", 0
        self._unread, self.kept = True, False

    def _pass_on(self, head: bytes, response: Response, length: int | None) -> None:
        """Send an answer that is a stream, each piece as it comes; chunked when `length` is None.

        The upstream's word for the length is not trusted: no more than that is sent.
        """
        self._send(head + _framed(response.body, length))
        sent = len(response.body)
        try:
            for piece in response.stream or ():
                sent += len(piece)
                if length is not None and sent > length:
                    raise Gone
                self._send(_framed(piece, length))
        except OSError as error:
            raise Gone from error
        if length is not None and sent < length:
            raise Gone
        if length is None:
            self._send(b"0\r\n\r\n")

    def _read_head(self) -> tuple[bytes, bytes]:
        """Return the head, up to and with the empty line, and what came after it."""
        received, self._received = self._received or self._receive(), b""
        if not received:
            raise Gone
        while True:
            head, end, rest = received.partition(_END_OF_HEAD)
            _check_start(head + end)
            if end:
                return head + end, rest
            received += self._receive_more()

    def _read_body(self) -> bytes:
        if self._waits:
            self._send(b"HTTP/1.1 100 Continue\r\n\r\n")
        body, left = [self._rest], self.length - len(self._rest)
        while left > 0:
            body.append(self._receive_more())
            left -= len(body[-1])
        self._rest, self._unread = b"", left < 0
        if self._unread:
            raise _Refused("more than one request arrived at once")
        return b"".join(body)

    def _receive_more(self) -> bytes:
        data = self._receive()
        if data is None:
            raise _Refused(f"it did not arrive within {self._patience_s:g} s")
        if not data:
            raise Gone
        return data

    def _receive(self) -> bytes | None:
        """Return what has arrived, nothing at the end, None when it is too late; raises Gone."""
        left = self._deadline - monotonic()
        if left <= 0:
            return None
        try:
            self._peer.settimeout(left)
            return self._peer.recv(64 * 1024)
        except TimeoutError:
            return None
        except OSError as error:
            raise Gone from error

    def _send(self, data: bytes) -> None:
        try:
            self._peer.settimeout(self._write_s)
            self._peer.sendall(data)
        except OSError as error:
            raise Gone from error

    def _linger(self) -> None:
        """Take in what still arrives: closing on unread bytes would take the answer away."""
        end, left = monotonic() + _LINGER_SECONDS, _LINGER_BYTES
        with suppress(OSError):
            self._peer.shutdown(SHUT_WR)
            while left > 0 and (time := end - monotonic()) > 0:
                self._peer.settimeout(time)
                data = self._peer.recv(64 * 1024)
                if not data:
                    return
                left -= len(data)


# ------------------------------------------------------------------ what is acceptable
def _check_start(head: bytes) -> None:
    """Refuse a head, complete or not, as soon as it can't become an acceptable one."""
    if len(head) > MOST_HEAD:
        raise _Refused(f"its head is larger than {MOST_HEAD} bytes")
    if not b"A" <= head[:1] <= b"Z":
        raise _Refused("it does not begin like HTTP")
    lines, returns = head.count(b"\r\n"), head.count(b"\r") - head.endswith(b"\r")
    if head.count(b"\n") != lines or returns != lines or b"\0" in head:
        raise _Refused("its head holds a bare line feed, carriage return or NUL")


def _read_again(head: bytes, headers: Headers) -> None:
    """Refuse a head that h11 refuses, or in which it finds other headers."""
    parser = h11.Connection(h11.SERVER, max_incomplete_event_size=MOST_HEAD)
    try:
        parser.receive_data(head)
        read = parser.next_event()
    except h11.RemoteProtocolError as error:
        raise _Refused(str(error)) from error
    ours = [(name.lower().encode(), value.encode()) for name, value in headers]
    if not isinstance(read, h11.Request) or list(read.headers) != ours:
        raise _Refused("a second reader of HTTP finds something else in its head")


def _parse_head(head: bytes) -> Request:
    first, *lines = head.removesuffix(_END_OF_HEAD).split(b"\r\n")
    match = _REQUEST_LINE.fullmatch(first)
    if match is None:
        raise _Refused("its first line is not method, target and version")
    method, target, version = (group.decode("ascii") for group in match.groups())
    if version != "1.1":
        raise _Refused(f"it is HTTP/{version}; only HTTP/1.1 is spoken here")
    if method == "CONNECT":
        raise _Refused("CONNECT asks for a tunnel, and nothing passes here unread (use_ssl=False)")
    headers = [_parse_header(line) for line in lines]
    return Request(method, _target(target, headers), headers, None)


def _parse_header(line: bytes) -> tuple[str, str]:
    if line[:1] in (b" ", b"\t"):
        raise _Refused("a header is folded over two lines")
    match = _HEADER_LINE.fullmatch(line)
    if match is None:
        raise _Refused("a header is not a name and a value of plain ASCII")
    name, value = match.groups()
    return name.decode("ascii"), value.decode("ascii").rstrip(" \t")


def _target(target: str, headers: Headers) -> str:
    """Return the URL of a request, whichever way it came; `identify` judges it."""
    if not target.startswith(_SERVICE_PATH):
        return target
    host = next((value for name, value in headers if name.lower() == "host"), "")
    return f"http://{host}{target}"


def _named(headers: Headers) -> dict[str, str]:
    """Return headers by their names in lower case; raises _Refused for two of one name."""
    named = {name.lower(): value for name, value in headers}
    if len(named) != len(headers):
        raise _Refused("a header is there more than once")
    if "host" not in named:
        raise _Refused("it has no Host header")
    return named


def _length(named: Mapping[str, str]) -> int:
    """Return how long the body is; raises _Refused when that or the rest of the framing is odd."""
    if "transfer-encoding" in named:
        raise _Refused("it has a Transfer-Encoding; only Content-Length is accepted")
    length = named.get("content-length", "0")
    if _LENGTH.fullmatch(length) is None:
        raise _Refused("its Content-Length is not a plain number")
    if int(length) > MOST_BODY:
        raise _Refused(f"its body is larger than {MOST_BODY} bytes; send it in parts")
    if "upgrade" in named or named.get("expect", "100-continue") != "100-continue":
        raise _Refused("it asks for another protocol (Upgrade or Expect)")
    return int(length)


def _refused(request: Request, error: Exception) -> Request:
    return replace(request, problem=f"the HTTP request is refused: {error}")


# ------------------------------------------------------------------ answers
def _head(response: Response, method: str, *, kept: bool) -> tuple[bytes, int | None]:
    """Return the head of an answer, and the length that it states for the body, if any."""
    named = {name.lower(): value.strip() for name, value in response.headers.items()}
    stated = named.get("content-length", "")
    length: int | None = len(response.body)
    if response.stream is not None or method == "HEAD":
        length = int(stated) if _STATED_LENGTH.fullmatch(stated) else None
    lines = [b"HTTP/1.1 %d %s" % (response.status, _phrase(response.status))]
    lines += _handed_on(response)
    if length is not None and response.status not in _NO_BODY:
        lines.append(b"content-length: %d" % length)
    elif response.stream is not None:
        lines.append(b"transfer-encoding: chunked")
    if not kept:
        lines.append(b"connection: close")
    return b"\r\n".join([*lines, b"", b""]), length


def _handed_on(response: Response) -> list[bytes]:
    """Return the lines of an upstream's headers that may be handed on: all but the framing."""
    lines = [
        f"{name}: {value.strip()}".encode("utf-8", "surrogatepass")
        for name, value in response.headers.items()
        if name.lower() not in _HOP_BY_HOP
    ]
    return [line for line in lines if _HEADER_LINE.fullmatch(line)]


def _framed(piece: bytes, length: int | None) -> bytes:
    """Return a piece of a stream as it is written: as a chunk when no length was stated."""
    if length is not None or not piece:
        return piece
    return b"%x\r\n%b\r\n" % (len(piece), piece)


def _phrase(status: int) -> bytes:
    try:
        return HTTPStatus(status).phrase.encode("ascii")
    except ValueError:
        return b"Unknown"

"""Takes a finished request straight to its host and brings the whole answer back.

For requests that need no proxy and whose answers are held in memory: over TLS connections that are
kept, in a fifth of the time that botocore's session takes. The head of a request and a body of
ordinary size leave with one write; how the answer is read stands in `answers`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPException, IncompleteRead
from select import POLLIN, poll
from socket import IPPROTO_TCP, TCP_NODELAY, create_connection, gaierror, socket
from ssl import SSLCertVerificationError, SSLContext, SSLError
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from core.upstream.answers import answer_from
from sandbox.job import Response

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest

CONNECT_SECONDS = 10
READ_SECONDS = 60
"""Without a byte; botocore waits as long."""
MOST_CONNECTIONS = 8
"""Kept open, per host."""
MOST_HOSTS = 64

_TOGETHER = 256 * 1024
_TARGET = re.compile(r"[\x21-\x7e]+")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [^\r\n\0]*")
_UNKNOWN = "whether the call was carried out is not known"

Connect = Callable[[str, int], socket]
"""Returns a connection to a host and port; raises OSError."""


def connect(host: str, port: int) -> socket:
    """Return a connection, within the time for it."""
    return create_connection((host, port), CONNECT_SECONDS)


def trusting(ca_bundle: str) -> SSLContext:
    """Return what verifies hosts; `ca_bundle` names a file, empty: botocore's authorities."""
    from botocore.httpsession import create_urllib3_context, get_cert_path

    context: SSLContext = create_urllib3_context()
    context.check_hostname = True
    context.load_verify_locations(get_cert_path(ca_bundle or True))
    return context


class Direct:
    """Kept connections; threads may share it."""

    def __init__(self, context: SSLContext | None, connect: Connect = connect) -> None:
        """`context` verifies hosts; None = without TLS, for a server of this machine."""
        self._context = context
        self._connect = connect
        self._lock = Lock()
        self._idle: dict[str, list[socket]] = {}

    def send(self, request: AWSPreparedRequest) -> Response:
        """Return the answer; raises ValueError when nothing was sent or no whole answer came."""
        parts = urlsplit(request.url)
        host = parts.hostname or ""
        data = _written(request, parts.netloc, parts._replace(scheme="", netloc="").geturl())
        peer = self._idle_one(parts.netloc) or self._connected(host, parts.port)
        kept = False
        try:
            kept, response = _exchanged(peer, data, request.method, host)
        except TimeoutError as error:
            raise ValueError(
                f"{host} did not answer within {READ_SECONDS} s; {_UNKNOWN}"
            ) from error
        except (HTTPException, OSError) as error:
            raise ValueError(f"{_hung_up(error, host)}; {_UNKNOWN}") from error
        finally:
            self._let_go(parts.netloc, peer, kept=kept)
        return response

    def close(self) -> None:
        """Close the connections that are kept."""
        with self._lock:
            idle = [peer for peers in self._idle.values() for peer in peers]
            self._idle.clear()
        for peer in idle:
            peer.close()

    def _idle_one(self, place: str) -> socket | None:
        """Return a kept connection at whose other end nobody has hung up."""
        while True:
            with self._lock:
                peers = self._idle.get(place)
                if not peers:
                    return None
                peer = peers.pop()
            waiting = poll()
            waiting.register(peer, POLLIN)
            if not waiting.poll(0):
                return peer
            peer.close()

    def _let_go(self, place: str, peer: socket, *, kept: bool) -> None:
        with self._lock:
            peers = self._idle.setdefault(place, []) if len(self._idle) < MOST_HOSTS else []
            if kept and len(peers) < MOST_CONNECTIONS and self._idle.get(place) is peers:
                peers.append(peer)
                return
        with suppress(OSError):
            peer.close()

    def _connected(self, host: str, port: int | None) -> socket:
        try:
            peer = self._connect(host, port or (443 if self._context else 80))
            try:
                peer.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
                if self._context:
                    peer = self._context.wrap_socket(peer, server_hostname=host)
                peer.settimeout(READ_SECONDS)
            except OSError:
                peer.close()
                raise
        except OSError as error:
            raise ValueError(_not_reached(error, host)) from error
        return peer


def _written(request: AWSPreparedRequest, place: str, target: str) -> tuple[bytes, bytes]:
    """Return the head and the body of a request; raises ValueError for what no head can hold."""
    headers = {"accept-encoding": "identity"}
    headers |= {name.lower(): _text(value) for name, value in request.headers.items()}
    lines = [f"{name}: {value}" for name, value in {**headers, "host": place}.items()]
    target = target or "/"
    if not (_TARGET.fullmatch(target) and all(map(_HEADER.fullmatch, lines))):
        raise ValueError("its head can't be written as HTTP")
    head = "\r\n".join((f"{request.method} {target} HTTP/1.1", *lines, "", ""))
    return head.encode("latin-1"), request.body or b""


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _exchanged(
    peer: socket, data: tuple[bytes, bytes], method: str, host: str
) -> tuple[bool, Response]:
    """Return the answer, and whether the connection may be used again; raises OSError and such."""
    head, body = data
    if len(body) <= _TOGETHER:
        peer.sendall(head + body)
    else:
        peer.sendall(head)
        peer.sendall(body)
    return answer_from(peer, method, host)


def _hung_up(error: Exception, host: str) -> str:
    match error:
        case IncompleteRead():
            return f"{host} broke off {error.expected or 'some'} bytes before the end"
        case SSLError():
            return f"{host} broke off: {type(error).__name__}"
        case _:
            return f"{host} closed the connection before it answered"


def _not_reached(error: OSError, host: str) -> str:
    """Return why there is no connection: nothing was sent."""
    match error:
        case gaierror():
            return f"the name {host} can't be resolved (DNS)"
        case SSLCertVerificationError():
            return (
                f"the TLS certificate of {host} is not signed by an authority that is trusted "
                "(AWS_CA_BUNDLE)"
            )
        case TimeoutError():
            return f"{host} did not take the connection within {CONNECT_SECONDS} s"
        case ConnectionRefusedError():
            return f"{host} can't be reached: the connection was refused"
        case _:
            return f"{host} could not be asked ({type(error).__name__})"

"""Without a proxy: TLS to the host itself, verified, over a connection that is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from socket import create_connection, create_server, socket
from threading import Thread
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, HeadersDict

from core.upstream.direct import Direct, trusting

HOST = "sts.eu-west-1.amazonaws.com"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def host(authority: Any) -> Iterator[socket]:
    """Return the listener of a server that shows the certificate of `HOST`."""
    context = authority.context(HOST)

    def serve() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with suppress(OSError), context.wrap_socket(peer, server_side=True) as inside:
                while inside.recv(65536):
                    inside.sendall(OK)

    with create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield listener
        listener.shutdown(2)
    thread.join(30)


def direct(ca_bundle: str, listener: socket) -> tuple[Direct, list[int]]:
    """Return what sends to the server, whatever the host is called, and its connections."""
    made: list[int] = []

    def connect(*_: object) -> socket:
        made.append(1)
        return create_connection(listener.getsockname(), 30)

    return Direct(trusting(ca_bundle), connect), made


def request(name: str) -> AWSPreparedRequest:
    """Return a finished request."""
    return AWSPreparedRequest(
        "POST", f"https://{name}/", HeadersDict({"content-length": "0"}), None, False
    )


def test_a_host_of_a_trusted_authority_is_asked_over_one_connection(
    host: socket, authority: Any
) -> None:
    """Three calls, one TLS connection."""
    sending, made = direct(str(authority.bundle), host)
    assert [sending.send(request(HOST)).body for _ in range(3)] == [b"{}"] * 3
    assert len(made) == 1
    sending.close()


@pytest.mark.parametrize("trusted", [True, False])
def test_another_name_and_another_authority_are_refused(
    host: socket, authority: Any, trusted: bool
) -> None:
    """A certificate of another host, or of somebody who is not trusted, ends it before a word."""
    sending, _ = direct(str(authority.bundle) if trusted else "", host)
    with pytest.raises(ValueError, match=r"is not signed by an authority .*AWS_CA_BUNDLE"):
        sending.send(request("iam.amazonaws.com" if trusted else HOST))
    assert not any(sending._idle.values())

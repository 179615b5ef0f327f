"""A loopback server that plays AWS for the benchmarks: started by them as a process of its own.

`python -I answering_server.py FD MILLISECONDS` answers on the listener FD, after so many
milliseconds, whatever is asked with a success that says nothing, in the form that the request's
protocol wants. Connections are kept, as AWS keeps them.
"""

from __future__ import annotations

import asyncio
import re
import sys
from socket import socket

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_ACTION = re.compile(rb"(?:^|&)Action=([A-Za-z0-9]+)")
_HEAD = (
    b"HTTP/1.1 200 OK\r\nx-amzn-requestid: R-1\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n"
)


class Answering(asyncio.Protocol):
    """One connection, for as many requests as its other end wants."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer when a request is whole; its client sends no other before that."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not end or len(body) < (int(length[1]) if length else 0):
            return
        self._received = b""
        answer = answer_to(head, body)
        if self._delay_s:
            asyncio.get_running_loop().call_later(self._delay_s, self._transport.write, answer)
        else:
            self._transport.write(answer)


def answer_to(head: bytes, body: bytes) -> bytes:
    """Return the answer to a request."""
    action = _ACTION.search(body)
    if action:
        name = action[1]
        content, kind = b"<%bResponse><%bResult/></%bResponse>" % (name, name, name), b"text/xml"
    elif b"\r\nhost: s3." in head.lower():
        content, kind = b"<Result/>", b"application/xml"
    else:
        content, kind = b"{}", b"application/json"
    return _HEAD % (kind, len(content)) + content


async def main(descriptor: int, milliseconds: float) -> None:
    """Answer until killed."""
    listener = socket(fileno=descriptor)
    server = await asyncio.get_running_loop().create_server(
        lambda: Answering(milliseconds / 1000), sock=listener
    )
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))

"""The real gateway over one canned answer: started by the benchmarks as a process of its own.

It reads, judges, tells and answers as in a session; only AWS is left out, whose share of a call
would drown what is measured.
"""

from __future__ import annotations

import signal
import sys
from socket import socket

from sandbox.gateway.run import RunPorts
from sandbox.gateway.serve import serve
from sandbox.job import OPERATOR, AwsCall, Response, Verdict

ACCESS_KEY = "AKIDBENCHMARK"
IDENTITY = (
    b'<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
    b"<GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult>"
    b"</GetCallerIdentityResponse>"
)


class Canned:
    """An upstream that knows one answer."""

    def send(self, call: AwsCall) -> Response:  # noqa: ARG002 - part of the port
        """Answer whatever is asked."""
        return Response(200, {"Content-Type": "text/xml"}, IDENTITY)


def open_run(spec: bytes) -> RunPorts:  # noqa: ARG001 - every run is the same here
    """Return ports that allow everything, as often as wanted."""
    allowed = Verdict(allowed=True, reason="a benchmark", tier=1, action="sts:GetCallerIdentity")
    return RunPorts(
        lambda _: allowed, Canned(), {ACCESS_KEY: OPERATOR}.get, 1_000_000, 1_000_000_000
    )


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(socket(fileno=int(sys.argv[1])), open_run)

"""The real gateway in front of `answering_server`: started by the benchmarks as its own process.

`python -I forwarding_gateway.py PORT FD`: it reads, judges by a real policy, builds the new request
and tells as in a session; the request is then sent as it is to the loopback port instead of to
AWS, over kept connections. What a call costs here that it would not cost directly is the gateway.
"""

from __future__ import annotations

import signal
import sys
from functools import partial
from socket import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from core.iam.judge import authorizer
from core.upstream.direct import Direct
from sandbox.gateway.rebuild import Rebuilder
from sandbox.gateway.run import RunPorts
from sandbox.gateway.serve import serve
from sandbox.job import OPERATOR, AwsCall, Response

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest

ACCESS_KEY = "AKIDBENCHMARK"
ACCOUNT = "123456789012"
REGION = "eu-west-1"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["*:Describe*", "*:List*"], "Resource": "*"}],
}


class Forwarding:
    """An upstream that sends what it builds to a port of this machine."""

    def __init__(self, port: int) -> None:
        self._host = f"127.0.0.1:{port}"
        self._rebuilder = Rebuilder()
        self._direct = Direct(None)

    def send(self, call: AwsCall) -> Response:
        """Build the request of `call` and send it."""
        return self._rebuilder.send(call, self._transport)

    def _transport(self, request: AWSPreparedRequest) -> Response:
        request.url = urlsplit(request.url)._replace(scheme="http", netloc=self._host).geturl()
        return self._direct.send(request)


def open_run(upstream: Forwarding, spec: bytes) -> RunPorts:  # noqa: ARG001 - all runs are alike
    """Return ports that allow what the policy allows, as often as wanted."""
    judge = authorizer(POLICY, account=ACCOUNT, partition="aws", regions=(REGION,), ceiling=2)
    return RunPorts(judge, upstream, {ACCESS_KEY: OPERATOR}.get, 1_000_000, 1_000_000_000)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(socket(fileno=int(sys.argv[2])), partial(open_run, Forwarding(int(sys.argv[1]))))

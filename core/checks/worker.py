"""The review as a process: `python -I -m core.checks.worker FD`.

FD is one end of a pair of sockets; the other is held by whoever wants reviews. It ends with that
socket. Before the first question it reviews a script of its own, so that what loads slowly is
loaded while nobody waits. A question that takes far too long ends the process, also when nobody is
left to end it.
"""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from socket import socket

from core.approval.draft import Draft
from core.checks.frames import Answered, Asked, read, write
from core.checks.review import review
from core.checks.standards import DEFAULT
from core.errors import MachineUnfit
from sandbox.gateway.frames import receive_frame, send_frame

_MOST_SECONDS = 120
_SAMPLE = b"""import boto3

for region in ("eu-west-1",):
    ec2 = boto3.client("ec2", region_name=region)
    for page in ec2.get_paginator("describe_instances").paginate():
        print(len(page["Reservations"]))
"""


def main(arguments: list[str]) -> int:
    """Answer until the socket is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    (descriptor,) = arguments
    with socket(fileno=int(descriptor)) as channel, suppress(ConnectionError):
        _answer(Asked(_sample(), DEFAULT))
        while (frame := receive_frame(channel)) is not None:
            signal.alarm(_MOST_SECONDS)
            send_frame(channel, write(_answer(read(Asked, frame))))
            signal.alarm(0)
    return 0


def _answer(asked: Asked) -> Answered:
    try:
        return Answered(review(asked.draft, asked.standards, ceilings=asked.ceilings))
    except MachineUnfit as error:
        return Answered(None, str(error), error.hint)


def _sample() -> Draft:
    return Draft(
        step="S1",
        version=1,
        author="file",
        kind="collect",
        language="python",
        script=_SAMPLE,
        requirements=(),
        policy={"Version": "2012-10-17", "Statement": []},
        rollback=None,
        post_check=None,
        parameters={},
        inputs=(),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

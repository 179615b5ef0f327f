"""The gateway process: `python -I -m core.gateway_main FD`, where FD is the control socket.

It lives as long as the other end of that socket. This is how it starts; what answers the calls of a
run is found in `core.gateway_runs`. Only who looks for the operator's keys sees the AWS settings of
the operator's environment.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from contextlib import suppress
from functools import partial
from socket import socket


def main(arguments: list[str]) -> int:
    """Serve runs until the control socket is closed."""
    gc.disable()  # what is made now stays; to look through it again and again took a sixth longer
    # Ctrl-C is for the terminal's owner; this process ends with its control socket.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    operators = dict(os.environ)
    for name in [name for name in os.environ if name.upper().startswith("AWS_")]:
        del os.environ[name]
    # With awscrt beside it (for `aws login`) botocore would sign by that, not as `signing` does.
    os.environ["BOTO_DISABLE_CRT"] = "true"
    from core.errors import MachineUnfit
    from core.gateway_runs import open_run
    from core.iam.table import load_table
    from sandbox.gateway.serve import serve

    with suppress(MachineUnfit):  # each run is refused then, and told why
        load_table()
    gc.freeze()
    gc.enable()
    serve(socket(fileno=int(arguments[0])), partial(open_run, environment=operators))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

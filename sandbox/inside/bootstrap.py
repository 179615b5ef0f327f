"""The first Python that runs inside: makes boto3 importable, waits, then becomes the script.

Delivered as the text of `python -c`, so it imports the standard library only and reads nothing of
ours. Its arguments: "aws" or "offline"; the descriptor of a socket; then the services to get ready
for. With "aws", every botocore client speaks plain HTTP: the gateway outside signs and encrypts
anew, it has to read what the script asks. botocore itself is imported only for a service named, or
if the script does; what was loaded of its models by then, every session of the script shares.

From the socket comes a JSON message when the script, its parameters and inputs lie in /job: its
variables and its processor time, which what happened before does not count against. The script is
compiled, and a second message, when all is ready for it outside, lets it run. The socket's end
instead means that nobody wants this process any more.

The script runs as `__main__` from /job/script.py, ends with the exit code that python would give,
and skips the interpreter's own teardown, which costs 200 ms once boto3 is loaded.
"""

from __future__ import annotations

import atexit
import gc
import json
import math
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

SCRIPT = "/job/script.py"
SITE = "/runtime/site"
_MOST_MESSAGE = 64 * 1024
_USE_SSL = 3  # place of use_ssl among the positional parameters of Session.create_client


class PlainHttp:
    """Import hook that has botocore's sessions make clients without TLS."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find botocore.session as python would, and change it right after it is loaded."""
        if name != "botocore.session":
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_and_change(module: ModuleType) -> None:
                load(module)
                module.Session.create_client = without_tls(module.Session.create_client)
                # Links of S3 would be signed with SigV2, which the gateway does not read.
                creator = module.botocore.client.ClientCreator
                creator._default_s3_presign_to_sigv2 = lambda *_, **__: None  # noqa: SLF001

            spec.loader.exec_module = load_and_change  # type: ignore[method-assign]  # this one loader only
        return spec


def without_tls(create_client: Any) -> Any:
    """Wrap botocore's Session.create_client so that `use_ssl` is always False."""

    def create_plain_client(*arguments: Any, **options: Any) -> Any:
        first = 1 + _USE_SSL  # after self
        if len(arguments) > first:
            arguments = (*arguments[:first], False, *arguments[first + 1 :])
        else:
            options["use_ssl"] = False
        return create_client(*arguments, **options)

    return create_plain_client


def get_ready(services: Sequence[str]) -> None:
    """Load boto3 and all that a client of each service needs, as far as that goes."""
    try:
        import boto3
        import botocore.session
        from botocore.exceptions import BotoCoreError
        from botocore.loaders import Loader
    except (ImportError, MemoryError):  # the script will see, if it wants them at all
        return
    with suppress(MemoryError):
        loader = Loader()
        botocore.session.create_loader = lambda *_: loader
        session = boto3.session.Session()
        for service in services:
            with suppress(BotoCoreError):  # one that it does not know is the script's to find out
                session.client(service, region_name="us-east-1")
    gc.freeze()  # what is loaded stays, no collection of the script's needs to look at it


def wait(word: int) -> bool:
    """Return whether the script is wanted, once that is known; its variables and limit are set."""
    message = os.read(word, _MOST_MESSAGE)
    if not message:
        return False
    start = json.loads(message)
    os.environ.update(start["variables"])
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    most = min(hard, math.ceil(time.process_time() + start["cpu_ms"] / 1000))
    resource.setrlimit(resource.RLIMIT_CPU, (most, most))
    return True


def run(path: str, word: int) -> int:
    """Run the script as __main__ and return the exit code that python would end with.

    It is read and compiled at once, and executed when the socket `word` says so.

    Asked to end (SIGTERM), it unwinds like one that calls sys.exit, so that it can clean up.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    main = ModuleType("__main__")
    main.__file__ = path
    sys.modules["__main__"] = main
    sys.argv = [path]
    try:
        code = compile(Path(path).read_bytes(), path, "exec", dont_inherit=True)
        go = os.read(word, _MOST_MESSAGE)
        os.close(word)
        if go:
            exec(code, main.__dict__)  # noqa: S102 - the job
    except SystemExit as end:
        return exit_code(end)
    except BaseException as error:  # noqa: BLE001 - whatever a script raises is its own to show
        trace = error.__traceback__
        # The first frame is ours; of what compile() raised there is no other.
        error.__traceback__ = None if trace is None else trace.tb_next
        sys.excepthook(type(error), error, error.__traceback__)
        return 1
    return 0


def exit_code(end: SystemExit) -> int:
    """Return what python makes of a SystemExit, and print its text if it has one."""
    if end.code is None:
        return 0
    if isinstance(end.code, int):
        return end.code & 0xFF
    print(end.code, file=sys.stderr)  # noqa: T201 - as python does
    return 1


def finish(code: int) -> None:
    """Wait for the script's threads, run its exit handlers, flush and leave."""
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - what python does at its end
    atexit._run_exitfuncs()  # noqa: SLF001 - likewise
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):  # closed or replaced by the script
            code = code or 120
    os._exit(code)


if __name__ == "__main__":
    import site

    site.setquit()  # exit() and quit(), which python -S leaves out
    sys.path.append(SITE)
    reach, word, *likely = sys.argv[1:]
    if reach == "aws":
        sys.meta_path.insert(0, PlainHttp())
    if likely:
        get_ready(likely)
    if wait(int(word)):
        finish(run(SCRIPT, int(word)))

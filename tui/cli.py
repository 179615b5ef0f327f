"""The command line: what can be said, and how it ends (docs/exit_codes.md).

Parsing needs the standard library only, so that `--help` answers at once; each command imports what
it needs when it runs. Everything that can go wrong ends as one line, a hint and an exit code.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence

from tui import guard, streams

_CRASHED = 1
_USAGE = 2
_MACHINE_UNFIT = 6
_INTERRUPTED = 130

_COMMANDS = {
    "ask": ("work on a question until an answer stands", "ask 'Why is checkout returning 503s?'"),
    "run": ("run one script of yours, once it is approved", "run report.py --approve 3f9c..."),
    "check": ("review a script without running it", "check report.py --policy policy.json --json"),
    "replay": ("read a session again; runs nothing", "replay 20261120T181203-0a1b2c3"),
    "verify": ("tell whether session files are what was written", "verify session.db"),
    "sessions": ("list the sessions on this machine", "sessions --json"),
    "grants": ("list the grants that outlive their session, or end one", "grants --revoke L3f9c"),
    "config": ("store the key of a model, never as an argument", "config set-key"),
    "doctor": ("say what this machine can do, and what to type where it can't", "doctor"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; never raises."""
    streams.prepare()
    guard.check()
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run_to_end(arguments)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        streams.drop(sys.stdout)
        return _CRASHED
    except Exception as error:  # noqa: BLE001  the last edge: one line instead of a traceback
        return _report(error)


def parser() -> argparse.ArgumentParser:
    """Return the parser with every command; `--help` prints from it, a test holds docs to it."""
    made = _Parser(
        prog="countersign",
        description="Nothing runs until it is countersigned, and what was countersigned is "
        "exactly what can happen.",
        epilog="Without a command it opens the screen, with all sessions. "
        "`countersign COMMAND --help` tells more, with an example.",
    )
    made.add_argument("--version", action="store_true", help="print the version and end")
    commands = made.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    builders = {
        "ask": _ask,
        "run": _run,
        "check": _check,
        "replay": _replay,
        "verify": _verify,
        "sessions": _sessions,
        "grants": _grants,
        "config": _config,
        "doctor": _doctor,
    }
    for name, (does, example) in _COMMANDS.items():
        command = commands.add_parser(
            name, help=does, description=f"{does}.", epilog=f"example: countersign {example}"
        )
        command.add_argument("--config", metavar="FILE", help="settings instead of your own")
        builders[name](command)
    return made


class _Parser(argparse.ArgumentParser):
    """argparse with errors in this program's form and no abbreviated flags."""

    def __init__(self, **settings: object) -> None:
        super().__init__(allow_abbrev=False, **settings)  # type: ignore[arg-type]  # argparse's own

    def error(self, message: str) -> None:  # type: ignore[override]  # it ends, as argparse's does
        _tell(message, f"{self.prog} --help")
        raise SystemExit(_USAGE)


def _target(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--aws",
        default="live",
        metavar="SOURCE",
        help="live (default), simulated:WORLD or recorded:SESSION",
    )
    command.add_argument(
        "--profile",
        metavar="NAME",
        help="whose AWS credentials; default: the settings', then AWS's",
    )
    command.add_argument(
        "--mode",
        choices=("guided", "hybrid", "automated", "manual"),
        help="default: the settings'",
    )
    command.add_argument(
        "--region", action="append", default=[], metavar="NAME", help="a region that may be called"
    )
    command.add_argument(
        "--limit",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a limit of the run, as named in the settings: wall_seconds=60",
    )


def _surface(command: argparse.ArgumentParser, at_terminal: str) -> None:
    default = at_terminal if all(map(_is_terminal, (0, 1, 2))) else "plain"
    command.add_argument(
        "--ui",
        choices=("tui", "plain", "json"),
        default=default,
        help=f"default: {at_terminal} at a terminal, plain without one",
    )


def _is_terminal(descriptor: int) -> bool:
    return os.isatty(descriptor) and os.environ.get("TERM", "dumb") != "dumb"


def _approval(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--approve",
        action="append",
        default=[],
        metavar="DIGEST",
        help="approve exactly this digest, once, without a terminal",
    )
    command.add_argument(
        "--confirm",
        default="",
        metavar="ALIAS",
        help="the account's alias: for tiers 3 and 4, and for automated mode on a live account",
    )
    command.add_argument(
        "--override-blockers", action="store_true", help="run in spite of blockers; is recorded"
    )
    command.add_argument(
        "--again", action="store_true", help="let --approve hold for a digest that ran before"
    )
    command.add_argument(
        "--decision",
        action="append",
        default=[],
        metavar="FILE",
        help="a decision that an allowed signer made elsewhere, with FILE.sig beside it",
    )
    command.add_argument(
        "--approver",
        metavar="COMMAND",
        help="a program that gets each request on stdin and decides by its exit status",
    )
    command.add_argument(
        "--result",
        action="append",
        default=[],
        metavar="DIGEST=FILE",
        help="manual mode: what the script that was handed over with this digest has found",
    )


def _draft(command: argparse.ArgumentParser) -> None:
    command.add_argument("script", metavar="SCRIPT", help="a Python script")
    command.add_argument("--policy", metavar="FILE", help="IAM policy; none = allows nothing")
    command.add_argument("--requirements", metavar="FILE", help="locked requirements")
    command.add_argument("--parameters", metavar="FILE", help="JSON for /job/in/parameters.json")
    command.add_argument("--rollback", metavar="FILE", help="script that undoes a change")
    command.add_argument("--post-check", metavar="FILE", help="script that checks a change")
    command.add_argument("--tests", metavar="FILE", help="the script's own tests, for rehearsals")
    command.add_argument(
        "--kind", choices=("collect", "analyse", "change", "report"), default="collect"
    )


def _ask(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "question", nargs="?", metavar="QUESTION", help="a simulated world brings its own"
    )
    command.add_argument("--resume", metavar="SESSION", help="go on with an open session")
    command.add_argument(
        "--planner",
        choices=("auto", "model", "workflows"),
        default="auto",
        help="default: a model when there is a key for one, else saved workflows",
    )
    _target(command)
    _surface(command, at_terminal="tui")
    _approval(command)


def _run(command: argparse.ArgumentParser) -> None:
    _draft(command)
    _target(command)
    _surface(command, at_terminal="plain")
    _approval(command)


def _check(command: argparse.ArgumentParser) -> None:
    _draft(command)
    _target(command)
    command.add_argument(
        "--lock", action="store_true", help="first lock what --requirements names, in that file"
    )
    command.add_argument(
        "--diff", metavar="OTHER", help="compare with an earlier version of SCRIPT"
    )
    command.add_argument("--json", action="store_true", help="one JSON object")


def _replay(command: argparse.ArgumentParser) -> None:
    command.add_argument("session", metavar="SESSION", help="an id, the beginning of one, a file")
    _surface(command, at_terminal="tui")


def _verify(command: argparse.ArgumentParser) -> None:
    command.add_argument("session", nargs="+", metavar="SESSION", help="ids or files")
    command.add_argument("--json", action="store_true", help="one JSON object for each")


def _sessions(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="one JSON object for each")


def _grants(command: argparse.ArgumentParser) -> None:
    command.add_argument("--revoke", metavar="NAME", help="end this one, in every session")
    command.add_argument("--json", action="store_true", help="one JSON object for each")


def _config(command: argparse.ArgumentParser) -> None:
    command.add_argument("action", choices=("set-key",), help="read without echo, or from stdin")


def _doctor(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="one JSON object")


def _run_to_end(arguments: list[str]) -> int:
    """Return the exit code once everything that was printed has been taken."""
    try:
        code = _dispatch(_parsed(arguments))
    except SystemExit as stop:  # argparse: --help, or a usage error it has told about
        code = stop.code if isinstance(stop.code, int) else _USAGE
    sys.stdout.flush()
    return code


def _parsed(arguments: list[str]) -> argparse.Namespace:
    for number, argument in enumerate(arguments, 1):
        try:
            argument.encode("utf-8")
        except UnicodeEncodeError:
            _tell(f"argument {number} is not UTF-8", "files are named by their path in UTF-8")
            raise SystemExit(_USAGE) from None
    return parser().parse_args(arguments)


def _dispatch(arguments: argparse.Namespace) -> int:
    if arguments.version:
        from importlib.metadata import version

        print(f"countersign {version('countersign')}")
        return 0
    if arguments.command is None:
        return _no_command()
    from tui import commands

    command = getattr(commands, arguments.command)
    code: int = command(arguments)
    return code


def _no_command() -> int:
    """Open the screen at home; without a terminal, print the help."""
    if not all(map(_is_terminal, (0, 1, 2))):
        parser().print_help()
        return _USAGE
    from tui import commands

    return commands.home(parser().parse_args(["ask"]))


def _report(error: Exception) -> int:
    from core.errors import CountersignError
    from sandbox.errors import SandboxError

    if isinstance(error, CountersignError):
        message, hint, code = str(error), error.hint, error.exit_code
    elif isinstance(error, SandboxError):
        message, hint, code = str(error), error.hint, _MACHINE_UNFIT
    elif isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
        message, hint = f"what is printed can't be written: {error.strerror}", "is the disk full?"
        code = _MACHINE_UNFIT
        streams.drop(sys.stdout)
    else:
        if os.environ.get("COUNTERSIGN_TRACEBACK"):
            raise error
        message, hint, code = *_crash(error), _CRASHED
    _tell(message, hint)
    return code


def _crash(error: Exception) -> tuple[str, str]:
    """Return the one line of a crash and its hint; the rest goes to a file, redacted."""
    from tui import crash

    path = crash.report(error, crash.reports_folder())
    message = crash.redacted(f"internal error: {type(error).__name__}: {error}")
    more = f", with {path}" if path else ""
    return message, f"a bug in countersign: please report this line{more}"


def _tell(message: str, hint: str) -> None:
    """Write the line and its hint; where nobody can be told, the exit code has to do."""
    from core.safe_text import safe_line

    try:
        hints = "\n".join(map(safe_line, hint.splitlines()))  # some have lines to type
        sys.stderr.write(f"countersign: {safe_line(message)}\nhint: {hints}\n")
        sys.stderr.flush()
    except OSError:
        streams.drop(sys.stderr)

"""Attacks on the operator's terminal: to type into it, to take it, to fool whoever reads it.

The terminal is a pty of the test's own: the control runs in it, and so does an application that
runs the attack behind the walls. What was typed into it can be read from it.
"""

from __future__ import annotations

import os
import select
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.events import Fact, RunOutput
from tui.plain import fact_text

Attack = Callable[..., str]

FILTER = "seccomp filter, no terminal: stdin is /dev/null"
VIEW = "a root file system of its own"
UPPER = 1 << 32
TIOCSTI, TIOCLINUX, TIOCSCTTY = 0x5412, 0x541C, 0x540E
LEGACY = Path("/proc/sys/dev/tty/legacy_tiocsti")
mark = pytest.mark.attack

TAKE_TERMINAL = """
import fcntl, os
os.setsid()
fcntl.ioctl(0, 0x540E, 0)  # TIOCSCTTY: standard input is our terminal from here on
"""
IOCTL = """
import ctypes, os
IOCTL = {"x86_64": 16, "aarch64": 29}[os.uname().machine]
def attempt():
    libc = ctypes.CDLL(None, use_errno=True)
    letter = ctypes.create_string_buffer(b"X")
    number = ctypes.c_long(PARAMETER)
    if libc.syscall(ctypes.c_long(IOCTL), ctypes.c_long(0), number, letter) == -1:
        raise OSError(ctypes.get_errno(), "ioctl")
    return "done"
"""
OPEN = """
import os
def attempt():
    os.close(os.open(PARAMETER, os.O_RDWR | os.O_NOCTTY))
    return "opened"
"""


def can_type() -> bool:
    """Tell whether this kernel lets us type into our own terminal: root, or by its setting."""
    return os.geteuid() == 0 or not LEGACY.exists() or LEGACY.read_text().strip() == "1"


class Terminal:
    """A pty: `end` is what programs have as their terminal."""

    def __init__(self) -> None:
        self.keyboard, self.end = os.openpty()
        tty.setraw(self.end)

    def typed(self) -> bytes:
        """Return what somebody typed since the last time."""
        ready, _, _ = select.select([self.end], [], [], 0)
        return os.read(self.end, 64) if ready else b""

    def close(self) -> None:
        os.close(self.end)
        os.close(self.keyboard)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """Return a terminal of the test's own."""
    terminal = Terminal()
    yield terminal
    terminal.close()


@pytest.fixture
def inside_of(
    application: Callable[..., str], as_script: Callable[[str, object], str]
) -> Callable[..., str]:
    """Return a function that runs an attack behind the walls, from an application in a terminal."""

    def run(terminal: Terminal, attack: str, parameter: object) -> str:
        script = as_script(attack, parameter)
        return application(TAKE_TERMINAL, script, stdin=terminal.end).strip()

    return run


# ------------------------------------------------------------------ typing
@pytest.mark.parametrize(
    "number",
    [
        pytest.param(
            TIOCSTI, marks=mark(105, "type into the operator's terminal (TIOCSTI)", wall=FILTER)
        ),
        pytest.param(
            TIOCSTI | UPPER,
            marks=mark(106, "TIOCSTI with something in its upper half", wall=FILTER),
        ),
    ],
)
def test_nothing_is_typed(
    outside: Attack, inside_of: Attack, terminal: Terminal, number: int
) -> None:
    """What is typed so is run by the shell when we have ended; inside nothing is typed."""
    typed = outside(TAKE_TERMINAL + IOCTL, number, stdin=terminal.end)
    assert (typed, terminal.typed()) == (("done", b"X") if can_type() else ("EIO", b""))

    assert inside_of(terminal, IOCTL, number) == "EPERM"
    assert terminal.typed() == b""


@mark(107, "paste into the console (TIOCLINUX)", wall=FILTER)
def test_nothing_is_pasted(outside: Attack, inside_of: Attack, terminal: Terminal) -> None:
    """Outside the kernel looks whether this is a console, which a test has none of; not inside."""
    assert outside(TAKE_TERMINAL + IOCTL, TIOCLINUX, stdin=terminal.end) == "ENOTTY"
    assert inside_of(terminal, IOCTL, TIOCLINUX) == "EPERM"


# ------------------------------------------------------------------ having a terminal
@mark(108, "open the operator's terminal (/dev/tty)", wall=VIEW + "; a session of its own")
def test_no_terminal_opens(outside: Attack, inside_of: Attack, terminal: Terminal) -> None:
    """A program's own terminal opens outside, whatever its input is; there is none inside."""
    assert outside(TAKE_TERMINAL + OPEN, "/dev/tty", stdin=terminal.end) == "opened"
    assert inside_of(terminal, OPEN, "/dev/tty") == "ENOENT"


@mark(109, "make a terminal (/dev/ptmx)", wall=VIEW)
def test_no_terminal_is_made(outside: Attack, walled: Attack) -> None:
    """With a terminal of its own a script could play one to programs; it gets none."""
    assert outside(OPEN, "/dev/ptmx") == "opened"
    assert walled(OPEN, "/dev/ptmx") == "ENOENT"


@mark(110, "take a terminal (TIOCSCTTY)", wall=FILTER)
def test_no_terminal_is_taken(outside: Attack, inside_of: Attack, terminal: Terminal) -> None:
    """A process that leads its session can take a terminal outside; the call is refused inside."""
    lead = "import os\nos.setsid()\n"
    take = IOCTL.replace("letter)", "ctypes.c_long(0))")

    assert outside(lead + take, TIOCSCTTY, stdin=terminal.end) == "done"
    assert inside_of(terminal, take, TIOCSCTTY) == "EPERM"


# ------------------------------------------------------------------ fooling the reader
@mark(112, "forge the program's own questions", wall="output is shown behind a bar, made safe")
def test_no_question_is_forged(outside: Attack, walled: Attack) -> None:
    """A script's lines reach a terminal as they are outside; shown, each has a bar before it."""
    attack = r"""
    def attempt():
        return "harmless\r\x1b[2J\x1b[H\nr1 approve? [y/N] \x9b31m\u202eyes"
    """
    printed = walled(attack, None)

    assert "\x1b[2J" in outside(attack, None)
    assert printed == outside(attack, None)
    shown = fact_text(Fact(seq=1, at=0, event=RunOutput("r1", "stdout", 0, printed, 0)))
    assert all(line.isprintable() for line in shown.split("\n"))
    assert all(line.startswith(("          | ", "00:00:00  | ")) for line in shown.split("\n"))

"""The whole program at a terminal of its own: what it paints, and how it leaves the terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import stat
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
ASK = ("ask", "Why is checkout returning 503s?", "--aws", "recorded:checkout-503", "--ui", "tui")
SEQUENCE = re.compile(rb"\x1b(?:\[[0-9;:?<>=$]*[a-zA-Z]|\][0-9;][^\x07\x1b]*\x07|[>=78])")
FULL_SCREEN, BACK = b"\x1b[?1049h", b"\x1b[?1049l"
HOSTILE = "\x1b]52;c;aGk=\x07\x1b[31m\u202e\u200b\x9b2J"
START = "import sys; from tui import cli; sys.exit(cli.main(sys.argv[1:]))"
HOSTILE_SCREEN = (Path(__file__).parent / "hostile_screen.py").read_text(encoding="utf-8")
WATCHED = """
import sys
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in ("boto3", "botocore", "anthropic", "bandit", "moto"):
            sys.__stderr__.write(f"<<{name}>>"); sys.__stderr__.flush()
sys.meta_path.insert(0, Watch())
"""


class Terminal:
    """A program at a pseudo terminal; keeps every byte that it wrote."""

    def __init__(
        self, command: list[str], environment: dict[str, str], size: tuple[int, int]
    ) -> None:
        self.written = b""
        self.code: int | None = None
        self._place = 0
        self._process, self._master = pty.fork()
        if self._process == 0:
            time.sleep(0.1)  # until the size is set
            os.execve(command[0], command, environment)
        columns, rows = size
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(self._master)

    def until(self, text: str, seconds: float = 40) -> None:
        """Wait until a text was painted after the one that was waited for before."""
        deadline = time.monotonic() + seconds
        while (place := self._painted.find(text, self._place)) < 0:
            assert time.monotonic() < deadline, f"{text!r} never came: {self.written[-3000:]!r}"
            self._read(0.2)
        self._place = place + len(text)

    @property
    def _painted(self) -> str:
        return SEQUENCE.sub(b"", self.written).decode(errors="replace")

    def shows(self, *texts: bytes) -> None:
        """Wait until each of some bytes was written, in any order."""
        deadline = time.monotonic() + 40
        while missing := [each for each in texts if each not in self.written]:
            assert time.monotonic() < deadline, f"never: {missing}"
            self._read(0.2)

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._master, text.encode())

    def press_until(self, key: str, text: str) -> None:
        """Press a key until a text comes; a key that came too early is dropped on purpose."""
        for _ in range(5):
            self.type(key)
            with suppress(AssertionError):
                return self.until(text, 15)
        raise AssertionError(f"{key!r} never brought {text!r}: {self.written[-3000:]!r}")

    def signal(self, number: int) -> None:
        """Send the program a signal."""
        os.kill(self._process, number)

    def end(self) -> int:
        """Read until the program has ended; returns its exit code."""
        while self._read(50):
            pass
        self.code = os.waitstatus_to_exitcode(os.waitpid(self._process, 0)[1])
        return self.code

    @property
    def modes(self) -> Any:
        """How the terminal treats keys now."""
        return termios.tcgetattr(self._master)

    @property
    def after(self) -> str:
        """What was written once the full screen was gone."""
        return SEQUENCE.sub(b"", self.written.rpartition(BACK)[2]).decode()

    def close(self) -> None:
        """End whatever still goes on."""
        if self.code is None:
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)
        os.close(self._master)

    def _read(self, seconds: float) -> bool:
        """Read what is there; False when nothing came in time or the program has ended."""
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:
            return False
        self.written += data
        return bool(data)


Opened = Callable[..., Terminal]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Opened]:
    """Return what starts `countersign` with arguments at a terminal."""
    opened: list[Terminal] = []

    def start(
        *arguments: str, size: tuple[int, int] = (120, 40), program: str = START, **extra: str
    ) -> Terminal:
        # Who runs tests side by side says how wide its own terminal is; here the terminal does.
        size_of_ours = ("COLUMNS", "LINES")
        environment = {
            **{name: text for name, text in os.environ.items() if name not in size_of_ours},
            "TERM": "xterm-256color",
            "COUNTERSIGN_DATA": str(tmp_path / "data"),
            "PYTHONPATH": str(ROOT),
            **extra,
        }
        command = [sys.executable, "-c", program, *arguments]
        opened.append(Terminal(command, environment, size))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
def test_a_walk_by_keys_ends_with_an_answer(terminal: Opened, size: tuple[int, int]) -> None:
    """Approve, edit, reject: each by its key; the answer is told, and it all can be replayed."""
    editor = f"{sys.executable} -c \"import sys; open(sys.argv[1], 'a').write('# read')\""
    screen = terminal(*ASK, size=size, EDITOR=editor)
    screen.until("asks because")
    screen.press_until("E", "S1 v2 awaits you")
    screen.until("asks because")
    screen.press_until("a", "S2 v1 awaits you")
    screen.until("asks because")
    screen.press_until("r", "rejects R3")
    screen.type("not now\r")
    time.sleep(0.3)
    screen.press_until("r", "Finished")
    screen.type("q")

    assert screen.end() == 0
    assert "countersign: answered" in screen.after
    name = screen.after.rpartition("countersign replay ")[2].split()[0]
    replay = terminal("replay", name, "--ui", "tui", size=size)
    replay.until("REPLAY")
    replay.type("aerx")
    replay.until("Event")
    replay.type("q")
    assert replay.end() == 0


def test_the_first_frame_needs_nothing_heavy(terminal: Opened) -> None:
    """The screen stands before boto3, botocore, anthropic, bandit or moto are looked for."""
    screen = terminal(*ASK, program=WATCHED + START)
    screen.until("asks because")

    frame, _, _ = screen.written.partition(b"<<")
    assert FULL_SCREEN in frame
    assert "Activity" in SEQUENCE.sub(b"", frame).decode()


def test_no_text_talks_to_the_terminal(terminal: Opened, tmp_path: Path) -> None:
    """A script and a question full of sequences are painted as pictures of them."""
    script = tmp_path / "evil.py"
    script.write_text(f"print({HOSTILE!r})\n# {HOSTILE}\n", encoding="utf-8")
    screen = terminal(
        "run", str(script), "--aws", "recorded:checkout-503", "--ui", "tui", "--mode", "guided"
    )
    screen.until("awaits you")
    screen.until("digest")
    screen.type("q")
    time.sleep(0.4)
    screen.type("q")
    screen.end()

    assert b"\x1b]52" not in screen.written
    for bad in ("\u202e", "\u200b", "\x9b"):
        assert bad.encode() not in screen.written
    assert "␛]52" in SEQUENCE.sub(b"", screen.written).decode()


def leaks(written: bytes) -> list[str]:
    """Return what reached the terminal of tests/integration/screen/hostile_screen.py's texts."""
    bad = ("\x1b]52", "\x1b[97;97H", "\x9b", "\u202e", "\u200b", "\x1b]8;;http")
    return [repr(each) for each in bad if each.encode() in written]


@pytest.mark.parametrize("layers", ["filtered", "bare"])
def test_no_widget_lets_a_text_talk_to_the_terminal(terminal: Opened, layers: str) -> None:
    """Whatever a widget is given raw, the filter shows it as signs; without it each one leaks."""
    screen = terminal("widgets", layers, program=HOSTILE_SCREEN)
    names = ("static", "option", "log", "area", "input", "lines", "pane", "title", "subtitle")
    for name in (*names, "toast"):
        screen.shows(f"{'␛' if layers == 'filtered' else chr(27)}]52;c;{name}".encode())
    screen.signal(signal.SIGTERM)
    screen.end()

    assert bool(leaks(screen.written)) == (layers == "bare")


@pytest.mark.parametrize("layers", ["filtered", "bare"])
def test_no_part_of_a_session_talks_to_the_terminal(terminal: Opened, layers: str) -> None:
    """Every page of a session full of sequences is clean, also without the last filter."""
    screen = terminal("session", layers, program=HOSTILE_SCREEN)
    screen.until("CONFIRMED")
    screen.type("[[")
    screen.until("IAM policy")
    screen.press_until("t", "Statement")
    screen.type("56")
    screen.until("Output")
    screen.until("␛]52;c;name")
    screen.type("t")
    screen.until("tree, ")
    screen.type("t")
    screen.until("raw, ")
    screen.type("\x1b")
    screen.until("Activity")
    screen.type("d")
    screen.until("Code: +")
    screen.type("G")
    screen.until("]52;c;parameter")
    screen.type("\x1b")
    screen.until("Activity")
    screen.type("?")
    screen.until("Decide on")
    screen.type("\x1b")
    screen.until("Activity")
    screen.type("p")
    screen.until("Standing grants")
    screen.until("␛]52;c;name")
    screen.signal(signal.SIGTERM)
    screen.end()

    assert leaks(screen.written) == []


@pytest.mark.parametrize("layers", ["filtered", "bare"])
def test_no_record_talks_to_the_terminal_at_home(terminal: Opened, layers: str) -> None:
    """Home, a replay, the list and the form are clean, also without the last filter."""
    screen = terminal("home", layers, program=HOSTILE_SCREEN)
    screen.until("answered")
    screen.until("␛]52;c;data")
    screen.type("v")
    screen.until("␛]52;c;verdict")
    screen.type("\r")
    screen.until("REPLAY")
    screen.until("CONFIRMED")
    screen.type("0")
    screen.until("Event 1 of")
    screen.type("H")
    screen.until("Sessions")
    screen.type("w")
    screen.until("Begin with")
    screen.until("␛]52;c;data")
    screen.type("\r")
    screen.until("A new session")
    screen.until("␛]52;c;data")
    screen.signal(signal.SIGTERM)
    screen.end()

    assert leaks(screen.written) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_in_order(terminal: Opened, tmp_path: Path, number: int) -> None:
    """The terminal is as it was, the session stays open, and the exit code says so."""
    screen = terminal(*ASK)
    screen.until("awaits you")
    assert screen.modes[3] != screen.before[3]
    screen.signal(number)

    assert screen.end() == 130
    assert BACK in screen.written
    assert "stays open" in screen.after
    assert [path.suffix for path in (tmp_path / "data" / "sessions").glob("*.db")] == [".db"]


@pytest.mark.parametrize("where", ["painting", "worker"])
def test_a_crash_prints_one_line_and_no_secret(
    terminal: Opened, tmp_path: Path, where: str
) -> None:
    """The full screen is gone, the terminal is as it was, and no variable was printed or kept."""
    program = (Path(__file__).parent / "crash_screen.py").read_text(encoding="utf-8")
    screen = terminal(where, program=program)

    assert screen.end() == 1
    assert screen.modes[3] == screen.before[3]
    assert BACK in screen.written
    [kept] = (tmp_path / "data" / "crashes").iterdir()
    assert screen.after.splitlines() == [
        "countersign: internal error: RuntimeError: broken, and 21 letters are in this frame",
        f"hint: a bug in countersign: please report this line, with {kept}",
    ]
    assert b"wJalrXUtnFEMI" not in screen.written
    report = kept.read_text(encoding="utf-8")
    assert "in asked" in report
    assert "21 letters" in report
    assert "wJalrXUtnFEMI/" not in report
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_keys_of_the_settings_are_heard_and_mistakes_end_the_start(
    terminal: Opened, tmp_path: Path
) -> None:
    """B approves where the settings say so; a key that is pressed by reflex is refused, exit 2."""
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("theme: ansi-dark\nkeys: {approve: B}\n")
    bad.write_text("keys: {approve: [enter]}\n")
    screen = terminal(*ASK, "--config", str(good))
    screen.until("asks because")
    screen.press_until("B", "S2 v1 awaits you")
    screen.signal(signal.SIGTERM)
    screen.end()
    refused = terminal(*ASK, "--config", str(bad))

    assert refused.end() == 2
    assert "keys.approve: enter is pressed without thinking" in refused.after
    assert FULL_SCREEN not in refused.written


def test_a_usage_error_is_told_after_the_screen(terminal: Opened) -> None:
    """What can't be opened ends the screen with one line and the usual exit code."""
    screen = terminal("ask", "why?", "--aws", "recorded:nope", "--ui", "tui")

    assert screen.end() == 2
    assert "countersign: nope: no such session" in screen.after

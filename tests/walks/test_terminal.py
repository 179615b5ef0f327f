"""A person at a terminal: whole words decide, everything else does not; leaving is clean."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ASK = (
    *("ask", "Why is checkout returning 503s?", "--aws", "recorded:checkout-503"),
    *("--ui", "plain"),
)
PROMPT = "skip [REASON] | stop\n> "


class Terminal:
    """The program at a terminal of its own: wait for text, then type."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.screen = ""
        self.code: int | None = None
        self._process, self._master = pty.fork()
        if self._process == 0:
            os.execve(command[0], command, environment)

    def until(self, text: str, seconds: float = 30) -> str:
        """Return what was printed up to and with `text` since the last call."""
        deadline = time.monotonic() + seconds
        while text not in self.screen:
            assert time.monotonic() < deadline, f"{text!r} never came:\n{self.screen}"
            self._read()
        before, _, self.screen = self.screen.partition(text)
        return before + text

    def type(self, text: str) -> None:
        """Type `text`."""
        os.write(self._master, text.encode())

    def rest(self) -> str:
        """Return all that is printed until the program ends."""
        while self._read():
            pass
        self.code = os.waitstatus_to_exitcode(os.waitpid(self._process, 0)[1])
        return self.screen

    def close(self) -> None:
        """End whatever still goes on."""
        os.close(self._master)
        if self.code is None:
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)

    def _read(self) -> bool:
        """Read what is there, waiting a while; False when the program has closed its end."""
        if not select.select([self._master], [], [], 30)[0]:
            raise AssertionError(f"the program hangs:\n{self.screen}")
        try:
            data = os.read(self._master, 65536)
        except OSError:
            return False
        self.screen += data.decode(errors="replace").replace("\r\n", "\n")
        return bool(data)


@pytest.fixture
def terminal(countersign: Any) -> Iterator[Terminal]:
    """Return the program at its first request, in guided mode."""
    opened = Terminal(countersign.command(ASK), countersign.environment)
    yield opened
    opened.close()


def test_a_question_is_worked_by_whole_words(terminal: Terminal, countersign: Any) -> None:
    """Plan, code, policy and digest are shown; `approve` brings the answer, and a whole record."""
    shown = terminal.until(PROMPT)
    for _ in range(2):
        terminal.type("approve looks right\n")
        terminal.until(PROMPT)
    terminal.type("stop\n")
    rest = terminal.rest()

    for each in ("--- plan: Which alarms fire", "import boto3", '"cloudwatch:DescribeAlarms"'):
        assert each in shown
    assert re.search("R1: digest [0-9a-f]{64}", shown)
    assert "ANSWER (likely)" in rest
    assert terminal.code == 4
    assert countersign("verify", countersign.sessions()[-1]).code == 0


@pytest.mark.parametrize("typed", ["\n", " \n", "y\n", "a\n", "yes\n", "Approve\n", "\x1b\n"])
def test_nothing_but_the_word_decides(terminal: Terminal, typed: str) -> None:
    """Enter, Space, Escape, yes and beginnings of the word are told every word; nothing runs."""
    terminal.until(PROMPT)
    terminal.type(typed)
    terminal.until("at any time: ")
    terminal.until("type one of: ")
    terminal.type("stop\n")

    assert " ended: " not in terminal.rest()
    assert terminal.code == 4


def test_what_was_typed_before_the_request_decides_nothing(terminal: Terminal) -> None:
    """Type-ahead is dropped when the request appears."""
    terminal.type("approve\n")
    terminal.until(PROMPT)
    terminal.type("\n")
    terminal.until("type one of: ")
    terminal.type("stop\n")

    assert " ended: " not in terminal.rest()


def test_a_rejection_needs_its_reason_and_is_one_event(terminal: Terminal) -> None:
    """`reject` alone asks for why; with a reason the step becomes a gap of the answer."""
    terminal.until(PROMPT)
    terminal.type("reject\n")
    terminal.until("say why")
    terminal.type("reject not in this account\n")
    rest = terminal.rest()

    assert "gap: Which alarms fire: rejected by" in rest
    assert "not in this account" in rest
    assert terminal.code == 4


def test_an_edit_is_a_new_version_with_a_new_digest(countersign: Any, tmp_path: Path) -> None:
    """The editor's script is reviewed and asked about again, labelled as the operator's."""
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\necho '# seen by a person' >> \"$1\"\n")
    editor.chmod(0o755)
    environment = {**countersign.environment, "VISUAL": str(editor)}
    opened = Terminal(countersign.command(ASK), environment)
    try:
        first = opened.until(PROMPT)
        opened.type("edit\n")
        second = opened.until(PROMPT)
        opened.type("stop\n")
        opened.rest()
    finally:
        opened.close()

    assert "script, version 2, by operator" in second
    assert "# seen by a person" in second
    digests = [re.findall("digest ([0-9a-f]{64})", each)[-1] for each in (first, second)]
    assert digests[0] != digests[1]


def test_what_an_editor_gave_back_unreadable_is_edited_on(countersign: Any, tmp_path: Path) -> None:
    """A policy that is none is told with its line; the next edit begins with what was typed."""
    editor = tmp_path / "editor"
    editor.write_text(
        "#!/bin/sh\n"
        'if grep -q typed "$3"; then sed -i /typed/d "$3"; echo "# seen by a person" >> "$1"\n'
        'else echo typed >> "$3"; fi\n'
    )
    editor.chmod(0o755)
    environment = {**countersign.environment, "VISUAL": str(editor)}
    opened = Terminal(countersign.command(ASK), environment)
    try:
        opened.until(PROMPT)
        opened.type("edit\n")
        told = opened.until("edit goes on with what you typed")
        opened.until("> ")
        opened.type("edit\n")
        second = opened.until(PROMPT)
        opened.type("stop\n")
        opened.rest()
    finally:
        opened.close()

    assert "not kept: policy.json: line " in told
    assert "script, version 2, by operator" in second


def test_an_editor_that_fails_changes_nothing(countersign: Any, tmp_path: Path) -> None:
    """An editor that is not there leaves the request open."""
    environment = {**countersign.environment, "VISUAL": str(tmp_path / "nothing")}
    opened = Terminal(countersign.command(ASK), environment)
    try:
        opened.until(PROMPT)
        opened.type("edit\n")
        opened.until("nothing changed: ")
        opened.type("stop\n")
        opened.rest()
    finally:
        opened.close()

    assert opened.code == 4


def test_a_closed_terminal_decides_nothing(terminal: Terminal) -> None:
    """End of input is nobody: exit code 3, and the session stays open."""
    terminal.until(PROMPT)
    terminal.type("\x04")
    rest = terminal.rest()

    assert terminal.code == 3
    assert "countersign ask --resume" in rest


def test_ctrl_c_leaves_the_session_open(terminal: Terminal, countersign: Any) -> None:
    """Interrupted at the question: exit code 130, no traceback, and it can be gone on with."""
    terminal.until(PROMPT)
    terminal.type("\x03")
    rest = terminal.rest()

    assert terminal.code == 130
    assert "Traceback" not in rest
    (session,) = re.findall(r"session (\S+) stays open", rest)
    assert countersign("ask", "--resume", session).code == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_mid_run_kills_the_run_and_says_so(
    countersign: Any, tmp_path: Path, number: signal.Signals
) -> None:
    """The run is dead and on record as interrupted; resuming does not repeat it."""
    script = tmp_path / f"{number.name}.py"
    script.write_text(f"# {tmp_path}\nimport time\nprint('begun', flush=True)\ntime.sleep(60)\n")
    given = (script, "--aws", "recorded:checkout-503", "--ui", "json")
    refused = countersign("run", *given)
    digest = refused.facts[-1]["digest"]
    process = countersign.start("run", *given, "--approve", digest)
    while "begun" not in process.stdout.readline():
        pass

    process.send_signal(number)
    out, err = process.communicate(timeout=20)

    assert process.returncode == 130
    assert '"run.interrupted"' in out
    assert "Traceback" not in err
    (session,) = re.findall(r"session (\S+) stays open", err)
    resumed = countersign("ask", "--resume", session, "--ui", "json")
    assert (resumed.code, resumed.of("run.started")) == (1, [])

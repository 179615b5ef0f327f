"""The review's own process: warm, started anew when it dies, and never skipped."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from core.approval.draft import Draft
from core.checks.process import ReviewProcess
from core.checks.review import review
from core.checks.standards import Standards
from core.errors import MachineUnfit
from core.iam.lint import Ceilings

DRAFT = Draft(
    step="S1",
    version=1,
    author="file",
    kind="change",
    language="python",
    script=b"import boto3\n\nboto3.client('ec2').describe_vpcs()\nprint(missing)\n",
    requirements=("rich==13.7.1 --hash=sha256:" + "a" * 64,),
    policy={"Version": "2012-10-17", "Statement": []},
    rollback=b"print('\xff')\n",
    post_check=b"",
    parameters={"names": ["a", 1, None]},
    inputs=(),
)
STANDARDS = Standards(allowed=("rich",), widest_line=40, severities={"lint/F821": "note"})
Made = Callable[..., ReviewProcess]
ONCE = """\
import os, sys
from core.checks.worker import main
place, number = sys.argv[1:]
if not os.path.exists(place):
    open(place, "w").close()
    os.kill(os.getpid(), 9)
sys.exit(main([number]))
"""


@pytest.fixture
def made() -> Iterator[Made]:
    """Return a function that makes a process and closes it at the end."""
    several: list[ReviewProcess] = []

    def make(*arguments: object, **fields: object) -> ReviewProcess:
        several.append(ReviewProcess(*arguments, **fields))  # type: ignore[arg-type]  # as it takes
        return several[-1]

    yield make
    for each in several:
        each.close()


def test_it_finds_what_the_review_finds(made: Made) -> None:
    """Nothing is lost on the way: draft, standards and review are the same on both sides."""
    process = made(STANDARDS)
    process.prepare()

    assert process.review(DRAFT) == review(DRAFT, STANDARDS)


def test_it_is_another_process_and_the_same_for_all_drafts(made: Made, tmp_path: Path) -> None:
    """The worker says who it is only once: it is kept for the session."""
    said = tmp_path / "said"
    code = f"""\
import os, sys
from core.checks.worker import main
with open({str(said)!r}, "a") as file:
    file.write(f"{{os.getpid()}} {{os.getcwd()}}\\n")
sys.exit(main(sys.argv[1:]))
"""
    process = made(STANDARDS, (sys.executable, "-I", "-c", code))
    process.review(DRAFT)
    process.review(replace(DRAFT, script=b"print(1)\n"))

    (line,) = said.read_text().splitlines()
    assert line != f"{os.getpid()} /"
    assert line.endswith(" /")


def test_a_draft_is_reviewed_once(made: Made, tmp_path: Path) -> None:
    """The same digest gets the review that is known, without a process."""
    process = made(STANDARDS)
    first = process.review(DRAFT)
    process.close()

    assert process.review(replace(DRAFT, version=2)) is first
    with pytest.raises(MachineUnfit, match="being closed"):
        process.review(replace(DRAFT, script=b""))


def test_another_ceiling_is_another_review(made: Made) -> None:
    """What the gateway would refuse under the session's ceiling is told, and not by the other."""
    action = {"Effect": "Allow", "Action": "ecs:UpdateService", "Resource": "arn:aws:ecs:*:*:x"}
    draft = replace(DRAFT, policy={"Version": "2012-10-17", "Statement": [action]})
    process = made(STANDARDS)
    plain = process.review(draft)
    low = process.review(draft, ceilings=Ceilings(2, 3))

    assert low == review(draft, STANDARDS, ceilings=Ceilings(2, 3))
    assert [one.rule for one in low.findings if one not in plain.findings] == ["ceiling"]
    assert process.review(draft) is plain


def test_a_process_that_dies_is_started_anew(made: Made, tmp_path: Path) -> None:
    """One death costs nothing but time."""
    command = (sys.executable, "-I", "-c", ONCE, str(tmp_path / "died"))
    found = made(STANDARDS, command).review(DRAFT)

    assert found == review(DRAFT, STANDARDS)
    assert (tmp_path / "died").exists()


def test_a_process_that_dies_again_is_a_refusal(made: Made) -> None:
    """Without a review there is no draft to ask about; its last words are told."""
    command = (sys.executable, "-I", "-c", "import sys; sys.exit('lost its mind')")
    with pytest.raises(MachineUnfit, match="died twice: lost its mind; lost its mind") as told:
        made(STANDARDS, command).review(DRAFT)

    assert "nothing runs" in told.value.hint


def test_a_process_that_hangs_is_a_refusal(made: Made) -> None:
    """Whoever waits is told, and the process is dead."""
    code = "import os, signal, sys; os.write(2, str(os.getpid()).encode()); signal.pause()"
    process = made(STANDARDS, (sys.executable, "-I", "-c", code), 0.2)

    with pytest.raises(MachineUnfit, match=r"did not end within 0\.2 s"):
        process.review(DRAFT)


def test_closing_ends_a_review_that_goes_on(made: Made, tmp_path: Path) -> None:
    """Leaving does not wait for a script that takes long to review."""
    place = tmp_path / "asked"
    os.mkfifo(place)
    code = f"""\
import signal, socket, sys
channel = socket.socket(fileno=int(sys.argv[1]))
channel.recv(1)
open({str(place)!r}, "w").close()
signal.pause()
"""
    process = made(STANDARDS, (sys.executable, "-I", "-c", code))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(process.review, DRAFT)
        place.read_bytes()  # returns when it was asked
        process.close()
        with pytest.raises(MachineUnfit):
            waiting.result()


def test_a_script_in_which_a_check_is_lost_is_blocked() -> None:
    """A check that gives up is a blocker, and not a check without findings."""
    script = b"a = " + b"-" * 5000 + b"1\n"
    found = review(replace(DRAFT, kind="collect", rollback=None, post_check=None, script=script))

    assert {each.rule for each in found.blockers} & {"lost", "invalid"}


AT_ONCE = """\
import subprocess
import sys
sys.setswitchinterval(1e-6)
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from core.checks import ruff
barrier = Barrier(16)
def ask():
    barrier.wait()
    return ruff.find()
with ThreadPoolExecutor(16) as pool:
    print(len({each.result() for each in [pool.submit(ask) for _ in range(16)]}))
"""


def test_checks_that_start_at_once_all_find_ruff() -> None:
    """In a process where nobody looked before, many threads that look at once find the same."""
    command = (sys.executable, "-I", "-c", AT_ONCE)
    several = [subprocess.run(command, capture_output=True, check=False) for _ in range(5)]

    assert [(each.stdout, each.stderr) for each in several] == [(b"1\n", b"")] * 5

"""Approvers that need no screen: nobody, flags, a list; and the ledger of spent flags."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from core.approval.approvers import Decision, FromFlag, FromList, Nobody
from core.approval.ledger import Ledger, spend
from core.errors import JournalError, MachineUnfit, NoApprover
from sandbox.job import Sha

DIGEST = Sha("ab" * 32)


def asked(story: Any, **review: Any) -> Any:
    """Return a story with an open request."""
    made = story().identified().drafted().reviewed(**review)
    made.requested()
    return made


def answer(approver: Any, made: Any) -> Decision:
    """Return what an approver says to a story's open request."""
    decision: Decision = asyncio.run(
        approver(made.session.open_request, made.session, made.payload)
    )
    return decision


def flag(made: Any, folder: Path, **settings: Any) -> FromFlag:
    """Return an approver with the story's own digest in its flags."""
    digest = made.session.open_request.digest
    return FromFlag(frozenset({digest}), fit, partial(spend, folder), **settings)


async def fit() -> None:
    """Find nothing wrong with this machine."""


async def unfit() -> None:
    """Find that nothing runs here."""
    raise MachineUnfit("no sandbox here")


def test_nobody_never_means_yes(story: Any) -> None:
    """Without an approver the answer is an error with the digest in it."""
    made = asked(story)

    with pytest.raises(NoApprover, match=made.session.open_request.digest):
        answer(Nobody(), made)


def test_a_flag_answers_its_digest_once(story: Any, tmp_path: Path) -> None:
    """The same flag is spent after one use: no other session can use it."""
    made = asked(story)
    spend(tmp_path, made.session.open_request.digest, "another")

    with pytest.raises(NoApprover, match="was used by session another"):
        answer(flag(made, tmp_path), made)


def test_a_session_goes_on_with_its_own_flag(story: Any, tmp_path: Path) -> None:
    """Who died between spending and the decision on record has not lost the approval."""
    made = asked(story)

    for _ in range(2):
        assert answer(flag(made, tmp_path), made) == Decision("approve")


def test_a_flag_does_not_answer_the_same_draft_proposed_again(story: Any, tmp_path: Path) -> None:
    """A planner that proposes an approved draft once more, in the same session, is not approved."""
    made = asked(story)
    approver, first = flag(made, tmp_path), made.session.open_request
    answer(approver, made)
    later = replace(first, request="R2")

    with pytest.raises(NoApprover, match=f"was used by session {made.session.id} R1"):
        asyncio.run(approver(later, made.session, made.payload))


def test_again_is_once_more(tmp_path: Path) -> None:
    """What is meant to run once more runs once more, and not as often as somebody asks."""
    Ledger(tmp_path)(DIGEST, "s1 R1")
    again = Ledger(tmp_path, again=True)
    for _ in range(2):
        again(DIGEST, "s2 R1")

    with pytest.raises(NoApprover, match="was used by session s2 R1"):
        again(DIGEST, "s2 R2")


def test_a_machine_that_runs_nothing_spends_nothing(story: Any, tmp_path: Path) -> None:
    """The flag is still good after the machine was mended, for any session."""
    made = asked(story)
    approver = replace(flag(made, tmp_path), fit=unfit)

    with pytest.raises(MachineUnfit):
        answer(approver, made)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("given", ["", "ab", "ab" * 32, "AB" * 32])
def test_a_flag_answers_no_other_digest(story: Any, tmp_path: Path, given: str) -> None:
    """A prefix, another digest or another spelling opens nothing and spends nothing."""
    made = asked(story)
    approver = FromFlag(
        frozenset({given, made.session.open_request.digest[:12]}), fit, partial(spend, tmp_path)
    )

    with pytest.raises(NoApprover, match="was not given"):
        answer(approver, made)
    assert list(tmp_path.iterdir()) == []


def test_blockers_need_their_own_flag(story: Any, tmp_path: Path) -> None:
    """A blocked draft is approved over its blockers only when that was said."""
    made = asked(story, blockers=1)
    with pytest.raises(NoApprover, match="blocking findings"):
        answer(flag(made, tmp_path), made)

    approver = flag(made, tmp_path, override_blockers=True, confirmed="shop")

    assert answer(approver, made) == Decision("approve", override_blockers=True, confirmed="shop")


@pytest.mark.parametrize(
    ("typed", "fits"), [("shop", True), ("123456789012", True), ("", False), ("shop2", False)]
)
def test_the_second_stage_needs_the_account(
    story: Any, tmp_path: Path, typed: str, fits: bool
) -> None:
    """Tier 3 wants the alias, or the account's number."""
    made = asked(story, tier=3)
    approver = flag(made, tmp_path, confirmed=typed)

    if fits:
        assert answer(approver, made).verb == "approve"
    else:
        with pytest.raises(NoApprover, match="has to be typed"):
            answer(approver, made)


def test_a_list_answers_in_order_and_then_nobody_is_there(story: Any) -> None:
    """The approver of demos and tests fails like an empty chair."""
    made = asked(story)
    approver = FromList([Decision("skip", "later")])

    assert answer(approver, made).verb == "skip"
    with pytest.raises(NoApprover):
        answer(approver, made)


def test_of_many_that_race_for_a_digest_one_wins(tmp_path: Path) -> None:
    """The ledger is made by exclusive creation, so that a digest is spent once."""

    def attempt(number: int) -> bool:
        try:
            spend(tmp_path / "spent", DIGEST, f"s{number}")
        except NoApprover:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(attempt, range(32)))

    assert won.count(True) == 1


def test_a_ledger_that_can_not_be_written_refuses(tmp_path: Path) -> None:
    """What can't be recorded isn't approved."""
    (tmp_path / "file").write_text("")

    with pytest.raises(JournalError):
        spend(tmp_path / "file" / "spent", DIGEST, "s")


def test_a_full_disk_spends_nothing(tmp_path: Path) -> None:
    """An approval whose use can't be written down is refused, and good again when there is room."""
    full = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from core.approval.ledger import spend\n"
        "from core.errors import JournalError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "try:\n"
        "    spend(Path(sys.argv[1]), sys.argv[2], 's1')\n"
        "except JournalError as error:\n"
        "    sys.exit(error.exit_code)\n"
    )
    command = [sys.executable, "-c", full, str(tmp_path), DIGEST]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], check=False, timeout=30)

    assert done.returncode == 6
    assert list(tmp_path.iterdir()) == []
    spend(tmp_path, DIGEST, "s2")
    assert (tmp_path / DIGEST).read_text() == "s2\n"

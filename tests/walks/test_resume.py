"""Going on with a session: only one's own, only as it was started, and with its own source."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.aws import SHIPPED
from core.codec import parse, write
from core.events import SessionStarted
from core.journal.store import Journal, read

ASK = ("ask", "Why is checkout returning 503s?", "--ui", "json", "--mode", "guided")
RECORDED = ("--aws", "recorded:checkout-503")


@pytest.fixture
def opened(countersign: Any) -> Any:
    """Return the session.started of a session that waits for its first decision."""
    ended = countersign(*ASK, *RECORDED)
    assert ended.code == 3
    return ended.facts[0]


def test_a_file_from_elsewhere_is_never_gone_on_with(
    countersign: Any, opened: Any, tmp_path: Path
) -> None:
    """Whoever can write a file can write approvals into it: it is refused, by path and by link."""
    mine = countersign.data / "sessions" / f"{opened['session']}.db"
    foreign = tmp_path / "foreign.db"
    shutil.copyfile(mine, foreign)
    link = countersign.data / "sessions" / "linked.db"
    link.symlink_to(foreign)

    for name in (foreign, link):
        ended = countersign("ask", "--resume", name)
        assert (ended.code, ended.out) == (2, "")
        assert "not a session of yours" in ended.err
    link.unlink()


def test_a_file_that_is_no_session_is_in_nobodys_way(countersign: Any, opened: Any) -> None:
    """Leftovers among the sessions don't keep a good one from going on."""
    leftover = countersign.data / "sessions" / "00000000T000000-aaaaaa.db"
    leftover.write_bytes(b"")

    ended = countersign("ask", "--resume", opened["session"])

    assert ended.code == 3
    assert "decision.requested" not in ended.err
    leftover.unlink()


@pytest.mark.parametrize(
    "option", [("--mode", "automated"), ("--limit", "aws_calls=1"), ("--region", "eu-west-1")]
)
def test_a_session_goes_on_as_it_was_started(
    countersign: Any, opened: Any, option: tuple[str, str]
) -> None:
    """Options that would be ignored are refused."""
    ended = countersign("ask", "--resume", opened["session"], *option)

    assert (ended.code, ended.out) == (2, "")
    assert f"{option[0]}: a session goes on as it was started" in ended.err


def test_a_source_given_by_path_is_named_again(countersign: Any, tmp_path: Path) -> None:
    """A recording that lies elsewhere goes with the resumed session, and only that one."""
    recording = tmp_path / "recording.db"
    shutil.copyfile(SHIPPED / "checkout-503.db", recording)
    _shorten(recording)
    first = countersign(*ASK, "--aws", f"recorded:{recording}")
    resumed = ("ask", "--resume", first.facts[0]["session"])

    alone = countersign(*resumed)
    other = countersign(*resumed, *RECORDED)
    right = countersign(*resumed, "--aws", f"recorded:{recording}")

    assert (first.code, alone.code, other.code, right.code) == (3, 2, 2, 3)
    assert "is not on this machine" in alone.err
    assert "another source" in other.err


def test_a_run_without_its_script_on_record_is_not_gone_on_with(countersign: Any) -> None:
    """`run` that broke off before its draft was recorded runs nothing else instead."""
    path = countersign.data / "sessions" / "20261120T000000-broken.db"
    with read(SHIPPED / "checkout-503.db") as recording:
        first = next(iter(recording.entries()))
        started = parse(first.kind, first.text)
        source = f"recorded:{recording.head}"
    assert isinstance(started, SessionStarted)
    broken = replace(started, session=path.stem, goal="run", question="run x.py", source=source)
    journal = Journal.create(path, path.stem)
    journal.append([(0, broken.kind, write(broken))])
    journal.close()

    ended = countersign("ask", "--resume", path.stem)

    assert (ended.code, ended.out) == (2, "")
    assert "before its script was on record" in ended.err


def _shorten(path: Path) -> None:
    """Give a copy of a recording another head, by writing it anew with one event less."""
    with read(path) as recording:
        entries = list(recording.entries())[:-1]
        bodies = {
            content: recording.payload(content)
            for entry in entries
            if entry.kind == "aws.called"
            for content in [getattr(parse(entry.kind, entry.text), "response", None)]
            if content
        }
        session = recording.session
    path.unlink()
    journal = Journal.create(path, session)
    for body in bodies.values():
        journal.keep(body)
    journal.append([(entry.at, entry.kind, entry.text) for entry in entries])
    journal.close()

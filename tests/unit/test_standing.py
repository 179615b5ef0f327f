"""What is said besides a decision: modes, grants and notes, and what a command overtakes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from core.approval.approvers import FromList
from core.decide import Ask, Execute, decide
from core.events import GrantGiven, GrantRevoked, ModeChanged, NoteAdded
from core.llm.words import for_planner
from core.loop import Command, Loop
from tui.plain import describe
from tui.standing import Latest, Standing

POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ec2:DescribeVpcs", "Resource": "*"}],
}


def asked(story: Any, **settings: Any) -> Any:
    """Return a story with an open request for plain reads."""
    made = story(**settings).identified().drafted(policy=POLICY).reviewed()
    made.requested()
    return made


def say(made: Any, *words: str) -> list[Command]:
    """Say words to a story; returns the commands that came of it."""
    inbox: asyncio.Queue[Command] = asyncio.Queue()
    standing = Standing(inbox, Latest(made.session))
    for one in words:
        word, _, rest = one.partition(" ")
        assert standing.said(word, rest)
    return [inbox.get_nowait() for _ in range(inbox.qsize())]


def test_a_mode_is_changed_by_a_word(story: Any) -> None:
    """The command is the event, with the ceiling of the new mode."""
    made = asked(story)
    (event,) = say(made, "mode hybrid")

    assert isinstance(event, ModeChanged)
    assert (event.mode, event.ceiling) == ("hybrid", 4)


@pytest.mark.parametrize("words", ["mode automated", "mode automated shop2", "mode bold", "mode"])
def test_a_mode_is_refused_with_a_reason(
    story: Any, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The live account is not named, or there is no such mode: nothing happens but a sentence."""
    made = asked(story, source="live")

    assert say(made, words) == []
    assert "mode" in capsys.readouterr().out


def test_entering_automated_mode_says_what_it_will_do(
    story: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever is refused for want of the account's name reads ceiling and tiers, and can go on."""
    made = asked(story, source="live")
    say(made, "mode automated")
    told = capsys.readouterr().out
    (event,) = say(made, "mode automated shop")

    assert "runs tier 0 to 2 by itself, refuses the rest" in told
    assert isinstance(event, ModeChanged)
    assert event.confirmed == "shop"


def test_a_grant_is_shown_before_it_is_given(
    story: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """The object that is printed is the object that stands; it is listed and can be ended."""
    made = asked(story)
    assert say(made, "grant", "grants") == []
    shown = capsys.readouterr().out
    (event,) = say(made, "grant 2")
    assert isinstance(event, GrantGiven)
    made.add(event)
    assert say(made, "grants") == []

    assert "no grants" in shown
    assert "ec2:DescribeVpcs on *" in shown
    assert f"for code {event.grant.code_digest}" in shown
    assert "holds, used 0 times" in capsys.readouterr().out
    (end,) = say(made, f"revoke {event.grant.grant}")
    assert isinstance(end, GrantRevoked)
    assert "ec2:DescribeVpcs on *" in describe(event)


@pytest.mark.parametrize("words", ["grant 3", "grant x", "revoke G1", "note"])
def test_what_names_nothing_commands_nothing(story: Any, words: str) -> None:
    """A number that was not offered, and a grant that does not stand, change nothing."""
    assert say(asked(story), words) == []


def test_nothing_is_granted_for_a_change(story: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Over tier 2 no grant is offered, whatever is said."""
    made = story().identified().drafted(policy=POLICY).reviewed(tier=4)
    made.requested()

    assert say(made, "grant", "grant 1") == []
    assert capsys.readouterr().out.count("nothing can be granted here") == 2


def test_a_note_is_a_command(story: Any) -> None:
    """And what is no such word is left to whoever decides."""
    made = asked(story)

    assert [type(each) for each in say(made, "note look at the listener")] == [NoteAdded]
    assert not Standing(asyncio.Queue(), Latest(made.session)).said("approve", "")


def test_a_comment_with_a_yes_stands_before_the_model(story: Any) -> None:
    """The planner is told what was said, and on which step."""
    made = asked(story)
    made.decided(comment="look at the listener next")
    made.run().evidence()

    told = "\n".join(for_planner(made.session, "data-1"))

    assert "The engineer on call, approving S1: look at the listener next" in told


# ------------------------------------------------------------------ what a command overtakes
def overtaken(made: Any, move: Any, event: Any) -> bool:
    """Tell whether the loop drops `move` after a command."""
    loop = Loop(FromList([]), None, asyncio.Queue(), lambda *_: None, lambda: made.now)  # type: ignore[arg-type]  # neither engine nor journal is asked
    return loop._overtaken(made.session, move, event)


def test_a_person_who_is_asked_stays_asked(story: Any) -> None:
    """Neither another mode, nor a grant, nor a note withdraws or answers the question."""
    made = asked(story)
    move = decide(made.session, made.now)
    (grant,) = say(made, "grant 1")
    for event in (grant, NoteAdded("ada", "hm"), ModeChanged("ada", "automated", 2)):
        made.add(event)
        assert not overtaken(made, move, event)

    assert isinstance(move, Ask)
    assert decide(made.session, made.now) == move


def test_what_was_about_to_run_is_overtaken_by_another_mode(story: Any) -> None:
    """A run that has not begun is dropped with the decision that it rests on."""
    made = story(mode="automated", ceiling=2).identified().drafted().reviewed()
    made.requested()
    made.decided(by="mode", identity="", surface="none", comment="by the table")
    move, event = decide(made.session, made.now), ModeChanged("ada", "guided", 4)
    made.add(event)

    assert move == Execute("R1")
    assert overtaken(made, move, event)

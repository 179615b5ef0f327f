"""What holds from here on: modes and standing grants, by keys alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tui.consent import grant_lines
from tui.screens.choosing import GrantsScreen

Play = Callable[..., Any]


def test_a_change_of_mode_answers_no_open_request(play: Play) -> None:
    """A second stage on Cancel: Enter changes nothing, its letter does; and R1 still waits."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("m")
        assert "2  ◈ HYBRID" in screen.text
        assert "1  ◆ GUIDED  (now)" in screen.text
        await screen.press("1", "enter")
        assert "the session is in guided mode" in screen.text
        await screen.press("2")
        assert "ceiling: tier 4" in screen.text
        assert "budget: 11 more steps of 12" in screen.text
        await screen.press("enter")
        assert screen.bridge.session.mode == "guided"
        await screen.press("m", "2", "tab", "m")
        await screen.until(lambda: screen.bridge.session.mode == "hybrid", "it changes")
        await screen.until(lambda: "◈ HYBRID" in screen.text, "it is shown")
        assert screen.decisions == []
        assert screen.bridge.asked is not None
        await screen.armed()
        await screen.press("a")
        await screen.ended()
        assert [each.by for each in screen.decisions] == ["human", "mode"]

    play(walk, steps=2)


def test_automated_mode_on_a_live_account_needs_the_account_typed(play: Play) -> None:
    """Another name changes nothing and says why; the alias does, with ceiling and budget shown."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("m", "3", "tab", "enter", "m")
        assert "fill in every line" in screen.text
        await screen.press("shift+tab")
        await screen.type("sandbox")
        await screen.press("enter", "m")
        await screen.until(lambda: "is not this account" in screen.text, "it says why")
        assert screen.bridge.session.mode == "guided"
        await screen.press("m", "3", "tab")
        await screen.type("shop")
        await screen.press("enter", "m")
        await screen.until(lambda: "▷ AUTOMATED" in screen.text, "it changes")
        assert screen.bridge.session.confirmed == "shop"
        assert screen.decisions == []

    play(walk, live=True)


def test_a_grant_is_given_as_the_object_it_is_and_revoked(play: Play) -> None:
    """The second stage prints all of it with its focus on Cancel; it answers no open request."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("p")
        await screen.until(lambda: "every request is asked" in screen.text, "none yet")
        await screen.press("o")
        assert "cloudwatch:DescribeAlarms on *" in screen.text
        assert "for this session, any number of times, until" in screen.text
        await screen.press("enter")
        assert screen.bridge.session.grants == ()
        await screen.press("o", "tab", "g")
        await screen.until(lambda: screen.bridge.session.grants, "it is given")
        await screen.until(lambda: "✓ G1  holds" in screen.text, "it is listed")
        [standing] = screen.bridge.session.grants
        for line in grant_lines(standing.grant)[:2]:
            assert line in screen.text
        await screen.press("escape")
        assert screen.decisions == []
        await screen.armed()
        await screen.press("a")
        await screen.ended()
        assert [each.by for each in screen.decisions] == ["human", "grant"]

    play(walk, steps=2)


def test_a_revoked_grant_answers_nothing_any_more(play: Play) -> None:
    """R on the list ends it at once: the next request is asked of a person again."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("p", "o", "tab", "g")
        await screen.until(lambda: "✓ G1  holds" in screen.text, "it is listed")
        await screen.press("down", "r")
        await screen.until(lambda: "■ G1  ended" in screen.text, "it is ended")
        await screen.press("escape")
        await screen.armed()
        await screen.press("a")
        await screen.armed("R2")
        assert [each.by for each in screen.decisions] == ["human"]

    play(walk, steps=2)


def test_a_grant_for_a_saved_script_holds_in_the_next_session(play: Play) -> None:
    """Offered by its own key, on a second stage that says how far it reaches; revoked by R."""

    async def give(screen: Any) -> None:
        await screen.armed()
        await screen.press("p", "L")
        await screen.until(lambda: "It outlives this session" in screen.text, "it is offered")
        assert "cloudwatch:DescribeAlarms on *" in screen.text
        assert "this and in later sessions, any number of times" in screen.text
        await screen.press("enter")
        assert screen.bridge.session.grants == ()
        await screen.press("L", "tab", "g")
        await screen.until(lambda: screen.bridge.session.grants, "it is given")
        await screen.press("escape")
        await screen.armed()
        await screen.press("a")
        await screen.ended()

    async def rest(screen: Any) -> None:
        await screen.ended()
        assert [each.by for each in screen.decisions] == ["grant"]
        [standing] = screen.bridge.session.grants
        assert standing.given.carried != screen.bridge.session.id

    async def revoke(screen: Any) -> None:
        await screen.armed()
        await screen.press("p")
        await screen.until(lambda: "in session" in screen.text, "it says where it was given")
        await screen.press("down", "r")
        await screen.until(lambda: "ended: revoked" in screen.text, "it is ended")
        await screen.press("escape")
        await screen.armed()
        await screen.press("a")
        await screen.ended()

    async def ask(screen: Any) -> None:
        await screen.armed()
        assert screen.bridge.session.grants == ()

    play(give)
    play(rest)
    play(revoke, lines=1)
    play(ask)


def test_nothing_is_granted_above_reads(play: Play) -> None:
    """Where a script could return secrets, no grant is even offered."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("p", "o")
        await screen.until(lambda: "no grant is offered" in screen.text, "it says so")
        assert isinstance(screen.app.screen, GrantsScreen)

    play(walk, tier=3)


def test_a_production_account_looks_different(play: Play) -> None:
    """By words and by colour: the label of the settings stands before the account's name."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        assert "PRODUCTION shop eu" in screen.text
        assert screen.app.screen.query_one("StatusBar").has_class("-production")

    play(walk, settings='accounts:\n  shop: {label: "shop eu", production: true}\n')


def test_a_question_goes_on_record_and_decides_nothing(play: Play) -> None:
    """Told with I: it says who reads it, Enter sends nothing, and the request stays open."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("I")
        assert "No model works on this session" in screen.text
        await screen.type("why line 5")
        await screen.press("enter", "enter")
        assert screen.bridge.session.notes == ()
        await screen.press("i")
        await screen.until(lambda: screen.bridge.session.notes, "it is on record")
        assert screen.bridge.session.notes[0].text == "why line 5"
        assert screen.decisions == []
        assert screen.bridge.asked is not None

    play(walk)

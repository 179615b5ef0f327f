"""The answer as a document: complete, without what could be taken for markup, of one form."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.answer import conclude, fill
from core.export import as_json, as_markdown
from tui.answering import answer_page
from tui.exporting import export
from tui.moments import Moment, moment

HOSTILE = "a\x1b]52;c;x\x07b\u202ec [x](http://e) <img> # `q`\n## h"


def answered(story: Callable[..., Any], cause: str = "The disk is full.", **facts: Any) -> Any:
    """Return a story of one approved step with an answer."""
    told = story(question=cause).identified().drafted().reviewed()
    told.requested()
    told.decided(comment=cause)
    card = told.run().evidence(**(facts or {"firing": 2, "silent": 5}))
    claims = [fill("{firing} alarms fire", card)] if "firing" in card.facts else []
    told.add(conclude("likely", cause, claims, ["nobody looked at the database"]))
    return told


def test_markdown_tells_answer_evidence_and_gaps(story: Callable[..., Any]) -> None:
    """Question, account, status, claims with their cards, gaps, and each step with its facts."""
    text = as_markdown(answered(story).session)

    for each in (
        "# The disk is full.",
        "- Account: shop 123456789012",
        "**likely**: The disk is full.",
        "- 2 alarms fire (E1)",
        "- nobody looked at the database",
        "### S1 Look",
        "- E1 silent: 5",
    ):
        assert each in text


def test_markdown_holds_no_markup_of_others(story: Callable[..., Any]) -> None:
    """Links, tags, headings and control characters of data are text in the report."""
    text = as_markdown(answered(story, HOSTILE, **{HOSTILE: HOSTILE}).session)

    assert not set("\x1b\x07\u202e") & set(text)
    assert "](" not in text.replace("\\]\\(", "")
    assert "<img>" not in text.replace("\\<img\\>", "")
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## Answer",
        "## What stays unknown",
        "## Steps and evidence",
    ]


def test_json_has_claims_with_their_pointers(story: Callable[..., Any]) -> None:
    """A machine finds each value where the claim says it stands; every character is ASCII."""
    text = as_json(answered(story, HOSTILE).session)
    document = json.loads(text)

    assert text.isascii()
    [claim] = document["claims"]
    assert claim["evidence"] == [{"card": "E1", "pointer": "/facts/firing", "value": 2}]
    assert document["evidence"][0]["facts"] == {"firing": 2, "silent": 5}
    assert (document["status"], document["gaps"]) == ("likely", ["nobody looked at the database"])


@pytest.mark.parametrize("form", ["markdown", "json"])
def test_a_session_without_an_answer_can_be_handed_on(
    story: Callable[..., Any], form: str, tmp_path: Path
) -> None:
    """What is known so far is written, by its owner readable only, and never over another file."""
    session = story().identified().session

    assert export(session, form, tmp_path).startswith("wrote countersign-")
    assert export(session, form, tmp_path).endswith("is there already")
    assert export(session, form, tmp_path / "nowhere").endswith("No such file or directory")
    [file] = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_claim_is_held_against_its_evidence(story: Callable[..., Any]) -> None:
    """The facts that a claim names are marked among all facts of its card."""
    page = answer_page(answered(story).session, [Moment(61_000, "x")])

    assert page is not None
    [proof] = page.proofs
    assert proof.title == "E1 Look"
    assert [(row.name, row.value) for row in proof.rows] == [("→ firing", "2"), ("  silent", "5")]
    assert [row.name for row in page.timeline] == ["01:00"]


def test_nothing_of_the_evidence_talks_to_the_terminal(story: Callable[..., Any]) -> None:
    """Names, values and the timeline are made visible before any widget has them."""
    told = answered(story, HOSTILE, **{HOSTILE: HOSTILE, "firing": HOSTILE})
    moments = [found for fact in told.facts if (found := moment(fact))]
    page = answer_page(told.session, moments)

    assert page is not None
    assert not set("\x1b\x07\u202e") & set(repr(page).encode().decode("unicode_escape"))


def test_the_timeline_leaves_out_what_says_little(story: Callable[..., Any]) -> None:
    """Turning events are on it; drafts, reviews and bulk are not."""
    kinds = [fact.event.kind for fact in answered(story).facts if moment(fact)]

    assert "decision.made" in kinds
    assert not {"draft.generated", "review.finished", "run.output"} & set(kinds)


@pytest.mark.parametrize("name", ["x/../../up", "../up", "a\0b", "\x1b]0;x\x07", "x" * 300])
def test_a_session_from_elsewhere_does_not_say_where_it_is_written(
    story: Callable[..., Any], name: str, tmp_path: Path
) -> None:
    """A record can claim any name; the file lies in the folder, under one that is harmless."""
    session = story().identified().session
    folder = tmp_path / "here"
    (folder / "countersign-x").mkdir(parents=True)
    claimed = replace(session, started=replace(session.started, session=name))

    told = export(claimed, "json", folder)

    assert told.isprintable()
    assert told.startswith("wrote countersign-")
    assert [path.name for path in tmp_path.iterdir()] == ["here"]
    assert len(list(folder.glob("countersign-*.json"))) == 1

"""Claims rest on evidence that code has compared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.answer import conclude, fill, resolve, spell, unsupported
from core.errors import NotThere
from core.events import Claim, EvidenceAdded, Pointer

CARD = EvidenceAdded(
    card="E1",
    step="S1",
    run="X1",
    title="Look",
    facts={"count": 3, "name": "a/b~c", "none": None, "rate": 0.5, "ok": True},
    tables=(),
    coverage=("all of it: complete",),
    warnings=(),
    errors=(),
    text="",
    result=None,
)


def test_a_template_is_filled_from_the_card_it_points_into() -> None:
    """The sentence and its pointers come from the same values."""
    claim = fill("{count} of {name} fail, {count} times", CARD)

    assert claim.text == "3 of a/b~c fail, 3 times"
    assert claim.evidence == (
        Pointer("E1", "/facts/count", 3),
        Pointer("E1", "/facts/name", "a/b~c"),
    )


def test_a_name_that_is_no_fact_is_not_guessed() -> None:
    """A template that asks for more than the card has makes no claim."""
    with pytest.raises(NotThere):
        fill("{other} fails", CARD)


@pytest.mark.parametrize(
    ("pointer", "value"), [("/facts/count", 3), ("/coverage/0", "all of it: complete")]
)
def test_pointers_lead_to_single_values(pointer: str, value: object) -> None:
    """JSON pointers go through objects and lists."""
    assert resolve(CARD, pointer) == value


@pytest.mark.parametrize(
    "pointer", ["", "facts", "/facts", "/facts/x", "/coverage/1", "/coverage/-"]
)
def test_pointers_that_lead_nowhere_say_so(pointer: str) -> None:
    """A pointer to nothing, or to more than one value, is an error."""
    with pytest.raises(NotThere):
        resolve(CARD, pointer)


@pytest.mark.parametrize(
    "pointer",
    [
        Pointer("E1", "/facts/count", 4),
        Pointer("E1", "/facts/count", "3"),
        Pointer("E1", "/facts/count", 3.0),
        Pointer("E1", "/facts/ok", 1),
        Pointer("E2", "/facts/count", 3),
        Pointer("E1", "/facts/missing", 3),
    ],
)
def test_a_claim_that_says_another_value_is_found(pointer: Pointer) -> None:
    """Value and type must be those at the pointer; a card must exist."""
    answer = conclude("likely", "because", [Claim("three", (pointer,))], [])

    assert len(unsupported(answer, [CARD])) == 1


def test_a_filled_claim_is_supported() -> None:
    """What `fill` makes always passes the check."""
    answer = conclude("likely", "because", [fill("{count} {rate} {ok} {none}", CARD)], [])

    assert unsupported(answer, [CARD]) == ()
    assert unsupported(answer, [replace(CARD, facts={**CARD.facts, "count": 4})]) != ()


def test_without_evidence_an_answer_is_inconclusive() -> None:
    """A claim that points nowhere is dropped, and with it the certainty."""
    answer = conclude("confirmed", "because", [Claim("trust me", ())], ["a gap"])

    assert (answer.status, answer.claims, answer.gaps) == ("inconclusive", (), ("a gap",))


@pytest.mark.parametrize(
    ("value", "text"), [(None, "unknown"), (True, "yes"), (False, "no"), (3, "3"), ("x", "x")]
)
def test_values_are_spelled_for_people(value: Any, text: str) -> None:
    """Facts read as people write them."""
    assert spell(value) == text

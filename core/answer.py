"""Claims that code has checked: each value stands where its pointer says, or the claim is dropped.

A claim's text is filled in from the evidence here, so a sentence can't say another value than the
card it names. What could not be filled becomes a gap, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from core.errors import NotThere
from core.events import AnswerGiven, Claim, EvidenceAdded, Pointer, Scalar, Status

_PLACE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_WITH_GAPS: Mapping[Status, Status] = {"confirmed": "likely", "healthy": "inconclusive"}


def resolve(card: EvidenceAdded, pointer: str) -> Scalar:
    """Return the value at a JSON pointer (RFC 6901) in a card; raises NotThere."""
    value: Any = asdict(card)
    for part in _parts(pointer):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list | tuple) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            raise NotThere(f"{card.card}{pointer} does not exist")
    if value is None or isinstance(value, str | int | float):
        return value
    raise NotThere(f"{card.card}{pointer} is not a single value")


def fill(template: str, card: EvidenceAdded) -> Claim:
    """Return the claim that a template such as "{count} alarms fire" makes of a card's facts.

    Raises NotThere when a name in braces is not a fact of the card.
    """
    pointers = tuple(_pointer(card, name) for name in dict.fromkeys(_PLACE.findall(template)))
    values = {each.pointer: each.value for each in pointers}
    text = _PLACE.sub(lambda match: spell(values[_fact(match[1])]), template)
    return Claim(text, pointers)


def unsupported(answer: AnswerGiven, cards: Iterable[EvidenceAdded]) -> tuple[str, ...]:
    """Return what is wrong with an answer's claims, a sentence each; empty when all hold."""
    by_name = {card.card: card for card in cards}
    return tuple(
        problem
        for claim in answer.claims
        for problem in (_problem(claim, each, by_name) for each in claim.evidence)
        if problem
    )


def conclude(
    status: Status, cause: str, claims: Iterable[Claim], gaps: Iterable[str]
) -> AnswerGiven:
    """Return an answer; inconclusive when no claim rests on evidence."""
    kept = tuple(claim for claim in claims if claim.evidence)
    return AnswerGiven(status if kept else "inconclusive", cause, kept, tuple(gaps))


def lowered(status: Status) -> Status:
    """Return what an answer can still be when something that was to be read could not be."""
    return _WITH_GAPS.get(status, status)


def spell(value: Scalar) -> str:
    """Return a fact's value as people write it."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _problem(claim: Claim, pointer: Pointer, cards: Mapping[str, EvidenceAdded]) -> str:
    card = cards.get(pointer.card)
    if card is None:
        return f"{claim.text!r} names {pointer.card}, which does not exist"
    try:
        value = resolve(card, pointer.pointer)
    except NotThere as error:
        return f"{claim.text!r}: {error}"
    if (type(value), value) != (type(pointer.value), pointer.value):
        return f"{claim.text!r} says {pointer.value!r}, {pointer.card} says {value!r}"
    return ""


def _fact(name: str) -> str:
    return "/facts/" + name.replace("~", "~0").replace("/", "~1")


def _pointer(card: EvidenceAdded, name: str) -> Pointer:
    return Pointer(card.card, _fact(name), resolve(card, _fact(name)))


def _parts(pointer: str) -> list[str]:
    if not pointer.startswith("/"):
        raise NotThere(f"{pointer!r} is not a JSON pointer")
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/")]

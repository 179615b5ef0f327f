"""Canonical JSON: one text per value, and a refusal where there is none."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.canonical import canonical, digest_of, sha256
from core.errors import NotCanonical

LARGEST = 2**53 - 1
TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=20,
)


def nested(depth: int) -> list[Any]:
    """Return a list with `depth` lists inside each other."""
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "null"),
        (True, "true"),
        (LARGEST, "9007199254740991"),
        (-LARGEST, "-9007199254740991"),
        ("é/\u2028", '"é/\u2028"'),
        ('"\\\b\f\n\r\t\x00\x1f\x7f', '"\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f\x7f"'),
        ((1, [2, ()]), "[1,[2,[]]]"),
        ({"b": {}, "a": [], "B": 1, "": 2}, '{"":2,"B":1,"a":[],"b":{}}'),
        ({"\U0001f600": 1, "\uff61": 2}, '{"\uff61":2,"\U0001f600":1}'),
    ],
)
def test_the_text_of_a_value(value: Any, expected: str) -> None:
    """Each kind of value has the text that the rules give it."""
    assert expected.encode() == canonical(value)


@given(value=VALUES)
def test_the_text_is_its_own_canonical_text(value: Any) -> None:
    """Reading the text back and writing it again changes nothing."""
    text = canonical(value)

    assert text == canonical(json.loads(text))
    assert value == json.loads(text)


@given(pairs=st.lists(st.tuples(TEXTS, st.integers(0, 9)), unique_by=lambda pair: pair[0]))
def test_the_order_of_keys_does_not_matter(pairs: list[tuple[str, int]]) -> None:
    """An object has one text, however it was put together."""
    assert canonical(dict(pairs)) == canonical(dict(reversed(pairs)))


@given(one=VALUES, other=VALUES)
def test_different_values_have_different_texts(one: Any, other: Any) -> None:
    """Two values share a text only when they are the same in JSON, where true is not 1."""
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)

    assert same == (canonical(one) == canonical(other))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (1.0, "a float has no canonical JSON: 1.0"),
        (float("nan"), "a float has no canonical JSON: nan"),
        ({"a": [float("inf")]}, "a float has no canonical JSON: inf"),
        (LARGEST + 1, "does not fit in 53 bits"),
        (-LARGEST - 1, "does not fit in 53 bits"),
        ({1: 2}, "the key 1 is not a text"),
        ({None: 2}, "the key None is not a text"),
        ({"a": {(): 2}}, r"the key \(\) is not a text"),
        ("\ud800", "half a surrogate pair"),
        ({"\udfff": 1}, "half a surrogate pair"),
        (b"bytes", "a bytes has no canonical JSON"),
        ({"a"}, "a set has no canonical JSON"),
        (nested(65), "nested deeper than 64 levels"),
    ],
)
def test_a_value_without_canonical_text(value: Any, message: str) -> None:
    """What two programs could write differently, or not at all, is refused."""
    with pytest.raises(NotCanonical, match=message):
        canonical(value)


def test_the_deepest_nesting() -> None:
    """64 levels below the outermost are allowed."""
    assert canonical(nested(64)) == b"[" * 65 + b"]" * 65


def test_digests_are_lower_case_sha256() -> None:
    """`digest_of` is the SHA-256 of the canonical text, nothing more."""
    expected = hashlib.sha256(b'{"a":1}').hexdigest()

    assert expected == sha256(b'{"a":1}') == digest_of({"a": 1})

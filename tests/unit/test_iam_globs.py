"""Matching patterns: exact on what is known, careful about what is not."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.iam.globs import (
    LITERAL_QUESTION,
    LITERAL_STAR,
    UNKNOWN_PART,
    action_match,
    covers,
    literal,
    plain_match,
    touches,
)

U = UNKNOWN_PART
ARN = "arn:aws:rds:us-east-1:123456789012"


@pytest.mark.parametrize(
    ("pattern", "resource", "expected"),
    [
        ("*", "*", True),
        ("*", f"{ARN}:db:web", True),
        ("*", U, True),
        (f"{ARN}:db:web", f"{ARN}:db:web", True),
        (f"{ARN}:db:web", f"{ARN}:db:WEB", False),
        (f"{ARN}:db:w.b", f"{ARN}:db:web", False),
        (f"{ARN}:db:w?b", f"{ARN}:db:web", True),
        (f"{ARN}:db:w?", f"{ARN}:db:web", False),
        (f"{ARN}:db:*", f"{ARN}:db:{U}", True),
        (f"{ARN}:db:web*", f"{ARN}:db:{U}", False),
        (f"{ARN}:db:?", f"{ARN}:db:{U}", False),
        (f"{ARN}:db:web", f"{ARN}:db:{U}", False),
        ("arn:aws:rds:*:*:db:web", f"{ARN}:db:web", True),
        ("arn:aws:rds:*:db:web", f"{ARN}:db:web", True),
        ("arn:aws:rds:us-*-1:123456789012:db:web", f"{ARN}:db:web", True),
        ("arn:aws:rds:us*2:db:web", f"{ARN}:db:web", False),
        (f"{ARN}:d?web", f"{ARN}:d:web", False),
        ("arn:aws:rds:*", f"{ARN}:db:web", True),
        ("arn:aws:s3:::box/*/log", "arn:aws:s3:::box/a/b/log", True),
        (f"arn:aws:s3:::{LITERAL_STAR}", "arn:aws:s3:::*", True),
        (f"arn:aws:s3:::{LITERAL_STAR}", "arn:aws:s3:::ann", False),
        (f"arn:aws:s3:::a{LITERAL_QUESTION}*", "arn:aws:s3:::a?b", True),
        (f"arn:aws:s3:::a{LITERAL_QUESTION}*", "arn:aws:s3:::abb", False),
        (f"{ARN}:db:w*b:x", f"{ARN}:db:w{U}b:x", False),
        (f"{ARN}:db:*:x", f"{ARN}:db:w{U}:x", True),
        (f"{ARN}:db:{U}", f"{ARN}:db:{U}", False),
        (f"{ARN}:db:*", "*", False),
        (f"{ARN}:db:**", f"{ARN}:db:web", True),
        ("", "", True),
    ],
)
def test_covers(pattern: str, resource: str, expected: bool) -> None:
    """An Allow's pattern covers a resource only if it matches whatever the unknown parts are."""
    assert covers(pattern, resource) is expected


@pytest.mark.parametrize(
    ("pattern", "resource", "expected"),
    [
        ("*", "*", True),
        (f"{ARN}:db:web", f"{ARN}:db:web", True),
        (f"{ARN}:db:web", f"{ARN}:db:api", False),
        (f"{ARN}:db:web", f"{ARN}:db:{U}", True),
        (f"{ARN}:db:web", U, True),
        (f"{ARN}:db:web", f"{ARN}:db:api{U}", False),
        (f"{ARN}:db:api-*", f"{ARN}:db:api{U}", True),
        (f"{ARN}:cluster:web", f"{ARN}:db:{U}", False),
        ("arn:aws:rds:us*2:db:web", f"{ARN}:db:web", True),
        (f"arn:aws:s3:::{U}", "arn:aws:s3:::ann", True),
        (f"arn:aws:s3:::home/{U}", "arn:aws:s3:::logs/ann", False),
        (f"arn:aws:s3:::{LITERAL_STAR}", "arn:aws:s3:::ann", False),
        (f"{ARN}:db:w*b:x", f"{ARN}:db:w{U}b:x", True),
        (f"{ARN}:db:a?c", f"{ARN}:db:a{U}", True),
        (f"{ARN}:db:web", "*", False),
    ],
)
def test_touches(pattern: str, resource: str, expected: bool) -> None:
    """A Deny's pattern touches a resource if it matches for some value of the unknown parts."""
    assert touches(pattern, resource) is expected


@pytest.mark.parametrize(
    ("pattern", "action", "expected"),
    [
        ("*", "ec2:DescribeInstances", True),
        ("EC2:describeinstances", "ec2:DescribeInstances", True),
        ("ec2:Describe*", "ec2:DescribeInstances", True),
        ("ec2:*Instances", "ec2:DescribeInstances", True),
        ("ec2:DescribeInstance?", "ec2:DescribeInstances", True),
        ("ec2.DescribeInstances", "ec2:DescribeInstances", False),
        ("ec2:Describe", "ec2:DescribeInstances", False),
        ("logs:*", "ec2:DescribeInstances", False),
    ],
)
def test_action_match(pattern: str, action: str, expected: bool) -> None:
    """Action patterns know `*` and `?`, and no difference between upper and lower case."""
    assert action_match(pattern, action) is expected


_PATTERNS = st.text("ab:*?", max_size=8)
_TEXTS = st.text("ab:*?", max_size=8)


@given(_PATTERNS, _TEXTS)
def test_plain_matching_equals_a_regular_expression(pattern: str, text: str) -> None:
    """Without segments a pattern means what its translation to a regular expression means."""
    regex = "".join({"*": ".*", "?": "."}.get(one) or re.escape(one) for one in pattern)
    assert plain_match(pattern, text) is (re.fullmatch(regex, text) is not None)


@given(_PATTERNS, st.text(f"ab:{U}", max_size=6), st.text("ab:", max_size=4))
def test_what_is_covered_is_touched_whatever_the_unknown_is(
    pattern: str, resource: str, value: str
) -> None:
    """`covers` never says yes where `touches` says no, and `touches` never misses a match."""
    if covers(pattern, resource):
        assert touches(pattern, resource) is True
    if plain_match(pattern, resource.replace(U, value)):
        assert touches(pattern, resource) is True


@given(_PATTERNS, st.text(f"ab:{U}", max_size=6), st.text("ab:", max_size=4))
def test_what_is_covered_matches_every_value_of_the_unknown(
    pattern: str, resource: str, value: str
) -> None:
    """Where `covers` says yes, the pattern matches with any name in the place of the unknown."""
    if covers(pattern, resource):
        assert covers(pattern, resource.replace(U, value)) is True


@given(_TEXTS, _TEXTS)
def test_a_literal_pattern_matches_itself_only(text: str, other: str) -> None:
    """Whatever signs a text is made of, as a literal it stands for that text alone."""
    assert plain_match(literal(text), other) is (text == other)
    assert covers(literal(text), text) is True


def test_a_pattern_made_to_backtrack_is_matched_at_once() -> None:
    """A pattern that stalls regular expressions is answered within the test's time limit."""
    assert covers("arn:" + "*a" * 200 + "b", "arn:" + "a" * 1500) is False


@given(st.text("ab:*?", max_size=7), st.text("ab:", max_size=7))
def test_segments_equal_a_regular_expression(pattern: str, text: str) -> None:
    """With segments a wildcard stops at a colon, but for a star that ends its segment."""
    regex = re.sub(
        r"\*+(?=:|$)|[*?]", lambda sign: _as_regex(sign[0], sign.end(), pattern), pattern
    )
    expected = pattern == "*" or re.fullmatch(regex, text) is not None

    assert covers(pattern, text) is expected


def _as_regex(sign: str, end: int, pattern: str) -> str:
    if sign == "?":
        return "[^:]"
    return ".*" if end == len(pattern) or pattern[end] == ":" else "[^:]*"

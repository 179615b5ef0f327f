"""What `check` says of a script, in one line, for people, and compared with an earlier version."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from core.approval.draft import Draft
from core.approval.modes import Case, rule
from core.checks.compare import difference
from core.checks.finding import Call, Finding, Review
from core.checks.summary import one_line
from sandbox.job import Tier
from tui.checking import Checked, document, text

CALLS = (Call("ec2", "DescribeVpcs", 3), Call("ec2", "DescribeVpcs", 9), Call("logs", "GetX", 4))
WARNING = Finding("lint", "B006", "warning", 2, "a list as default", "use None")
BLOCKER = Finding("code", "path", "blocker", 1, "looks\u202e outside", "", "rollback")
NOTE = Finding("security", "B404", "note", 1, "subprocess", "")
GOOD = Review((), CALLS, 1, (), (), {"Statement": []})
EXACT, UNFIT = "policy exact", "policy lacks 1 and allows 2 unused"
BECAUSE = "; ".join(rule(Case("guided", 1, 4, blockers=1)).because)
DRAFT = Draft(
    step="S1",
    version=1,
    author="file",
    kind="collect",
    language="python",
    script=b"x = 1\n",
    requirements=(),
    policy={},
    rollback=None,
    post_check=None,
    parameters={},
    inputs=(),
)


def checked(found: Review) -> Checked:
    """A draft with this review."""
    return Checked(DRAFT, found, None, "nobody knows", "guided", 4, 2, ("eu-west-1",))


@pytest.mark.parametrize(
    ("found", "regions", "expected"),
    [
        (
            replace(GOOD, calls=(*CALLS, Call("logs", "GetY", 5)), findings=(WARNING, NOTE)),
            ("eu-west-1",),
            f"READ-ONLY · 3 operations · 2 services · 1 region · 0 blockers · 1 warning · {EXACT}",
        ),
        (
            replace(GOOD, calls=(), tier=0),
            None,
            "NO AWS · 0 operations · 0 services · 0 blockers · 0 warnings · policy exact",
        ),
        (
            replace(GOOD, missing=("a:B",), excess=("c:*", "d:E"), findings=(BLOCKER,) * 2, tier=4),
            (),
            f"CHANGES · 2 operations · 2 services · 0 regions · 2 blockers · 0 warnings · {UNFIT}",
        ),
        (
            replace(GOOD, findings=(Finding("aws-calls", "cannot-tell", "note", 1, "", ""),)),
            None,
            "READ-ONLY · 2+ operations · 2+ services · 0 blockers · 0 warnings · policy exact",
        ),
    ],
)
def test_a_review_in_one_line(
    found: Review, regions: tuple[str, ...] | None, expected: str
) -> None:
    """Operations and services count once each, notes not at all, and hidden calls are not lost."""
    assert one_line(found, regions) == expected


@pytest.mark.parametrize(
    ("tier", "word"),
    [
        (0, "NO AWS"),
        (1, "READ-ONLY"),
        (2, "READ-ONLY"),
        (3, "SECRETS"),
        (4, "CHANGES"),
        (5, "NEVER RUNS"),
    ],
)
def test_the_first_word_is_that_of_the_tier(tier: Tier, word: str) -> None:
    """Whatever the code seems to do, the line begins with what the policy can allow."""
    assert one_line(replace(GOOD, tier=tier)).split(" · ")[0] == word


def test_the_review_for_people() -> None:
    """The line comes first, then why it asks, then findings from the worst down, with a way out."""
    found = replace(GOOD, findings=(BLOCKER, WARNING, NOTE), missing=("ec2:DescribeVpcs",))
    lines = text(checked(found)).splitlines()

    assert lines[:3] == [
        one_line(found, ("eu-west-1",)),
        "tier 1, metadata reads",
        f"would ask: {BECAUSE}",
    ]
    heads = [line for line in lines if line in ("1 blocker", "1 warning", "1 note", "calls")]
    assert heads == ["1 blocker", "1 warning", "1 note", "calls"]
    for line in (
        "  rollback, line 1: looks<U+202E> outside  [code path]",
        "  line 2: a list as default  [lint B006]",
        "      -> use None",
        "  line 3: ec2.DescribeVpcs",
        "  missing: ec2:DescribeVpcs, tier 1, lines 3 9",
        "digest        none: nobody knows",
    ):
        assert line in lines


def test_the_review_as_json() -> None:
    """What machines get has the line, the digests and all that the review holds; it is JSON."""
    told = document(checked(replace(GOOD, findings=(WARNING,))))

    assert json.loads(json.dumps(told)) == told
    assert {"code_digest", "draft_digest", "digest", "tier", "findings", "calls"} <= set(told)
    assert told["summary"].startswith("READ-ONLY · ")
    assert "diff" not in told
    first = told["policy"]["table"][0]
    assert (first["action"], first["state"], first["lines"]) == (
        "ec2:DescribeVpcs",
        "missing",
        [3, 9],
    )


def test_two_versions_compared() -> None:
    """A finding that only moved to another line neither came nor went; a second one came."""
    before = replace(GOOD, findings=(BLOCKER, WARNING))
    after = replace(GOOD, findings=(replace(WARNING, line=7), replace(WARNING, line=8), NOTE))
    found = difference(("old.py", b"a\nb\n", before), ("new.py", b"a\nc\n", after))

    assert found.lines == (
        "--- old.py",
        "+++ new.py",
        "@@ -1,3 +1,3 @@",
        " a",
        "-b",
        "+c",
        " ",
    )
    assert (found.came, found.went) == ((replace(WARNING, line=8), NOTE), (BLOCKER,))


def test_a_difference_for_people_and_machines() -> None:
    """The diff stands in both, safe to show in the one and whole in the other."""
    found = difference(("a", b"x\x1b[2K\n", GOOD), ("b", b"y\n", replace(GOOD, findings=(NOTE,))))
    compared = replace(checked(GOOD), difference=found)
    told = document(compared)["diff"]

    lines = text(compared).splitlines()
    assert "came: note: subprocess  [security B404]" in lines
    assert "\x1b" not in text(compared)
    assert [each["rule"] for each in told["came"]] == ["B404"]
    assert "-x\x1b[2K" in told["lines"]

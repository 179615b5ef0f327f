"""Every check, every rule and every place that tells of it: switched off, its offender goes unseen.

The offenders are those of the tests beside this one. Each is told with the code as it is. Then the
check is taken out of the pipeline, the rule out of its check, or one place out of the code (see
`tests.finding_places`), and the same look no longer finds it; what other rules say of it does not
count. A check, rule or place that nobody has an offender for fails here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest

from core.approval.draft import Draft
from core.checks import aws_calls, code, quality
from core.checks.review import CHECKS, review
from core.checks.standards import NAMES, Gate, Standards
from core.checks.subject import subject_of
from core.iam.lint import NO_CEILINGS, Ceilings
from tests.finding_places import Place, places, without_place, without_rule
from tests.taking_out import without
from tests.unit import test_checks_arguments as arguments
from tests.unit import test_checks_aws_calls as calls
from tests.unit import test_checks_each as each_check
from tests.unit import test_checks_readability as readability
from tests.unit import test_checks_rules as fit
from tests.unit import test_checks_syntax as syntax
from tests.unit import test_iam_lint as lint

FINDERS = {check.name: check.find for check in CHECKS}
PLACES = tuple(places())
BUCKETS = [f"arn:aws:s3:::{'bucket' * 6}-{place}" for place in range(60)]
LOOP = "for i in 'ab':\n    "
DEEP = f"import a\n\na{'.b' * 1800}()\n".encode()
"""Deeper than a check can follow that writes it out again."""
FAMILIES = [("lint/F821", "F"), ("lint/B006", "B"), ("lint/PLE0604", "PLE")]
"""Offenders of ruff's rules that are told by their own name, and the family that has each.

No script that parses has any of `E9`."""
CALLED = Standards(gates=(Gate("called", "note", "here", "call", "c"),))
ALLOWED = Standards(gates=(Gate("allowed", "note", "here", "action", "ec2:*"),))


@dataclass(frozen=True, slots=True)
class Offender:
    """A draft that one rule of a check is about."""

    check: str
    rule: str
    draft: Draft
    standards: Standards = each_check.STANDARDS
    ceilings: Ceilings = NO_CEILINGS

    @property
    def name(self) -> str:
        """The rule as the settings name it."""
        return f"{self.check}/{self.rule}"

    def told(self) -> int:
        """Make its check (for what the review itself tells: all) and count findings of the rule."""
        if self.check == "review":
            found = review(self.draft, self.standards).findings
            return sum(one.rule == self.rule for one in found)
        subject = subject_of(self.draft, self.standards, self.ceilings)
        return sum(one.rule == self.rule for one in FINDERS[self.check](subject))


def script(text: str | bytes, **fields: Any) -> Draft:
    """Return a draft with this script."""
    data = text if isinstance(text, bytes) else text.encode()
    return replace(each_check.DRAFT, script=data, **fields)


@cache
def offenders() -> tuple[Offender, ...]:
    """Return all of them."""
    return (*_elsewhere(), *_besides())


def _elsewhere() -> Iterator[Offender]:
    """Those of the tests of each check."""
    for finding, change in each_check.PLANTED:
        check, _, rule = finding.partition("/")
        yield Offender(check, rule, each_check.planted(**change))
    mistakes = [each[:2] for each in calls.MISTAKES] + [each[:2] for each in arguments.MISTAKES]
    for text, rule in mistakes:
        yield Offender("aws-calls", rule, script(text))
    for check, told in (("readability", readability.RULES), ("syntax", syntax.RULES)):
        for _, data, found in told:
            yield from (Offender(check, rule, script(data)) for rule, *_ in found)
    for rule, policy, *_ in lint.BROKEN:
        yield Offender("policy", rule, script("", policy=policy), ceilings=Ceilings(1, 2))
    for rule, _, text, statement, *_ in fit.OFFENDERS:
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        yield Offender("policy", rule, script(fit.HEAD + text, policy=policy))


def _besides() -> Iterator[Offender]:
    """What the tests of each check tell in another form."""
    ec2, s3 = calls.EC2, "import boto3\ns3 = boto3.client('s3')\n"
    for rule, text in (
        ("cannot-tell", _tangled()),
        ("cannot-tell", "import boto3\nboto3.resource('ec2')._x"),
        ("cannot-tell", "import boto3\nboto3.client(x).describe_x()"),
        (
            "unknown-parameter",
            s3 + "s3.copy_object(Bucket='b', Key='k', CopySource={'Buckt': 'a'})",
        ),
    ):
        yield Offender("aws-calls", rule, script(text))
    yield Offender("code", "reflection", script("getattr(f, '__globals__')\n"))
    yield Offender("code", "process", script("from os import system\n"))
    yield Offender("code", "process", script("import os\ngetattr(os, 'system')('ls')\n"))
    yield Offender("lint", "PLE0604", script("__all__ = [1]\n"))
    batch = f"s = boto3.client('ssm')\n{LOOP}s.get_parameter(Name=i)\n"
    yield Offender("quality", "calls-in-loop", script(f"import boto3\n{batch}"))
    long = "def f() -> None:\n" + "    print()\n" * 10
    yield Offender("quality", "docstring", script(f'"""Said."""\n\n\n{long}'))
    yield Offender("gates", "called", script("a.b.c()\n"), CALLED)
    yield Offender("gates", "allowed", script(""), ALLOWED)
    yield Offender("policy", "tests-call", script("", tests=f"{ec2}ec2.describe_vpcs()\n".encode()))
    yield Offender("policy", "price", script(fit.HEAD + fit.QUERY))
    yield Offender("policy", "empty", script(ec2 + "ec2.describe_vpcs()\n", policy={}))
    yield Offender(
        "policy", "too-long", script("", policy=lint.allows("s3:ListBucket", on=BUCKETS))
    )
    locked = ("pyyaml==6" + each_check.HASH,)
    yield Offender("requirements", "not-looked-up", script("", requirements=locked))
    tested = script("", requirements=locked, tests=b"import yaml\nyaml.load\n")
    yield Offender("requirements", "unused", tested)
    yield Offender("security", "not-checked", script(DEEP))
    yield Offender("review", "lost", script(DEEP), CALLED)
    yield Offender("review", "left-out", script(""), Standards(left_out=("lint",)))


def _tangled() -> str:
    """Return a script in which clients can't be followed to their end."""
    lines = [f"a{n + 1} = (a{n} if x else a{n}) or [a{n}, a{n}][0]" for n in range(40)]
    return "\n".join(["import boto3", "a0 = boto3.client('ec2')", *lines, "a40.stop()"])


def of(check: str, rule: str = "") -> list[Offender]:
    """Return the offenders of a check, or of one of its rules."""
    return [one for one in offenders() if one.check == check and rule in ("", one.rule)]


@pytest.mark.parametrize("name", NAMES)
def test_a_check_that_is_taken_out_is_missed(name: str) -> None:
    """The review tells of the check's offender, and no longer does without the check."""
    offender = of(name)[0]

    def is_told() -> bool:
        found = review(offender.draft, offender.standards, ceilings=offender.ceilings).findings
        return any((one.source, one.rule) == (name, offender.rule) for one in found)

    assert is_told()
    out = ("for check in CHECKS if", f"for check in CHECKS if check.name != {name!r} and")
    with without(("core.checks.review:review", out)):
        assert not is_told()


@pytest.mark.parametrize("name", sorted({one.name for one in offenders()}))
def test_a_rule_that_is_taken_out_is_missed(name: str) -> None:
    """Each offender of a rule is told by it, and no longer is without the rule."""
    check, _, rule = name.partition("/")
    several = of(check, rule)
    own = [one for one in PLACES if one.check == check and one.rule in ("", rule)]

    assert [one for one in several if not one.told()] == []
    with without_rule(own, rule):
        assert [one for one in several if one.told()] == []


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_place_that_is_taken_out_is_missed(place: Place) -> None:
    """What some offender is told for at this place of the code is told nowhere else."""
    several = [(one, one.told()) for one in of(place.check, place.rule)]
    with without_place(place):
        assert [one for one, before in several if one.told() < before] != []


@pytest.mark.parametrize(("name", "family"), FAMILIES)
def test_a_family_of_ruff_that_is_not_asked_for_is_missed(name: str, family: str) -> None:
    """Its offender is told because ruff was asked for that family, and no longer is without it."""
    (offender,) = of(*name.split("/"))[:1]
    asked = f"rules = ','.join(each for each in rules.split(',') if each != {family!r})"
    out = ("return _run(", f"{asked}; return _run(")

    assert offender.told()
    with without(("core.checks.ruff:check", out)):
        assert not offender.told()


def test_every_rule_has_an_offender() -> None:
    """A rule by name, or by one of the tables that rules are taken from, needs a line above."""
    rules = {f"{one.check}/{one.rule}" for one in PLACES if one.rule}
    rules |= {f"code/{rule}" for rule in (*code._MODULES.values(), *code._NAMES.values())}
    rules |= {f"quality/{rule}" for rule in (*quality._NAMES.values(), "pep8")}
    rules |= {f"aws-calls/unknown-{what}" for what, _ in aws_calls._NAMED.values()}
    rules |= {f"policy/{each}" for each in ("not-action", "not-resource", "whole-service")}
    named = {rule for rule in fit.rules() if re.fullmatch(r"[a-z]+(-[a-z]+)*", rule)}

    assert len(named) > 50
    assert named - {one.rule for one in offenders()} == {"note"}  # what a second reader adds
    assert rules - {one.name for one in offenders()} == set()
    assert {one.check for one in PLACES} == {*NAMES, "review"}

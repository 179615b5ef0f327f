"""The three digests: what each of them binds, what none of them does, and who notices a change."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import pytest

from core.approval.draft import Draft, Target, Terms, approval_digest
from core.approval.spec import Allowance, read_spec, write_spec
from core.canonical import canonical, digest_of, sha256
from core.errors import NotCanonical, NotCountersigned
from sandbox.limits import Limits

DRAFT = Draft(
    step="S1",
    version=1,
    author="model",
    kind="collect",
    language="python",
    script=b"print(1)\n",
    requirements=("a==1 --hash=sha256:aa", "b==2 --hash=sha256:bb"),
    policy={"Version": "2012-10-17", "Statement": []},
    rollback=None,
    post_check=None,
    parameters={"minutes": 60},
    inputs=(("E1.json", sha256(b"one")), ("E2.json", sha256(b"two"))),
)
TARGET = Target(
    source="recorded:head",
    partition="aws",
    account="111122223333",
    role="arn:aws:iam::111122223333:role/on-call",
    regions=("eu-west-1", "us-east-1"),
    alias="shop",
)
TERMS = Terms(purpose="run", target=TARGET, limits=Limits(), ceiling=2, runtime=sha256(b"runtime"))
ORIGIN = {"path": "/sessions/one.db"}
SPEC = json.loads(write_spec(DRAFT, TERMS, ORIGIN, "AKIA1"))

CODE_CHANGES: Mapping[str, Any] = {
    "language": "javascript",
    "script": b"print(2)\n",
    "requirements": ("a==1 --hash=sha256:ab", "b==2 --hash=sha256:bb"),
    "policy": {"Version": "2012-10-17", "Statement": [{}]},
    "rollback": b"",
    "post_check": b"",
    "tests": b"",
}
GIVEN_CHANGES: Mapping[str, Any] = {
    "kind": "change",
    "parameters": {"minutes": 61},
    "inputs": (("E1.json", sha256(b"one")), ("E2.json", sha256(b"2"))),
}
UNBOUND_CHANGES: Mapping[str, Any] = {"step": "S2", "version": 2, "author": "operator"}
TARGET_CHANGES: Mapping[str, Any] = {
    "source": "live",
    "partition": "aws-cn",
    "account": "444455556666",
    "role": "arn:aws:iam::111122223333:role/other",
    "regions": ("eu-west-1",),
}
TERMS_CHANGES: Mapping[str, Any] = {
    "purpose": "rehearse",
    "ceiling": 3,
    "runtime": sha256(b"other"),
    **{f"target.{name}": replace(TARGET, **{name: to}) for name, to in TARGET_CHANGES.items()},
    **{
        f"limits.{field.name}": replace(
            TERMS.limits, **{field.name: getattr(TERMS.limits, field.name) + 1}
        )
        for field in fields(Limits)
    },
}


def digests(draft: Draft, terms: Terms = TERMS) -> tuple[str, str, str]:
    """Return code_digest, draft_digest and digest."""
    approval = approval_digest(terms.preimage(draft.digest()))
    return draft.code_digest(), draft.digest(), approval


def changed(draft: Draft, terms: Terms = TERMS) -> list[bool]:
    """Return for each of the three digests whether it differs from that of DRAFT and TERMS."""
    return [new != old for new, old in zip(digests(draft, terms), digests(DRAFT), strict=True)]


# ------------------------------------------------------------------ what is bound
def test_every_field_is_accounted_for() -> None:
    """The tables above have every field of a draft, a target and the terms: none is forgotten."""
    assert {*CODE_CHANGES, *GIVEN_CHANGES, *UNBOUND_CHANGES} == {
        field.name for field in fields(Draft)
    }
    assert {*TARGET_CHANGES, "alias"} == {field.name for field in fields(Target)}
    assert {name.split(".")[0] for name in TERMS_CHANGES} == {field.name for field in fields(Terms)}


@pytest.mark.parametrize("name", CODE_CHANGES)
def test_the_code_is_in_every_digest(name: str) -> None:
    """A change of any part of the code changes all three digests."""
    assert all(changed(replace(DRAFT, **{name: CODE_CHANGES[name]})))


@pytest.mark.parametrize("name", GIVEN_CHANGES)
def test_what_a_draft_is_given_is_in_its_digest(name: str) -> None:
    """A change of what the code is given changes draft_digest and digest, not code_digest."""
    assert changed(replace(DRAFT, **{name: GIVEN_CHANGES[name]})) == [False, True, True]


@pytest.mark.parametrize("name", TERMS_CHANGES)
def test_every_term_is_in_the_approval(name: str) -> None:
    """A change of purpose, target, any limit, ceiling or runtime changes what is approved."""
    terms = replace(TERMS, **{name.split(".", maxsplit=1)[0]: TERMS_CHANGES[name]})

    assert changed(DRAFT, terms) == [False, False, True]


@pytest.mark.parametrize("name", UNBOUND_CHANGES)
def test_names_of_a_draft_are_in_no_digest(name: str) -> None:
    """Step, version and author decide nothing, so the same bytes have the same digests."""
    assert digests(DRAFT) == digests(replace(DRAFT, **{name: UNBOUND_CHANGES[name]}))


def test_the_alias_is_in_no_digest() -> None:
    """What people call an account is shown and typed, but the number is what is bound."""
    terms = replace(TERMS, target=replace(TARGET, alias="other"))

    assert digests(DRAFT) == digests(DRAFT, terms)


def test_the_order_of_sets_does_not_matter() -> None:
    """Requirements and inputs are sets: their order changes no digest."""
    draft = replace(DRAFT, requirements=DRAFT.requirements[::-1], inputs=DRAFT.inputs[::-1])

    assert digests(DRAFT) == digests(draft)


def test_the_order_of_regions_matters() -> None:
    """The first region is the script's default, so another order is another approval."""
    terms = replace(TERMS, target=replace(TARGET, regions=TARGET.regions[::-1]))

    assert digests(DRAFT)[2] != digests(DRAFT, terms)[2]


def test_an_empty_script_is_not_a_missing_one() -> None:
    """No rollback and an empty rollback are different drafts."""
    assert DRAFT.code_digest() != replace(DRAFT, rollback=b"").code_digest()


def test_the_approval_is_not_the_bare_hash() -> None:
    """The prefix keeps an approval from being mistaken for the hash of its preimage."""
    preimage = TERMS.preimage(DRAFT.digest())

    assert digest_of(preimage) != approval_digest(preimage)


def test_a_fraction_in_a_draft_has_no_digest() -> None:
    """A parameter with a fraction is refused, not rounded."""
    with pytest.raises(NotCanonical):
        replace(DRAFT, parameters={"rate": 0.5}).digest()


# ------------------------------------------------------------------ the specification
def leaves(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the path of everything inside a document that holds nothing else."""
    if not isinstance(value, dict | list) or not value:
        return [path]
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    return [leaf for key, item in pairs for leaf in leaves(item, (*path, key))]


def copy_of_spec() -> dict[str, Any]:
    """Return the specification as a document that may be changed."""
    document: dict[str, Any] = json.loads(json.dumps(SPEC))
    return document


BOUND = [path for path in leaves(SPEC) if path[0] not in ("origin", "access_key")]


def test_a_specification_is_read_back() -> None:
    """What was written is what the gateway process gets."""
    spec = read_spec(canonical(SPEC))

    assert (
        digests(DRAFT)[2],
        DRAFT.policy,
        TARGET.source,
        TARGET.partition,
        TARGET.account,
        TARGET.role,
        TARGET.regions,
        TERMS.ceiling,
        (Limits().aws_calls, Limits().aws_bytes),
        ORIGIN,
        "AKIA1",
    ) == (
        spec.digest,
        spec.policy,
        spec.source,
        spec.partition,
        spec.account,
        spec.role,
        spec.regions,
        spec.ceiling,
        (spec.aws_calls, spec.aws_bytes),
        spec.origin,
        spec.access_key,
    )


@pytest.mark.parametrize("path", BOUND, ids=lambda path: ".".join(map(str, path)))
def test_a_changed_value_is_noticed(path: tuple[str | int, ...]) -> None:
    """Whatever single value of the three preimages or the digest is changed, it is refused."""
    document = copy_of_spec()
    place: Any = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = "tampered"

    with pytest.raises(NotCountersigned):
        read_spec(canonical(document))


@pytest.mark.parametrize("part", ["approval", "draft", "code"])
@pytest.mark.parametrize("change", ["add", "remove"])
def test_a_key_more_or_less_is_noticed(part: str, change: str) -> None:
    """A preimage with another key, or without one, is refused."""
    document = copy_of_spec()
    if change == "add":
        document[part]["extra"] = 1
    else:
        document[part].popitem()

    with pytest.raises(NotCountersigned):
        read_spec(canonical(document))


@pytest.mark.parametrize("part", sorted(SPEC))
def test_a_missing_part_is_noticed(part: str) -> None:
    """A specification without one of its parts is refused."""
    document = copy_of_spec()
    del document[part]

    with pytest.raises(NotCountersigned, match="can't be read"):
        read_spec(canonical(document))


@pytest.mark.parametrize(
    ("hashed_again", "message"),
    [
        (0, "the policy or script in the specification is not the approved one"),
        (1, "the draft in the specification is not the approved one"),
        (2, "the specification does not match its digest"),
    ],
)
def test_a_wider_policy_is_noticed(hashed_again: int, message: str) -> None:
    """Hashing again after a change only moves the place where it is noticed."""
    document = copy_of_spec()
    document["code"]["policy"]["Statement"] = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    if hashed_again > 0:
        document["draft"]["code_digest"] = digest_of(document["code"])
    if hashed_again > 1:
        document["approval"]["draft_digest"] = digest_of(document["draft"])

    with pytest.raises(NotCountersigned, match=message):
        read_spec(canonical(document))


def test_hashing_all_of_it_again_is_another_approval() -> None:
    """A specification that was changed throughout has another digest than the approved one."""
    document = copy_of_spec()
    document["code"]["policy"]["Statement"] = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    document["draft"]["code_digest"] = digest_of(document["code"])
    document["approval"]["draft_digest"] = digest_of(document["draft"])
    document["digest"] = approval_digest(document["approval"])

    assert SPEC["digest"] != read_spec(canonical(document)).digest


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[]", b"null", b'"text"', b"{}"])
def test_bytes_that_are_no_specification(data: bytes) -> None:
    """What is not a specification at all is refused in the same way."""
    with pytest.raises(NotCountersigned, match="can't be read"):
        read_spec(data)


# ------------------------------------------------------------------ what no approval binds
def test_an_allowance_is_read_back() -> None:
    """What the session leaves to the gateway arrives; without it there is nothing."""
    allowance = Allowance(cache_ms=60_000, aws_budget=1_000_000, aws_left=5)
    data = write_spec(DRAFT, TERMS, ORIGIN, "AKIA1", allowance)

    assert read_spec(data).allowance == allowance
    assert read_spec(canonical(SPEC)).allowance == Allowance(0, 0, 0)
    assert read_spec(data).digest == SPEC["digest"]


@pytest.mark.parametrize(
    "given",
    [
        {"cache_ms": -1},
        {"cache_ms": True},
        {"aws_left": "5"},
        {"aws_budget": None},
        {"aws_left": [1]},
        {"more": 1},
        [],
        [1],
        None,
        "text",
        7,
    ],
    ids=str,
)
def test_an_allowance_is_checked(given: Any) -> None:
    """Nothing binds it, so whatever is not a whole number of 0 or more is refused."""
    document = copy_of_spec() | {"allowance": given}
    with pytest.raises(NotCountersigned, match="can't be read"):
        read_spec(canonical(document))

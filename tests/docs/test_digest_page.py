"""The vectors of docs/digest.md, computed by our code and, independently, by what the page says.

`stranger` is the independent half: the standard library and the page, nothing of ours.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from core.approval.draft import PREFIX, Draft, Target, Terms, approval_digest
from core.approval.spec import read_spec, write_spec
from core.canonical import canonical, sha256
from sandbox.limits import Limits

PAGE = (Path(__file__).parents[2] / "docs" / "digest.md").read_text(encoding="utf-8")
VECTORS = json.loads(PAGE.split("```json\n")[1].split("```")[0])
NAMES = [f"{number}-{vector['kind']}" for number, vector in enumerate(VECTORS, 1)]


# ------------------------------------------------------------------ by the page
def text_of(value: Any) -> bytes:
    """Write canonical JSON as the page says."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest_by_page(data: bytes) -> str:
    """Hash as the page says."""
    return hashlib.sha256(data).hexdigest()


def preimage_by_page(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return the object that the page describes for one kind of digest."""
    if kind == "code":
        scripts: dict[str, Any] = {
            key: None if given[key] is None else digest_by_page(given[key].encode())
            for key in ("script", "rollback", "post_check", "tests")
            if key in given
        }
        return {**given, **scripts, "requirements": sorted(given["requirements"])}
    below = {"draft": "code", "approval": "draft", "spec": "approval"}[kind]
    rest = {key: value for key, value in given.items() if key != below}
    inner = preimage_by_page(below, given[below])
    if kind == "draft":
        return {**rest, "code_digest": digest_by_page(text_of(inner))}
    if kind == "approval":
        digest = digest_by_page(text_of(inner))
        return {**rest, "draft_digest": digest, "regions": rest["regions"], "egress": []}
    draft = given["approval"]["draft"]
    return {
        **rest,
        "approval": inner,
        "draft": preimage_by_page("draft", draft),
        "code": preimage_by_page("code", draft["code"]),
        "digest": digest_by_page(b"countersign/1\n" + text_of(inner)),
    }


def by_page(vector: dict[str, Any]) -> tuple[str, str]:
    """Return text and digest of a vector with nothing but the standard library."""
    kind, given = vector["kind"], vector["input"]
    text = text_of(given if kind == "canonical" else preimage_by_page(kind, given))
    return text.decode(), digest_by_page((b"countersign/1\n" if kind == "approval" else b"") + text)


# ------------------------------------------------------------------ by our code
def draft_of(code: dict[str, Any], given: dict[str, Any] | None = None) -> Draft:
    """Make a Draft of what a vector says."""
    given = given or {"kind": "collect", "parameters": {}, "inputs": {}}
    return Draft(
        step="S1",
        version=1,
        author="file",
        kind=given["kind"],
        language=code["language"],
        script=code["script"].encode(),
        requirements=tuple(code["requirements"]),
        policy=code["policy"],
        rollback=None if code["rollback"] is None else code["rollback"].encode(),
        post_check=None if code["post_check"] is None else code["post_check"].encode(),
        parameters=given["parameters"],
        inputs=tuple(given["inputs"].items()),
        tests=code["tests"].encode() if "tests" in code else None,
    )


def terms_of(given: dict[str, Any]) -> Terms:
    """Make Terms of what a vector says."""
    return Terms(
        purpose=given["purpose"],
        target=Target(
            source=given["source"],
            partition=given["partition"],
            account=given["account"],
            role=given["role"],
            regions=tuple(given["regions"]),
        ),
        limits=Limits(**given["limits"]),
        ceiling=given["ceiling"],
        runtime=given["runtime"],
    )


def by_code(vector: dict[str, Any]) -> tuple[str, str]:
    """Return text and digest of a vector as the product computes them."""
    given = vector["input"]
    match vector["kind"]:
        case "canonical":
            return canonical(given).decode(), sha256(canonical(given))
        case "code":
            draft = draft_of(given)
            return canonical(draft.code_preimage()).decode(), draft.code_digest()
        case "draft":
            draft = draft_of(given["code"], given)
            return canonical(draft.preimage()).decode(), draft.digest()
        case "approval":
            draft = draft_of(given["draft"]["code"], given["draft"])
            preimage = terms_of(given).preimage(draft.digest())
            return canonical(preimage).decode(), approval_digest(preimage)
        case _:
            approval = given["approval"]
            draft = draft_of(approval["draft"]["code"], approval["draft"])
            spec = write_spec(draft, terms_of(approval), given["origin"], given["access_key"])
            return spec.decode(), sha256(spec)


# ------------------------------------------------------------------ the page
def test_there_are_vectors_of_every_kind() -> None:
    """The page has eleven vectors, and each kind of digest is among them."""
    expected = {"canonical": 4, "code": 3, "draft": 2, "approval": 1, "spec": 1}

    assert expected == Counter(vector["kind"] for vector in VECTORS)


@pytest.mark.parametrize("vector", VECTORS, ids=NAMES)
def test_a_vector_by_our_code(vector: dict[str, Any]) -> None:
    """The product computes what the page says."""
    assert (vector["canonical"], vector["sha256"]) == by_code(vector)


@pytest.mark.parametrize("vector", VECTORS, ids=NAMES)
def test_a_vector_by_a_stranger(vector: dict[str, Any]) -> None:
    """Somebody who has only the page and a JSON library computes the same."""
    assert (vector["canonical"], vector["sha256"]) == by_page(vector)


def test_the_specification_holds_the_approved_digest() -> None:
    """The last two vectors fit together: the specification carries the digest of the approval."""
    approval, spec = VECTORS[-2:]

    assert approval["sha256"] == read_spec(spec["canonical"].encode()).digest


def test_the_prefix_is_on_the_page() -> None:
    """The page names the prefix that the code uses."""
    assert json.dumps(PREFIX.decode()) + " + canonical preimage" in PAGE


@pytest.mark.parametrize(
    ("section", "number"),
    [("**`code_digest`**", 6), ("**`draft_digest`**", 7), ("**`digest`**", 9), ("## The spec", 10)],
)
def test_a_table_names_every_key(section: str, number: int) -> None:
    """Each table of the page has exactly the keys of its preimage, in canonical order."""
    table = PAGE.split(section)[1].split("\n\n")[1 if section.startswith("**") else 2]
    expected = sorted(json.loads(VECTORS[number]["canonical"]))

    assert expected == re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE)


def test_the_limits_are_on_the_page() -> None:
    """The page names all the limits that the digest binds."""
    row = PAGE.split("| `limits` |")[1].splitlines()[0]

    assert sorted(field.name for field in fields(Limits)) == re.findall(r"`([a-z_]+)`", row)

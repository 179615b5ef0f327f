"""A grant for a saved workflow's code carries over: by itself there, asked about when it ended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.approval.draft import Target
from core.approval.grants import GrantGiven, lasting, offer
from core.config import load
from core.here import now_ms
from core.start import grant_file

DEMO = ("ask", "--aws", "simulated:shop-502", "--ui", "json", "--mode", "guided")


def granted(countersign: Any, ended: Any) -> str:
    """Give the grant that a person could give for what `ended` asked about; returns its name."""
    (caller,), (draft,) = ended.of("caller.identified"), ended.of("draft.generated")
    (request,), started = ended.of("decision.requested"), ended.facts[0]
    target = Target(
        started["source"],
        caller["partition"],
        caller["account"],
        caller["role"],
        tuple(caller["regions"]),
    )
    exact = offer("G1", target, request["tier"], draft["policy"], now_ms())
    assert exact is not None
    grant = lasting(exact, draft["code_digest"], now_ms())
    kept = grant_file(load(None, countersign.environment))
    kept.give(GrantGiven(grant, "grace", "tui"), started["session"])
    return grant.grant


def rules(ended: Any) -> list[tuple[str, str]]:
    """Return which rule each request met, and by which grant."""
    return [(one["rule"], one["grant"]) for one in ended.of("decision.requested")]


@pytest.fixture
def countersign(countersign: Any) -> Any:
    """Return the program, and afterwards leave no grant behind for other walks."""
    yield countersign
    (countersign.data / "grants.jsonl").unlink(missing_ok=True)


@pytest.mark.timeout(180)
def test_a_grant_carries_over_until_it_is_revoked(countersign: Any) -> None:
    """The second session runs the code by the grant, asks about other code, and says all of it."""
    first = countersign(*DEMO)
    assert (first.code, rules(first)) == (3, [("ask", "")])
    name = granted(countersign, first)

    second = countersign(*DEMO)
    listed = countersign("grants")
    ended = countersign("grants", "--revoke", name, "--json")
    third = countersign(*DEMO)

    assert (second.code, rules(second)) == (3, [("run", name), ("ask", "")]), second.err
    (given,), (made,) = second.of("grant.given"), second.of("decision.made")
    assert (given["carried"], given["identity"]) == (first.facts[0]["session"], "grace")
    assert (made["by"], made["grant"]) == ("grant", name)
    assert len(second.of("run.started")) == 1
    assert f"{name} holds; given by grace in session {given['carried']}" in listed.out
    assert f"for code {given['grant']['code_digest']}, in this and in later sessions" in listed.out
    assert json.loads(ended.out)["ended"].startswith("revoked by ")
    assert (third.code, rules(third), third.of("grant.given")) == (3, [("ask", "")], [])
    again = countersign("grants", "--revoke", name)
    assert (again.code, f"no grant {name} holds" in again.err) == (2, True)


def test_a_changed_file_asks_about_everything(countersign: Any, data: Path) -> None:
    """One byte of it changed: no session takes a grant in, and the list ends with exit code 1."""
    granted(countersign, countersign(*DEMO))
    path = data / "grants.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"tier": 1', b'"tier": 2'))

    ended, listed = countersign(*DEMO), countersign("grants")

    assert (ended.code, rules(ended)) == (3, [("ask", "")])
    assert (listed.code, listed.out) == (1, "")
    assert "is not what was written here" in listed.err

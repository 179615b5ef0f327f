"""The run's specification: what the gateway process is given, and how it checks it for itself.

`spec` is canonical JSON that holds the three preimages and where AWS answers come from. The gateway
recomputes the digest from them in its own process and judges calls by the policy *inside* the
hashed preimage, so no policy can reach it that the approval did not bind.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, get_args

from core.approval.draft import Draft, Kind, Purpose, Terms, approval_digest
from core.canonical import canonical, digest_of
from core.errors import NotCanonical, NotCountersigned
from sandbox.job import Json, Sha, Tier


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the session lets the gateway do that no approval binds; each 0 or more."""

    cache_ms: int = 0
    """How long an answer may be given again to the same read; 0 = never."""
    aws_budget: int = 0
    """Micro-dollars that the session's AWS calls may cost."""
    aws_left: int = 0
    """What of it was left when the run began."""


@dataclass(frozen=True, slots=True)
class Spec:
    """A specification that has been checked against its own digest."""

    digest: Sha
    purpose: Purpose
    """From the hashed preimage: with "rehearse" nothing is asked, wherever the source is."""
    kind: Kind
    """Of the draft, from its hashed preimage."""
    policy: Json
    account: str
    partition: str
    role: str
    regions: tuple[str, ...]
    ceiling: Tier
    aws_calls: int
    aws_bytes: int
    source: str
    origin: Mapping[str, str]
    """How to reach the source, such as {"path": ...}; checked against `source`."""
    access_key: str
    """The dummy access key id of this run; requests signed with another one are refused."""
    allowance: Allowance = Allowance()
    """Nothing, where the specification does not say."""


def write_spec(
    draft: Draft,
    terms: Terms,
    origin: Mapping[str, str],
    access_key: str,
    allowance: Allowance | None = None,
) -> bytes:
    """Return the specification of a run of `draft` under `terms`."""
    approval = terms.preimage(draft.digest())
    document = {
        "access_key": access_key,
        "approval": approval,
        "code": draft.code_preimage(),
        "digest": approval_digest(approval),
        "draft": draft.preimage(),
        "origin": dict(origin),
    }
    if allowance is not None:
        document["allowance"] = asdict(allowance)
    return canonical(document)


def read_spec(data: bytes) -> Spec:
    """Parse a specification and recompute its digests; raises NotCountersigned on any mismatch."""
    try:
        document: dict[str, Any] = json.loads(data)
        approval, draft, code = document["approval"], document["draft"], document["code"]
        if digest_of(code) != draft["code_digest"]:
            raise NotCountersigned(
                "the policy or script in the specification is not the approved one"
            )
        if digest_of(draft) != approval["draft_digest"]:
            raise NotCountersigned("the draft in the specification is not the approved one")
        if approval_digest(approval) != document["digest"]:
            raise NotCountersigned("the specification does not match its digest")
        return Spec(
            digest=document["digest"],
            purpose=_purpose(approval["purpose"]),
            kind=_kind(draft["kind"]),
            policy=code["policy"],
            account=approval["account"],
            partition=approval["partition"],
            role=approval["role"],
            regions=tuple(approval["regions"]),
            ceiling=approval["ceiling"],
            aws_calls=approval["limits"]["aws_calls"],
            aws_bytes=approval["limits"]["aws_bytes"],
            source=approval["source"],
            origin=document["origin"],
            access_key=document["access_key"],
            allowance=_allowance(document.get("allowance", {})),
        )
    except (KeyError, TypeError, ValueError, RecursionError, NotCanonical) as error:
        raise NotCountersigned(f"the specification can't be read: {error!r}") from error


def _purpose(given: Any) -> Purpose:
    """Return a purpose; raises ValueError for one that nobody here knows."""
    if given not in get_args(Purpose):
        raise ValueError(f"nothing is known of the purpose {given!r}")
    purpose: Purpose = given
    return purpose


def _kind(given: Any) -> Kind:
    """Return a kind of draft; raises ValueError for one that nobody here knows."""
    if given not in get_args(Kind):
        raise ValueError(f"nothing is known of the kind {given!r}")
    kind: Kind = given
    return kind


def _allowance(given: Any) -> Allowance:
    """Return an allowance; raises TypeError, ValueError for what is none. Nothing binds it."""
    allowance = Allowance(**given)
    for name, value in asdict(allowance).items():
        if type(value) is not int or value < 0:
            raise ValueError(f"{name} is not a whole number of 0 or more")
    return allowance

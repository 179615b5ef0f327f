"""`redeem`: the only maker of a runnable thing.

It trusts nothing that was read or reviewed before: it takes the decision from the session, holds it
to every condition of core/approval/live.py, re-reads the bytes by hash, computes all three digests
again and compares. A request can be redeemed as long
as no run was started for it, which is on record before the run begins: once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.approval.draft import Draft, Purpose, Terms, approval_digest
from core.approval.live import why_not
from core.approval.spec import Allowance, write_spec
from core.canonical import sha256
from core.errors import NotCountersigned
from core.events import DraftGenerated
from core.state import Session
from core.step import Step, Turn
from sandbox.job import Sha

Payload = Callable[[Sha], bytes]
"""Returns stored bytes by their hash."""


@dataclass(frozen=True, slots=True)
class Countersigned:
    """A draft that may run once, exactly as it is. Made by `redeem` and nowhere else."""

    request: str
    digest: Sha
    draft: Draft
    script: bytes
    """What runs: of the draft's scripts the one for the purpose."""
    terms: Terms
    spec: bytes
    """For the gateway process: preimages, origin and the run's dummy access key."""
    access_key: str


def redeem(
    session: Session,
    request: str,
    payload: Payload,
    origin: Mapping[str, str],
    access_key: str,
) -> Countersigned:
    """Return the runnable thing that `request` approved; raises NotCountersigned.

    `origin` says how the gateway reaches the source that the digest binds; `access_key` is the
    dummy access key id by which the gateway knows the run.
    """
    step, turn = _turn(session, request)
    generated, asked = step.draft, turn.request
    if generated is None:
        raise NotCountersigned(f"{request} has no draft")
    draft = reread(generated, payload)
    terms = session.terms(asked.ceiling, asked.purpose)
    if draft.digest() != generated.draft_digest:
        raise NotCountersigned(f"the draft of {request} is not the one that was reviewed")
    if approval_digest(terms.preimage(draft.digest())) != asked.digest:
        raise NotCountersigned(f"what {request} would run is not what its digest says")
    script = script_for(draft, asked.purpose)
    if script is None:
        raise NotCountersigned(f"{request} has no script to {asked.purpose}")
    spec = write_spec(draft, terms, origin, access_key, allowance_of(session))
    return Countersigned(request, asked.digest, draft, script, terms, spec, access_key)


def script_for(draft: Draft, purpose: Purpose) -> bytes | None:
    """Return the script that a run of a draft for `purpose` is of."""
    scripts = {"roll back": draft.rollback, "post-check": draft.post_check}
    return scripts.get(purpose, draft.script)


def allowance_of(session: Session) -> Allowance:
    """Return what the session's settings allow its next run besides what is approved."""
    budget = session.started.most_aws_cost
    left = max(0, budget - session.aws_cost)
    return Allowance(session.started.cache_ms, budget, left)


def reread(generated: DraftGenerated, payload: Payload) -> Draft:
    """Return the draft with its bytes read again by hash; raises NotCountersigned."""
    return Draft(
        step=generated.step,
        version=generated.version,
        author=generated.author,
        kind=generated.work,
        language=generated.language,
        script=_read(generated.script, payload),
        requirements=generated.requirements,
        policy=generated.policy,
        rollback=None if generated.rollback is None else _read(generated.rollback, payload),
        post_check=None if generated.post_check is None else _read(generated.post_check, payload),
        parameters=generated.parameters,
        inputs=tuple(sorted(generated.inputs.items())),
        tests=None if generated.tests is None else _read(generated.tests, payload),
    )


def _turn(session: Session, request: str) -> tuple[Step, Turn]:
    step = session.step
    turn = step.turn if step else None
    if step is None or turn is None or turn.request.request != request:
        raise NotCountersigned(f"{request} is not the request that stands")
    if why := why_not(session, step, turn):
        raise NotCountersigned(f"{request} {why}")
    return step, turn


def _read(content: Sha, payload: Payload) -> bytes:
    body = payload(content)
    if sha256(body) != content:
        raise NotCountersigned(f"stored bytes do not match their hash {content[:12]}")
    return body

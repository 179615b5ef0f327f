"""What the gateway process needs to answer the calls of one run, from the run's specification.

Nothing of a specification is believed: the digests are computed again, the policy that judges is
the one inside the hashed preimage, and where answers come from is checked against the source that
was approved.

Answers come from AWS, from a recording or from a simulated account; those of a rehearsal are made
up, whatever the source of the run itself, and nothing of what follows is needed for them. But a
change in a simulated account is rehearsed in a copy of it. Each source is loaded when the first run
needs it: no run needs all of them, and loading takes a part of the time until the first is ready.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from core.approval.spec import Spec, read_spec
from core.costs import estimate
from core.errors import CountersignError
from core.iam.actions import DURABLE
from core.iam.judge import Judge, authorizer
from core.upstream.cached import Cached, Record
from core.upstream.concealing import Concealing
from core.upstream.guarded import Guarded, Purse
from sandbox.errors import GatewayLost
from sandbox.gateway.run import RunPorts
from sandbox.gateway.vault import Vault
from sandbox.job import OPERATOR, AwsCall, Sha, Upstream, Verdict


def open_run(data: bytes, environment: Mapping[str, str]) -> RunPorts:
    """Return what the run of a specification needs; raises GatewayLost when it is refused.

    `environment` is the operator's: only who looks for the operator's keys sees it.
    """
    vault = Vault()
    try:
        spec = read_spec(data)
        judge = authorizer(
            spec.policy,
            account=spec.account,
            partition=spec.partition,
            regions=spec.regions,
            ceiling=spec.ceiling,
        )
        upstream = _upstream(spec, judge, vault, environment)
    except CountersignError as error:
        raise GatewayLost(str(error), hint=error.hint) from error
    told: tuple[str, ...] = getattr(upstream, "told", ())

    def principal_of(access_key: str) -> str | None:
        return OPERATOR if access_key == spec.access_key else vault.principal_of(access_key)

    return RunPorts(
        authorize=_telling(judge, told),
        upstream=_wrapped(upstream, spec, judge, vault),
        principal_of=principal_of,
        aws_calls=spec.aws_calls,
        aws_bytes=spec.aws_bytes,
    )


def _wrapped(upstream: Upstream, spec: Spec, judge: Judge, vault: Vault) -> Upstream:
    """Return an upstream that answers from the record, guards the bill and keeps secrets back."""
    concealing = Concealing(upstream, vault)
    if spec.purpose == "rehearse" or spec.source.startswith("recorded:"):
        return concealing  # they cost nothing, and a recording gives its answers in their order
    allowance = spec.allowance
    purse = Purse(allowance.aws_left, allowance.aws_budget)
    guarded = Guarded(concealing, purse, estimate)
    record = _record(allowance.cache_ms, spec.source, spec.account, spec.role)
    return Cached(guarded, record, lambda call: judge.tier(call) < DURABLE)


def _upstream(spec: Spec, judge: Judge, vault: Vault, environment: Mapping[str, str]) -> Upstream:
    kind, _, name = spec.source.partition(":")
    path = spec.origin.get("path")
    if spec.purpose == "rehearse":
        return _rehearsal(spec, path if kind == "simulated" else None, Sha(name))
    if spec.source == "live":
        from core.upstream.aws_source import aws

        return aws(spec, judge, vault, environment)
    if kind not in ("recorded", "simulated"):
        raise GatewayLost(f"the source {spec.source!r} is not known")
    if path is None:
        raise GatewayLost(f"the specification does not say where the source {kind} is")
    if kind == "recorded":
        from core.upstream.recorded import Recorded

        return Recorded.from_session(Path(path), Sha(name))
    from core.upstream.world_source import world

    return world(path, Sha(name))


def _rehearsal(spec: Spec, world: str | None, digest: Sha) -> Upstream:
    """Return what answers a rehearsal: of a change in a `world`, a copy of it."""
    from core.upstream.rehearsal import Rehearsal

    rehearsal = Rehearsal(spec.partition, spec.account)
    if spec.kind != "change" or world is None:
        return rehearsal
    from core.upstream.world_source import copy_of_world

    return copy_of_world(world, digest, rehearsal)


def _telling(judge: Judge, told: Sequence[str]) -> Callable[[AwsCall], Verdict]:
    """Return a judge that says with each call it allows what is to be known of AWS's own lock."""
    if not told:
        return judge

    def judged(call: AwsCall) -> Verdict:
        verdict = judge(call)
        reason = "; ".join((verdict.reason, *told))
        return replace(verdict, reason=reason) if verdict.allowed else verdict

    return judged


@lru_cache(maxsize=1)
def _record(cache_ms: int, *_whose: str) -> Record:
    """Return what runs against one source, in one name, were answered; no other run sees it."""
    return Record(cache_ms / 1000)

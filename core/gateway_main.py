"""The gateway process: `python -I -m core.gateway_main FD`, where FD is the control socket.

It is given a run's specification and believes nothing of it: the digests are computed again, the
policy that judges is the one inside the hashed preimage, and where answers come from is checked
against the source that was approved. It lives as long as the other end of the control socket.

Answers come from AWS, from a recording or from a simulated account; those of a rehearsal are made
up, whatever the source of the run itself, and nothing of what follows is needed for them. A change
in a simulated account is rehearsed in a copy of it as earlier runs left it, which ends before the
next rehearsal begins. A simulator is started at the first run that needs it and stays, so that all
runs of a session share one world; the operator's credentials are looked for at the first run that
needs them, by a child (`core.credentials`), and stay here. Only that child sees the AWS settings of
the operator's environment.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from socket import socket
from threading import Lock
from typing import TYPE_CHECKING

from core.approval.spec import Spec, read_spec
from core.costs import estimate
from core.credentials import Approved, Operator, Order
from core.errors import CountersignError, IdentityUnknown
from core.iam.actions import DURABLE
from core.iam.judge import Judge, authorizer
from core.iam.tiers import tier_of_policy
from core.upstream.cached import Cached, Record
from core.upstream.concealing import Concealing
from core.upstream.guarded import Guarded, Purse
from core.upstream.practised import Practised
from core.upstream.recorded import Recorded
from core.upstream.rehearsal import Rehearsal
from core.upstream.simulated import Simulated
from sandbox.errors import GatewayLost
from sandbox.gateway.run import RunPorts
from sandbox.gateway.serve import serve
from sandbox.gateway.vault import Vault
from sandbox.job import OPERATOR, AwsCall, Sha, Upstream, Verdict

if TYPE_CHECKING:
    from core.upstream.live import Live
    from core.upstream.wire import Wire


def main(arguments: list[str]) -> int:
    """Serve runs until the control socket is closed."""
    _ENVIRONMENT.update(os.environ)
    for name in [name for name in os.environ if name.upper().startswith("AWS_")]:
        del os.environ[name]
    # With awscrt beside it (for `aws login`) botocore would sign by that, not as `signing` does.
    os.environ["BOTO_DISABLE_CRT"] = "true"
    # Ctrl-C is for the terminal's owner; this process ends with its control socket.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(socket(fileno=int(arguments[0])), open_run)
    return 0


def open_run(data: bytes) -> RunPorts:
    """Return what the run of a specification needs; raises GatewayLost when it is refused."""
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
        upstream = _upstream(spec, judge, vault)
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
    if isinstance(upstream, Recorded | Rehearsal | Practised):
        return concealing  # they cost nothing, and a recording gives its answers in their order
    allowance = spec.allowance
    purse = Purse(allowance.aws_left, allowance.aws_budget)
    guarded = Guarded(concealing, purse, estimate)
    record = _record(allowance.cache_ms, spec.source, spec.account, spec.role)
    return Cached(guarded, record, lambda call: judge.tier(call) < DURABLE)


def _upstream(spec: Spec, judge: Judge, vault: Vault) -> Upstream:
    kind, _, name = spec.source.partition(":")
    if spec.purpose == "rehearse":
        rehearsal = Rehearsal(spec.partition, spec.account)
        if spec.kind == "change" and kind == "simulated" and "path" in spec.origin:
            return _PRACTICE.begin(Path(spec.origin["path"]), Sha(name), rehearsal)
        return rehearsal
    if spec.source == "live":
        return _live(spec, judge, vault)
    if kind not in ("recorded", "simulated"):
        raise GatewayLost(f"the source {spec.source!r} is not known")
    path = spec.origin.get("path")
    if path is None:
        raise GatewayLost(f"the specification does not say where the source {kind} is")
    if kind == "recorded":
        return Recorded.from_session(Path(path), Sha(name))
    with _STARTING:
        return _simulated(path, Sha(name))


def _live(spec: Spec, judge: Judge, vault: Vault) -> Live:
    from core.upstream.live import Live

    approved = Approved(spec.partition, spec.account, spec.role)
    try:
        with _STARTING:
            operator = _operator(_order(spec), approved)
            wire = _wire(spec.partition, operator.found.ca_bundle)
        return Live(operator, wire, judge, vault.credentials_of)
    except IdentityUnknown as error:
        raise GatewayLost(f"{error}; {error.hint}", hint=error.hint) from error
    except ValueError as error:
        raise GatewayLost(str(error)) from error


def _order(spec: Spec) -> Order:
    """Return whose keys a run needs; a role's are narrowed to the approved policy by AWS too."""
    origin = spec.origin
    order = Order(origin.get("profile", ""), regions=spec.regions, keys=True)
    if not origin.get("role"):
        return order
    from core.iam.session_policy import session_policy

    narrowed = session_policy(spec.policy, spec.partition)
    return replace(
        order,
        role=origin["role"],
        session=origin.get("session", order.session),
        policy=narrowed.text,
        managed=narrowed.managed,
        reads_only=tier_of_policy(spec.policy)[0] < DURABLE,
    )


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


@lru_cache(maxsize=1)
def _operator(order: Order, approved: Approved) -> Operator:
    return Operator(order, approved, _ENVIRONMENT)


@lru_cache(maxsize=1)
def _wire(partition: str, ca_bundle: str) -> Wire:
    from core.upstream.wire import Wire

    return Wire(partition, ca_bundle)


@lru_cache(maxsize=1)
def _simulated(path: str, world: Sha) -> Simulated:
    return Simulated(Path(path), world, _changes(path, world))


@lru_cache(maxsize=1)
def _changes(*_world: str) -> list[AwsCall]:
    """Return what the session's runs changed in a simulated account so far, or tried to."""
    return []


class _Practice:
    """At most one copy of a simulated account, for the rehearsal that goes on."""

    def __init__(self) -> None:
        self._latest: Practised | None = None

    def begin(self, path: Path, world: Sha, rehearsal: Rehearsal) -> Practised:
        """Return a fresh copy that is led to where the account is; the one before it ends."""
        if self._latest is not None:
            self._latest.close()
        copy = Simulated(path, world)
        copy.catch_up(tuple(_changes(str(path), world)))
        self._latest = Practised(copy, rehearsal)
        return self._latest


_PRACTICE = _Practice()
_STARTING = Lock()
"""Runs are opened in threads of their own: one simulator is enough, and one look for the keys."""

_ENVIRONMENT: dict[str, str] = {}
"""As this process was given it, for the child that looks for credentials."""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Runs against AWS itself: with whose keys, and over which connections.

The keys are looked for at the first run that needs them, by a child (`core.credentials`), and stay
for the next run of the same caller. Where a role is configured, AWS narrows its keys to the
approved policy too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from threading import Lock

from core.approval.spec import Spec
from core.credentials import Approved, Operator, Order
from core.errors import IdentityUnknown
from core.iam.actions import DURABLE
from core.iam.judge import Judge
from core.iam.session_policy import session_policy
from core.iam.tiers import tier_of_policy
from core.upstream.live import Live
from core.upstream.wire import Wire
from sandbox.errors import GatewayLost
from sandbox.gateway.vault import Vault

_STARTING = Lock()
"""Runs are opened in threads of their own: one look for the keys is enough."""


def aws(spec: Spec, judge: Judge, vault: Vault, environment: Mapping[str, str]) -> Live:
    """Return AWS as the approved caller of a run reaches it; raises GatewayLost when it can't be.

    `environment` is the operator's, for the child that looks for the keys.
    """
    approved = Approved(spec.partition, spec.account, spec.role)
    try:
        with _STARTING:
            operator = _operator(_order(spec), approved, tuple(sorted(environment.items())))
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
    narrowed = session_policy(spec.policy, spec.partition)
    return replace(
        order,
        role=origin["role"],
        session=origin.get("session", order.session),
        policy=narrowed.text,
        managed=narrowed.managed,
        reads_only=tier_of_policy(spec.policy)[0] < DURABLE,
    )


@lru_cache(maxsize=1)
def _operator(
    order: Order, approved: Approved, environment: tuple[tuple[str, str], ...]
) -> Operator:
    return Operator(order, approved, dict(environment))


@lru_cache(maxsize=1)
def _wire(partition: str, ca_bundle: str) -> Wire:
    return Wire(partition, ca_bundle)

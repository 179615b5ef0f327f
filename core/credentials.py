"""The operator's credentials: who looks for them, who holds them, who is never told.

Looking is botocore's work (profiles, SSO, role chains, processes, metadata services), and it reads
the environment for it. So it is done in a child (`core.upstream.whoami`) that is given the
operator's AWS settings and ends when it has answered. The screen's process asks only who the caller
is and gets no keys; the gateway process asks for the keys too, and compares whose they are with
what was approved, each time they are renewed. Neither script nor engine can ask.

Trade-off: a child costs a second at the start of a session and at each renewal. In exchange the
processes that live long have nothing of the operator's AWS settings in their environment.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from core.errors import IdentityUnknown
from sandbox.job import Credentials

if TYPE_CHECKING:
    from core.events import CallerIdentified

HANDED_OVER = frozenset(
    {
        *("HOME", "PATH", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"),
        *("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"),
    }
)
"""What is given to whoever speaks with AWS, in either case, besides everything named AWS_*. PATH is
for the program that a profile names as its `credential_process`."""

_FILES = frozenset(
    {
        *("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE"),
        *("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"),
    }
)
_COMMAND = (sys.executable, "-I", "-m", "core.upstream.whoami")
_SECONDS = 25
_EARLY_MS = 5 * 60_000
_AGAIN_MS = 30_000


@dataclass(frozen=True, slots=True)
class Order:
    """Whose credentials are wanted, and for what."""

    profile: str = ""
    """Empty: what the environment says, such as AWS_PROFILE, else the default one."""
    role: str = ""
    """ARN of a role to assume with the profile's credentials; empty: those themselves."""
    regions: tuple[str, ...] = ()
    """Asked for; empty: the one of the environment or the profile."""
    session: str = "countersign"
    """Name of the role's session, as CloudTrail shows it."""
    policy: str = ""
    """Session policy of the role; empty = none is sent."""
    managed: tuple[str, ...] = ()
    """ARNs of managed policies that are session policies as well."""
    reads_only: bool = False
    """Whether ReadOnlyAccess may stand in for a session policy that AWS finds too large."""
    keys: bool = False
    """Whether the answer is to hold the keys; only the gateway process asks for them."""


@dataclass(frozen=True, slots=True)
class Found:
    """What looking for credentials came to."""

    caller: CallerIdentified
    keys: Credentials | None
    expires: int
    """Milliseconds since the epoch; 0 = never."""
    ca_bundle: str
    """File with the authorities that are trusted; empty: those that come with botocore."""
    dualstack: bool
    fips: bool
    told: tuple[str, ...]
    """What the operator should know of how the role was assumed."""


def environment_of(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return what of an environment is handed to those who speak with AWS; it holds secrets.

    Paths become absolute as seen from `folder`, since whoever reads them runs elsewhere.
    """
    kept = {
        name: value
        for name, value in environ.items()
        if name.startswith("AWS_") or name.upper() in HANDED_OVER
    }
    for name in _FILES & kept.keys():
        if kept[name] and not kept[name].startswith("~"):
            kept[name] = str(folder / kept[name])
    return kept


def role_of(arn: str) -> str:
    """Return what an approval binds of a caller's ARN: all of it but the name of a role's session.

    That name changes each time a role is assumed, and permissions hang on it only where a policy
    says so.
    """
    head, slash, rest = arn.partition(":assumed-role/")
    return f"{head}{slash}{rest.partition('/')[0]}" if slash else arn


def look(order: Order, environment: Mapping[str, str], seconds: float = _SECONDS) -> Found:
    """Return what is behind an order; takes about a second. Raises IdentityUnknown."""
    with subprocess.Popen(
        _COMMAND,
        cwd="/",
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # without a terminal, so that nothing can ask for a code there
    ) as child:
        try:
            said, _ = child.communicate(json.dumps(asdict(order)).encode(), seconds)
        except subprocess.TimeoutExpired as late:
            raise IdentityUnknown(
                f"AWS did not say within {seconds:g} s whose the credentials are",
                hint="is the network up, the proxy (HTTPS_PROXY) the right one, "
                "and a credential_process of the profile one that ends?",
            ) from late
        finally:
            if child.returncode is None:
                os.killpg(child.pid, signal.SIGKILL)  # and the credential_process that it waits for
    try:
        answer: dict[str, Any] = json.loads(said)
    except ValueError as broken:
        raise IdentityUnknown(
            f"what looks for credentials ended with {child.returncode} and said nothing"
        ) from broken
    if "unknown" in answer:
        raise IdentityUnknown(answer["unknown"], hint=answer["hint"])
    return _found(answer)


def _found(answer: Mapping[str, Any]) -> Found:
    from core.events import CallerIdentified  # a tenth of the time until the gateway is ready

    caller, keys = answer["caller"], answer["keys"]
    return Found(
        caller=CallerIdentified(**{**caller, "regions": tuple(caller["regions"])}),
        keys=Credentials(*keys) if keys else None,
        expires=answer["expires"],
        ca_bundle=answer["ca_bundle"],
        dualstack=answer["dualstack"],
        fips=answer["fips"],
        told=tuple(answer["told"]),
    )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Approved:
    """Whose credentials an approval allows to be used."""

    partition: str
    account: str
    role: str

    def refusal(self, caller: CallerIdentified) -> str:
        """Return why this caller is not the approved one, empty when it is."""
        theirs = (caller.partition, caller.account, caller.role)
        if theirs == (self.partition, self.account, self.role):
            return ""
        return (
            f"the credentials are those of {caller.role} in account {caller.account}, "
            f"approved was {self.role} in account {self.account}"
        )


class Operator:
    """The keys that calls are signed with, renewed in time; threads may share it.

    Whoever is behind them must be the approved caller: before the first call, and after each
    renewal. Keys that stay valid for a while are renewed five minutes before their end, short ones
    at half their life.
    """

    def __init__(
        self,
        order: Order,
        approved: Approved,
        environment: Mapping[str, str],
        clock: Callable[[], int] = _now_ms,
    ) -> None:
        """Look for the credentials at once; raises IdentityUnknown."""
        self._order = order
        self._approved = approved
        self._environment = environment
        self._clock = clock
        self._lock = Lock()
        self.found = look(order, environment)
        """The settings in it hold for good; its keys may have been replaced since."""
        if refusal := approved.refusal(self.found.caller):
            raise IdentityUnknown(refusal, hint="approve again: a run is bound to an identity")
        self._current = self.found
        self._renew_at = self._soon(self.found)

    def credentials(self) -> Credentials:
        """Return valid keys. Raises ValueError when there are none any more."""
        with self._lock:
            if self._renew_at and self._clock() >= self._renew_at:
                self._renew()
            if self._current.keys is None:
                raise ValueError("there are no credentials")
            return self._current.keys

    def _renew(self) -> None:
        try:
            found = look(self._order, self._environment)
        except IdentityUnknown as error:
            if self._clock() >= self._current.expires:
                raise ValueError(f"{error} ({error.hint})") from error
            self._renew_at = min(self._clock() + _AGAIN_MS, self._current.expires)
            return
        if refusal := self._approved.refusal(found.caller):
            raise ValueError(refusal)
        self._current = found
        self._renew_at = self._soon(found)

    def _soon(self, found: Found) -> int:
        """Return when keys are to be renewed; 0 = never."""
        left = found.expires - self._clock()
        return found.expires and self._clock() + max(left - _EARLY_MS, left // 2)

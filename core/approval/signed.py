"""A decision that somebody signed elsewhere: a file and its signature, made with `ssh-keygen -Y`.

The file is the decision as JSON with the request's digest; beside it lies `FILE.sig`. The keys of
those who may decide stand in a file of allowed signers, whose principals are the names of users of
the operating system: that is how a second person is told from the first. Nothing here makes keys.

This is the seam for shared stores: whatever brings a file and a signature can bring a decision.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from core.approval.approvers import Decision, yes
from core.approval.ledger import user_of
from core.approval.redeem import Payload
from core.errors import NoApprover
from core.events import DecisionRequested, Surface
from core.safe_text import safe_line
from core.state import Session
from sandbox.job import Sha

NAMESPACE: Final = "countersign"
"""Of the signature: one that was made for something else is none."""
_MOST_BYTES = 64 * 1024
_MOST_COMPLAINT = 200
_VERBS = ("approve", "reject", "skip", "stop")
_KEYS = frozenset({"digest", "verb", "comment", "confirm", "override_blockers"})


@dataclass(frozen=True, slots=True)
class FromSigned:
    """Answers the requests whose digests stand in signed files."""

    files: tuple[Path, ...]
    signers: Path | None
    """The keys of those who may decide; None = nobody."""
    fit: Callable[[], Awaitable[object]]
    """Raises MachineUnfit; asked before a yes is used up."""
    spend: Callable[[Sha, str], None]
    """Marks a yes as used by one request (`ledger.user_of`); raises NoApprover for another."""
    surface: Surface = "file"

    async def __call__(
        self, request: DecisionRequested, session: Session, payload: Payload
    ) -> Decision:
        """Return the signed decision on this very digest; raises NoApprover."""
        del payload
        for path in self.files:
            said, body = _read(path)
            if said.get("digest") == request.digest:
                decision = _decision(said, await self._signer(path, body), request, session)
                if decision.verb == "approve":
                    await self.fit()
                    self.spend(request.digest, user_of(session.id, request.request))
                return decision
        raise NoApprover(f"{request.request} has digest {request.digest}, which no file decides")

    async def _signer(self, path: Path, body: bytes) -> str:
        """Return whose signature it is, by a key that is allowed; raises NoApprover."""
        if self.signers is None:
            raise NoApprover(
                f"{path}: nobody's signature is known",
                hint="name a file of allowed signers: approval.allowed_signers",
            )
        signature = path.with_name(path.name + ".sig")
        options = ("-s", str(signature), "-f", str(self.signers))
        found = await _ssh_keygen("find-principals", *options)
        why = found.why_not
        for name in found.printed.split():
            signed = ("-n", NAMESPACE, "-I", name, *options)
            verified = await _ssh_keygen("verify", *signed, given=body)
            if not verified.why_not:
                return name
            why = verified.why_not
        raise NoApprover(
            f"{path}: {signature.name} is no valid signature of an allowed signer: {why}"
        )


def _decision(
    said: dict[str, Any], signer: str, request: DecisionRequested, session: Session
) -> Decision:
    verb: Literal["approve", "reject", "skip", "stop"] = said["verb"]
    comment = said.get("comment", "")
    if verb != "approve":
        return Decision(verb, comment=comment, identity=signer)
    over = said.get("override_blockers") is True
    decision = yes(request, session, typed=said.get("confirm", ""), over=over)
    return replace(decision, comment=comment, identity=signer)


def _read(path: Path) -> tuple[dict[str, Any], bytes]:
    """Return a file's decision with its bytes; raises NoApprover for what is none."""
    try:
        with path.open("rb") as stream:
            body = stream.read(_MOST_BYTES)
        said = json.loads(body)
    except OSError as error:
        raise NoApprover(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise NoApprover(f"{path}: not JSON") from error
    if not isinstance(said, dict) or not set(said) <= _KEYS or said.get("verb") not in _VERBS:
        raise NoApprover(f"{path}: not a decision", hint="docs/approval.md shows one")
    if not all(isinstance(said.get(key, ""), str) for key in ("digest", "comment", "confirm")):
        raise NoApprover(f"{path}: not a decision", hint="docs/approval.md shows one")
    return said, body


@dataclass(frozen=True, slots=True)
class _Said:
    """What ssh-keygen said."""

    printed: str
    why_not: str
    """Why it does not agree, in its words; empty when it does."""


async def _ssh_keygen(operation: str, *options: str, given: bytes = b"") -> _Said:
    """Return what ssh-keygen says; raises NoApprover without it."""
    try:
        process = await asyncio.create_subprocess_exec(
            "ssh-keygen",
            "-Y",
            operation,
            *options,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise NoApprover(
            f"ssh-keygen: {error.strerror}", hint="signatures need OpenSSH's ssh-keygen"
        ) from error
    try:
        printed, complained = await process.communicate(given)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == 0:
        return _Said(printed.decode("utf-8", errors="replace"), "")
    complaint = complained.decode("utf-8", errors="replace").strip()
    first = complaint.splitlines()[0] if complaint else f"exit code {process.returncode}"
    return _Said("", f"ssh-keygen says: {safe_line(first, _MOST_COMPLAINT)}")

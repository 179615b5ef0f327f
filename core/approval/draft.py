"""What is approved, and the three digests that speak about it (docs/digest.md).

- `code_digest`: the code, wherever it runs and whatever it is given.
- `draft_digest`: the code with its kind, parameters and inputs. What a review speaks about.
- `digest`: the draft with everything else that decides what can happen. What an approval binds.

Each is the SHA-256 of a canonical JSON object, the *preimage*, which is kept with the request so
that another process, or a stranger, can compute it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from core.canonical import canonical, digest_of, sha256
from core.errors import NotCanonical
from sandbox.job import Json, Language, Sha, Tier
from sandbox.limits import Limits

Author = Literal["model", "workflow", "operator", "file"]
Kind = Literal["collect", "analyse", "change", "report"]
Purpose = Literal["run", "rehearse", "roll back", "post-check"]

BESIDE = frozenset({"rollback", "post_check", "tests"})
"""The parts of a draft that may lack, by the names of its fields."""
PREFIX = b"countersign/1\n"
"""Put before the canonical preimage of `digest`, so that it can't be mistaken for another hash."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Version n of a step's script with all that goes with it."""

    step: str
    version: int
    author: Author
    kind: Kind
    language: Language
    script: bytes
    requirements: tuple[str, ...]
    """Locked: `name==version --hash=sha256:...`, sorted."""
    policy: Json
    """The parsed IAM policy document."""
    rollback: bytes | None
    post_check: bytes | None
    parameters: Json
    inputs: tuple[tuple[str, Sha], ...]
    """Name in /job/in/ and hash of the content, sorted by name."""
    tests: bytes | None = None
    """The script's own, which only a rehearsal runs."""

    def code_preimage(self) -> dict[str, Any]:
        """The object whose hash is `code_digest`."""
        preimage = {
            "language": self.language,
            "policy": self.policy,
            "post_check": None if self.post_check is None else sha256(self.post_check),
            "requirements": sorted(self.requirements),
            "rollback": None if self.rollback is None else sha256(self.rollback),
            "script": sha256(self.script),
        }
        return preimage if self.tests is None else {**preimage, "tests": sha256(self.tests)}

    def code_digest(self) -> Sha:
        """Raises NotCanonical."""
        return digest_of(self.code_preimage())

    def preimage(self) -> dict[str, Any]:
        """The object whose hash is `draft_digest`; raises NotCanonical."""
        if len(dict(self.inputs)) != len(self.inputs):
            raise NotCanonical("two inputs have the same name")
        return {
            "code_digest": self.code_digest(),
            "inputs": {name: str(content) for name, content in self.inputs},
            "kind": self.kind,
            "parameters": self.parameters,
        }

    def digest(self) -> Sha:
        """The draft_digest. Raises NotCanonical."""
        return digest_of(self.preimage())


@dataclass(frozen=True, slots=True)
class Target:
    """The account that a draft would touch, as far as the digest binds it."""

    source: str
    """live, simulated:SHA-of-world, or recorded:HEAD-of-session."""
    partition: str
    account: str
    role: str
    """ARN of the caller."""
    regions: tuple[str, ...]
    """Without repetition; the first is the script's default."""
    alias: str = ""
    """What people call the account; shown and typed, never part of a digest."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything that an approval binds besides the draft."""

    purpose: Purpose
    target: Target
    limits: Limits
    ceiling: Tier
    runtime: Sha
    """Digest of the sealed runtime that the script sees."""

    def preimage(self, draft_digest: Sha) -> dict[str, Any]:
        """The object whose prefixed hash is `digest`."""
        return {
            "account": self.target.account,
            "ceiling": self.ceiling,
            "draft_digest": draft_digest,
            "egress": [],
            "limits": asdict(self.limits),
            "partition": self.target.partition,
            "purpose": self.purpose,
            "regions": list(self.target.regions),
            "role": self.target.role,
            "runtime": self.runtime,
            "source": self.target.source,
        }


def approval_digest(preimage: Mapping[str, Any]) -> Sha:
    """Return the `digest` of a preimage made by `Terms.preimage`."""
    return sha256(PREFIX + canonical(preimage))

"""The parts of a draft that an operator edits, as texts; and what comes back, read. Pure.

What can't be read is refused with its place, so that nobody loses what they typed. What was read is
a new version, reviewed and asked anew: nothing here approves anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from core.approval.approvers import Decision
from core.canonical import canonical
from core.draft_files import entries, numbered, without_duplicates
from core.errors import NotCanonical
from core.events import DraftGenerated
from core.iam.document import parse
from core.safe_text import safe_line
from sandbox.packages import is_locked

Part = Literal["script", "requirements", "policy"]
FILES: Final[Mapping[Part, str]] = {
    "script": "script.py",
    "requirements": "requirements.txt",
    "policy": "policy.json",
}
"""Each part, and what its file is called in an editor."""
_UNLOCKED: Final = "is not locked: name==version --hash=sha256:… (countersign check --lock)"


class Unreadable(Exception):
    """What was typed can't be taken; `str` of it says why and where."""

    def __init__(self, part: Part, line: int, why: str) -> None:
        """Lines count from 1; 0 = it is no one line."""
        place = f"line {line}: " if line else ""
        super().__init__(safe_line(f"{FILES[part]}: {place}{why}"))
        self.part, self.line = part, line


@dataclass(frozen=True, slots=True)
class Parts:
    """The texts, as they are edited."""

    script: bytes
    requirements: bytes
    policy: bytes

    def files(self) -> dict[str, bytes]:
        """Return them by the names of their files."""
        return {name: getattr(self, part) for part, name in FILES.items()}

    def edited(self, files: Mapping[str, bytes]) -> Parts:
        """Return them with what the files hold."""
        return replace(self, **{part: files[name] for part, name in FILES.items()})


def parts_of(draft: DraftGenerated, script: bytes) -> Parts:
    """Return the texts of a draft, whose script is this."""
    required = "".join(f"{line}\n" for line in draft.requirements)
    policy = json.dumps(draft.policy, indent=2) + "\n"
    return Parts(script, required.encode(), policy.encode())


def changed(before: Parts, after: Parts) -> Decision | None:
    """Return the edit that makes one of the other; None when nothing changed. Raises Unreadable."""
    if before == after:
        return None
    script = after.script if after.script != before.script else None
    required = _requirements(after) if after.requirements != before.requirements else None
    if required == entries(before.requirements.decode()):
        required = None  # they are the same, written in another way
    policy = _policy(after) if after.policy != before.policy else None
    if policy is not None and canonical(policy) == canonical(json.loads(before.policy)):
        policy = None
    if (script, required, policy) == (None, None, None):
        return None
    return Decision("edit", script=script, requirements=required, policy=policy)


def _requirements(parts: Parts) -> tuple[str, ...]:
    found = []
    for line, entry in numbered(_text("requirements", parts.requirements)):
        if not is_locked(entry):
            raise Unreadable("requirements", line, f"{entry.partition(' ')[0]} {_UNLOCKED}")
        found.append(entry)
    return tuple(sorted(found))


def _policy(parts: Parts) -> dict[str, Any]:
    text = _text("policy", parts.policy)
    try:
        policy = json.loads(text, object_pairs_hook=without_duplicates)
        canonical(policy)
    except json.JSONDecodeError as error:
        raise Unreadable("policy", error.lineno, f"column {error.colno}: {error.msg}") from error
    except (ValueError, RecursionError, NotCanonical) as error:
        raise Unreadable("policy", _line_of(text, str(error)), str(error)) from error
    if problems := parse(policy).all_problems():
        raise Unreadable("policy", 0, problems[0])
    return dict(policy)


def _text(part: Part, body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise Unreadable(part, line, "it is not UTF-8") from error


def _line_of(text: str, told: str) -> int:
    """Return the last line that holds what is told about in quotes; 0 when none does."""
    quoted = told.partition("'")[2].partition("'")[0]
    lines = enumerate(text.splitlines(), 1)
    return max((number for number, line in lines if quoted and f'"{quoted}"' in line), default=0)

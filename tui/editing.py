"""The parts of a draft that an operator edits, as texts; and what comes back, read. Pure.

What can't be read is refused with its place, so that nobody loses what they typed. What was read is
a new version, reviewed and asked anew: nothing here approves anything.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from core.approval.approvers import Decision
from core.approval.draft import BESIDE
from core.approval.redeem import Payload
from core.canonical import canonical
from core.draft_files import entries, numbered, without_duplicates
from core.errors import NotCanonical
from core.events import DraftGenerated
from core.iam.document import parse
from core.safe_text import safe_line
from sandbox.job import Json, Sha
from sandbox.packages import is_locked

Part = Literal["script", "requirements", "policy", "parameters", "rollback", "post_check", "tests"]
FILES: Final[Mapping[Part, str]] = {
    "script": "script.py",
    "requirements": "requirements.txt",
    "policy": "policy.json",
    "parameters": "parameters.json",
    "rollback": "rollback.py",
    "post_check": "post_check.py",
    "tests": "tests.py",
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
    """The texts, as they are edited; None = the draft has no such part, and gets none."""

    script: bytes
    requirements: bytes
    policy: bytes
    parameters: bytes = b"{}\n"
    rollback: bytes | None = None
    post_check: bytes | None = None
    tests: bytes | None = None

    def texts(self) -> dict[Part, bytes]:
        """Return those that there are, in the order in which they are shown."""
        return {part: body for part in FILES if (body := getattr(self, part)) is not None}

    def files(self) -> dict[str, bytes]:
        """Return them by the names of their files."""
        return {FILES[part]: body for part, body in self.texts().items()}

    def edited(self, files: Mapping[str, bytes]) -> Parts:
        """Return them with what the files hold."""
        return replace(self, **{part: files[FILES[part]] for part in self.texts()})


def parts_of(draft: DraftGenerated, payload: Payload) -> Parts:
    """Return the texts of a draft; what a change must bring is there to be written, too."""

    def beside(content: Sha | None, *, wanted: bool = draft.work == "change") -> bytes | None:
        nothing = b"" if wanted else None
        return nothing if content is None else payload(content)

    return Parts(
        script=payload(draft.script),
        requirements="".join(f"{line}\n" for line in draft.requirements).encode(),
        policy=_json(draft.policy),
        parameters=_json(draft.parameters),
        rollback=beside(draft.rollback),
        post_check=beside(draft.post_check),
        tests=beside(draft.tests, wanted=False),
    )


def _json(value: Json) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()


def changed(before: Parts, after: Parts) -> Decision | None:
    """Return the edit that makes one of the other; None when nothing changed. Raises Unreadable."""
    if before == after:
        return None
    script = after.script if after.script != before.script else None
    required = _requirements(after) if after.requirements != before.requirements else None
    if required == entries(before.requirements.decode()):
        required = None  # they are the same, written in another way
    beside: dict[str, bytes] = {
        part: body
        for part, body in after.texts().items()
        if part in BESIDE and body != getattr(before, part)
    }
    edit = Decision(
        "edit",
        script=script,
        requirements=required,
        policy=_other("policy", before.policy, after.policy, _policy),
        parameters=_other("parameters", before.parameters, after.parameters, _parameters),
        beside=beside or None,
    )
    return None if edit == Decision("edit") else edit


def _requirements(parts: Parts) -> tuple[str, ...]:
    found = []
    for line, entry in numbered(_text("requirements", parts.requirements)):
        if not is_locked(entry):
            raise Unreadable("requirements", line, f"{entry.partition(' ')[0]} {_UNLOCKED}")
        found.append(entry)
    return tuple(sorted(found))


def _other(
    part: Part, before: bytes, after: bytes, problem: Callable[[Any], str]
) -> dict[str, Any] | None:
    """Return what an object is now; None when it is what it was, be it written in another way."""
    if before == after:
        return None
    text = _text(part, after)
    try:
        value = json.loads(text, object_pairs_hook=without_duplicates)
        same = canonical(value) == canonical(json.loads(before))
    except json.JSONDecodeError as error:
        raise Unreadable(part, error.lineno, f"column {error.colno}: {error.msg}") from error
    except (ValueError, RecursionError, NotCanonical) as error:
        raise Unreadable(part, _line_of(text, str(error)), str(error)) from error
    if why := problem(value):
        raise Unreadable(part, 0, why)
    return None if same else dict(value)


def _policy(value: Any) -> str:
    return next(iter(parse(value).all_problems()), "")


def _parameters(value: Any) -> str:
    return "" if isinstance(value, dict) else "the parameters are not a JSON object"


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

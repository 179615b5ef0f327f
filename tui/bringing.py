"""Taking results back in manual mode: from files, or at a line terminal.

At the screen they come through tui/pending.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.approval.approvers import Decision
from core.errors import ResultUnreadable, UsageError
from core.events import DecisionRequested, Surface
from core.handing import Brought, read_brought, sorted_out
from core.people import NOBODY_BRINGS
from core.safe_text import safe_line
from core.session import Session
from tui.person import line
from tui.standing import WORDS as STANDING_WORDS
from tui.standing import Standing

_WORDS = "file PATH | paste | skip [REASON] | reject REASON | stop"


def named_results(given: list[str]) -> dict[str, Path]:
    """Return digest to file from --result DIGEST=FILE; raises UsageError."""
    found = {}
    for one in given:
        digest, _, path = one.partition("=")
        if not digest or not path:
            raise UsageError(f"--result {one}: say DIGEST=FILE")
        found[digest] = Path(path)
    return found


@dataclass(frozen=True, slots=True)
class FromFiles:
    """Brings what lies in a file, to the one request with its digest."""

    files: Mapping[str, Path]
    surface: Surface = "flag"

    async def __call__(
        self, request: DecisionRequested, session: Session, folder: Path
    ) -> Brought | Decision:
        """Return what the file holds; raises ResultUnreadable, NoApprover."""
        path = self.files.get(request.digest)
        if path is None:
            return await NOBODY_BRINGS(request, session, folder)
        return read_brought(path)


@dataclass(frozen=True, slots=True)
class PersonBrings:
    """Takes results back at the terminal of this process."""

    standing: Standing
    surface: Surface = "plain"

    async def __call__(
        self, request: DecisionRequested, session: Session, folder: Path
    ) -> Brought | Decision:
        """Ask until something that can be read is brought; raises NoApprover at the end."""
        del session
        print(f"--- {request.request} lies in {safe_line(str(folder))}: see INSTRUCTIONS.md")
        print(f"type one of: {_WORDS} | {STANDING_WORDS}", flush=True)
        while True:
            word, _, rest = (await line("> ")).strip().partition(" ")
            try:
                answer = await self._answer(word, rest.strip())
            except ResultUnreadable as error:
                print(f"not taken: {safe_line(str(error))}", flush=True)
                continue
            if answer is not None:
                return answer

    async def _answer(self, word: str, rest: str) -> Brought | Decision | None:
        if word == "file" and rest:
            return read_brought(Path(rest))
        if word == "paste":
            return sorted_out(await _pasted())
        if word in ("skip", "stop") or (word == "reject" and rest):
            return Decision(word, comment=rest)  # type: ignore[arg-type]  # one of three
        if not self.standing.said(word, rest):
            print(f"type one of: {_WORDS} | {STANDING_WORDS}", flush=True)
        return None


async def _pasted() -> bytes:
    """Return the lines up to one that is a single full stop."""
    print("paste it, and end with a line that is a single full stop:", flush=True)
    lines = ""
    while not f"\n{lines}".endswith("\n.\n"):
        lines += await line("")
    return lines.removesuffix(".\n").encode()

"""The second reader as a model: what a careful colleague would point out, and nothing more."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from core.approval.draft import Draft
from core.approval.modes import TIER_NAMES
from core.checks.finding import Review
from core.checks.second import Remark
from core.errors import ModelError
from core.llm import forms
from core.llm.asking import Asker
from core.llm.model import Model
from core.llm.usage import ModelAnswered
from core.llm.words import fenced


@dataclass(slots=True)
class ModelReader:
    """`SecondReader` over a model; without one it says that there is none."""

    model: Model | None
    asker: Asker

    async def read(self, draft: Draft, found: Review) -> tuple[Remark, ...]:
        """See `SecondReader.read`."""
        if self.model is None:
            return (Remark(None, "nobody else has read this: there is no key for a model"),)
        texts = [_words(draft, found, self.asker.fence)]
        try:
            answer, _ = await self.asker.ask(self.model, "review", texts, _anything)
        except ModelError as error:
            return (Remark(None, f"nobody else has read this: {error}"),)
        return tuple(Remark(each.line, each.text) for each in answer.notes)

    def spent(self) -> tuple[ModelAnswered, ...]:
        """See `SecondReader.spent`."""
        return self.asker.spent()


async def _anything(answer: forms.Notes) -> Sequence[str]:
    del answer
    return ()


def _words(draft: Draft, found: Review, fence: str) -> str:
    scripts = (
        ("script", draft.script),
        ("rollback", draft.rollback),
        ("post-check", draft.post_check),
        ("tests", draft.tests),
    )
    known = [f"{each.severity}: {each.place}: {each.message}" for each in found.findings]
    lines = [
        f"Tier {found.tier}, {TIER_NAMES[found.tier]}. The review has found:",
        *(f"- {each}" for each in known or ["nothing"]),
        *(_shown(name, body, fence) for name, body in scripts if body is not None),
        "Its policy:",
        fenced(json.dumps(draft.policy, sort_keys=True), fence, "policy"),
    ]
    return "\n".join(lines)


def _shown(name: str, body: bytes, fence: str) -> str:
    heading = "The script:" if name == "script" else f"Its {name}:"
    return f"{heading}\n{fenced(body.decode('utf-8', errors='replace'), fence, name)}"

"""The six roles: what each is told once, what its answer looks like, how much it may say."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.llm.forms import Code, Conclusion, Explanation, Notes, Plan
from core.llm.usage import Role

_PROMPTS = Path(__file__).parent / "prompts"
_LIMIT = 32_000
"""Tokens, thinking included; answers themselves are a few thousand."""


@dataclass(frozen=True, slots=True)
class Part:
    """How a role is asked."""

    pages: tuple[str, ...]
    """Names of its prompts, in order."""
    form: type
    effort: str
    limit: int = _LIMIT


PARTS: dict[Role, Part] = {
    "plan": Part(("plan",), Plan, "high"),
    "generate": Part(("generate",), Code, "medium"),
    "repair": Part(("generate", "repair"), Code, "medium"),
    "conclude": Part(("conclude",), Conclusion, "medium"),
    "review": Part(("review",), Notes, "medium"),
    "explain": Part(("explain",), Explanation, "medium"),
}


def system(role: Role, fence: str) -> tuple[str, ...]:
    """Return what a role is told; `fence` is the mark around untrusted lines of this session."""
    pages = (*PARTS[role].pages, "untrusted")
    return tuple(_page(page).replace("FENCE", fence) for page in pages)


@cache
def _page(name: str) -> str:
    return (_PROMPTS / f"{name}.md").read_text(encoding="utf-8")

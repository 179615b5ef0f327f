"""What asking a model used and cost.

Prices are in prices.json, in dollars per million tokens, which is micro-dollars per token; a model
has several rows when long prompts cost more. A model that is not in the file has no known cost, and
that is what is shown: no guess, and never zero.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal

Role = Literal["plan", "generate", "repair", "conclude", "review", "explain"]
PRICES = Path(__file__).with_name("prices.json")


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer, thinking included; the four input and output kinds do not overlap."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_written_tokens: int = 0

    @property
    def prompt(self) -> int:
        """All that was sent, cached or not."""
        return self.input_tokens + self.cache_read_tokens + self.cache_written_tokens


@dataclass(frozen=True, slots=True)
class ModelAnswered:
    """A model was asked, and answered or broke off."""

    kind: ClassVar = "model.answered"
    role: Role
    model: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_written_tokens: int
    cost: int | None
    """Micro-dollars; None when the model's price is not known."""
    ms: int
    tries: int
    request_id: str


def cost(model: str, usage: Usage) -> int | None:
    """Return what an answer cost in micro-dollars, rounded; None when the price is not known."""
    for row in _prices().get(model, ()):
        if usage.prompt <= row.get("up_to", usage.prompt):
            total: float = (
                usage.input_tokens * row["input"]
                + usage.output_tokens * row["output"]
                + usage.cache_read_tokens * row["cache_read"]
                + usage.cache_written_tokens * row["cache_write"]
            )
            return round(total)
    return None


def dollars(micro: int) -> str:
    """Return micro-dollars as people write them; a cent is the smallest that is spelled out."""
    return f"${micro / 1_000_000:.2f}"


@cache
def _prices() -> Mapping[str, list[dict[str, Any]]]:
    prices: dict[str, list[dict[str, Any]]] = json.loads(PRICES.read_bytes())["models"]
    return prices

"""The port to a model: one question in, text as it streams, one reply out.

Whoever asks says what form the answer must have (a JSON schema) and validates it; an implementation
only promises that `Reply.value` is a parsed JSON object. Two real ones: `AnthropicModel` talks to
Anthropic's API or a server that speaks it, `Scripted` answers from a list or a function.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from core.llm.usage import Role, Usage
from sandbox.job import Json

Stop = Literal["complete", "too_long", "context_full"]
_FENCED = re.compile(r"```(?:json)?[ \t]*\n(.*?)\n[ \t]*```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Delta:
    """A stretch of what a model says while it says it; shown, never stored, never parsed."""

    field: Literal["answer", "thinking", "again"]
    """`again`: the stream broke and starts anew; `text` says why."""
    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said, whole."""

    value: Json | None
    """The JSON object, or None when there is none in the text."""
    text: str
    stop: Stop
    usage: Usage
    model: str
    """As the server calls it."""
    request_id: str
    tries: int
    """Requests that were sent for this reply."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a model is asked."""

    role: Role
    system: tuple[str, ...]
    messages: tuple[Json, ...]
    """Alternate, first and last by "user": `{"role", "content": [text, ...]}`; texts come in the
    order from what never changes to what always does, which is what caches need."""
    schema: Json
    """The form of the answer; an implementation asks for it, and does not promise it."""
    effort: str
    """low, medium, high; a server may not know it."""
    limit: int
    """Tokens of the answer, thinking included."""

    def texts(self) -> str:
        """Return everything that is said to the model, as one text."""
        said = (text for message in self.messages for text in message["content"])
        return "\n".join((*self.system, *said))


class Model(Protocol):
    """Answers questions."""

    @property
    def name(self) -> str:
        """What is asked for, such as "claude-opus-5-5"."""
        ...

    def ask(self, question: Question) -> AbstractAsyncContextManager[AsyncIterator[Delta | Reply]]:
        """Ask once; the last item is the Reply. Leaving the block ends the request.

        Raises ModelUnavailable, or ModelRefused when the model declines.
        """
        ...


def find_object(text: str) -> dict[str, Any] | None:
    """Return the JSON object that a model's text is, or holds: fenced, or between prose."""
    inside = text[text.find("{") : text.rfind("}") + 1]
    for candidate in (text, *_FENCED.findall(text)[-1:], inside):
        try:
            value = json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            return value
    return None

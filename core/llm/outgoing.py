"""What leaves for a model: no secret, no key, no path of this machine.

Every text of every question goes through `Outgoing`, whatever it was made from: what a person typed
is as likely to hold a password as what AWS answered. Trade-off: a path of this machine is known by
its beginning (home, data directory, where countersign lies and was started), so other absolute
paths, such as those in a log of the account, stay.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.here import working_folder
from core.llm.model import Question
from sandbox.job import Json

_HERE = "[path]"
_SHORTEST = 5
"""Characters; "/" or "/srv" as a beginning would take everything out."""


class Redact(Protocol):
    """Takes secrets out of a text."""

    def redact(self, text: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Cleans questions."""

    redactor: Redact
    """Knows the model's own key besides what always looks like a secret."""
    paths: tuple[str, ...]

    def clean(self, question: Question) -> Question:
        """Return the question as it may be sent."""
        return Question(
            question.role,
            tuple(self.text(each) for each in question.system),
            tuple(self._message(each) for each in question.messages),
            question.schema,
            question.effort,
            question.limit,
        )

    def text(self, text: str) -> str:
        """Return a text without secrets and paths."""
        for path in self.paths:
            text = re.sub(re.escape(path) + r"(?:/[\w.@+-]+)*", _HERE, text)
        return self.redactor.redact(text)

    def _message(self, message: Json) -> Json:
        return {
            "role": message["role"],
            "content": [self.text(each) for each in message["content"]],
        }


def paths_of_this_machine(data: Path) -> tuple[str, ...]:
    """Return how paths begin that say something of this machine, the longest first."""
    house = Path(__file__).resolve().parents[2]
    return _beginnings((Path.home(), working_folder(), data, house, Path(sys.prefix)))


def _beginnings(paths: Iterable[Path]) -> tuple[str, ...]:
    both = {str(each) for path in paths for each in (path, path.resolve())}
    return tuple(sorted((each for each in both if len(each) >= _SHORTEST), key=len, reverse=True))

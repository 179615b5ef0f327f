"""Makes up the answer to a call from the output shape of its operation, and from nothing else.

What comes out is what a service could have answered, as far as botocore's models tell: every
member is there, a list has one item (or one for each thing that was asked for by name), states are
those in which nobody waits any longer, and nothing has failed. A list is over after two pages.
The same call is always answered in the same way. Whoever reads a member that there is not, finds
none.

It knows no service's rules: what belongs together in AWS does not here, and a policy that names its
resources does not know the invented ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from core.upstream.asked import Asked, asked, earliest, stem_of
from core.upstream.habits import Habits, habits_of
from core.upstream.texts import Place, text_for
from core.upstream.written import CONTENT
from sandbox.job import AwsCall

if TYPE_CHECKING:
    from botocore.model import OperationModel, Shape

NEXT_PAGE = "rehearsal-page-2"
"""What an invented answer says of where the next page begins."""
MOMENT = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""When everything happened, unless the call asks about another time."""
MOST_VALUES = 20_000
"""Of one answer; when they are used up, lists stay empty."""
MOST_ITEMS = 100

_OMITTED: Any = object()
_TROUBLE = re.compile(
    r"unprocess|fail|error|invalid|unsuccess|reject|missing|notfound|warning|(?<!de)fault"
)
_WHAT_FAILED = re.compile(
    r"^(function|last)?(error|failure|fault)(s|code|details?|info|message|reason|type)?$"
)
_PAGED = re.compile(
    r"^(next(page)?(token|marker|id|uri)?|nextshard\w*|marker|(next)?(continuation|pagination)token)$"
)
_ALWAYS_PAGED = re.compile(r"^next(forward|backward)token$")
_MORE = re.compile(r"truncated|^(has)?more")
_NOT_NOW = re.compile(r"pending|progress|delet")
_STATED_LENGTH = re.compile(r"^(content(length|encoding|range|type)|checksum\w*)$")
_SETTLED = (
    *("succeeded", "success", "successful", "complete", "completed", "create_complete"),
    *("finished", "done", "active", "available", "inservice", "in_service", "healthy", "ok"),
    *("ready", "enabled", "issued", "deployed", "stable", "attached", "running", "in-use"),
)
"""States in which nobody waits any longer, the surest first."""


@dataclass(frozen=True, slots=True)
class _At:
    """Where in an answer a value stands."""

    name: str
    asked: Asked
    above: tuple[str, ...] = ()
    """Names of the structures that it stands in."""
    index: int = 0
    """Of the list's item that it stands in."""
    listed: bool = False


def invented(
    operation: OperationModel, call: AwsCall, partition: str, account: str
) -> dict[str, Any]:
    """Return the members of an answer by name, with Python's values as boto3 would give them."""
    if operation.output_shape is None:
        return {}
    answer: dict[str, Any] = _Inventor(operation, call, partition, account).answer()
    return answer


class _Inventor:
    """Makes up one answer."""

    def __init__(
        self, operation: OperationModel, call: AwsCall, partition: str, account: str
    ) -> None:
        self._output = operation.output_shape
        self._asked = asked(operation.input_shape, call.parameters)
        self._habits: Habits = habits_of(call.service, call.operation)
        self._place = Place(partition, operation.service_model.signing_name, call.region, account)
        self._moment = earliest(call.parameters) or MOMENT
        self._paged = bool(self._habits.takes) or any(map(_names_page, self._output.members))
        self._last_page = any(name in call.parameters for name in self._habits.takes) or any(
            NEXT_PAGE in texts for texts in self._asked.values()
        )
        self._left = MOST_VALUES

    def answer(self) -> Any:
        """Return all members."""
        found = self._structure(self._output, _At("", self._asked))
        return {} if found is _OMITTED else found

    def _value(self, shape: Shape, at: _At) -> Any:
        self._left -= 1
        match shape.type_name:
            case "structure":
                return self._structure(shape, at)
            case "list":
                return self._list(shape, at)
            case "map":
                return self._map(shape, at)
            case "string" | "character":
                return self._string(shape, at)
            case "blob":
                return CONTENT
            case "timestamp":
                return self._moment
            case "boolean":
                return self._boolean(at)
            case _:
                return self._number(shape, at)

    # -------------------------------------------------------------- what holds others
    def _structure(self, shape: Any, at: _At) -> Any:
        if shape.name in at.above or self._left < 0:
            return _OMITTED
        if shape.is_document_type:
            return {}
        found: dict[str, Any] = {}
        for name, member in shape.members.items():
            inner = _At(name, at.asked, (*at.above, shape.name), at.index, at.listed)
            only = shape.is_tagged_union and not shape.serialization.get("eventstream")
            if self._leaves_out(member, inner, whole=only):
                continue
            value = self._value(member, inner)
            if value is not _OMITTED:
                found[name] = value
                if only:
                    break
        return found if found or not shape.members else _OMITTED

    def _leaves_out(self, shape: Shape, at: _At, *, whole: bool) -> bool:
        """Tell whether a service would not answer with a member now. `whole`: nothing else."""
        if shape.metadata.get("exception"):
            return True  # what an event stream would break off with
        plain = at.name.lower().replace("_", "")
        if _STATED_LENGTH.match(plain) and shape.serialization.get("location") == "header":
            return True
        if shape.type_name not in ("list", "map") and _WHAT_FAILED.match(plain):
            return not whole
        return self._is_token(at) and self._last_page

    def _is_token(self, at: _At) -> bool:
        if at.listed:
            return False
        return at.name in self._habits.gives or _names_page(at.name)

    def _list(self, shape: Any, at: _At) -> Any:
        member = shape.member
        if self._left < 0 or _TROUBLE.search(at.name.lower()):
            return []
        items = []
        for number, inner in enumerate(self._each(member, at)):
            value = self._value(member, inner)
            if value is not _OMITTED:
                items.append(value)
            if number + 1 == MOST_ITEMS:
                break
        return items

    def _each(self, member: Any, at: _At) -> list[_At]:
        """Return where the items of a list stand: one for each thing that was asked for."""
        names = [at.name]
        if member.type_name == "structure":
            members = member.members.items()
            names = [name for name, each in members if each.type_name == "string"]
        stems = {stem_of(name) for name in names} & at.asked.keys()
        number = max((len(at.asked[stem]) for stem in stems), default=1)
        return [
            _At(
                at.name,
                {**at.asked, **_pinned(at.asked, stems, number, index)},
                at.above,
                index if number > 1 else at.index,
                listed=True,
            )
            for index in range(number)
        ]

    def _map(self, shape: Any, at: _At) -> Any:
        if self._left < 0 or _TROUBLE.search(at.name.lower()):
            return {}
        keys = at.asked.get(stem_of(shape.key.name)) or shape.key.enum or ("rehearsed-1",)
        inner = _At(at.name, at.asked, at.above, at.index, listed=True)
        found = {key: self._value(shape.value, inner) for key in keys[:MOST_ITEMS]}
        return {key: value for key, value in found.items() if value is not _OMITTED}

    # -------------------------------------------------------------- what stands for itself
    def _string(self, shape: Any, at: _At) -> str:
        if self._is_token(at) or _ALWAYS_PAGED.match(at.name.lower()):
            return NEXT_PAGE
        named = at.asked.get(stem_of(at.name), ())
        if at.name.lower() == "key" and "tag" in at.above[-1].lower():
            return "Name"
        if shape.enum:
            return self._chosen(shape.enum, at, named)
        if at.name in self._habits.waited_for:
            return _settled(self._habits.waited_for[at.name])
        return text_for(shape, at.name, named[0] if named else "", self._place, at.index + 1)

    def _chosen(self, values: list[str], at: _At, named: tuple[str, ...]) -> str:
        """Return one of the values of an enumeration."""
        for wanted in (*named, self._place.region):
            if wanted in values:
                return wanted
        awaited = [each for each in self._habits.waited_for.get(at.name, ()) if each in values]
        return _settled(awaited or values)

    def _boolean(self, at: _At) -> bool:
        plain = at.name.lower()
        if _MORE.search(plain):
            return self._paged and not self._last_page and not at.listed
        return not (_TROUBLE.search(plain) or _NOT_NOW.search(plain))

    def _number(self, shape: Any, at: _At) -> int | float:
        plain = at.name.lower()
        if _TROUBLE.search(plain):
            return 0
        if shape.type_name == "long" and plain.endswith(("timestamp", "time")):
            return round(self._moment.timestamp() * 1000)
        least = shape.metadata.get("min", 1)
        return max(1, least) if shape.type_name in ("integer", "long") else max(1.0, float(least))


def _names_page(name: str) -> bool:
    return _PAGED.match(name.lower().replace("_", "")) is not None


def _pinned(
    asked_for: Asked, stems: set[str], number: int, index: int
) -> Mapping[str, tuple[str, ...]]:
    """Return what one item of a list speaks of, where the list speaks of several."""
    return {stem: (texts[index],) for stem in stems if len(texts := asked_for[stem]) == number}


def _settled(values: list[str]) -> str:
    """Return the state in which nobody waits any longer, or else the first."""
    named = {value.lower(): value for value in reversed(values)}
    return next((named[state] for state in _SETTLED if state in named), values[0])

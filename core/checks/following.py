"""The engine behind `core.checks.clients`: follows expressions, remembers, and always ends.

What comes round to itself is asked again with the latest answer until the answers stay the same.
Each step is counted, so a script made to be followed for ever ends as "can't be told".
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from core.checks.functions import Given, given, name_of, parameters
from core.checks.names import CallSite, Function, Names, Scope, Source, last_name
from core.checks.values import NOTHING, UNSEEN, Path, Value, Values

_MOST_STEPS = 50_000
_DEEPEST = 120
_MOST_ROUNDS = 6
_MOST_CALLS = 3
"""How deep calls in calls are told apart by their arguments."""
_LONGEST_PATH = 5
"""Clients lie in containers of containers at most; `page = page["next"]` would go on for ever."""


@dataclass(frozen=True, eq=False, slots=True)
class Frame:
    """A function with the arguments of one call."""

    function: ast.AST
    arguments: Mapping[str, Given]
    outer: At
    """Where the call stands."""
    level: int = 1
    """In how many calls it stands, itself included."""


@dataclass(frozen=True, eq=False, slots=True)
class At:
    """A node of the tree, seen from a scope and perhaps from inside one call."""

    node: Any
    scope: Scope
    frame: Frame | None
    depth: int

    def to(self, node: ast.AST) -> At:
        return At(node, self.scope, self.frame, self.depth + 1)


Key = tuple[ast.AST, Path, Frame | None]


Follower = Callable[["Clients", At, Path], Values]


@dataclass(slots=True)
class Clients:
    """Answers what expressions of one script can be."""

    names: Names
    followers: Mapping[type[ast.AST], Follower]
    exhausted: bool = False
    """Following took too long somewhere: answers may lack something."""
    literals: dict[tuple[ast.AST, int], Any] = field(default_factory=dict)
    """What `core.checks.literals` has read already, by expression and depth."""
    _steps: int = _MOST_STEPS
    _known: dict[Key, Values] = field(default_factory=dict)
    """Answers that are final."""
    _latest: dict[Key, Values] = field(default_factory=dict)
    """The latest answers of what comes round to itself: asked again until they stay the same."""
    _asked: set[Key] = field(default_factory=set)
    """What was asked in this round; its latest answer does for the rest of the round."""
    _open: dict[Key, bool] = field(default_factory=dict)
    """What is being followed, each with whether it came round to itself."""
    _changed: bool = False
    _frames: dict[tuple[ast.AST, ast.AST, Frame | None], Frame] = field(default_factory=dict)

    def values(self, node: ast.AST, path: Path = ()) -> Values:
        """Everything that (a part of) `node` can be, as far as it can be told."""
        at = At(node, self.names.scopes[node], None, 0)
        for _ in range(_MOST_ROUNDS):
            self._asked.clear()
            self._changed = False
            found = self.follow(at, path)
            if not self._changed:
                break
        for key in self._asked:
            self._known[key] = self._latest.pop(key)
        return found

    def spend(self) -> bool:
        """Take one step, if there are any left."""
        self._steps -= 1
        self.exhausted = self.exhausted or self._steps < 0
        return self._steps >= 0

    def texts(self, node: ast.AST | None) -> tuple[str, ...]:
        """The texts that `node` can be, sorted; empty when it can't be told."""
        found = self.values(node) if node is not None else NOTHING
        return tuple(sorted(value.name for value in found if value.kind == "text"))

    def put(self, node: ast.AST) -> list[Source]:
        """What the script puts into a name or attribute after it was made."""
        if isinstance(node, ast.Name):
            sources = self.names.lookup(node.id, self.names.scopes[node])
        else:
            sources = self.names.attributes.get(last_name(node), [])
        return [one for one in sources if one.keys]

    def gathered(self, name: ast.Name) -> list[CallSite] | None:
        """The calls whose further arguments a `**` parameter holds; None where there are none."""
        scope: Scope | None = self.names.scopes[name]
        while scope is not None and name.id not in scope.bindings:
            owner = scope.owner
            if isinstance(owner, Function) and owner.args.kwarg and owner.args.kwarg.arg == name.id:
                own = name_of(self.names, owner)
                named = set(parameters(owner))
                sites = [] if self.names.escapes(own) else self.names.calls.get(own, [])
                rest = [replace(one, keywords=_without(one, named)) for one in sites]
                return rest or None
            scope = scope.parent
        return None

    def follow(self, at: At, path: Path) -> Values:
        """What the part of `at` that `path` leads to can be."""
        key = (at.node, path, at.frame)
        known = self._known.get(key)
        if known is not None:
            return known
        if key in self._asked:
            if key in self._open:
                self._open[key] = True
            return self._latest.get(key, NOTHING)
        if not self.spend() or at.depth > _DEEPEST:
            self.exhausted = True
            return NOTHING
        follower = self.followers.get(type(at.node))
        if follower is None or len(path) > _LONGEST_PATH:
            return UNSEEN if path else frozenset({Value("literal", node=at.node)})
        self._asked.add(key)
        self._open[key] = False
        found = follower(self, at, path)
        # What was asked of it meanwhile got the latest answer, which may be out of date now.
        if self._open.pop(key) and found != self._latest.get(key, NOTHING):
            self._changed = True
        self._latest[key] = found
        return found

    def frame(self, function: Function, call: ast.Call, outer: At) -> Frame | None:
        """The frame of a call; None where calls stand too deep in calls to tell them apart."""
        if outer.frame is not None and outer.frame.level >= _MOST_CALLS:
            return None
        key = (call, function, outer.frame)
        if key not in self._frames:
            site = CallSite(tuple(call.args), tuple(call.keywords), outer.scope)
            level = outer.frame.level + 1 if outer.frame else 1
            self._frames[key] = Frame(function, given(function, site), outer, level)
        return self._frames[key]

    def within(self, at: At, node: ast.AST) -> At:
        """A node inside a comprehension, whose names are its own."""
        return At(node, self.names.scopes[node], at.frame, at.depth + 1)

    def follow_all(self, places: Iterable[At], path: Path) -> Values:
        """What any of several places can be."""
        return frozenset(value for at in places for value in self.follow(at, path))


def _without(site: CallSite, named: set[str]) -> tuple[ast.keyword, ...]:
    return tuple(keyword for keyword in site.keywords if keyword.arg not in named)

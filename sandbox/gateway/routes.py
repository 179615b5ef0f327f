"""Which operations a request could mean, by a table of every service that botocore knows.

The table (`routes.json.gz`, made by `make routes`) is stamped with the version of botocore that it
was made from, and refused with any other: a route that a newer model has changed would be read by
the wrong shape. It is read once. It says only what a request *could* be; that it is exactly that,
`recognise` finds out.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from sandbox.errors import Unidentified

DATA = Path(__file__).with_name("routes.json.gz")

_ANY = -1
_LABEL = re.compile(r"\{([^}]*)\}")
_OF_S3 = {
    "s3-object-lambda": ("s3",),
    "s3-outposts": ("s3control",),
    "s3express": ("s3", "s3control"),
}
"""Names that the endpoint rules of S3 have some of its operations signed for."""
_SIGNING_NAMES_KEPT = 32
"""A script can sign for any name; what is kept of each costs up to a few hundred kilobytes."""


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of a REST service, as it stands in a request line."""

    operation: str
    method: str
    path: re.Pattern[str]
    labels: tuple[str, ...]
    """Names of the groups of `path`, in its order; a greedy one ends in '+'."""
    literals: frozenset[tuple[str, str]]
    """Query parameters that are part of the operation's name."""
    example: str
    """A path that fits, and fits another route only by that one's labels."""

    def overrides(self, other: Route) -> bool:
        """Tell whether what fits both can only be meant for this one: it is the more literal."""
        mine, theirs = self.literals, other.literals
        return (
            mine >= theirs
            and other.path.fullmatch(self.example) is not None
            and (mine > theirs or self.path.fullmatch(other.example) is None)
        )


@dataclass(frozen=True, slots=True)
class Routes:
    """One service of the table."""

    service: str
    protocol: str
    marker: str
    """The prefix of X-Amz-Target or of the path, or the Version of a form."""
    operations: frozenset[str]
    rest: tuple[Route, ...]
    """Empty unless the protocol is rest-json or rest-xml."""
    by_form: Mapping[tuple[str, str, int], tuple[Route, ...]]
    """The same by method, first part of the path ("*" = a label) and number of parts (-1 = any)."""

    def matching(
        self, method: str, path: str, query: Sequence[tuple[str, str]]
    ) -> Iterator[tuple[Route, tuple[str, ...]]]:
        """Yield each route that a request line fits, with the values of its labels as written."""
        first, parts, pairs = _first(path), _parts(path), frozenset(query)
        for form in ((first, parts), (first, _ANY), ("*", parts), ("*", _ANY)):
            for route in self.by_form.get((method, *form), ()):
                if route.literals <= pairs:
                    match = route.path.fullmatch(path)
                    if match is not None:
                        yield route, match.groups()


def _first(path: str) -> str:
    return path.split("/", 2)[1] if "/" in path else ""


def _parts(path: str) -> int:
    return path.rstrip("/").count("/")


@lru_cache(maxsize=_SIGNING_NAMES_KEPT)
def services_signing_as(signing_name: str) -> tuple[Routes, ...]:
    """Return the services whose requests are signed for a name; none when botocore knows none.

    Raises Unidentified when the table is not for the installed botocore.
    """
    table = _table(DATA)
    named = dict(table.get(signing_name, {}))
    named |= {name: table["s3"][name] for name in _OF_S3.get(signing_name, ())}
    return tuple(_routes(name, service) for name, service in named.items())


def services_like(fits: Callable[[str, Mapping[str, Any]], bool]) -> Iterator[Routes]:
    """Yield the services for whose name and row of the table `fits` holds."""
    for signing_name, named in _table(DATA).items():
        wanted = {name for name, service in named.items() if fits(name, service)}
        if wanted:
            yield from (
                each for each in services_signing_as(signing_name) if each.service in wanted
            )


@lru_cache(maxsize=1)
def _table(file: Path) -> dict[str, Any]:
    return load(file)


def load(file: Path) -> dict[str, Any]:
    """Return the table of a file: signing name to service to routes; raises Unidentified."""
    import botocore

    try:
        table = json.loads(gzip.decompress(file.read_bytes()))
        made_for, signs_as = table["botocore"], table["signs_as"]
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise Unidentified(
            f"the table of routes can't be read ({error}); hint: make routes"
        ) from error
    if made_for != botocore.__version__:
        raise Unidentified(
            f"the table of routes is for botocore {made_for}, and {botocore.__version__} is "
            "installed; hint: make routes"
        )
    signs: dict[str, Any] = signs_as
    return signs


def _routes(name: str, service: dict[str, Any]) -> Routes:
    rest: list[Route] = []
    by_form: dict[tuple[str, str, int], tuple[Route, ...]] = {}
    for operation, *line in service["operations"]:
        if line:
            method, uri = line
            rest.append(_route(operation, method, uri))
            form = method, *_form(uri.partition("?")[0])
            by_form[form] = (*by_form.get(form, ()), rest[-1])
    return Routes(
        service=name,
        protocol=service["protocol"],
        marker=service["marker"],
        operations=frozenset(operation for operation, *_ in service["operations"]),
        rest=tuple(rest),
        by_form=by_form,
    )


def _form(path: str) -> tuple[str, int]:
    first = _first(path)
    return "*" if "{" in first else first, _ANY if "+}" in path else _parts(path)


def _route(operation: str, method: str, uri: str) -> Route:
    path, _, query = uri.partition("?")
    pattern, position = "", 0
    for label in _LABEL.finditer(path):
        pattern += re.escape(path[position : label.start()])
        pattern += "(.+)" if label[1].endswith("+") else "([^/]+)"
        position = label.end()
    pattern += re.escape(path[position:])
    return Route(
        operation=operation,
        method=method,
        path=re.compile(pattern + ("" if pattern.endswith("/") else "/?"), re.DOTALL),
        labels=tuple(_LABEL.findall(path)),
        literals=frozenset(parse_qsl(query, keep_blank_values=True)),
        example=_LABEL.sub("\x01", path),
    )

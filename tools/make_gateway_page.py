"""Counts how the requests of every operation are read and rebuilt: right, refused, wrong, equal.

The requests come from `tools/make_requests.py`, a program of its own that imports nothing of ours,
by each of the three ways on which they can come. It runs for some minutes, writes the tables of
docs/gateway.md (`--page`) and fails when a single request was read as another operation.
`SERVICE ...` looks at some services only.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from itertools import repeat
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import parse_qsl

from sandbox.errors import Unidentified
from sandbox.gateway.identify import identify
from sandbox.gateway.rebuild import Rebuilder
from sandbox.job import AwsCall

HOUSE = Path(__file__).parents[1]
PAGE = HOUSE / "docs" / "gateway.md"
WAYS = ("https", "proxy", "endpoint")
VARIANTS = ("required", "all", "random")
RIGHT, TWIN, WRONG, UNSENT = "right", "twin", "WRONG", "not sent"
NAMED, REFUSED = "refused on purpose, and named", "refused"
OUTCOMES = (RIGHT, TWIN, WRONG, NAMED, REFUSED, UNSENT)
EXACT, ADDED, OTHER = "parameters exact", "and what the client adds", "parameters other"
EQUAL, UNEQUAL, UNBUILT = "rebuilt equal", "rebuilt otherwise", "not rebuilt"
_ADDED = {
    *("ContentMD5", "ChecksumAlgorithm", "ChecksumCRC32", "ContentLength", "checksum"),
    *("accept", "accepts", "contentType", "DestinationRegion"),
}
"""Members that clients fill in after what they were given was noted."""
_BEGIN, _END = "<!-- operations -->\n", "<!-- end -->"
_PURPOSE = (
    "not signed with SigV4",
    "signed for a name that is in no model",
    "event stream both ways",
)
_REASONS = (
    ("sends an event stream", "event stream both ways"),
    ("not signed", "not signed with SigV4"),
    ("never signed", "not signed with SigV4"),
    ("the way botocore signs", "not signed with SigV4"),
    ("it is signed for", "signed for a name that is in no model"),
    ("request of its own", "holds a URL that somebody else signed"),
    ("it could be each of", "two operations, one request"),
    ("goes to", "to a host that is not the service's"),
    ("no operation fits", "made otherwise than the model says"),
    ("would be", "made otherwise than the model says"),
    ("the path is not", "made otherwise than the model says"),
)
_NOT_COMPARED = frozenset(
    {
        *(
            "authorization",
            "user-agent",
            "amz-sdk-invocation-id",
            "x-amz-date",
            "x-amz-content-sha256",
        ),
        *("host", "expect", "transfer-encoding", "content-length"),
    }
)
"""Date, signature, invocation and what says how a body is sent over one connection."""


def requests(services: Sequence[str], way: str = "https") -> Iterator[list[Any]]:
    """Yield the requests of some services, or of all, as they are sent by one of `WAYS`."""
    program = [sys.executable, "-I", str(HOUSE / "tools" / "make_requests.py"), way, *services]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as made:
        assert made.stdout is not None
        for line in made.stdout:
            yield json.loads(line, object_hook=_held)
    if made.returncode:
        raise SystemExit(f"make_requests.py ended with {made.returncode}")


def _held(value: dict[str, Any]) -> Any:
    if value.keys() == {"$bytes"}:
        return base64.b64decode(value["$bytes"])
    if value.keys() == {"$time"}:
        return datetime.fromisoformat(value["$time"])
    return value


# ------------------------------------------------------------------ one request
def look(line: list[Any]) -> tuple[str, str]:
    """Return what became of a request, and the detail."""
    outcome, detail, _ = looked(line)
    return outcome, detail


def looked(line: list[Any]) -> tuple[str, str, AwsCall | None]:
    """Return what became of a request, the detail, and what it was read as."""
    service, operation, _, _, parameters, method, url, headers, body = line
    if not method:
        return UNSENT, url, None
    try:
        call = identify(method, url, [tuple(header) for header in headers], body)
    except Unidentified as error:
        named = f"{service}.{operation}" in error.candidates
        meant = named and reason_of(error.reason) in _PURPOSE
        return (NAMED if meant else REFUSED), error.reason, None
    if (call.service, call.operation) == (service, operation):
        # The region is not compared: a service with one endpoint signs for that one's region.
        return RIGHT, compared(said(call.parameters), said(parameters)), call
    name = f"{call.service}.{call.operation}"
    twins = call.operation in (operation, operation + "Configuration")
    return (TWIN if twins else WRONG), name, call


def said(value: Any) -> Any:
    """Return what can be said of parameters on the wire: nothing of what is empty."""
    if isinstance(value, dict):
        pruned = {key: said(item) for key, item in value.items()}
        return {key: item for key, item in pruned.items() if item not in (None, {}, [], b"", [{}])}
    if isinstance(value, list):
        return [said(item) for item in value]
    return value.encode() if isinstance(value, str) else value


def compared(found: dict[str, Any], given: dict[str, Any]) -> str:
    """Return how what was recovered stands to what was given."""
    if found == given:
        return EXACT
    for name in _ADDED - given.keys():
        found.pop(name, None)
    return ADDED if found == given else OTHER


def reason_of(text: str) -> str:
    """Return the class of a refusal."""
    return next((named for part, named in _REASONS if part in text), "cannot be read")


# ------------------------------------------------------------------ built again
def rebuilt(rebuilder: Rebuilder, call: AwsCall, line: list[Any]) -> tuple[str, str]:
    """Return how the request that is made of a call stands to the one that arrived."""
    try:
        request = rebuilder.build(call)
    except ValueError as error:
        return UNBUILT, str(error)
    headers = [
        (name, value.decode("latin-1") if isinstance(value, bytes) else str(value))
        for name, value in request.headers.items()
    ]
    body = request.body or b""
    body = body.encode() if isinstance(body, str) else body
    parts = zip(
        ("method", "URL", "query", "headers", "body"),
        parts_of(line[5], line[6], line[7], line[8]),
        parts_of(request.method, request.url, headers, body),
        strict=True,
    )
    ours = "127.0.0.1" in line[6]
    differ = [
        f"{name}: {before!r} {after!r}"
        for name, before, after in parts
        if before != after and not (ours and name == "URL")
    ]
    return (UNEQUAL, " ".join(differ)) if differ else (EQUAL, "")


def parts_of(method: str, url: str, headers: Iterable[Sequence[str]], body: bytes) -> list[Any]:
    """Return what two requests that are equal have in common."""
    where, _, query = url.partition("?")
    named = {name.lower(): text for name, text in headers if name.lower() not in _NOT_COMPARED}
    if named.get("content-encoding") == "aws-chunked":
        body, trailer = unchunked(body)
        named |= trailer
        for name in ("content-encoding", "x-amz-trailer", "x-amz-decoded-content-length"):
            named.pop(name, None)
    signed = re.sub(rb"P(?:re|res)?[sS]ignedUrl=[^&]*&?", b"", body)
    return [
        method,
        where.partition("://")[2],
        sorted(parse_qsl(query, keep_blank_values=True)),
        named,
        body if signed == body else sorted(signed.rstrip(b"&").split(b"&")),
    ]


def unchunked(body: bytes) -> tuple[bytes, dict[str, str]]:
    """Return a body of one chunk at most without its frame, and the trailer."""
    size, _, rest = body.partition(b"\r\n")
    length = int(size, 16)
    trailer = (rest[length + 2 :].partition(b"\r\n")[2] if length else rest).decode().strip()
    name, _, text = trailer.partition(":")
    return rest[:length], {name: text} if name else {}


# ------------------------------------------------------------------ all of them
@dataclass
class Sweep:
    """What was counted by one way."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    listed: dict[str, set[str]] = field(default_factory=dict)
    """Class of a reason to the operations that are neither right nor refused on purpose."""
    read_s: float = 0.0
    built_s: float = 0.0

    def take(self, line: list[Any], rebuilder: Rebuilder) -> Iterator[str]:
        """Count a request; yield a line for whatever is not as it should be."""
        variant = line[2]
        started = perf_counter()
        outcome, detail, call = looked(line)
        self.read_s += perf_counter() - started
        self.counts[variant, outcome] += 1
        if outcome == RIGHT:
            self.counts[variant, detail] += 1
        if outcome in (REFUSED, NAMED):
            reason = reason_of(detail)
            self.counts[variant, f"refused: {reason}"] += 1
            if outcome == REFUSED:
                self.listed.setdefault(f"refused: {reason}", set()).add(f"{line[0]}.{line[1]}")
        if outcome == UNSENT:
            self.listed.setdefault(UNSENT, set()).add(f"{line[0]}.{line[1]}")
        if (outcome, detail) != (RIGHT, EXACT):
            yield f"{outcome} {line[0]} {line[1]} {variant} {detail}"
        if call is not None:
            started = perf_counter()
            built, detail = rebuilt(rebuilder, call, line)
            self.built_s += perf_counter() - started
            self.counts[variant, built] += 1
            if built != EQUAL:
                self.listed.setdefault(built, set()).add(f"{line[0]}.{line[1]}")
                yield f"{built} {line[0]} {line[1]} {variant} {detail}"

    def total(self, *whats: str) -> int:
        """Return how many requests of all variants became one of `whats`."""
        return sum(self.counts[variant, what] for variant in VARIANTS for what in whats)


def sweep(way: str, services: Sequence[str], tell: Path | None) -> Sweep:
    """Look at the requests that come by one way; what is not as it should be is told in a file."""
    done, rebuilder = Sweep(), Rebuilder()
    with ExitStack() as stack:
        file = stack.enter_context(tell.open("a", encoding="utf-8", buffering=1)) if tell else None
        for line in requests(services, way):
            for text in done.take(line, rebuilder):
                if file:
                    print(way, re.sub(r"\s+", " ", text), file=file)
    return done


def table(sweeps: dict[str, Sweep]) -> list[str]:
    """Return the lines of the table: a column for each way and variant."""
    columns = [(sweeps[way], variant) for way in sweeps for variant in VARIANTS]
    whats = [RIGHT, TWIN, WRONG, NAMED, REFUSED, UNSENT]
    whats += [EXACT, ADDED, OTHER, EQUAL, UNEQUAL, UNBUILT]
    reasons = {what for done, _ in columns for _, what in done.counts}
    whats += sorted(what for what in reasons if what.startswith("refused: "))
    names = " | ".join(f"{way}: {variant}" for way in sweeps for variant in VARIANTS)
    lines = [f"| requests | {names} |", "| --- |" + " ---: |" * len(columns)]
    totals = (sum(done.counts[variant, what] for what in OUTCOMES) for done, variant in columns)
    lines.append(f"| operations | {' | '.join(map(str, totals))} |")
    for what in whats:
        cells = " | ".join(str(done.counts[variant, what]) for done, variant in columns)
        lines.append(f"| {what} | {cells} |")
    return lines


def shares(sweeps: dict[str, Sweep]) -> list[str]:
    """Return the shares that the requests must reach, by way."""
    lines = ["| share | " + " | ".join(sweeps) + " |", "| --- |" + " ---: |" * len(sweeps)]
    for name, parts, wholes in (
        ("right or twin, of what can be signed", (RIGHT, TWIN), (RIGHT, TWIN, WRONG, REFUSED)),
        ("parameters exact, of what is right", (EXACT, ADDED), (RIGHT,)),
        ("rebuilt equal, of what is right or twin", (EQUAL,), (EQUAL, UNEQUAL, UNBUILT)),
    ):
        cells = [
            f"{100 * done.total(*parts) / max(1, done.total(*wholes)):.3f} %"
            for done in sweeps.values()
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def exceptions(sweeps: dict[str, Sweep]) -> list[str]:
    """Return a line for each class of what is neither right nor refused on purpose."""
    listed: dict[str, set[str]] = {}
    for done in sweeps.values():
        for what, names in done.listed.items():
            listed.setdefault(what, set()).update(names)
    return [f"- {what}: {', '.join(sorted(names))}" for what, names in sorted(listed.items())]


def main() -> int:
    """Run; returns how many requests were read as another operation."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("services", nargs="*", help="botocore names; all of them when none")
    parser.add_argument("--way", action="append", choices=WAYS, help="one of them only")
    parser.add_argument("--page", action="store_true", help=f"write the tables into {PAGE.name}")
    parser.add_argument("--tell", type=Path, help="write each request that is not exact here")
    options = parser.parse_args()
    ways = options.way or WAYS
    with ProcessPoolExecutor(len(ways)) as pool:
        done = pool.map(sweep, ways, repeat(options.services), repeat(options.tell))
        sweeps = dict(zip(ways, done, strict=True))
    lines = [*table(sweeps), "", *shares(sweeps), "", *exceptions(sweeps)]
    print("\n".join(lines))
    for way, done in sweeps.items():
        number = max(1, done.total(*OUTCOMES))
        spent = [round(seconds / number * 1_000_000) for seconds in (done.read_s, done.built_s)]
        print(f"{way}: {spent[0]} us to read, {spent[1]} us to build, models and clients included")
    if options.page:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(_BEGIN)
        _, _, after = rest.partition(_END)
        PAGE.write_text(before + _BEGIN + "\n".join(lines) + f"\n{_END}{after}", encoding="utf-8")
    return sum(done.total(WRONG) for done in sweeps.values())


if __name__ == "__main__":
    sys.exit(main())

"""Injures genuine requests and holds what the gateway judges against what moto reads.

Real clients made the requests (`tools/make_requests.py`); `tools/mutations.py` injures them. Each
is given to `identify`. What it accepts is judged and built anew, as in the gateway, and the built
request is read by moto. That reading must be the one that was judged: same operation, same
parameters. One that differs ends the run with 1 and is shown.

As a control, moto reads the injured requests themselves, too. How often it takes one for another
call than was judged, or reads one that the gateway refuses, is what forwarding would let through.

`--count 100000 --page` takes some minutes and writes the table of docs/gateway.md.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from botocore.awsrequest import AWSPreparedRequest

from sandbox.errors import Unidentified
from sandbox.gateway.identify import identify
from sandbox.gateway.rebuild import Rebuilder
from tools.make_gateway_page import requests
from tools.moto_reading import Raw, Reading, Unread, read, spelled
from tools.mutations import mutated

PAGE = Path(__file__).parents[1] / "docs" / "gateway.md"
BEGIN, END = "<!-- fuzz -->\n", "<!-- end fuzz -->"
COUNT, SEED = 20_000, 20260131
SERVICES = (
    *("apigateway", "autoscaling", "cloudformation", "cloudtrail", "cloudwatch"),
    *("cloudwatchomni", "dynamodb", "ec2", "ecs", "eks", "elasticache", "elbv2", "eventbridgev2"),
    *("events", "iam", "kms", "lambda", "logs", "rds", "route53", "s3", "secretsmanager", "sns"),
    *("sqs", "ssm", "stepfunctions", "sts"),
)
"""Of which the requests are: every protocol, and what on-call people call most."""

_ADDED = {"ChecksumAlgorithm", "PreSignedUrl", "PresignedUrl"}
_NOT_IN_MOTO = ("://s3express-", ".s3-object-lambda.")
"""Hosts whose operations moto does not know, or takes for those of S3 itself."""

MUTATED = "mutated requests"
REFUSED = "refused"
UNSENT = "judged, and no request could be made of it: nothing is sent"
SAME = "sent, and moto reads what was judged"
OTHER = "sent, and moto reads something else"
UNTOLD = "sent, and moto can't read it"
RAW_OTHER = "control: sent, and moto reads another call in the injured request itself"
RAW_READ = "control: refused, and moto reads another operation in it than it was before"
ROWS = (MUTATED, REFUSED, UNSENT, SAME, OTHER, UNTOLD, RAW_OTHER, RAW_READ)


class Made(NamedTuple):
    """A genuine request, and what it is a request of."""

    service: str
    operation: str
    raw: Raw


class Fuzz:
    """The two readers, and what has been counted of them."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.shown: list[str] = []
        self._rebuilder = Rebuilder()

    def look(self, made: Made, raw: Raw) -> None:
        """Count what becomes of a request that was made of `made`."""
        self.counts[MUTATED] += 1
        in_raw = moto_reads(made.service, raw)
        try:
            call = identify(raw.method, raw.url, raw.headers, raw.body)
        except Unidentified:
            self.counts[REFUSED] += 1
            self.counts[RAW_READ] += in_raw is not None and in_raw.operation != made.operation
            return
        judged = Reading(call.operation, spelled(call.parameters))
        self.counts[RAW_OTHER] += in_raw != judged
        try:
            built = wire(self._rebuilder.build(call))
        except ValueError:
            self.counts[UNSENT] += 1
            return
        self.compare(call.service, judged, built)

    def compare(self, service: str, judged: Reading, built: Raw) -> None:
        """Count how moto reads the request that was built of what was judged."""
        try:
            found = read(service, built)
        except Unread as error:
            self.counts[UNTOLD] += 1
            self.shown.append(f"{UNTOLD}: {service}.{judged.operation}: {error}: {built}")
            return
        same = _as_given(found, judged) == judged
        self.counts[SAME if same else OTHER] += 1
        if not same:
            self.shown.append(f"{OTHER}:\n  {service} {judged}\n  {found}\n  {built}")


def _as_given(found: Reading, judged: Reading) -> Reading:
    """Undo what a client adds to what it is given, where that says nothing more than was judged.

    That is the name of its checksum; and, in place of the region that a copy is made from, the same
    call as a URL that is signed for that region.
    """
    parameters = dict(found.parameters)
    for name in _ADDED - judged.parameters.keys():
        text = parameters.pop(name, b"")
        url = urlsplit(text.decode())
        if ("Action", found.operation) in parse_qsl(url.query):
            parameters["SourceRegion"] = url.netloc.split(".")[1].encode()
    return found._replace(parameters=parameters)


def moto_reads(service: str, raw: Raw) -> Reading | None:
    """Return what moto makes of a request, None when it can't."""
    try:
        return read(service, raw)
    except Unread:
        return None


def wire(request: AWSPreparedRequest) -> Raw:
    """Return a built request as its receiver gets it."""
    headers = [
        (name, text.decode("latin-1") if isinstance(text, bytes) else str(text))
        for name, text in request.headers.items()
    ]
    body = request.body or b""
    if hasattr(body, "read"):
        body = body.read()
    return Raw(
        request.method, request.url, headers, body.encode() if isinstance(body, str) else body
    )


def genuine(services: Sequence[str]) -> Iterator[Made]:
    """Yield what clients make of every operation of some services, and the gateway accepts."""
    for service, operation, _, _, _, method, url, headers, body in requests(services):
        raw = Raw(method, url, [(name, text) for name, text in headers], body)
        if any(host in url for host in _NOT_IN_MOTO):
            continue
        try:
            identify(*raw)
        except Unidentified:
            continue
        yield Made(service, operation, raw)


def fuzz(services: Sequence[str], count: int, seed: int) -> Fuzz:
    """Return what `count` injured requests came to."""
    dice, fuzzing = random.Random(seed), Fuzz()
    corpora: dict[str, list[Made]] = {}
    for made in genuine(services):
        corpora.setdefault(made.service, []).append(made)
    for number, corpus in enumerate(corpora.values()):
        # One service after another, since models are dear to read and few are kept.
        raws = [made.raw for made in corpus]
        for _ in range(count * (number + 1) // len(corpora) - count * number // len(corpora)):
            made = dice.choice(corpus)
            fuzzing.look(made, mutated(made.raw, raws, dice))
    return fuzzing


def table(counts: Mapping[str, int], seed: int) -> str:
    """Return the table of the page."""
    lines = [f"| with seed {seed} | requests |", "| --- | ---: |"]
    return "\n".join([*lines, *(f"| {row} | {counts[row]} |" for row in ROWS)]) + "\n"


def main() -> int:
    """Run; returns 1 when anything was sent that moto does not read as it was judged."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("services", nargs="*", help="botocore names; a mix when none")
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--page", action="store_true", help="write the table into docs/gateway.md")
    options = parser.parse_args()
    fuzzing = fuzz(options.services or SERVICES, options.count, options.seed)
    text = table(fuzzing.counts, options.seed)
    print("\n".join(fuzzing.shown[:20]) + "\n" + text)
    if options.page:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        PAGE.write_text(before + BEGIN + text + END + rest.partition(END)[2], encoding="utf-8")
    return int(fuzzing.counts[OTHER] + fuzzing.counts[UNTOLD] > 0)


if __name__ == "__main__":
    sys.exit(main())

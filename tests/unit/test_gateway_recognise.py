"""Requests of every service are read exactly, by a table of routes and by proof, or refused."""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.errors import Unidentified
from sandbox.gateway.identify import identify
from sandbox.gateway.rebuild import Rebuilder
from sandbox.gateway.routes import DATA, load, services_signing_as
from sandbox.gateway.services import private_loader, streams
from sandbox.job import AwsCall
from tools.make_gateway_page import (
    EQUAL,
    NAMED,
    OTHER,
    REFUSED,
    RIGHT,
    TWIN,
    UNSENT,
    look,
    looked,
    rebuilt,
    requests,
)

ALWAYS = ("cloudwatch", "dynamodb", "elb", "gamelift", "lambda", "logs", "rds", "s3", "sqs", "sts")
"""Each protocol, and the services with rules of their own."""
CANT_BE_READ = {("s3", "PutBucketNotification"), ("s3", "WriteGetObjectResponse")}
"""Deprecated: `Event` and `Events` have one name on the wire. Object Lambda has its own hosts."""
TWO_NAMES = {("s3", "PutBucketNotification"), ("s3", "PutBucketLifecycle")}
"""Deprecated: sent again under their current names, which know less."""
HOST = "s3.eu-west-1.amazonaws.com"


def some_services() -> list[str]:
    """Return `ALWAYS`, and eight more that a fixed seed picks."""
    every = private_loader().list_available_services("service-2")
    picked = random.Random(5).sample(every, 8)
    return sorted({*ALWAYS, *picked} - {"ec2"})


@pytest.fixture(scope="module")
def made() -> list[list[Any]]:
    """Return the requests of some services, made by clients in another process."""
    return list(requests(some_services()))


def test_what_clients_send_is_read_exactly_and_built_again(made: list[list[Any]]) -> None:
    """No request is read as another operation, and what is read is sent again as it was."""
    counts: Counter[str] = Counter()
    rebuilder = Rebuilder()
    for line in made:
        outcome, detail, call = looked(line)
        counts[outcome] += 1
        counts[detail] += outcome == RIGHT
        if outcome == REFUSED:
            assert tuple(line[:2]) in CANT_BE_READ, (line[:3], detail)
        else:
            assert outcome in (RIGHT, TWIN, UNSENT, NAMED), (line[:3], detail)
        if call is not None and tuple(line[:2]) not in TWO_NAMES:
            assert rebuilt(rebuilder, call, line) == (EQUAL, ""), line[:3]
    assert counts[OTHER] == 0
    assert counts[RIGHT] + counts[TWIN] > 0.97 * len(made)


@pytest.mark.parametrize("way", ["proxy", "endpoint"])
def test_the_other_ways_to_the_gateway_are_read_as_well(way: str) -> None:
    """Through a plain proxy, and to an endpoint that names the service in its path."""
    for line in requests(["lambda", "s3", "sqs"], way):
        outcome, detail = look(line)
        if tuple(line[:2]) not in CANT_BE_READ:
            assert outcome in (RIGHT, TWIN), (line[:3], detail)


def test_answers_that_stream_are_known() -> None:
    """Objects and events stream; what is one document does not."""
    assert streams("s3", "GetObject")
    assert streams("logs", "StartLiveTail")
    assert streams("lambda", "InvokeWithResponseStream")
    assert not streams("s3", "ListObjectsV2")
    with pytest.raises(Unidentified, match="no operation"):
        streams("s3", "Nonsense")


def changed(line: list[Any], dice: random.Random) -> tuple[str, str, list[tuple[str, str]], bytes]:
    """Return a request with one thing in it changed."""
    method, url, headers, body = line[5], line[6], [tuple(each) for each in line[7]], line[8]
    kind = dice.choice(("method", "url", "query", "header", "body"))
    if kind == "method":
        method = dice.choice(("GET", "PUT", "POST", "DELETE", "HEAD"))
    elif kind == "query":
        url += ("&" if "?" in url else "?") + dice.choice(("acl", "x=1", "uploads", "Action=x"))
    elif kind == "header":
        headers.append((dice.choice(("x-amz-copy-source", "x-amz-target", "x-amz-acl")), "a/b"))
    elif kind == "url" or not body:
        at = dice.randrange(len("https://"), len(url) + 1)
        url = url[:at] + dice.choice("/?&=%aZ.;") + url[at:]
    else:
        at = dice.randrange(len(body))
        body = body[:at] + bytes([dice.randrange(256)]) + body[at + 1 :]
    return method, url, headers, body


def test_a_changed_request_is_refused_or_says_what_changed(made: list[list[Any]]) -> None:
    """Nothing but Unidentified comes out, and no change is read as if it were not there."""
    dice = random.Random(7)
    genuine = [line for line in made if line[5]]
    refused = 0
    for line in sorted(dice.choices(genuine, k=1500), key=lambda line: str(line[0])):
        request = changed(line, dice)
        before = (line[5], line[6], [tuple(each) for each in line[7]], line[8])
        try:
            call = identify(*request)
        except Unidentified:
            refused += 1
            continue
        assert request == before or call != identify(*before), request
    assert refused > 750


# ------------------------------------------------------------------ S3, both styles
def s3(
    method: str, host: str, target: str, body: bytes = b"", **headers: str
) -> tuple[str, str, list[tuple[str, str]], bytes]:
    """Return a request of S3; nobody checks the signature."""
    scope = "AWS4-HMAC-SHA256 Credential=AKID/20260131/eu-west-1/s3/aws4_request, "
    signature = f"SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
    more = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return (
        method,
        f"http://{host}{target}",
        [("Host", host), ("Authorization", scope + signature), *more],
        body,
    )


@pytest.mark.parametrize(
    ("host", "target"), [(f"logs-1.{HOST}", "/a%20b/c"), (HOST, "/logs-1/a%20b/c")]
)
def test_both_styles_of_s3_are_the_same_call(host: str, target: str) -> None:
    """The bucket is a parameter, whether it stands in the host or in the path."""
    assert identify(*s3("HEAD", host, target)) == AwsCall(
        "s3", "HeadObject", "eu-west-1", {"Bucket": "logs-1", "Key": "a b/c"}
    )


@pytest.mark.parametrize(
    ("request_", "operation"),
    [
        (s3("PUT", HOST, "/b-1/k", b"x"), "PutObject"),
        (s3("PUT", HOST, "/b-1/k", b"Action=a&Action=b"), "PutObject"),
        (s3("GET", HOST, "/b-1/k"), "GetObject"),
        (s3("PUT", HOST, "/b-1/k", x_amz_copy_source="a/b"), "CopyObject"),
        (s3("PUT", HOST, "/b-1/k?partNumber=1&uploadId=u", b"x"), "UploadPart"),
        (s3("GET", HOST, "/"), "ListBuckets"),
        (s3("GET", HOST, "/b-1?list-type=2"), "ListObjectsV2"),
        (s3("GET", HOST, "/b-1?acl"), "GetBucketAcl"),
        (s3("DELETE", HOST, "/b-1"), "DeleteBucket"),
        (s3("DELETE", HOST, "/b-1/k"), "DeleteObject"),
    ],
)
def test_near_operations_of_s3_are_told_apart(request_: Any, operation: str) -> None:
    """A query parameter or a header makes another operation of it, never the nearest one."""
    assert identify(*request_).operation == operation


CRAFTED: dict[str, Any] = {
    "two operations in the query": s3("GET", HOST, "/b-1?list-type=2&versioning&acl"),
    "an unknown query parameter": s3("DELETE", HOST, "/b-1/k?x=1"),
    "a query parameter twice": s3("DELETE", HOST, "/b-1/k?versionId=1&versionId=2"),
    "a header that says more": s3("PUT", HOST, "/b-1/k", b"x", x_amz_nonsense="1"),
    "another method in a header": s3("GET", HOST, "/b-1?acl", x_http_method_override="PUT"),
    "a bucket in host and path": s3("DELETE", f"b-1.{HOST}.evil.example", "/k"),
    "a host of another region": s3("GET", "s3.us-west-2.amazonaws.com", "/b-1?acl"),
    "an escaped path": s3("DELETE", HOST, "/b-1/%6b"),
    "a path that climbs": s3("DELETE", HOST, "/b-1/../b-2"),
    "a body where none belongs": s3("DELETE", HOST, "/b-1", b"x"),
    "a body in chunks": s3("PUT", HOST, "/b-1/k", b"0\r\n", content_encoding="aws-chunked"),
    "XML with an entity": s3("PUT", HOST, "/b-1?tagging", b"<!DOCTYPE x><Tagging/>"),
    "broken XML": s3("PUT", HOST, "/b-1?tagging", b"<Tagging>"),
    "two markers": s3("GET", HOST, "/b-1?Action=a", b"Action=b"),
}


@pytest.mark.parametrize("request_", CRAFTED.values(), ids=CRAFTED.keys())
def test_a_crafted_request_is_refused(request_: Any) -> None:
    """What another reader could read differently is refused."""
    with pytest.raises(Unidentified):
        identify(*request_)


# ------------------------------------------------------------------ the table
def tables(folder: Path) -> Iterator[Path]:
    """Yield tables that can't be used."""
    said = json.loads(gzip.decompress(DATA.read_bytes()))
    said["botocore"] = "1.0.0"
    for number, data in enumerate((gzip.compress(json.dumps(said).encode()), b"", b"{}")):
        file = folder / str(number)
        file.write_bytes(data)
        yield file
    yield folder / "none"


def test_a_table_for_another_botocore_is_refused(tmp_path: Path) -> None:
    """So is one that can't be read, or that is not there."""
    for file in tables(tmp_path):
        with pytest.raises(Unidentified, match="make routes"):
            load(file)


def test_the_table_has_every_service_of_botocore() -> None:
    """It was made from the botocore that is installed, whole."""
    known = {name for services in load(DATA).values() for name in services}
    assert known == set(private_loader().list_available_services("service-2"))
    assert services_signing_as("nonsense") == ()

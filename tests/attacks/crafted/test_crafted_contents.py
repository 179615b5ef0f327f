"""Crafted requests, five of eight classes: where it goes and how it is written.

Every row is a genuine request of a real client with something done to its bytes. `naive` is the
control: the operation that moto, a reader as lenient as servers are, would run if it were handed
those bytes, where that is not what the request seems to ask for. `means` is for the rows that say
something definite in an unusual way: they may be judged as that, and as nothing else.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable

import pytest

from tools.crafting import FORM, Base, Crafted, body, both, header, said, text, without

ALARMS: Base = ("cloudwatch", "describe_alarms", {"AlarmNames": ["p99"]})
MACHINES: Base = ("ec2", "describe_instances", {"InstanceIds": ["i-1", "i-2"]})
OBJECT: Base = ("s3", "head_object", {"Bucket": "bucket", "Key": "a/key"})
DELETED: Base = (
    "s3",
    "delete_objects",
    {"Bucket": "bucket", "Delete": {"Objects": [{"Key": "a"}]}},
)
PUT: Base = ("s3", "put_object", {"Bucket": "bucket", "Key": "a/key", "Body": b"text"})

HOST = "monitoring.eu-west-1.amazonaws.com"
TARGET = "GraniteServiceVersion20100801."
DELETE = b"Action=DeleteAlarms&Version=2010-08-01&AlarmNames.member.1=p99"
AS_JSON = {"AlarmNames": ["p99"]}

CHUNKED = b"4\r\ntext\r\n0\r\n\r\n"
PADDED = json.dumps(AS_JSON).encode()
HOST_AGAINST_URL = {
    "URL says monitoring, Host says logs": Crafted(
        ALARMS, text(f"Host: {HOST}", "Host: logs.eu-west-1.amazonaws.com")
    ),
    "URL says elsewhere, Host says monitoring": Crafted(
        ALARMS, text(f"POST http://{HOST}", "POST http://evil.example")
    ),
    "both say elsewhere": Crafted(ALARMS, text(HOST, "evil.example")),
    "both say the metadata service": Crafted(ALARMS, text(HOST, "169.254.169.254")),
    "a user before the host": Crafted(
        ALARMS, text(f"POST http://{HOST}", f"POST http://{HOST}@evil.example")
    ),
    "a region that it is not signed for": Crafted(ALARMS, text(HOST, HOST.replace("eu", "us"))),
    "a service that it is not signed for": Crafted(
        ALARMS, text(HOST, "logs.eu-west-1.amazonaws.com")
    ),
    "signed for another service": Crafted(ALARMS, text("/monitoring/aws4", "/logs/aws4")),
    "signed for a scope in scopes": Crafted(
        ALARMS, text("/eu-west-1/monitoring/", "/eu-west-1/logs/monitoring/")
    ),
    "a host that only begins right": Crafted(ALARMS, text(HOST, f"{HOST}.evil.example")),
    "a host that only ends right": Crafted(ALARMS, text(HOST, f"evil.{HOST}")),
    "origin form": Crafted(ALARMS, text(f"POST http://{HOST}/", "POST /")),
    "two Hosts": Crafted(ALARMS, header("Host: logs.eu-west-1.amazonaws.com")),
    "a bucket in the host, another in the path": Crafted(
        OBJECT,
        text("/a/key HTTP", "/other/key HTTP"),
        means=("HeadObject", {"Bucket": "bucket", "Key": "other/key"}),
    ),
    "another partition": Crafted(ALARMS, text(HOST, "monitoring.cn-north-1.amazonaws.com.cn")),
}

FRAMING = {
    "length and chunks": Crafted(ALARMS, header("Transfer-Encoding: chunked")),
    "chunks in capitals": Crafted(ALARMS, header("TRANSFER-ENCODING: Chunked")),
    "chunks that are named badly": Crafted(ALARMS, header("Transfer-Encoding: xchunked")),
    "chunks for a proxy only": Crafted(ALARMS, header("Transfer-Encoding: identity, chunked")),
    "chunks behind a space": Crafted(ALARMS, header("Transfer-Encoding : chunked")),
    "two lengths": Crafted(ALARMS, header("Content-Length: 5")),
    "two lengths in one": Crafted(
        ALARMS, both(without("content-length"), header("Content-Length: 2, 9"))
    ),
    "a length with a sign": Crafted(
        ALARMS, both(without("content-length"), header("Content-Length: +22"))
    ),
    "a length in hexadecimal": Crafted(
        ALARMS, both(without("content-length"), header("Content-Length: 0x16"))
    ),
    "a length that is too long": Crafted(
        ALARMS, both(without("content-length"), header("Content-Length: 9000"))
    ),
    "a length that is too short": Crafted(
        ALARMS, both(without("content-length"), header("Content-Length: 5"))
    ),
    "no length": Crafted(ALARMS, without("content-length")),
    "a header folded": Crafted(ALARMS, header("X-A: b\r\n X-Amz-Target: x")),
    "a bare line feed": Crafted(ALARMS, header(f"X-A: b\nX-Amz-Target: {TARGET}DeleteAlarms")),
    "a bare carriage return": Crafted(ALARMS, header("X-A: b\rX-B: c")),
    "a NUL in a header": Crafted(ALARMS, header("X-A: b\x00c")),
    "HTTP/1.0": Crafted(ALARMS, text("HTTP/1.1\r\n", "HTTP/1.0\r\n", 1)),
    "two spaces in the first line": Crafted(ALARMS, text("POST http", "POST  http", 1)),
}

ENCODING = {
    "gzip": Crafted(ALARMS, both(body(gzip.compress(PADDED)), header("Content-Encoding: gzip"))),
    "gzip without a word": Crafted(ALARMS, body(gzip.compress(PADDED))),
    "said to be gzip, and plain": Crafted(ALARMS, header("Content-Encoding: gzip")),
    "an encoding that is none": Crafted(ALARMS, header("Content-Encoding: identity")),
    "UTF-16": Crafted(ALARMS, body(PADDED.decode().encode("utf-16"))),
    "a byte order mark": Crafted(ALARMS, body(b"\xef\xbb\xbf" + PADDED)),
    "an overlong letter": Crafted(ALARMS, body(PADDED.replace(b"p99", b"p\xc0\xb99"))),
    "another character set": Crafted(
        ALARMS, text("x-amz-json-1.0", "x-amz-json-1.0; charset=utf-16")
    ),
    "an operation spelled with escapes": Crafted(
        MACHINES,
        text("Action=DescribeInstances", "Action=%54erminateInstances"),
        "TerminateInstances",
    ),
    "an operation escaped twice": Crafted(
        MACHINES, text("Action=DescribeInstances", "Action=%2554erminateInstances")
    ),
    "a name of JSON spelled with escapes": Crafted(
        ALARMS, said('{"\\u0041larmNames": ["p99"]}'), means=("DescribeAlarms", AS_JSON)
    ),
    "half a surrogate pair": Crafted(ALARMS, said('{"AlarmNames": ["\\ud800"]}')),
    "a form with semicolons": Crafted(MACHINES, text("&InstanceId.1=", ";InstanceId.1=")),
    "a form in lower-case escapes": Crafted(
        ("rds", "describe_db_instances", {"DBInstanceIdentifier": "a/b"}), text("%2F", "%2f")
    ),
    "chunks of AWS that are none": Crafted(PUT, header("Content-Encoding: aws-chunked")),
    "chunks of AWS with another length": Crafted(
        PUT,
        both(
            header("Content-Encoding: aws-chunked"),
            header("x-amz-decoded-content-length: 9"),
            header("x-amz-trailer: x-amz-checksum-crc32"),
            body(CHUNKED),
        ),
    ),
}

BODY_TYPE = {
    "a form that is said to be JSON": Crafted(ALARMS, body(DELETE), "DeleteAlarms"),
    "JSON that is said to be a form": Crafted(ALARMS, text("application/x-amz-json-1.0", FORM)),
    "another JSON version": Crafted(ALARMS, text("json-1.0", "json-1.1")),
    "JSON of REST": Crafted(ALARMS, text("application/x-amz-json-1.0", "application/json")),
    "no type": Crafted(ALARMS, without("content-type")),
    "XML": Crafted(ALARMS, body(b"<AlarmNames><member>p99</member></AlarmNames>", "text/xml")),
    "several parts": Crafted(
        MACHINES,
        body(
            b"--b\r\nContent-Disposition: form-data; name=Action"
            b"\r\n\r\nTerminateInstances\r\n--b--",
            "multipart/form-data; boundary=b",
        ),
        "TerminateInstances",
    ),
    "CBOR": Crafted(ALARMS, body(b"\xa1\x6aAlarmNames\x81\x63p99", "application/cbor")),
    "a list": Crafted(ALARMS, said('[{"AlarmNames": ["p99"]}]')),
    "a text": Crafted(ALARMS, said('"AlarmNames"')),
    "a text for a list": Crafted(ALARMS, said('{"AlarmNames": "p99"}')),
    "a number for a text": Crafted(ALARMS, said('{"AlarmNames": [99]}')),
    "a truth for a number": Crafted(ALARMS, said('{"MaxRecords": true}')),
    "a number in a text": Crafted(ALARMS, said('{"MaxRecords": "5"}')),
    "no number at all": Crafted(ALARMS, said('{"MaxRecords": NaN}')),
    "two documents": Crafted(ALARMS, said('{"AlarmNames": ["p99"]}{}')),
    "a member that nobody knows": Crafted(ALARMS, said('{"AlarmNames": ["p99"], "Nonsense": 1}')),
    "a member in another case": Crafted(ALARMS, said('{"alarmNames": ["p99"]}')),
    "nested a thousand deep": Crafted(ALARMS, said("[" * 1000 + "]" * 1000)),
    "XML with an entity": Crafted(
        DELETED,
        lambda data: body(
            b'<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
            + data.partition(b"\r\n\r\n")[2].replace(b"<Key>a", b"<Key>&e;")
        )(data),
    ),
}

S3_PATH = {
    "a step up": Crafted(OBJECT, text("/a/key HTTP", "/a/../../other/key HTTP")),
    "a step up, escaped": Crafted(OBJECT, text("/a/key HTTP", "/a/%2e%2e/%2E%2E/other/key HTTP")),
    "a step nowhere": Crafted(OBJECT, text("/a/key HTTP", "/a/./key HTTP")),
    "two slashes at the start": Crafted(
        OBJECT,
        text("/a/key HTTP", "//a/key HTTP"),
        means=("HeadObject", {"Bucket": "bucket", "Key": "/a/key"}),
    ),
    "a slash, escaped": Crafted(OBJECT, text("/a/key HTTP", "/a%2Fkey HTTP")),
    "an escape, escaped": Crafted(
        OBJECT,
        text("/a/key HTTP", "/a%252Fkey HTTP"),
        means=("HeadObject", {"Bucket": "bucket", "Key": "a%2Fkey"}),
    ),
    "a plus": Crafted(OBJECT, text("/a/key HTTP", "/a+key HTTP")),
    "a question mark, escaped": Crafted(
        OBJECT,
        text("/a/key HTTP", "/a%3Facl HTTP"),
        means=("HeadObject", {"Bucket": "bucket", "Key": "a?acl"}),
    ),
    "a fragment": Crafted(OBJECT, text("/a/key HTTP", "/a/key#x HTTP")),
    "a backslash": Crafted(OBJECT, text("/a/key HTTP", "/a\\..\\key HTTP")),
    "parameters of a segment": Crafted(OBJECT, text("/a/key HTTP", "/a;x=1/key HTTP")),
    "an escape that is broken off": Crafted(OBJECT, text("/a/key HTTP", "/a/key% HTTP")),
    "letters that are no UTF-8": Crafted(OBJECT, text("/a/key HTTP", "/a/key%FF HTTP")),
    "no key, by DELETE": Crafted(
        ("s3", "delete_object", {"Bucket": "bucket", "Key": "a"}),
        text("/a HTTP", "/ HTTP"),
        "DeleteBucket",
        means=("DeleteBucket", {"Bucket": "bucket"}),
    ),
    "no bucket in the host": Crafted(
        OBJECT,
        text("bucket.s3.", "s3."),
        means=("HeadObject", {"Bucket": "a", "Key": "key"}),
    ),
    "a bucket of dots": Crafted(OBJECT, text("bucket.s3.", "..s3.")),
}

CLASSES = {
    "host against URL": HOST_AGAINST_URL,
    "framing": FRAMING,
    "encoding": ENCODING,
    "body type": BODY_TYPE,
    "S3 path": S3_PATH,
}
ROWS = {f"{named}: {what}": row for named, rows in CLASSES.items() for what, row in rows.items()}
FOOLED = {what: row for what, row in ROWS.items() if row.naive}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_it_is_refused_or_sent_as_it_was_judged(
    row: Crafted, check: Callable[[Crafted], None]
) -> None:
    """Nothing is sent, or the one thing that the request can mean is judged and sent."""
    check(row)


@pytest.mark.parametrize("row", FOOLED.values(), ids=FOOLED)
def test_control_moto_is_fooled_by_the_same_bytes(
    row: Crafted, check_control: Callable[[Crafted], None]
) -> None:
    """Forwarded, they would run an operation that is not the one of the genuine request."""
    check_control(row)


@pytest.mark.parametrize("named", CLASSES)
def test_every_class_has_what_was_found_and_five_more(named: str) -> None:
    """The tables stay as wide as they were meant to be."""
    assert len(CLASSES[named]) >= 12

"""Crafted requests, three of eight classes: what names the operation.

Every row is a genuine request of a real client with something done to its bytes. `naive` is the
control: the operation that moto, a reader as lenient as servers are, would run if it were handed
those bytes, where that is not what the request seems to ask for. `means` is for the rows that say
something definite in an unusual way: they may be judged as that, and as nothing else.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tools.crafting import FORM, Base, Crafted, body, both, form, header, line, said, text

ALARMS: Base = ("cloudwatch", "describe_alarms", {"AlarmNames": ["p99"]})
MACHINES: Base = ("ec2", "describe_instances", {"InstanceIds": ["i-1", "i-2"]})
FUNCTION: Base = ("lambda", "get_function", {"FunctionName": "f"})
INVOKED: Base = ("lambda", "invoke", {"FunctionName": "f", "Payload": b'{"a": 1}'})
OBJECT: Base = ("s3", "head_object", {"Bucket": "bucket", "Key": "a/key"})
ACL: Base = ("s3", "get_object_acl", {"Bucket": "bucket", "Key": "a/key"})
LISTED: Base = ("s3", "list_objects_v2", {"Bucket": "bucket", "Prefix": "a"})
DELETED: Base = (
    "s3",
    "delete_objects",
    {"Bucket": "bucket", "Delete": {"Objects": [{"Key": "a"}]}},
)

HOST = "monitoring.eu-west-1.amazonaws.com"
TARGET = "GraniteServiceVersion20100801."
DELETE = b"Action=DeleteAlarms&Version=2010-08-01&AlarmNames.member.1=p99"
DESCRIBE = b"Action=DescribeAlarms&Version=2010-08-01&AlarmNames.member.1=p99"

AN_ALARM = {
    "AlarmName": "p99",
    "ComparisonOperator": "GreaterThanThreshold",
    "EvaluationPeriods": 1,
    "MetricName": "Latency",
    "Namespace": "Shop",
    "Period": 60,
    "Statistic": "Average",
    "Threshold": 1.0,
}

MARKER = {
    "target says describe, form says delete": Crafted(ALARMS, body(DELETE, FORM), "DeleteAlarms"),
    "two targets": Crafted(ALARMS, header(f"X-Amz-Target: {TARGET}DeleteAlarms")),
    "two targets, other case": Crafted(ALARMS, header(f"x-AMZ-target: {TARGET}DeleteAlarms")),
    "two operations in one target": Crafted(
        ALARMS, text("DescribeAlarms", "DescribeAlarms.DeleteAlarms"), "DeleteAlarms"
    ),
    "a list of targets": Crafted(
        ALARMS, text("DescribeAlarms", f"DescribeAlarms, {TARGET}DeleteAlarms"), "DeleteAlarms"
    ),
    "target of another service": Crafted(
        ALARMS, text(TARGET + "DescribeAlarms", "AmazonSQS.DeleteQueue"), "DeleteQueue"
    ),
    "target without its service": Crafted(
        ALARMS, text(TARGET + "DescribeAlarms", "DeleteAlarms"), "DeleteAlarms"
    ),
    "target in another case": Crafted(ALARMS, text("DescribeAlarms", "describealarms")),
    "target and the path of an RPC": Crafted(
        ALARMS,
        both(
            header("smithy-protocol: rpc-v2-cbor"),
            text(
                f"http://{HOST}/",
                f"http://{HOST}/service/GraniteServiceVersion20100801/operation/DeleteAlarms",
            ),
        ),
    ),
    "path of an RPC, target of another call": Crafted(
        ALARMS,
        text(f"{HOST}/ ", f"{HOST}/service/GraniteServiceVersion20100801/operation/DeleteAlarms "),
    ),
    "another method in a header": Crafted(OBJECT, header("X-HTTP-Method-Override: DELETE")),
    "another method in a header of RPC": Crafted(ALARMS, header("X-HTTP-Method: DELETE")),
    "a target on a REST service": Crafted(
        FUNCTION, header("X-Amz-Target: AWSLambda.DeleteFunction"), "DeleteFunction"
    ),
    "a form on a REST service, whose payload it is": Crafted(
        INVOKED,
        body(b"Action=DeleteFunction", FORM),
        "DeleteFunction",
        means=("Invoke", {"FunctionName": "f", "Payload": b"Action=DeleteFunction"}),
    ),
}

DUPLICATES = {
    "action twice, delete first": Crafted(
        ALARMS, form(DELETE + b"&Action=DescribeAlarms"), "DeleteAlarms"
    ),
    "action twice, delete last": Crafted(ALARMS, form(DESCRIBE + b"&Action=DeleteAlarms")),
    "action twice, one spelled with escapes": Crafted(
        ALARMS, form(b"Act%69on=DeleteAlarms&" + DESCRIBE), "DeleteAlarms"
    ),
    "a field of a form twice": Crafted(
        MACHINES, lambda data: body(data.partition(b"\r\n\r\n")[2] + b"&InstanceId.1=i-9")(data)
    ),
    "an index of a form twice": Crafted(
        MACHINES, lambda data: body(data.partition(b"\r\n\r\n")[2] + b"&InstanceId.01=i-9")(data)
    ),
    "a version of a form twice": Crafted(
        MACHINES, lambda data: body(data.partition(b"\r\n\r\n")[2] + b"&Version=2010-01-01")(data)
    ),
    "a name of JSON twice": Crafted(ALARMS, said('{"AlarmNames": ["a"], "AlarmNames": ["b"]}')),
    "a name of JSON twice, once with escapes": Crafted(
        ALARMS, said('{"AlarmNames": ["a"], "\\u0041larmNames": ["b"]}')
    ),
    "a name of JSON twice, deep inside": Crafted(
        ("ecs", "list_tasks", {"cluster": "c"}),
        said('{"cluster": "c", "nextToken": {"a": 1, "a": 2}}'),
    ),
    "an element of XML twice": Crafted(DELETED, text("<Key>a</Key>", "<Key>a</Key><Key>b</Key>")),
    "a query parameter twice": Crafted(LISTED, text("prefix=a", "prefix=a&prefix=b")),
    "a query parameter of the operation's name twice": Crafted(
        ("apigateway", "import_rest_api", {"body": b"{}"}),
        text("mode=import", "mode=import&failonwarnings=true&mode=true"),
    ),
    "a REST header twice": Crafted(
        ("s3", "copy_object", {"Bucket": "b1x", "Key": "k", "CopySource": "b2x/k"}),
        header("x-amz-copy-source: b3x/k"),
    ),
    "two signatures": Crafted(
        ALARMS,
        header(
            "Authorization: AWS4-HMAC-SHA256 Credential=AKIDRUN/20260131/eu-west-1/logs/"
            f"aws4_request, SignedHeaders=host, Signature={'0' * 64}"
        ),
    ),
}

QUERY_AGAINST_BODY = {
    "query says describe, body says delete": Crafted(
        ALARMS,
        both(form(DELETE), line(f"POST http://{HOST}/?{DESCRIBE.decode()} HTTP/1.1")),
        "DeleteAlarms",
    ),
    "query says delete, JSON says describe": Crafted(
        ALARMS, line(f"POST http://{HOST}/?{DELETE.decode()} HTTP/1.1"), "DeleteAlarms"
    ),
    "query says delete, no body": Crafted(
        ALARMS,
        both(form(b""), line(f"POST http://{HOST}/?{DELETE.decode()} HTTP/1.1")),
        "DeleteAlarms",
    ),
    "query says delete, by GET": Crafted(
        ALARMS,
        both(form(b""), line(f"GET http://{HOST}/?{DELETE.decode()} HTTP/1.1")),
        "DeleteAlarms",
    ),
    "a parameter in the query of a form": Crafted(
        MACHINES,
        line("POST http://ec2.eu-west-1.amazonaws.com/?InstanceId.3=i-3 HTTP/1.1"),
    ),
    "an empty query": Crafted(ALARMS, line(f"POST http://{HOST}/? HTTP/1.1")),
    "three subresources of S3 at once": Crafted(
        LISTED, text("?list-type=2", "?list-type=2&versioning&acl&x=")
    ),
    "a subresource beside a list": Crafted(LISTED, text("?list-type=2", "?list-type=2&acl")),
    "a delete beside an ACL": Crafted(ACL, text("?acl", "?acl&delete")),
    "an object's header on another subresource": Crafted(ACL, header("x-amz-copy-source: b/k")),
    "a member of the path in the query": Crafted(
        FUNCTION, text("/functions/f", "/functions/f?FunctionName=g")
    ),
    "a body on a request that has none": Crafted(FUNCTION, body(b'{"FunctionName": "g"}')),
    "a presigned URL around a signed call": Crafted(
        OBJECT,
        text("/a/key ", f"/a/key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature={'0' * 64} "),
    ),
}

CLASSES = {
    "marker": MARKER,
    "duplicates": DUPLICATES,
    "query against body": QUERY_AGAINST_BODY,
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


RESEARCHED = (
    "marker: target says describe, form says delete",
    "duplicates: action twice, delete first",
    "query against body: query says describe, body says delete",
)


@pytest.mark.parametrize("what", RESEARCHED)
def test_control_moto_deletes_the_alarm(
    what: str, on_the_wire: Callable[..., bytes], moto_answers: Callable[[bytes], str]
) -> None:
    """Not only named wrong: what looks like a read is done as a change."""
    described = on_the_wire(*ALARMS)
    moto_answers(on_the_wire("cloudwatch", "put_metric_alarm", AN_ALARM))
    assert "p99" in moto_answers(described)
    moto_answers(ROWS[what].edit(described))
    assert "p99" not in moto_answers(described)


@pytest.mark.parametrize("named", CLASSES)
def test_every_class_has_what_was_found_and_five_more(named: str) -> None:
    """The tables stay as wide as they were meant to be."""
    assert len(CLASSES[named]) >= 12

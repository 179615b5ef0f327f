"""What a parameter says of a resource, in all the ways that a service takes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.iam.globs import UNKNOWN_PART as U
from core.iam.names import READERS, Place

PLACE = Place("aws", "us-east-1", "123456789012")
LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:"
KEYS = "arn:aws:kms:us-east-1:123456789012:key/"
KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"
QUEUE = "arn:aws:sqs:us-east-1:999999999999:jobs"


@pytest.mark.parametrize(
    ("reader", "value", "expected"),
    [
        ("name", "web-1", "web-1"),
        ("name", "a/b", U),
        ("name", "a:b", U),
        ("name", "a*", U),
        ("name", "wéb", U),
        ("account", "999999999999", "999999999999"),
        ("account", "-", U),
        ("account", "9", U),
        ("path", "team/web", "team/web"),
        ("path", "team//web", U),
        ("bucket", "web", "arn:aws:s3:::web"),
        ("bucket", "web.example.com", "arn:aws:s3:::web.example.com"),
        ("bucket", "a-s3alias", U),
        ("bucket", "a--use1-az4--x-s3", U),
        ("bucket", "arn:aws:s3:us-east-1:123456789012:accesspoint/a", U),
        ("bucket", "web/", U),
        ("source", "web/a/b", "arn:aws:s3:::web/a/b"),
        ("source", "/web/a%2Fb?versionId=x", "arn:aws:s3:::web/a/b"),
        ("source", "web", U),
        ("source", "arn:aws:s3:us-east-1:123456789012:accesspoint/a/object/b", U),
        ("function", "web", f"{LAMBDA}web"),
        ("function", "web:live", f"{LAMBDA}web:live"),
        ("function", f"{LAMBDA}web:$LATEST", f"{LAMBDA}web:$LATEST"),
        ("function", "123456789012:function:web", f"{LAMBDA}web"),
        ("function", "arn:aws:lambda:web", U),
        ("function", "arn:aws-cn:lambda:cn-north-1:123456789012:function:web", U),
        ("function", "999999999999:web", U),
        ("function", "function:web", U),
        ("function", "us-west-2:web", U),
        ("function", "a:b:c:d", U),
        ("qualifier", "live", ":live"),
        ("qualifier", "li:ve", U),
        ("queue", "https://sqs.us-east-1.amazonaws.com/999999999999/jobs", QUEUE),
        ("queue", "https://evil.example/999999999999/jobs", QUEUE),
        ("queue", "https://sqs/999999999999/jobs.fifo", f"{QUEUE}.fifo"),
        ("queue", "https://sqs/999999999999/jobs/../pay", U),
        ("queue", "jobs", U),
        ("queue", "https://[", U),
        ("secret", "db", f"{SECRET}db-{U}"),
        ("secret", f"{SECRET}db-AbCdEf", f"{SECRET}db-AbCdEf"),
        ("secret", f"{SECRET}db", U),
        ("secret", SECRET.replace("east", "west") + "db-AbCdEf", U),
        ("parameter", "/web/key", "web/key"),
        ("parameter", "web:3", "web"),
        ("parameter", "/", U),
        ("key", KEY, f"{KEYS}{KEY}"),
        ("key", f"{KEYS}{KEY}", f"{KEYS}{KEY}"),
        ("key", "alias/web", f"{KEYS}{U}"),
        ("key", "arn:aws:kms:us-east-1:123456789012:alias/web", U),
        ("zone", "/hostedzone/Z1", "Z1"),
        ("zone", "Z1", "Z1"),
        ("zone", "Z1/x", U),
    ],
)
def test_readers(reader: str, value: str, expected: str) -> None:
    """A value is understood as AWS would, or it is unknown."""
    assert READERS[reader](value, PLACE) == expected


@given(st.sampled_from(sorted(READERS)), st.text(max_size=40))
def test_no_value_breaks_a_reader(reader: str, value: str) -> None:
    """Whatever a script sends, there is an answer, and it never is a wildcard."""
    found = READERS[reader](value, PLACE)

    assert found != ""
    assert reader == "source" or "*" not in found

"""Links that a script presigns: followed as the call that they are, or refused.

Every row begins with a link that a real client made with the run's key, and that is accepted: the
control of what is done to it.
"""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Callable
from contextlib import nullcontext
from time import strptime
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.config import Config
from botocore.session import Session

from sandbox.errors import Unidentified
from sandbox.gateway.links import without_link
from sandbox.job import SCRIPT_SECRET

KEY = "AKIDRUN"
REGION = "eu-west-1"
OBJECT = {"Bucket": "logs-1", "Key": "a b/c+d"}
EDITED = "X-Amz-Expires=300"


def link(method: str, parameters: dict[str, Any], service: str = "s3", **made: Any) -> str:
    """Return a link of a real client, for five minutes; `made` are its settings."""
    said = {"secret": SCRIPT_SECRET, "key": KEY, "signature": "s3v4", "seconds": 300, **made}
    client = Session().create_client(
        service,
        region_name=said.get("region", REGION),
        use_ssl=False,
        aws_access_key_id=said["key"],
        aws_secret_access_key=said["secret"],
        aws_session_token=said.get("token"),
        config=Config(
            signature_version=said["signature"], response_checksum_validation="when_required"
        )
        if service == "s3"
        else None,
    )
    return str(client.generate_presigned_url(method, parameters, ExpiresIn=said["seconds"]))


def asking(url: str, method: str = "GET", more: str = "", body: bytes = b"") -> bytes:
    """Return what a plain HTTP client sends to its proxy for a link."""
    host = urlsplit(url).netloc
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    head = f"{method} {url} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: x\r\n{more}{length}\r\n"
    return head.encode() + body


FOLLOWED: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "an object": ("s3.GetObject", "get_object", OBJECT, {}),
    "an object's version": (
        "s3.GetObject",
        "get_object",
        {**OBJECT, "VersionId": "v1", "ResponseContentType": "text/csv"},
        {},
    ),
    "a bucket in the path": ("s3.GetObject", "get_object", {"Bucket": "a.b", "Key": "k"}, {}),
    "another region": ("s3.GetObject", "get_object", OBJECT, {"region": "us-east-1"}),
    "a list": ("s3.ListBuckets", "list_buckets", {}, {}),
    "another service": (
        "lambda.GetFunction",
        "get_function",
        {"FunctionName": "f"},
        {"service": "lambda"},
    ),
}


@pytest.mark.parametrize("row", FOLLOWED.values(), ids=FOLLOWED)
def test_a_link_is_the_call_that_it_is(gateway: Any, row: Any) -> None:
    """It is judged with exactly its parameters, and sent signed in its headers, in its region."""
    name, method, parameters, made = row
    tried = gateway.ask(asking(link(method, parameters, **made)))
    [call], [sent] = tried.judged, tried.sent
    assert f"{call.service}.{call.operation}" == name
    assert call.parameters == parameters
    assert call.region == made.get("region", REGION)
    assert "X-Amz-" not in sent.url
    assert KEY not in dict(sent.headers)["Authorization"]


def test_an_upload_by_a_link_is_the_call_with_its_headers(gateway: Any) -> None:
    """Whoever follows it has to send what it is signed with, as with AWS."""
    given = {**OBJECT, "ACL": "private", "ContentType": "text/plain", "Metadata": {"a": "b"}}
    url = link("put_object", given)
    more = "x-amz-acl: private\r\nx-amz-meta-a: b\r\nContent-Type: text/plain\r\n"
    tried = gateway.ask(asking(url, "PUT", more, b"text"))
    [call] = tried.judged
    assert dict(call.parameters) == {**given, "Body": b"text", "ContentLength": 4}
    assert tried.sent[0].body == b"text"
    assert gateway.ask(asking(url, "PUT", more.replace("private", "public-read"), b"t")).refused
    assert gateway.ask(asking(url, "PUT", more.partition("\r\n")[2], b"t")).refused


def replaced(old: str, new: str) -> Callable[[str], bytes]:
    """Return what asks for a link in which something is another."""

    def ask(url: str) -> bytes:
        assert old in url
        return asking(url.replace(old, new))

    return ask


def header(line: str) -> Callable[[str], bytes]:
    """Return what asks for a link with a header more."""
    return lambda url: asking(url, more=f"{line}\r\n")


def twice(name: str) -> Callable[[str], bytes]:
    """Return what asks for a link that has a parameter of its signature twice."""

    def ask(url: str) -> bytes:
        [part] = re.findall(rf"{name}=[^&]*", url)
        return asking(f"{url}&{part}")

    return ask


def without(name: str) -> Callable[[str], bytes]:
    """Return what asks for a link that lacks a parameter of its signature."""
    return lambda url: asking(re.sub(rf"{name}=[^&]*&?", "", url).rstrip("&?"))


SIGNED = (
    f"Authorization: AWS4-HMAC-SHA256 Credential={KEY}/20260131/{REGION}/s3/aws4_request, "
    f"SignedHeaders=host, Signature={'0' * 64}"
)
NAMES = ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")
REFUSED: dict[str, tuple[Callable[[str], bytes], bytes]] = {
    "signed in its headers, too": (header(SIGNED), b"in its headers, too"),
    "another object": (replaced("c%2Bd", "c%2Be"), b"not what was signed"),
    "another spelling": (replaced("c%2Bd", "c%2bd"), b"not what was signed"),
    "another bucket": (replaced("logs-1.", "logs-2."), b"not what was signed"),
    "another region": (replaced(REGION, "eu-west-2"), b"not what was signed"),
    "another service": (replaced("%2Fs3%2F", "%2Fec2%2F"), b"not what was signed"),
    "another key": (replaced("AKIDRUN%2F", "AKIDRUM%2F"), b"not what was signed"),
    "more time": (replaced(EDITED, "X-Amz-Expires=3000"), b"not what was signed"),
    "ever so much time": (replaced(EDITED, "X-Amz-Expires=604801"), b"more than seven days"),
    "time without end": (replaced(EDITED, "X-Amz-Expires=-1"), b"is not one of SigV4"),
    "a subresource more": (replaced("?", "?acl&"), b"not what was signed"),
    "a parameter behind": (lambda url: asking(f"{url}&versionId=v"), b"not what was signed"),
    "an empty one": (lambda url: asking(f"{url}&"), b"not what was signed"),
    "a fragment": (lambda url: asking(f"{url}#x"), b"is not one of SigV4"),
    "another method": (lambda url: asking(url, "DELETE"), b"not what was signed"),
    "a header of AWS that is not signed": (
        header("x-amz-request-payer: requester"),
        b"is not signed with it",
    ),
    "another Host": (
        lambda url: asking(url).replace(b"Host: logs-1", b"Host: logs-2"),
        b"not what was signed",
    ),
    "another host, and the Host header as it was": (
        lambda url: asking(url).replace(b"http://logs-1", b"http://logs-2"),
        b"names another host",
    ),
    "a host in half a bracket": (
        lambda url: asking(url).replace(b"http://logs-1", b"http://[logs-1"),
        b"the name of a host",
    ),
    "a host in brackets": (
        lambda url: asking(url).replace(b"http://logs-1", b"http://[::1]"),
        b"the name of a host",
    ),
    "signed with a header that is missing": (
        replaced("SignedHeaders=host", "SignedHeaders=host%3Bx-amz-acl"),
        b"which is missing",
    ),
    "not signed with its host": (
        replaced("SignedHeaders=host", "SignedHeaders=user-agent"),
        b"which is missing",
    ),
    "a header named twice": (
        replaced("SignedHeaders=host", "SignedHeaders=host%3Bhost"),
        b"is not one of SigV4",
    ),
    "SigV4A": (replaced("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), b"is not one of SigV4"),
    "a date that is none": (replaced("X-Amz-Date=2", "X-Amz-Date=x"), b"is not one of SigV4"),
    "signed on another day": (
        lambda url: asking(re.sub(r"%2F[0-9]{8}%2F", "%2F20260131%2F", url)),
        b"another day",
    ),
    "a key in another case": (replaced("X-Amz-Date=", "x-amz-date="), b"is missing"),
    "a key that is escaped": (replaced("X-Amz-Signature", "X%2DAmz-Signature"), b"not signed in"),
    **{f"{name} twice": (twice(f"X-Amz-{name}"), b"more than once") for name in NAMES},
    **{
        f"no {name}": (without(f"X-Amz-{name}"), b"is missing")
        for name in NAMES
        if name != "Signature"
    },
    "no Signature": (without("X-Amz-Signature"), b"not signed in its headers"),
}


@pytest.mark.parametrize(("edit", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_link_that_was_changed_is_refused(
    gateway: Any, edit: Callable[[str], bytes], reason: bytes
) -> None:
    """Nothing is judged and nothing sent, and the reason says what is wrong; as it was, it goes."""
    url = link("get_object", OBJECT)
    assert [call.operation for call in gateway.ask(asking(url)).judged] == ["GetObject"]
    tried = gateway.ask(edit(url))
    assert tried.refused
    assert tried.judged == []
    assert reason in tried.answer


MADE_OTHERWISE: dict[str, tuple[dict[str, Any], bytes]] = {
    "with another secret": ({"secret": "another"}, b"not with the key of this run"),
    "with another key": ({"key": "AKIDRUM"}, b"another key than the one of this run"),
    "with a session's token": ({"token": "t"}, b"unknown query parameter"),
    "with SigV2": ({"signature": "s3"}, b"presigned in a way that is not followed"),
}


@pytest.mark.parametrize(("made", "reason"), MADE_OTHERWISE.values(), ids=MADE_OTHERWISE)
def test_a_link_that_was_made_otherwise_is_refused(
    gateway: Any, made: dict[str, Any], reason: bytes
) -> None:
    """Only SigV4 with the one key of the run is followed."""
    tried = gateway.ask(asking(link("get_object", OBJECT, **made)))
    assert tried.refused
    assert tried.judged == []
    assert reason in tried.answer


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [(-890, ""), (0, ""), (290, ""), (310, "it has expired"), (-1000, "has not come yet")],
)
def test_a_link_has_its_time(seconds: int, reason: str) -> None:
    """Five minutes here, and a quarter of an hour before it for clocks that go wrong."""
    url = link("get_object", OBJECT)
    [made] = re.findall(r"X-Amz-Date=(\w+)", url)
    now = timegm(strptime(made, "%Y%m%dT%H%M%SZ")) + seconds
    headers = [("Host", urlsplit(url).netloc)]
    with pytest.raises(Unidentified, match=reason) if reason else nullcontext():
        without_link("GET", url, headers, b"", now)


def test_a_form_to_a_bucket_is_refused(gateway: Any) -> None:
    """A POST policy is no call of any client, and stays refused."""
    fields = f"x-amz-credential={KEY}/20260131/{REGION}/s3/aws4_request&policy=e30=".encode()
    kind = "Content-Type: multipart/form-data; boundary=x\r\n"
    tried = gateway.ask(asking("http://logs-1.s3.eu-west-1.amazonaws.com/", "POST", kind, fields))
    assert tried.refused
    assert tried.judged == []

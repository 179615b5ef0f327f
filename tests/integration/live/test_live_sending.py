"""What leaves for AWS and what comes back: endpoints, redirects, streams, and what goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest

from core.upstream.wire import Wire
from sandbox.job import AwsCall, Credentials, Response

REGION = "eu-west-1"
KEY = "AKIACANARYCANARYCANA"
SECRET = "canary/secret+canary/secret+canary/secr"
ALARMS = AwsCall("cloudwatch", "DescribeAlarms", REGION, {"MaxRecords": 5})
OBJECT = AwsCall("s3", "GetObject", REGION, {"Bucket": "logs", "Key": "a/b.txt"})

Make = Callable[..., Any]


def whole(response: Response) -> bytes:
    """Return all of an answer's body."""
    return response.body + b"".join(response.stream or ())


def endpoint(aws: Any, live: Any, call: AwsCall) -> tuple[str, str, str]:
    """Send a call; return the host it went to, its path, and the region it was signed for."""
    aws.answer = lambda _: aws.reply(200, b"")
    whole(live.send(call))
    arrived = aws.arrived[-1]
    return arrived.host, arrived.path, arrived.scope[2]


def test_endpoints_are_regional_or_global_as_the_rules_say(aws: Any, live: Make) -> None:
    """One request each, signed with the operator's key for the endpoint's region."""
    upstream = live()

    assert endpoint(aws, upstream, ALARMS) == ("monitoring.eu-west-1.amazonaws.com", "/", REGION)
    there = endpoint(aws, upstream, AwsCall("iam", "ListUsers", "us-east-1", {}))
    assert there == ("iam.amazonaws.com", "/", "us-east-1")
    assert {arrived.scope[0] for arrived in aws.arrived} == {KEY}
    assert set(aws.tunnels) == {f"{arrived.host}:443" for arrived in aws.arrived}


@pytest.mark.parametrize(
    ("variable", "hosts"),
    [
        ("DUALSTACK", ["ec2.eu-west-1.api.aws", "logs.s3.dualstack.eu-west-1.amazonaws.com"]),
        ("FIPS", ["ec2-fips.eu-west-1.amazonaws.com", "logs.s3-fips.eu-west-1.amazonaws.com"]),
    ],
)
def test_the_operator_chooses_the_kind_of_endpoint(
    aws: Any, profiles: Any, live: Make, variable: str, hosts: list[str]
) -> None:
    """Dualstack and FIPS are settings of the operator, whatever the script had set."""
    profiles.set(f"AWS_USE_{variable}_ENDPOINT", "true")
    upstream = live()

    calls = [AwsCall("ec2", "DescribeInstances", REGION, {}), OBJECT]
    assert [endpoint(aws, upstream, call)[0] for call in calls] == hosts


def test_a_setting_of_the_profile_counts_too(aws: Any, profiles: Any, live: Make) -> None:
    """What ~/.aws/config says of endpoints holds, but for endpoint addresses."""
    profiles.config(
        "[profile oncall]\nregion = eu-west-1\nuse_fips_endpoint = true\n"
        "endpoint_url = https://elsewhere.example\n"
    )

    assert endpoint(aws, live(), ALARMS)[0] == "monitoring-fips.eu-west-1.amazonaws.com"
    assert not any("example" in tunnel for tunnel in aws.tunnels)


def test_buckets_are_hosts_where_tls_allows_it(aws: Any, live: Make) -> None:
    """A bucket with dots is in the path, since no certificate would match it."""
    upstream = live()

    assert endpoint(aws, upstream, OBJECT)[:2] == ("logs.s3.eu-west-1.amazonaws.com", "/a/b.txt")
    dotted = AwsCall("s3", "GetObject", REGION, {"Bucket": "logs.example", "Key": "a"})
    assert endpoint(aws, upstream, dotted)[:2] == ("s3.eu-west-1.amazonaws.com", "/logs.example/a")


# ------------------------------------------------------------------ where buckets lie
def lies_in(aws: Any, region: str, moved: Any) -> None:
    """Have S3 answer `moved` to whoever asks for the bucket anywhere else."""

    def answer(arrived: Any) -> Any:
        if arrived.scope[3] != "s3":
            return None
        return aws.reply(200, b"here") if arrived.scope[2] == region else moved

    aws.answer = answer


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (301, {"x-amz-bucket-region": "us-east-1"}, b""),
        (307, {"x-amz-bucket-region": "us-east-1"}, b""),
        (400, {}, b"<Error><Code>X</Code><Region>us-east-1</Region></Error>"),
    ],
)
def test_a_call_goes_to_where_its_bucket_lies(
    aws: Any, live: Make, status: int, headers: dict[str, str], body: bytes
) -> None:
    """Once S3 has said where, and from then on at once; an address in the answer is not used."""
    moved = aws.reply(status, body, {**headers, "Location": "https://elsewhere.example/"})
    lies_in(aws, "us-east-1", moved)
    upstream = live()

    assert whole(upstream.send(OBJECT)) == b"here"
    assert whole(upstream.send(OBJECT)) == b"here"
    assert [each.scope[2] for each in aws.of("s3")] == [REGION, "us-east-1", "us-east-1"]
    assert not any("example" in tunnel for tunnel in aws.tunnels)


def test_a_head_says_where_its_bucket_lies_in_a_header(aws: Any, live: Make) -> None:
    """HEAD has no body to say it in."""
    lies_in(aws, "us-east-1", aws.reply(400, b"", {"x-amz-bucket-region": "us-east-1"}))

    head = AwsCall("s3", "HeadObject", REGION, {"Bucket": "logs", "Key": "a"})
    assert live().send(head).status == 200


def test_a_bucket_in_a_region_that_is_not_allowed_stays_there(aws: Any, live: Make) -> None:
    """The judge refuses the region: the script gets S3's own answer."""
    lies_in(aws, "us-east-1", aws.reply(301, b"", {"x-amz-bucket-region": "us-east-1"}))

    assert live(allowed=[REGION]).send(OBJECT).status == 301
    assert len(aws.of("s3")) == 1


def test_buckets_that_point_at_each_other_are_asked_twice_at_most(aws: Any, live: Make) -> None:
    """No answer can make the gateway go round in circles."""
    aws.answer = lambda arrived: (
        aws.reply(301, b"", {"x-amz-bucket-region": {REGION: "us-east-1"}.get(each, REGION)})
        if (each := arrived.scope[2]) and arrived.scope[3] == "s3"
        else None
    )

    assert live().send(OBJECT).status == 301
    assert len(aws.of("s3")) == 2


# ------------------------------------------------------------------ answers
def test_throttling_is_passed_through(aws: Any, live: Make) -> None:
    """With its headers, and after one request: the script's own client decides about another."""
    upstream = live()
    aws.answer = lambda _: aws.fail(
        400, "Throttling", {"Retry-After": "3", "x-amzn-RequestId": "r"}
    )

    response = upstream.send(ALARMS)

    assert response.status == 400
    assert b"<Code>Throttling</Code>" in response.body
    assert (response.headers["Retry-After"], response.headers["x-amzn-RequestId"]) == ("3", "r")
    assert len(aws.of("monitoring")) == 1


def test_bodies_are_handed_on_as_they_are(aws: Any, live: Make) -> None:
    """An object that is stored packed stays packed."""
    upstream = live()
    aws.answer = lambda _: aws.reply(200, b"\x1f\x8bpacked", {"Content-Encoding": "gzip"})

    response = upstream.send(OBJECT)

    assert whole(response) == b"\x1f\x8bpacked"
    assert response.headers["Content-Encoding"] == "gzip"


def test_a_stream_is_handed_on_while_it_arrives(aws: Any, live: Make) -> None:
    """Each piece is here before the next one was made; nothing waits for the end."""
    upstream, more = live(), threading.Semaphore(0)

    def pieces() -> Iterator[bytes]:
        for number in range(3):
            more.acquire(timeout=20)
            yield b"%d" % number

    aws.answer = lambda _: aws.reply(200, pieces=pieces())
    more.release()
    response = upstream.send(OBJECT)

    got = []
    for piece in response.stream:
        got.append(piece)
        more.release()
    assert got == [b"0", b"1", b"2"]


def test_a_large_object_passes_in_small_pieces(aws: Any, live: Make) -> None:
    """20 MB arrive whole, never more than 64 KiB at a time, and nothing of it is in the body."""
    upstream, content = live(), b"0123456789abcdef" * (20 * 1024 * 64)
    aws.answer = lambda _: aws.reply(200, content)

    response = upstream.send(OBJECT)
    pieces = list(response.stream)

    assert response.body == b""
    assert b"".join(pieces) == content
    assert max(map(len, pieces)) <= 64 * 1024


def test_a_stream_that_is_closed_early_lets_go(aws: Any, live: Make) -> None:
    """The rest is not read, closing twice is fine, and the next call gets its own answer."""
    upstream = live()
    aws.answer = lambda _: aws.reply(200, b"x" * 1_000_000)

    response = upstream.send(OBJECT)
    next(response.stream)
    response.stream.close()
    response.stream.close()

    assert list(response.stream) == []
    assert len(whole(upstream.send(OBJECT))) == 1_000_000


def test_what_breaks_off_is_no_answer(aws: Any, live: Make) -> None:
    """Shorter than announced: a stream raises OSError, anything else is refused."""
    upstream = live()
    aws.answer = lambda _: aws.reply(200, b"half", {"Content-Length": "8", "Connection": "close"})

    with pytest.raises(OSError, match="4 bytes before the end"):
        whole(upstream.send(OBJECT))
    with pytest.raises(ValueError, match="whether the call was carried out is not known"):
        upstream.send(ALARMS)


# ------------------------------------------------------------------ what goes wrong
def test_an_authority_that_is_not_trusted_is_refused(
    profiles: Any, live: Make, tmp_path: Path
) -> None:
    """A certificate of somebody else: nothing is sent."""
    upstream = live()
    upstream._wire = Wire("aws", "")

    with pytest.raises(ValueError, match="not signed by an authority that is trusted"):
        upstream.send(ALARMS)


def test_a_proxy_that_is_not_there_is_named(profiles: Any, live: Make) -> None:
    """The reason says which variable to look at."""
    upstream = live()
    profiles.set("HTTPS_PROXY", "http://127.0.0.1:1")
    upstream._wire = Wire("aws", str(profiles.environment["AWS_CA_BUNDLE"]))

    with pytest.raises(ValueError, match="HTTPS_PROXY"):
        upstream.send(ALARMS)


def test_a_host_that_hangs_up_is_told(aws: Any, live: Make) -> None:
    """Whether the call was carried out can't be known then, and that is said."""
    upstream = live()

    def answer(_: Any) -> Any:
        raise ConnectionResetError

    aws.answer = answer

    with pytest.raises(ValueError, match="before it answered; whether the call was carried out"):
        upstream.send(ALARMS)


def test_a_clock_that_is_off_is_explained(aws: Any, live: Make) -> None:
    """By how much, in the place of AWS's own words."""
    upstream = live()
    old = {"Date": "Sat, 01 Jan 2000 00:00:00 GMT"}
    aws.answer = lambda _: aws.fail(403, "RequestTimeTooSkewed", old)

    with pytest.raises(ValueError, match=r"s ahead of AWS's.*timedatectl"):
        upstream.send(ALARMS)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, b"<Error><Code>SignatureDoesNotMatch</Code><Canonical>41 4b</Canonical></Error>"),
        ({}, b'{"__type":"com.amazon.coral.service#UnrecognizedClientException"}'),
        ({"x-amzn-ErrorType": "ExpiredTokenException:http://x"}, b"{}"),
        ({}, f"<Error><Code>InvalidToken</Code><Token-0>{SECRET}</Token-0></Error>".encode()),
        ({}, f'{{"__type":"Odd","message":"{KEY}"}}'.encode()),
    ],
)
def test_errors_about_the_keys_stop_here(
    aws: Any, live: Make, headers: dict[str, str], body: bytes
) -> None:
    """They quote what was signed, which neither script nor journal may see."""
    upstream = live()
    aws.answer = lambda _: aws.reply(403, body, headers)

    with pytest.raises(ValueError, match="AWS") as refused:
        upstream.send(OBJECT)
    assert not {KEY, SECRET} & set(str(refused.value).split())


def test_other_errors_are_passed_on(aws: Any, live: Make) -> None:
    """What the service says of the call belongs to the script."""
    upstream = live()
    aws.answer = lambda _: aws.fail(403, "AccessDenied")

    assert b"<Code>AccessDenied</Code>" in upstream.send(ALARMS).body


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/",
        "https://amazonaws.com.example.com/",
        "https://notamazonaws.com/",
        "http://monitoring.eu-west-1.amazonaws.com/",
        "https://monitoring.eu-west-1.amazonaws.com:8443/",
        "https://monitoring.cn-north-1.amazonaws.com.cn/",
        "https://user@example.com#.amazonaws.com/",
    ],
)
def test_no_other_host_is_contacted(aws: Any, profiles: Any, url: str) -> None:
    """Whatever a request says: the last wall before the network knows AWS's names."""
    request = AWSPreparedRequest("GET", url, {}, None, stream_output=False)

    with pytest.raises(ValueError, match=r"would not be reached by HTTPS|is not a host of AWS"):
        Wire("aws", str(aws.authority.bundle)).send(request, streams=False)
    assert aws.tunnels == []


def test_others_sign_with_their_own_keys(aws: Any, live: Make) -> None:
    """A call in the name of an identity that the run got keys of; without any it is refused."""
    other = AwsCall("cloudwatch", "DescribeAlarms", REGION, {}, "arn:aws:sts::1:assumed-role/a/b")
    aws.answer = lambda arrived: aws.reply(200) if arrived.scope[3] == "monitoring" else None

    live(principals=lambda _: Credentials("ASIAOTHER", "s", "t")).send(other)
    assert aws.of("monitoring")[0].scope[0] == "ASIAOTHER"
    with pytest.raises(ValueError, match="no credentials of arn:aws:sts::1"):
        live().send(other)

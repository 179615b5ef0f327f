"""One run's requests: judged, limited, recorded before they are answered, and otherwise refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from sandbox.gateway.deny import DENIED
from sandbox.gateway.frames import read_called, write_called
from sandbox.gateway.run import Request, Run, RunOver, RunPorts
from sandbox.job import OPERATOR, AwsCall, Called, Response, Verdict

AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=AKIDRUN/20260131/eu-west-1/monitoring/aws4_request, "
    f"SignedHeaders=host, Signature={'0' * 64}"
)
REQUEST = Request(
    "POST",
    "http://monitoring.eu-west-1.amazonaws.com/",
    (
        ("host", "monitoring.eu-west-1.amazonaws.com"),
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-target", "GraniteServiceVersion20100801.DescribeAlarms"),
        ("authorization", AUTHORIZATION),
    ),
    b'{"StateValue": "ALARM"}',
)
KEYS = {"AKIDRUN": OPERATOR}
CALL = AwsCall("cloudwatch", "DescribeAlarms", "eu-west-1", {"StateValue": "ALARM"})
ANSWER = Response(200, {"x-amzn-requestid": "R-1"}, b'{"MetricAlarms": []}')
ALLOWED = Verdict(allowed=True, reason="statement 1", tier=1, action="cloudwatch:DescribeAlarms")


class Here:
    """An upstream in this process that keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[AwsCall] = []

    def send(self, call: AwsCall) -> Response:
        self.asked.append(call)
        if call.parameters.get("MaxRecords") == 0:
            raise ValueError("MaxRecords is too small")
        return ANSWER


class Bench:
    """A run over `Here`, with everything that was told of it."""

    def __init__(
        self,
        judge: Callable[[AwsCall], Verdict] = lambda _: ALLOWED,
        aws_calls: int = 10,
        aws_bytes: int = 1000,
    ) -> None:
        self.upstream = Here()
        self.told: list[Called] = []
        self.intended: list[tuple[int, AwsCall, Verdict]] = []
        self.unwritable = ""
        self.after_intent: Callable[[], None] = lambda: None
        ports = RunPorts(judge, self.upstream, KEYS.get, aws_calls, aws_bytes)
        self.run = Run(ports, self.told.append, self.intend)

    def ask(self, request: Request = REQUEST) -> Response:
        with self.run.answer(request) as response:
            return response

    def intend(self, number: int, call: AwsCall, verdict: Verdict) -> None:
        self.intended.append((number, call, verdict))
        self.after_intent()
        if self.unwritable:
            raise OSError(self.unwritable)


def message(response: Response) -> str:
    """Return what the script is told, which must be a refusal of ours."""
    assert response.headers[DENIED] == "1"
    text: str = json.loads(response.body)["message"]
    return text


def test_an_allowed_call_is_sent_told_and_answered_as_it_came() -> None:
    """The script gets the upstream's bytes; the record holds call, verdict and answer."""
    bench = Bench()
    assert bench.ask() is ANSWER
    assert bench.upstream.asked == [CALL]
    (called,) = bench.told
    assert replace(called, ms=0) == Called(1, CALL, ALLOWED, 200, "R-1", 0, ANSWER)


def test_a_denied_call_is_told_and_never_sent() -> None:
    """What the policy denies reaches no upstream, and its reason reaches the script."""
    denied = replace(ALLOWED, allowed=False, reason="no statement allows it")
    bench = Bench(lambda _: denied)
    answer = bench.ask()
    assert (answer.status, message(answer)) == (400, "no statement allows it")
    assert bench.upstream.asked == []
    (called,) = bench.told
    assert (called.call, called.verdict, called.status, called.response) == (
        CALL,
        denied,
        400,
        None,
    )
    assert called.request_id == answer.headers["x-amzn-requestid"]


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (replace(REQUEST, method="GET"), "the method is 'GET'"),
        (replace(REQUEST, body=b"{"), "the JSON can't be read"),
        (replace(REQUEST, problem="a header is folded"), "a header is folded"),
        (
            replace(
                REQUEST,
                headers=tuple((n, v.replace("AKIDRUN", "AKIDRUN2")) for n, v in REQUEST.headers),
            ),
            "another key than the one of this run",
        ),
    ],
)
def test_what_cant_be_identified_is_refused_and_told(request_: Request, reason: str) -> None:
    """A request without one meaning, or of another run, is on record without a call."""
    bench = Bench()
    assert reason in message(bench.ask(request_))
    assert bench.upstream.asked == []
    (called,) = bench.told
    assert (called.call, called.verdict.allowed, called.verdict.tier) == (None, False, 4)


TIER_4 = replace(ALLOWED, tier=4, durable_first=True)


def test_a_call_that_must_be_on_disk_first_is_sent_when_it_is() -> None:
    """The intent is put on record with number, call and verdict before anything is sent."""
    bench = Bench(lambda _: TIER_4)
    assert bench.ask() is ANSWER
    assert bench.intended == [(1, CALL, TIER_4)]
    assert bench.told[0].verdict == TIER_4


def test_a_call_whose_intent_is_not_on_disk_is_not_sent() -> None:
    """The script and the record get the reason; later calls try again."""
    bench = Bench(lambda _: TIER_4)
    bench.unwritable = "no space left"
    assert message(bench.ask()) == "not sent: its intent is not on disk: no space left"
    assert bench.upstream.asked == []
    assert not bench.told[0].verdict.allowed
    bench.unwritable = ""
    assert bench.ask() is ANSWER


def test_nothing_is_sent_after_the_end_of_the_run() -> None:
    """A call whose intent came on disk when the run was over already stays unsent."""
    bench = Bench(lambda _: TIER_4)
    bench.after_intent = lambda: bench.run.end(0)
    assert message(bench.ask()) == "not sent: the run has ended"
    assert bench.upstream.asked == []


def test_a_call_that_cant_be_built_is_refused() -> None:
    """ValueError of the upstream means that nothing was sent, and is told so."""
    bench = Bench()
    answer = bench.ask(replace(REQUEST, body=b'{"MaxRecords": 0}'))
    assert message(answer) == "not sent: MaxRecords is too small"
    assert (bench.told[0].verdict.allowed, bench.told[0].response) == (False, None)


def test_the_limit_of_calls_counts_refused_ones_too() -> None:
    """After `aws_calls` requests of any kind nothing is sent, and the limit is named."""
    bench = Bench(aws_calls=2)
    bench.ask(replace(REQUEST, method="GET"))
    assert bench.ask() is ANSWER
    assert message(bench.ask()) == "the run's limit aws_calls (2) is used up"
    assert len(bench.upstream.asked) == 1
    assert [called.number for called in bench.told] == [1, 2, 3]


def test_a_script_in_a_loop_cant_fill_the_journal() -> None:
    """A hundred refusals beyond the limit are told; after that nobody answers."""
    bench = Bench(aws_calls=0)
    for _ in range(100):
        bench.ask()
    with pytest.raises(RunOver):
        bench.ask()
    assert len(bench.told) == 100


def test_an_answer_beyond_the_limit_of_bytes_is_withheld() -> None:
    """The answer that goes over `aws_bytes` is recorded, not handed over; no call is sent later."""
    bench = Bench(aws_bytes=len(ANSWER.body) + 1)
    assert bench.ask() is ANSWER
    assert "the answer is withheld: the run's limit aws_bytes (21)" in message(bench.ask())
    assert (bench.told[1].verdict.allowed, bench.told[1].response) == (False, ANSWER)
    assert message(bench.ask()) == "the run's limit aws_bytes (21) is used up"
    assert len(bench.upstream.asked) == 2


def test_when_nobody_records_nothing_is_forwarded() -> None:
    """A call that can't be told is not answered, and none is sent after it."""
    upstream = Here()

    def tell(called: Called) -> None:
        raise BrokenPipeError

    ports = RunPorts(lambda _: ALLOWED, upstream, KEYS.get, 10, 1000)
    run = Run(ports, tell, lambda *_: None)
    for _ in range(2):
        with pytest.raises(RunOver), run.answer(REQUEST):
            pass
    assert len(upstream.asked) == 1


@pytest.mark.parametrize("index", [0, 1])
def test_a_call_survives_its_frame(index: int) -> None:
    """What the gateway tells arrives as it was, parameters in plain form."""
    bench = Bench()
    bench.ask()
    bench.ask(replace(REQUEST, body=b"?"))
    assert read_called(write_called(bench.told[index])) == bench.told[index]


def test_a_large_upload_is_told_by_its_hash() -> None:
    """What is put into a frame, and so into the journal, is bounded for each value."""
    call = AwsCall("s3", "PutObject", "eu-west-1", {"Body": b"x" * 65_537, "Key": "k"})
    frame = write_called(Called(1, call, ALLOWED, 200, "", 0, None))
    told = read_called(frame).call
    assert told is not None
    assert told.parameters["Body"].startswith("sha256:")
    assert told.parameters["Body"].endswith(" (65537 bytes)")
    assert len(frame) < 1000


@pytest.mark.parametrize("payload", [b"{}", b"[]", b"x", b"\xff", b'{"call": 1, "response": null}'])
def test_a_frame_that_is_no_call_is_refused(payload: bytes) -> None:
    """Whatever arrives on the channel, it is a call or a ValueError."""
    with pytest.raises(ValueError, match=r"."):
        read_called(payload)

"""A recording answers exactly the calls it holds, in order, and only when nothing was changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.canonical import sha256
from core.errors import JournalAltered, JournalError
from core.journal.store import Journal
from core.upstream.recorded import Recorded
from core.upstream.same_call import key_of
from sandbox.job import AwsCall, Response, Sha

REGION = "eu-west-1"
CALL = AwsCall("cloudwatch", "DescribeAlarms", REGION, {"StateValue": "ALARM"})

Keep = Callable[[list[dict[str, Any]]], tuple[Path, Sha]]


def answer(text: str) -> Response:
    """Return what the recording holds of a body."""
    return Response(200, {"x-amzn-requestid": text}, text.encode())


def event(call: AwsCall = CALL, body: str | None = "one", **fields: Any) -> dict[str, Any]:
    """Return an aws.called event; its `response` still holds the body itself."""
    return {
        "run": "X1",
        "number": 1,
        "service": call.service,
        "operation": call.operation,
        "region": call.region,
        "parameters": dict(call.parameters),
        "verdict": "allowed",
        "reason": "",
        "action": "",
        "tier": 1,
        "status": 200,
        "request_id": "",
        "ms": 1,
        "response": body,
        "headers": {"x-amzn-requestid": body},
        **fields,
    }


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    """Return a function that writes a finished session of events and gives its path and head."""

    def write(events: list[dict[str, Any]]) -> tuple[Path, Sha]:
        path = tmp_path / "session.db"
        with Journal.create(path, "a-session") as journal:
            for fields in events:
                body = fields["response"]
                kept = None if body is None else journal.keep(body.encode())
                text = json.dumps({**fields, "response": kept})
                journal.append([(1, "run.output", "{}"), (2, "aws.called", text)])
            journal.seal()
            return path, journal.head

    return write


def test_several_answers_to_one_call_come_in_order_and_the_last_stays(keep: Keep) -> None:
    """The first call gets the first answer; once they are used up the last is repeated."""
    recorded = Recorded.from_session(*keep([event(body="one"), event(body="two")]))
    assert [recorded.send(CALL) for _ in range(3)] == [answer("one"), answer("two"), answer("two")]
    assert recorded.sent == 3


@pytest.mark.parametrize(
    "call",
    [
        AwsCall("cloudwatch", "DescribeAlarms", REGION, {"StateValue": "OK"}),
        AwsCall("cloudwatch", "DescribeAlarms", REGION, {}),
        AwsCall("cloudwatch", "DescribeAlarms", "us-east-1", {"StateValue": "ALARM"}),
        AwsCall("cloudwatch", "DescribeAlarmHistory", REGION, {}),
        AwsCall("ec2", "DescribeInstances", REGION, {}),
        AwsCall("rds", "DescribeDBInstances", REGION, {}),
    ],
)
def test_any_other_call_is_not_in_the_recording(keep: Keep, call: AwsCall) -> None:
    """A call that differs in anything gets an error of its protocol that names it."""
    recorded = Recorded.from_session(*keep([event()]))
    response = recorded.send(call)
    assert response.status == 400
    assert b"NotInRecording" in response.body
    assert f"{call.service}.{call.operation} in {call.region}".encode() in response.body
    assert recorded.sent == 1


def test_a_call_that_cant_be_built_is_not_answered(keep: Keep) -> None:
    """The recording is asked only for what could have been sent: validation comes first."""
    call = AwsCall("cloudwatch", "DescribeAlarms", REGION, {"MaxRecords": 0})
    recorded = Recorded.from_session(*keep([event(call)]))
    with pytest.raises(ValueError, match="MaxRecords"):
        recorded.send(call)
    assert recorded.sent == 0


def test_denied_and_unanswered_calls_are_no_answers(keep: Keep) -> None:
    """What was refused when the recording was made is not in it."""
    events = [event(verdict="denied"), event(body=None, verdict="denied", headers={})]
    recorded = Recorded.from_session(*keep(events))
    assert b"NotInRecording" in recorded.send(CALL).body


def test_times_bytes_and_numbers_mean_the_same_live_and_recorded() -> None:
    """The key of a call is that of its plain form, however a number was written."""
    moment = datetime(2026, 1, 31, 12, tzinfo=UTC)

    def key(parameters: Mapping[str, Any]) -> object:
        return key_of("ec2", "X", REGION, parameters)

    assert key({"a": moment, "b": b"\x00"}) == key({"b": "AA==", "a": "2026-01-31T12:00:00Z"})
    assert key({"a": 80, "b": [0.5, 2**60]}) == key({"a": 80.0, "b": [5e-1, 2**60]})
    assert key({"a": 1}) != key({"a": 2})
    assert key({"a": True}) != key({"a": 1})


def test_another_session_than_the_approved_one_is_refused(keep: Keep) -> None:
    """The head that the digest binds must be the head of the file."""
    path, _ = keep([event()])
    with pytest.raises(JournalAltered, match="not the approved one"):
        Recorded.from_session(path, sha256(b"another"))


@pytest.mark.parametrize("what", ["parameters", "payload", "last event"])
def test_a_changed_recording_is_refused(keep: Keep, what: str) -> None:
    """An edited event, an exchanged body and a cut tail are all noticed before any answer."""
    path, head = keep([event(body="one"), event(body="two")])
    path.chmod(0o600)
    old, new = {
        "parameters": (b'"StateValue": "ALARM"', b'"StateValue": "OK\\u0041"'),
        "payload": (b"one", b"eno"),
        "last event": (head.encode(), b"0" * 64),
    }[what]
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new[: len(old)].ljust(len(old))))
    with pytest.raises(JournalError):
        Recorded.from_session(path, head)


@pytest.mark.parametrize(
    "fields",
    [
        {"status": 99},
        {"headers": {"a": 1}},
        {"headers": None},
        {"status": "x"},
        {"status": float("inf")},
    ],
)
def test_a_recording_that_makes_no_sense_is_refused(keep: Keep, fields: dict[str, Any]) -> None:
    """A well-formed session with ill-formed calls is an error, not a crash at the first call."""
    with pytest.raises(JournalError, match="can't be used"):
        Recorded.from_session(*keep([event(**fields)]))


@pytest.mark.parametrize("text", ["[]", "1", "[" * 100_000])
def test_a_recording_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    """A call that is no object, or nested without end, is an error that names the file."""
    path = tmp_path / "session.db"
    with Journal.create(path, "a-session") as journal:
        journal.append([(1, "aws.called", text)])
        head = journal.head
    with pytest.raises(JournalError, match=r"session\.db can't be used"):
        Recorded.from_session(path, head)

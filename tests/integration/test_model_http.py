"""The model path, whole: the real SDK over HTTP, the real sandbox and gateway, a recorded account.

A server on loopback speaks the Messages API with server-sent events. It makes its reply n from
request n and from nothing else: where a request lacks what the step before it must have brought, it
turns the request away and the session fails.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from core.aws import open_source
from core.config import Settings
from core.events import Event, Fact
from core.here import now_ms
from core.journal.verify import verify
from core.llm.choose import choose
from core.llm.usage import ModelAnswered
from core.loop import Loop
from core.planner import repairs_of
from core.repair import Repairs
from core.session import Session
from core.start import Wish, sessions_folder, start

KEY = "sk-test-5f0c9f1f6b7a4e2d8c3b"
CANARY = "c4n4ry-Zk8vQ2-d0-n0t-te11"
HEADER = f"""\
import json
from pathlib import Path

import boto3

canary = "{CANARY[::-1]}"[::-1]
parameters = json.loads(Path("in/parameters.json").read_text())
region = parameters["regions"][0]
"""
ALARMS = (
    HEADER
    + """
client = boto3.client("cloudwatch", region_name=region)
alarms = client.describe_alarms(AlarmTypes=["MetricAlarm"])["MetricAlarms"]
firing = [each for each in alarms if each["StateValue"] == "ALARM"]
found = [
    dimension["Value"]
    for each in firing
    for dimension in each["Dimensions"]
    if dimension["Name"] == "TargetGroup"
]
facts = {"firing": len(firing), "target_group": found[0], "note": f"password={canary}"}
Path("out/result.json").write_text(json.dumps({"facts": facts}))
print(f"secret_access_key={canary}")
"""
)
BAD = ALARMS.replace("client.describe_alarms(", "client.describe_alarm(")
FAILING = ALARMS.replace(
    "firing = [", 'if region:\n    raise LookupError(f"planted, password={canary}")\nfiring = ['
)
HEALTH = (
    HEADER
    + """
client = boto3.client("elbv2", region_name=region)
groups = client.describe_target_groups()["TargetGroups"]
arn = next(each for each in groups if each["TargetGroupArn"].endswith(parameters["group"]))[
    "TargetGroupArn"
]
health = client.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
states = [each["TargetHealth"]["State"] for each in health]
facts = {"targets": len(states), "unhealthy": states.count("unhealthy")}
Path("out/result.json").write_text(json.dumps({"facts": facts}))
"""
)
ALARM_ACTIONS = ["cloudwatch:DescribeAlarms"]
HEALTH_ACTIONS = [
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
]

Json = dict[str, Any]


# ------------------------------------------------------------------ what the server says
def said(request: Json) -> str:
    """Return everything that a request says to the model, as one text."""
    blocks = [*request["system"], *(b for m in request["messages"] for b in m["content"])]
    return "\n".join(block["text"] for block in blocks)


def card(request: Json, name: str) -> Json:
    """Return an evidence card as it stands in a request."""
    found = re.search(rf"^<(\S+) {name}>\n(.*)\n</\1>$", said(request), re.MULTILINE)
    assert found, f"{name} is not in the request"
    document: Json = json.loads(found[2])
    return document


def step(title: str, **given: str) -> Json:
    """Return a plan whose answer is a step."""
    parameters = [{"name": name, "value": value} for name, value in given.items()]
    proposed = {"title": title, "why": "to know", "work": "collect", "task": title}
    hypotheses = [{"text": "targets are down", "state": "open"}]
    return {
        "hypotheses": hypotheses,
        "step": {**proposed, "parameters": parameters, "inputs": []},
        "answer": None,
    }


def code(script: str, actions: list[str]) -> Json:
    """Return a coder's answer."""
    return {
        "script": script,
        "allow": [{"actions": actions, "resources": ["*"], "conditions": []}],
    }


def claim(text: str, name: str, pointer: str, value: Any) -> Json:
    """Return a claim with one pointer."""
    return {"text": text, "evidence": [{"card": name, "pointer": pointer, "value": value}]}


def answer(*claims: Json) -> Json:
    """Return a plan that is an answer."""
    conclusion = {"status": "confirmed", "cause": "all targets are down", "gaps": []}
    return {"hypotheses": [], "step": None, "answer": {**conclusion, "claims": list(claims)}}


def first_plan(request: Json) -> Json:
    """Plan a step on the question."""
    assert "Why is checkout down?" in said(request)
    return step("List firing alarms")


def bad_draft(request: Json) -> Json:
    """Write a script that calls what does not exist."""
    assert "Task: List firing alarms" in said(request)
    return code(BAD, ALARM_ACTIONS)


def failing_draft(request: Json) -> Json:
    """Mend it, once the finding is told, into one that fails."""
    assert "cloudwatch has no operation 'describe_alarm'" in said(request)
    assert "client.describe_alarm(" in said(request)
    return code(FAILING, ALARM_ACTIONS)


def good_draft(request: Json) -> Json:
    """Mend that one, once its traceback is told."""
    assert "LookupError: planted" in said(request)
    assert "Traceback (most recent call last)" in said(request)
    return code(ALARMS, ALARM_ACTIONS)


def second_plan(request: Json) -> Json:
    """Plan a step with a value that the first run found."""
    assert card(request, "E1")["facts"]["firing"] == 2
    return step("Read target health", group=card(request, "E1")["facts"]["target_group"])


def health_draft(request: Json) -> Json:
    """Write the script of that step, without being told the value."""
    assert "Parameters: group, and regions" in said(request)
    assert "targetgroup/" not in said(request), "the coder is told values"
    return code(HEALTH, HEALTH_ACTIONS)


def wrong_answer(request: Json) -> Json:
    """Answer with one true and one false claim."""
    unhealthy = card(request, "E2")["facts"]["unhealthy"]
    return answer(
        claim(f"{unhealthy} are down", "E2", "/facts/unhealthy", unhealthy),
        claim("99 are there", "E2", "/facts/targets", 99),
    )


def stubborn_answer(request: Json) -> Json:
    """Answer the same again, once the false claim is told."""
    targets = card(request, "E2")["facts"]["targets"]
    assert f"says 99, E2 says {targets}" in said(request)
    return wrong_answer(request)


REPLIES: tuple[Callable[[Json], Json], ...] = (
    first_plan,
    bad_draft,
    failing_draft,
    good_draft,
    second_plan,
    health_draft,
    wrong_answer,
    stubborn_answer,
)


# ------------------------------------------------------------------ the server
class Server(ThreadingHTTPServer):
    """Answers with `REPLIES`, and keeps what it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.bodies: list[bytes] = []
        self.keys: list[str] = []
        self.complaints: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def reply(self, body: bytes) -> Json | None:
        """Return the reply to a request, or None when it does not hold what it must."""
        self.bodies.append(body)
        try:
            return REPLIES[len(self.bodies) - 1](json.loads(body))
        except (AssertionError, LookupError, TypeError) as wrong:
            self.complaints.append(f"request {len(self.bodies)}: {wrong!r}")
            return None


class Handler(BaseHTTPRequestHandler):
    """One POST to /v1/messages."""

    server: Server

    def do_POST(self) -> None:
        assert self.path == "/v1/messages"
        self.server.keys.append(self.headers["Authorization"])
        reply = self.server.reply(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200 if reply else 401)
        self.send_header("Content-Type", "text/event-stream" if reply else "application/json")
        self.send_header("request-id", f"req_{len(self.server.bodies)}")
        self.end_headers()
        for event in events(json.dumps(reply)) if reply else ():
            self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
            self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as its base has it
        """Say nothing."""


def events(text: str) -> Iterator[Json]:
    """Yield the events of one streamed message."""
    usage = {"input_tokens": 1000, "output_tokens": 1, "cache_read_input_tokens": 500}
    message = {"id": "m", "type": "message", "role": "assistant", "content": [], "usage": usage}
    yield {
        "type": "message_start",
        "message": {**message, "model": "claude-opus-5-5", "stop_reason": None},
    }
    yield {"type": "ping"}
    yield {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "text", "text": ""},
    }
    for at in range(0, len(text), 400):
        delta = {"type": "text_delta", "text": text[at : at + 400]}
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 100},
    }
    yield {"type": "message_stop"}


@pytest.fixture
def server() -> Iterator[Server]:
    """Return a running server."""
    made = Server()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


async def work(settings: Settings, question: str, shown: list[Event]) -> Session:
    """Bring a session about `question` to its end in automated mode."""

    def show(_: Session, fact: Fact) -> None:
        shown.append(fact.event)

    planner = choose(settings, "auto", {"ANTHROPIC_API_KEY": KEY})
    source = open_source("recorded:checkout-503", sessions_folder(settings))
    wish = Wish(question, "ask", "automated", repairs=repairs_of(planner))
    desk, session = await start(settings, source, wish, show)
    try:
        from core.approval.approvers import Nobody

        loop = Loop(desk.engine(planner, Nobody()), desk.log, asyncio.Queue(), show, now_ms)
        session = await loop.work(session)
        desk.log.journal.seal()
    finally:
        await desk.close()
    return session


def test_a_model_works_an_incident_to_its_answer(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Findings, traceback, values and a false claim reach the model; secrets and paths do not."""
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", f"X-Canary: {CANARY}")
    model = {"base_url": server.address}
    settings = Settings.model_validate({"data_directory": str(tmp_path), "model": model})
    notes = f"notes in {tmp_path}/notes.txt and {Path.home()}/x, password={CANARY}, key {KEY}"
    shown: list[Event] = []

    session = asyncio.run(work(settings, f"Why is checkout down? {notes}", shown))

    assert server.complaints == []
    assert len(server.bodies) == len(REPLIES)
    for secret in (CANARY, KEY, str(tmp_path), str(Path.home()), str(Path(__file__).parents[2])):
        assert [n for n, body in enumerate(server.bodies, 1) if secret.encode() in body] == []
    assert set(server.keys) == {f"Bearer {KEY}"}
    assert session.finished is not None
    assert (session.finished.exit_code, session.finished.reason) == (0, "answered")
    assert session.answer is not None
    assert (session.answer.status, session.answer.cause) == ("likely", "all targets are down")
    assert [each.text for each in session.answer.claims] == ["3 are down"]
    assert session.answer.gaps == ("dropped, unsupported: '99 are there' says 99, E2 says 3",)
    billed = [event for event in shown if isinstance(event, ModelAnswered)]
    assert [each.role for each in billed] == [
        "plan",
        "generate",
        "repair",
        "repair",
        "plan",
        "generate",
        "plan",
        "plan",
    ]
    assert session.model_cost == len(REPLIES) * (1000 * 4 + 100 * 20 + 100)
    first, second = session.steps
    assert (len(first.drafts), first.repaired) == (3, Repairs(reviews=1, runs=1))
    assert (len(second.drafts), second.repaired) == (1, Repairs())
    assert verify(sessions_folder(settings) / f"{session.id}.db").exit_code == 0

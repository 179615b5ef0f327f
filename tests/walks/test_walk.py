"""From a question to an answer, and from a script to its run, through every wall."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from pathlib import Path
from typing import Any

import pytest

ASK = ("ask", "Why is checkout returning 503s?", "--aws", "recorded:checkout-503", "--ui", "json")
RECORDED = ("--aws", "recorded:checkout-503")

CALLING = """\
import boto3
from botocore.exceptions import ClientError
try:
    boto3.{call}
except ClientError as error:
    print(error.response["Error"]["Code"])
"""
DROP_TRIGGERS = "SELECT 'DROP TRIGGER ' || name FROM sqlite_master WHERE type = 'trigger'"


def approved(countersign: Any, script: Path, *options: str) -> Any:
    """Check a script, and run it with the digest that the check printed."""
    given = (script, "--policy", script.with_name("policy.json"), *RECORDED, *options)
    checked = json.loads(countersign("check", *given, "--json").out)
    return countersign("run", *given, "--approve", checked["digest"], "--ui", "json")


def unlike_any_other(script: Path) -> None:
    """Give a script bytes that no other test has approved."""
    script.write_text(f"{script.read_text()}# {secrets.token_hex(8)}\n")


def test_a_question_walks_to_its_answer(countersign: Any) -> None:
    """Automated mode over the recorded source: exit 0, evidence, an answer, an intact file."""
    ended = countersign(*ASK, "--mode", "automated")

    assert (ended.code, ended.err) == (0, "")
    (answer,) = ended.of("answer.given")
    assert answer["status"] == "likely"
    assert "Target.Timeout" in answer["cause"]
    cards = {card["card"]: card for card in ended.of("evidence.added")}
    for claim in answer["claims"]:
        for each in claim["evidence"]:
            assert cards[each["card"]]["facts"][each["pointer"].split("/")[-1]] == each["value"]
    assert countersign("verify", countersign.sessions()[-1]).code == 0


def test_json_lines_have_number_time_and_kind(countersign: Any) -> None:
    """Each line is one object; numbers run from 1 without a gap."""
    facts = countersign(*ASK, "--mode", "automated").facts

    assert [fact["seq"] for fact in facts] == list(range(1, len(facts) + 1))
    assert all(fact["at"].endswith("Z") and fact["kind"] for fact in facts)
    assert (facts[0]["kind"], facts[-1]["kind"]) == ("session.started", "session.finished")


def test_the_journal_holds_what_was_shown(countersign: Any) -> None:
    """The replay of a sealed session prints the very lines of the live session."""
    live = countersign(*ASK, "--mode", "automated")

    replayed = countersign("replay", countersign.sessions()[-1], "--ui", "json")

    assert replayed.out == live.out
    assert countersign("replay", countersign.sessions()[-1]).out.startswith("=== REPLAY, read-only")


def test_guided_mode_without_a_terminal_runs_nothing(countersign: Any) -> None:
    """Nobody can approve: exit 3, the request stands on stdout, and no run was started."""
    ended = countersign(*ASK, "--mode", "guided")

    assert ended.code == 3
    assert ended.facts[-1]["kind"] == "decision.requested"
    assert ended.of("run.started") == []
    assert ended.facts[-1]["digest"] in ended.err
    assert "hint: " in ended.err


def test_somebody_else_can_answer_the_request_later(countersign: Any) -> None:
    """An open session goes on with --resume and the digests it asks for, one after the other."""
    ended = countersign(*ASK, "--mode", "guided")
    resumed = ("ask", "--resume", ended.facts[0]["session"], "--ui", "json", "--again")
    answered = 0
    while ended.code == 3:
        ended = countersign(*resumed, "--approve", ended.facts[-1]["digest"])
        answered += 1

    assert ended.code == 0
    assert answered > 1
    assert ended.of("answer.given")[0]["status"] == "likely"


def test_run_runs_exactly_what_check_showed(countersign: Any, script: Path) -> None:
    """The digest of `check --json` is the one that is asked for, approved and run."""
    unlike_any_other(script)

    ended = approved(countersign, script)

    assert ended.code == 0
    (request,), (decision,), (run,) = map(
        ended.of, ("decision.requested", "decision.made", "run.started")
    )
    assert request["digest"] == decision["digest"] == run["digest"]
    assert (decision["by"], decision["surface"]) == ("human", "flag")
    assert "".join(printed["text"] for printed in ended.of("run.output")) == "5\n"


def test_a_used_digest_runs_nothing(countersign: Any, script: Path) -> None:
    """The same flag a second time is refused, unless --again says it is meant."""
    unlike_any_other(script)
    assert approved(countersign, script).code == 0

    again = approved(countersign, script)

    assert (again.code, again.of("run.started")) == (3, [])
    assert "was used by session" in again.err
    assert approved(countersign, script, "--region", "eu-west-1").code == 3


def test_a_wrong_digest_runs_nothing(countersign: Any, script: Path) -> None:
    """A digest of other bytes, and the beginning of the right one, open nothing."""
    unlike_any_other(script)
    given = (script, "--policy", script.with_name("policy.json"), *RECORDED)
    right = json.loads(countersign("check", *given, "--json").out)["digest"]
    script.write_text(script.read_text() + "# one line more\n")

    for digest in (right, right[:12], "0" * 64):
        ended = countersign("run", *given, "--approve", digest, "--ui", "json")
        assert (ended.code, ended.of("run.started"), ended.of("decision.made")) == (3, [], [])


@pytest.mark.parametrize(
    ("call", "allowed", "region"),
    [
        ("client('cloudwatch').describe_alarm_history()", "cloudwatch:DescribeAlarms", "eu-west-1"),
        ("client('ec2').describe_vpcs()", "cloudwatch:DescribeAlarms", "eu-west-1"),
        ("client('cloudwatch', 'us-east-1').describe_alarms()", "*", "eu-west-1"),
    ],
)
def test_calls_outside_the_approval_never_reach_the_upstream(
    countersign: Any, tmp_path: Path, call: str, allowed: str, region: str
) -> None:
    """An operation outside the policy, and a region outside the set, are denied and not sent.

    The control approves that very call: then it reaches the upstream, which has no answer for it.
    """
    script = tmp_path / "calls.py"
    script.write_text(CALLING.format(call=call))
    wide = ["cloudwatch:DescribeAlarms", "cloudwatch:DescribeAlarmHistory", "ec2:DescribeVpcs"]
    narrow = wide[:1] if allowed != "*" else wide
    _policy(script, narrow)
    unlike_any_other(script)
    inside = approved(countersign, script, "--region", region)
    _policy(script, wide)
    control = approved(countersign, script, "--region", "eu-west-1", "--region", "us-east-1")

    (denied,), (sent,) = inside.of("aws.called"), control.of("aws.called")
    assert (denied["verdict"], denied["response"]) == ("denied", None)
    assert denied["reason"]
    assert (sent["verdict"], sent["response"] is None) == ("allowed", False)
    assert _printed(inside) in ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
    assert _printed(control) in ("NotInRecording", "5")


def test_a_script_that_fails_is_a_failed_run(countersign: Any, script: Path) -> None:
    """Exit code 1, the traceback in the output, and the error on the evidence card."""
    script.write_text("raise SystemExit('nothing to see')\n")
    unlike_any_other(script)

    ended = approved(countersign, script)

    assert ended.code == 1
    assert "nothing to see" in "".join(printed["text"] for printed in ended.of("run.output"))
    assert ended.of("evidence.added")[0]["errors"] == [
        "the script ended with exit code 1: nothing to see"
    ]


def test_a_limit_ends_a_run_with_its_name(countersign: Any, script: Path) -> None:
    """A script over its wall limit is killed; exit code 5 and the limit's name."""
    script.write_text("import time\nprint('begun', flush=True)\ntime.sleep(60)\n")
    unlike_any_other(script)

    ended = approved(countersign, script, "--limit", "wall_seconds=1")

    assert ended.code == 5
    assert ended.of("run.finished")[0]["limit"] == "wall_ms"


def test_a_blocked_script_needs_its_own_flag(countersign: Any, tmp_path: Path) -> None:
    """`check` fails on a blocker; `run --approve` refuses until --override-blockers is given."""
    script = tmp_path / "changes.py"
    script.write_text("print('changed')\n")
    _policy(script, ["cloudwatch:DescribeAlarms"])
    unlike_any_other(script)
    checked = countersign("check", script, *RECORDED, "--kind", "change", "--json")
    digest = json.loads(checked.out)["digest"]
    options = ("--kind", "change", "--ui", "json", "--approve", digest)
    given = ("run", script, *RECORDED, *options)

    refused = countersign(*given)
    confirmed = countersign(*given, "--override-blockers", "--confirm", "shop-prod")

    assert checked.code == 1
    assert (refused.code, refused.of("run.started")) == (3, [])
    assert confirmed.code == 0
    assert confirmed.of("decision.made")[0]["override_blockers"] is True


def test_secrets_in_output_are_not_stored(countersign: Any, script: Path) -> None:
    """What looks like a credential is taken out before it is shown or kept."""
    secret = "AKIA" + "Q" * 16
    script.write_text(f"print('key', {secret[:4]!r} + 'Q' * 16)\n")
    unlike_any_other(script)

    ended = approved(countersign, script)

    assert ended.code == 0
    assert secret not in ended.out
    stored = countersign.sessions()[-1].read_bytes()
    assert secret.encode() not in stored


def test_a_changed_session_file_is_altered(countersign: Any, tmp_path: Path) -> None:
    """One changed character of one event is found by `verify`, with exit code 1."""
    countersign(*ASK, "--mode", "automated")
    path = tmp_path / "copy.db"
    path.write_bytes(countersign.sessions()[-1].read_bytes())
    with sqlite3.connect(path) as database:
        for (statement,) in database.execute(DROP_TRIGGERS).fetchall():
            database.execute(statement)
        database.execute("UPDATE event SET json = replace(json, 'likely', 'probable')")
    database.close()

    ended = countersign("verify", path)

    assert (ended.code, ended.out[:8]) == (1, "altered:")


def test_sessions_are_listed(countersign: Any) -> None:
    """`sessions` tells question, mode, state and exit code of each."""
    countersign(*ASK, "--mode", "automated")

    rows = [json.loads(line) for line in countersign("sessions", "--json").out.splitlines()]

    newest = rows[-1]
    assert newest["question"] == "Why is checkout returning 503s?"
    assert (newest["state"], newest["exit_code"], newest["sealed"]) == ("finished", 0, True)


def test_doctor_names_the_engine(countersign: Any) -> None:
    """On a machine that can run scripts `doctor` says by which engine, with exit code 0."""
    ended = countersign("doctor", "--json")

    possible = ["namespaces"] if os.geteuid() == 0 else ["bubblewrap", "namespaces"]
    assert ended.code == 0
    assert json.loads(ended.out)["engine"] in possible


def _policy(script: Path, actions: list[str]) -> None:
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    script.with_name("policy.json").write_text(json.dumps(document))


def _printed(ended: Any) -> str:
    return "".join(printed["text"] for printed in ended.of("run.output")).strip()

"""The whole program against an account: from the command line to AWS, and nothing of the keys."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(sys.executable).with_name("countersign")
ACCOUNT = "123456789012"
KEY = "AKIACANARYCANARYCANA"
SECRET = "canary/secret+canary/secret+canary/secr"
TOKEN = "canarytokencanarytokencanarytoken"
PLAIN = (KEY, SECRET, TOKEN, "ASIACANARYROLE", "canary-token")
CANARIES = (*PLAIN, *(canary.encode().hex() for canary in PLAIN))
GROUPS = (
    "<AutoScalingGroups><member><AutoScalingGroupName>checkout</AutoScalingGroupName></member>"
    "</AutoScalingGroups>"
)
SCRIPT = """\
import boto3, os, pathlib
seen = [str(dict(os.environ)), str(boto3.Session().get_credentials().get_frozen_credentials())]
for path in pathlib.Path("/proc").glob("*/environ"):
    try:
        seen.append(path.read_text())
    except OSError as error:
        seen.append(str(error))
print(seen, str(seen).encode().hex())  # the second is what no redaction would recognise
found = boto3.client("autoscaling").describe_auto_scaling_groups()
print([group["AutoScalingGroupName"] for group in found["AutoScalingGroups"]])
"""


class Program:
    """Runs the console script, and keeps everything that it said."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.script = folder / "groups.py"
        self.script.write_text(SCRIPT)
        self.policy = folder / "policy.json"
        statement = {
            "Effect": "Allow",
            "Action": "autoscaling:DescribeAutoScalingGroups",
            "Resource": "*",
        }
        document = {"Version": "2012-10-17", "Statement": [statement]}
        self.policy.write_text(json.dumps(document))
        self.said = ""

    def __call__(
        self, command: str, *more: str, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Return how `check` or `run` of the script ended."""
        policy = ["--policy", str(self.policy)]
        if command == "run":
            # The script looks for keys, which a review blocks.
            policy += ["--override-blockers", "--confirm", "shop-prod"]
        return self.say(command, str(self.script), *policy, "--aws", "live", *more, **variables)

    def say(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Return how any command ended."""
        done = subprocess.run(
            [str(PROGRAM), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            env={**os.environ, "COUNTERSIGN_DATA": str(self.data), **variables},
            timeout=50,
            text=True,
        )
        self.said += done.stdout + done.stderr
        return done

    def digest(self, *more: str) -> str:
        """Return the digest that `check` prints."""
        checked = self("check", *more, "--json")
        assert checked.stdout, checked.stderr
        document = json.loads(checked.stdout)
        assert document["digest"], document
        return str(document["digest"])

    def written(self) -> bytes:
        """Return everything that lies in the data directory's sessions."""
        return b"".join(path.read_bytes() for path in (self.data / "sessions").iterdir())


@pytest.fixture
def program(aws: Any, profiles: Any, tmp_path: Path) -> Program:
    """Return the program; there is one Auto Scaling group."""

    def answer(arrived: Any) -> Any:
        if arrived.scope[3] == "autoscaling":
            return aws.result("DescribeAutoScalingGroups", GROUPS)
        return None

    aws.answer = answer
    return Program(tmp_path)


def facts(done: subprocess.CompletedProcess[str], kind: str) -> list[dict[str, Any]]:
    """Return the JSON lines of one kind."""
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [line for line in lines if line["kind"] == kind]


def test_a_run_against_an_account_shows_no_key_anywhere(
    aws: Any, profiles: Any, program: Program
) -> None:
    """Not to the script, not in the journal, not on any output; AWS is asked with the real ones."""
    digest = program.digest("--profile", "oncall")
    done = program("run", "--profile", "oncall", "--approve", digest, "--ui", "json")

    assert (done.returncode, done.stderr) == (0, "")
    [caller] = facts(done, "caller.identified")
    assert (caller["account"], caller["alias"]) == (ACCOUNT, "shop-prod")
    assert caller["role"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/oncall"
    [called] = facts(done, "aws.called")
    assert (called["verdict"], called["status"], called["request_id"]) == ("allowed", 200, "r-1")
    assert "checkout" in "".join(each["text"] for each in facts(done, "run.output"))
    [call] = aws.of("autoscaling")
    assert call.scope[0] == KEY
    kept = program.written()
    for canary in CANARIES:
        assert canary not in program.said
        assert canary.encode() not in kept


def test_keys_of_the_environment_stay_out_of_sight_too(
    aws: Any, profiles: Any, program: Program
) -> None:
    """As with a profile: the plain surface, the traceback of a failure and the journal."""
    (profiles.folder / "credentials").unlink()
    keys = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": TOKEN}
    for name, value in {**keys, "AWS_REGION": "eu-west-1"}.items():
        profiles.set(name, value)
    done = program("run", "--approve", program.digest())
    assert done.returncode == 0
    aws.answer = lambda _: aws.fail(403, "ExpiredToken")
    failed = program("run", COUNTERSIGN_TRACEBACK="1")

    assert failed.returncode == 6
    assert "put new ones into AWS_ACCESS_KEY_ID" in failed.stderr
    [call] = aws.of("autoscaling")
    assert call.headers["x-amz-security-token"] == TOKEN
    kept = program.written()
    for canary in CANARIES:
        assert canary not in program.said
        assert canary.encode() not in kept


def test_a_role_is_the_second_lock(aws: Any, program: Program, tmp_path: Path) -> None:
    """Calls go out as the role, whose session has the approved policy and the session's name."""
    settings = tmp_path / "settings.yaml"
    role = f"arn:aws:iam::{ACCOUNT}:role/reader"
    settings.write_text(f"aws:\n  profile: oncall\n  role: {role}\n")
    given = ("--config", str(settings))
    done = program("run", *given, "--approve", program.digest(*given), "--ui", "json")

    assert (done.returncode, done.stderr) == (0, "")
    [started] = facts(done, "session.started")
    assumed = [each.form for each in aws.arrived if each.form.get("Action") == "AssumeRole"][-1]
    assert (assumed["RoleArn"], assumed["RoleSessionName"]) == (role, started["session"])
    [statement] = [json.loads(assumed["Policy"])["Statement"]]
    assert "autoscaling:describeautoscalinggroups" in json.dumps(statement).lower()
    [call] = aws.of("autoscaling")
    assert call.scope[0].startswith("ASIACANARYROLE")


def test_a_policy_that_no_session_can_hold_is_said(
    aws: Any, program: Program, tmp_path: Path
) -> None:
    """Before the run: AWS's own lock is ReadOnlyAccess then, the gateway's is what was approved."""
    document = json.loads(program.policy.read_text())
    logs = [f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:{each}-group:*" for each in range(60)]
    reading = {"Effect": "Allow", "Action": "logs:FilterLogEvents", "Resource": logs}
    document["Statement"].append(reading)
    program.policy.write_text(json.dumps(document))
    settings = tmp_path / "settings.yaml"
    settings.write_text(f"aws:\n  profile: oncall\n  role: arn:aws:iam::{ACCOUNT}:role/reader\n")
    given = ("--config", str(settings))
    done = program("run", *given, "--approve", program.digest(*given), "--ui", "json")

    assert (done.returncode, done.stderr) == (0, "")
    [started] = facts(done, "run.started")
    assert any("ReadOnlyAccess" in each for each in started["degraded"])
    assumed = [each.form for each in aws.arrived if each.form.get("Action") == "AssumeRole"][-1]
    assert assumed["PolicyArns.member.1.arn"].endswith("/ReadOnlyAccess")


def test_a_policy_that_packs_too_large_is_said_with_each_call(
    aws: Any, program: Program, tmp_path: Path
) -> None:
    """AWS alone can tell, after the run was approved: what it then holds to is in the journal."""
    settings = tmp_path / "settings.yaml"
    settings.write_text(f"aws:\n  profile: oncall\n  role: arn:aws:iam::{ACCOUNT}:role/reader\n")
    given = ("--config", str(settings))
    digest, played = program.digest(*given), aws.answer

    def answer(arrived: Any) -> Any:
        too_large = "autoscaling" in arrived.form.get("Policy", "").lower()
        return aws.fail(400, "PackedPolicyTooLarge") if too_large else played(arrived)

    aws.answer = answer
    done = program("run", *given, "--approve", digest, "--ui", "json")

    [called] = facts(done, "aws.called")
    assert called["verdict"] == "allowed"
    assert "holds the role to ReadOnlyAccess" in called["reason"]


def test_somebody_elses_keys_are_refused_before_the_first_call(aws: Any, program: Program) -> None:
    """Approved as one identity, run as another: nothing is sent in its name."""
    digest = program.digest("--profile", "oncall")
    asked = len(aws.arrived)

    def answer(arrived: Any) -> Any:  # the second time somebody asks, the profile is another's
        if len(aws.arrived) > asked + 2:
            aws.identities[KEY] = "arn:aws:iam::999999999999:user/mallory"
        return None

    aws.answer = answer
    done = program("run", "--profile", "oncall", "--approve", digest, "--ui", "json")

    [interrupted] = facts(done, "run.interrupted")
    assert "user/mallory in account 999999999999" in interrupted["reason"]
    assert aws.of("autoscaling") == []


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        (("--profile", "oncal"), 6, "did you mean oncall?"),
        (("--profile", "oncall", "--aws", "recorded:checkout-503"), 2, "only --aws live"),
    ],
)
def test_what_cant_be_used_is_said(
    program: Program, given: tuple[str, ...], code: int, words: str
) -> None:
    """An unknown profile names the nearest; a profile for a recording is a mistake."""
    done = program("run", *given)

    assert done.returncode == code
    assert words in done.stderr


def test_an_expired_sso_session_ends_with_the_command_to_type(
    program: Program, profiles: Any
) -> None:
    """Exit code 6, and the hint is the exact line."""
    profiles.config(
        "[profile sso]\nsso_session = corp\nsso_account_id = 123456789012\nregion = eu-west-1\n"
        "sso_role_name = reader\n[sso-session corp]\nsso_region = eu-west-1\n"
        "sso_start_url = https://example.awsapps.com/start\n"
    )

    done = program("run", "--profile", "sso")

    assert done.returncode == 6
    assert done.stderr.endswith("\nhint: aws sso login --profile sso\n")


def test_a_live_session_is_gone_on_with(aws: Any, program: Program) -> None:
    """Its source is known from its file; whose credentials is said again, and checked again."""
    begun = program("run", "--profile", "oncall", "--ui", "json")
    [started], [request] = facts(begun, "session.started"), facts(begun, "decision.requested")
    again = ("ask", "--resume", started["session"], "--approve", request["digest"], "--ui", "json")

    done = program.say(*again, "--profile", "oncall")

    assert (begun.returncode, done.returncode) == (3, 0)
    assert len(aws.of("autoscaling")) == 1


def test_a_check_without_credentials_has_no_digest(program: Program, profiles: Any) -> None:
    """It says why, and reviews all the same."""
    (profiles.folder / "credentials").unlink()

    done = program("check", "--json")

    document = json.loads(done.stdout)
    assert document["digest"] is None
    assert len(document["draft_digest"]) == 64
    assert "no region is set" in done.stdout or "no credentials" in done.stdout

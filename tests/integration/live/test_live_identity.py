"""Who the operator is: found by botocore's chain, asked of AWS, and told with the way out."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.credentials import Approved, Operator, Order, environment_of, look, role_of
from core.errors import IdentityUnknown
from core.events import CallerIdentified

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/path/reader"
ONCALL = f"arn:aws:sts::{ACCOUNT}:assumed-role/oncall"
MANAGED = "arn:aws:iam::aws:policy/ReadOnlyAccess"
APPROVED = Approved("aws", ACCOUNT, ONCALL)
SSO = """\
[profile oncall]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = reader
region = eu-west-1
[sso-session corp]
sso_region = eu-west-1
sso_start_url = https://example.awsapps.com/start
[profile behind]
role_arn = arn:aws:iam::123456789012:role/reader
source_profile = oncall
region = eu-west-1
"""


def unknown(profiles: Any, order: Order) -> tuple[str, str]:
    """Return why nobody can be told, and the hint."""
    with pytest.raises(IdentityUnknown) as refused:
        look(order, profiles.environment)
    return str(refused.value), refused.value.hint


def test_the_caller_is_told_without_keys(aws: Any, profiles: Any) -> None:
    """Account, alias, role and region are told; an answer without keys holds none."""
    found = look(Order("oncall"), profiles.environment)

    caller = CallerIdentified("aws", ACCOUNT, "shop-prod", ONCALL, ("eu-west-1",))
    assert (found.caller, found.keys, found.expires) == (caller, None, 0)
    assert {each.host for each in aws.arrived} == {
        "sts.eu-west-1.amazonaws.com",
        "iam.amazonaws.com",
    }


def test_keys_are_found_when_they_are_asked_for(aws: Any, profiles: Any) -> None:
    """The gateway's order brings the keys, and no alias is looked up for it."""
    found = look(Order("oncall", keys=True), profiles.environment)

    assert found.keys is not None
    assert found.keys.access_key == aws.arrived[0].scope[0]
    assert "canary" not in repr(found)
    assert len(aws.arrived) == 1


def test_an_alias_that_may_not_be_read_is_empty(aws: Any, profiles: Any) -> None:
    """Who may not list aliases is told all the same."""
    aws.answer = lambda arrived: aws.fail(403, "AccessDenied") if "iam" in arrived.host else None

    assert look(Order("oncall"), profiles.environment).caller.alias == ""


def test_a_region_of_the_environment_wins_over_the_profile(aws: Any, profiles: Any) -> None:
    """AWS_REGION is the caller's region, regions that were asked for come before it."""
    profiles.set("AWS_REGION", "eu-north-1")

    assert look(Order("oncall"), profiles.environment).caller.regions == ("eu-north-1",)
    asked = Order("oncall", regions=("us-west-2", "us-east-1"))
    assert look(asked, profiles.environment).caller.regions == ("us-west-2", "us-east-1")
    assert aws.arrived[-2].host == "sts.us-west-2.amazonaws.com"


def test_keys_of_the_environment_are_taken_without_a_profile(aws: Any, profiles: Any) -> None:
    """As everywhere in AWS's tools: without --profile the environment's keys come first."""
    profiles.set("AWS_ACCESS_KEY_ID", "AKIAOTHER")
    profiles.set("AWS_SECRET_ACCESS_KEY", "other")
    profiles.set("AWS_REGION", "eu-west-1")
    aws.identities["AKIAOTHER"] = f"arn:aws:iam::{ACCOUNT}:user/ada"

    assert look(Order(), profiles.environment).caller.role == f"arn:aws:iam::{ACCOUNT}:user/ada"
    assert look(Order("oncall"), profiles.environment).caller.role == ONCALL


def test_an_expired_sso_session_gives_the_exact_command(profiles: Any) -> None:
    """Also where a role stands on the profile that SSO is set up in."""
    profiles.config(SSO)
    (profiles.folder / "credentials").unlink()
    command = "aws sso login --profile oncall"

    assert unknown(profiles, Order("oncall")) == (
        "the SSO session of profile 'oncall' has expired or was never begun",
        command,
    )
    assert unknown(profiles, Order("behind"))[1] == command


@pytest.mark.parametrize(
    ("order", "setting", "reason", "hint"),
    [
        (Order("oncal"), {}, "there is no profile 'oncal' here", "did you mean oncall?"),
        (Order(), {"AWS_REGION": "eu-west-1"}, "there are no credentials", "--profile NAME"),
        (Order("oncall"), {"HTTPS_PROXY": "http://127.0.0.1:1"}, "the proxy", "HTTPS_PROXY"),
        (Order("oncall"), {"AWS_CA_BUNDLE": None}, "not trusted here", "AWS_CA_BUNDLE"),
        (Order("oncall"), {"AWS_CA_BUNDLE": "/nowhere.pem"}, "/nowhere.pem is not a file", "AWS"),
        (Order("region"), {}, "no region is set", "--region NAME"),
        (Order("oncall"), {"AWS_REGION": "eu west!"}, "names can't be one", "--region NAME"),
        (Order("oncal"), {"AWS_CONFIG_FILE": "/etc"}, "/etc can't be read", "may read"),
        (Order(), {"AWS_CONFIG_FILE": "/etc", "AWS_REGION": "eu-west-1"}, "/etc can't", "may read"),
        (Order("oncall"), {"AWS_CONFIG_FILE": "/etc/passwd"}, "/etc/passwd is not a", "correct it"),
        (Order("process"), {}, "could not be had (custom-process)", "export-credentials"),
        (Order("mfa"), {}, "wants an MFA code", "export-credentials --format env --profile mfa"),
    ],
)
def test_what_is_wrong_is_said_with_the_way_out(
    profiles: Any, order: Order, setting: dict[str, str | None], reason: str, hint: str
) -> None:
    """One sentence and one hint; words of other programs are not quoted."""
    profiles.config(
        "[profile oncall]\nregion = eu-west-1\n"
        "[profile region]\naws_access_key_id = A\naws_secret_access_key = B\n"
        "[profile process]\nregion = eu-west-1\n"
        f"credential_process = {sys.executable} -c \"import sys; sys.exit('canary')\"\n"
        "[profile mfa]\nregion = eu-west-1\nsource_profile = oncall\n"
        f"role_arn = {ROLE}\nmfa_serial = arn:aws:iam::{ACCOUNT}:mfa/ada\n"
    )
    for name, value in setting.items():
        profiles.set(name, value)

    said = unknown(profiles, order)

    assert reason in said[0]
    assert hint in said[1]
    assert "canary" not in " ".join(said)


def test_a_process_that_hangs_is_ended_with_whoever_waits_for_it(
    profiles: Any, tmp_path: Path
) -> None:
    """Nothing of it stays behind on the operator's machine."""
    program, started = tmp_path / "hang.py", tmp_path / "started"
    program.write_text(
        "import os, pathlib, sys, time\n"
        "pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))\n"
        "time.sleep(600)\n"
    )
    process = f"{sys.executable} {program} {started}"
    profiles.config(f"[profile hangs]\nregion = eu-west-1\ncredential_process = {process}\n")

    with pytest.raises(IdentityUnknown) as late:
        look(Order("hangs"), profiles.environment, seconds=5)

    assert "credential_process" in late.value.hint
    assert ended(int(started.read_text()))


def ended(pid: int) -> bool:
    """Return whether a process is gone soon, or only waits for somebody to ask how it ended."""
    stat = Path(f"/proc/{pid}/stat")
    for _ in range(100):
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] in "ZX":
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize(
    ("code", "ahead", "reason"),
    [
        ("ExpiredToken", 0, "the credentials of profile 'oncall' have expired"),
        ("InvalidClientTokenId", 0, "AWS does not know the keys of profile 'oncall'"),
        ("SignatureDoesNotMatch", 600, "s behind AWS's"),
        ("SignatureDoesNotMatch", -600, "s ahead of AWS's"),
    ],
)
def test_what_aws_refuses_is_explained(
    aws: Any, profiles: Any, code: str, ahead: int, reason: str
) -> None:
    """Expired and unknown keys, and a clock that makes every signature invalid."""
    there = datetime.now(UTC) + timedelta(seconds=ahead)
    date = {"Date": f"{there:%a, %d %b %Y %H:%M:%S} GMT"}
    aws.answer = lambda _: aws.fail(403, code, date)

    assert reason in unknown(profiles, Order("oncall"))[0]


# ------------------------------------------------------------------ the role
def test_a_role_is_assumed_with_what_was_approved(aws: Any, profiles: Any) -> None:
    """Session name, source identity, one hour, session policy and managed policies reach STS."""
    order = Order(
        "oncall",
        ROLE,
        ("eu-west-1",),
        "20261121T010101-0a1b2c3",
        '{"Statement":[]}',
        (MANAGED,),
        True,
    )

    found = look(order, profiles.environment)

    asked = aws.arrived[0].form
    assert asked.pop("SourceIdentity")
    assert asked == {
        "Action": "AssumeRole",
        "Version": "2011-06-15",
        "RoleArn": ROLE,
        "RoleSessionName": "20261121T010101-0a1b2c3",
        "DurationSeconds": "3600",
        "Policy": '{"Statement":[]}',
        "PolicyArns.member.1.arn": MANAGED,
    }
    assert found.caller.role == f"arn:aws:sts::{ACCOUNT}:assumed-role/reader"
    assert found.expires > time.time() * 1000
    assert aws.arrived[1].scope[0].startswith("ASIACANARYROLE")


def test_only_to_be_told_a_role_may_read_the_alias_and_nothing_else(
    aws: Any, profiles: Any
) -> None:
    """Before anything is approved, the role's session policy allows one action."""
    assert look(Order("oncall", ROLE), profiles.environment).caller.alias == "shop-prod"
    [statement] = json.loads(aws.arrived[0].form["Policy"])["Statement"]
    assert statement["Action"] == "iam:ListAccountAliases"


def test_a_role_that_takes_no_source_identity_is_assumed_without(aws: Any, profiles: Any) -> None:
    """AccessDenied with it is followed by one try without it."""

    def answer(arrived: Any) -> Any:
        return aws.fail(403, "AccessDenied") if "SourceIdentity" in arrived.form else None

    aws.answer = answer
    found = look(Order("oncall", ROLE), profiles.environment)

    assert found.caller.role.endswith("assumed-role/reader")
    assert ["SourceIdentity" in each.form for each in aws.arrived[:2]] == [True, False]


def test_a_policy_that_packs_too_large_becomes_read_only(aws: Any, profiles: Any) -> None:
    """AWS alone knows the packed size: what only reads goes on and says so, the rest is refused."""

    def answer(arrived: Any) -> Any:
        return aws.fail(400, "PackedPolicyTooLarge") if "Policy" in arrived.form else None

    aws.answer = answer
    found = look(Order("oncall", ROLE, policy="{}", reads_only=True), profiles.environment)

    [told] = found.told
    assert "ReadOnlyAccess" in told
    assert aws.arrived[1].form["PolicyArns.member.1.arn"] == MANAGED
    changing = Order("oncall", ROLE, policy="{}")
    assert "packed, is larger than AWS takes" in unknown(profiles, changing)[0]


def test_a_role_that_refuses_is_named(aws: Any, profiles: Any) -> None:
    """The role, the profile and the code stand in one sentence."""
    aws.answer = lambda _: aws.fail(403, "AccessDenied")

    said = unknown(profiles, Order("oncall", ROLE))[0]

    assert said == f"{ROLE} can't be assumed with profile 'oncall' (AccessDenied)"


# ------------------------------------------------------------------ held by the gateway
def by_process(profiles: Any, seconds: int) -> None:
    """Have the profile's keys made by a program: a new key each time, valid for some seconds."""
    counter = profiles.folder / "counter"
    program = profiles.folder / "keys.py"
    program.write_text(
        "import datetime, json, pathlib\n"
        f"counter = pathlib.Path({str(counter)!r})\n"
        "number = int(counter.read_text()) + 1 if counter.exists() else 1\n"
        "counter.write_text(str(number))\n"
        f"ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds={seconds})\n"
        "print(json.dumps({'Version': 1, 'AccessKeyId': f'ASIAPROCESS{number}',\n"
        "    'SecretAccessKey': 's', 'SessionToken': 't', 'Expiration': ends.isoformat()}))\n"
    )
    profiles.config(
        f"[profile oncall]\nregion = eu-west-1\ncredential_process = {sys.executable} {program}\n"
    )
    (profiles.folder / "credentials").unlink()


class Everybody(dict[str, str]):
    """Whoever asks is the on-call role, until `arn` says otherwise."""

    arn = f"{ONCALL}/ada"

    def get(self, _: str, __: str | None = None) -> str:  # type: ignore[override]  # one answer
        return self.arn


def test_keys_are_renewed_before_they_end(aws: Any, profiles: Any) -> None:
    """Those of a program, at half their life; the identity is asked for again each time."""
    by_process(profiles, 3600)
    aws.identities = Everybody()
    now = time.time_ns() // 1_000_000
    operator = Operator(Order("oncall", keys=True), APPROVED, profiles.environment, lambda: now)
    first = operator.credentials().access_key

    assert operator.credentials().access_key == first
    now += 3_400_000
    assert operator.credentials().access_key != first
    assert len(aws.arrived) == 2


def test_keys_of_somebody_else_are_refused_at_the_start(profiles: Any) -> None:
    """Both identities are named."""
    with pytest.raises(IdentityUnknown, match=r"those of .*/oncall in account 1234") as refused:
        Operator(
            Order("oncall", keys=True),
            Approved("aws", "999999999999", ONCALL),
            profiles.environment,
        )
    assert "approved was" in str(refused.value)
    assert "999999999999" in str(refused.value)


def test_keys_of_somebody_else_are_refused_when_they_are_renewed(aws: Any, profiles: Any) -> None:
    """A profile that became somebody else's signs nothing, and the old keys are not used on."""
    by_process(profiles, 3600)
    everybody = Everybody()
    aws.identities = everybody
    now = time.time_ns() // 1_000_000
    operator = Operator(Order("oncall", keys=True), APPROVED, profiles.environment, lambda: now)
    everybody.arn = f"arn:aws:iam::{ACCOUNT}:user/mallory"
    now += 3_400_000

    for _ in range(2):
        with pytest.raises(ValueError, match=r"user/mallory .*approved was .*/oncall"):
            operator.credentials()


def test_keys_that_cant_be_renewed_are_used_to_their_end(profiles: Any, aws: Any) -> None:
    """AWS out of reach five minutes early costs nothing; at their end it is said."""
    by_process(profiles, 3600)
    aws.identities = Everybody()
    now = time.time_ns() // 1_000_000
    operator = Operator(Order("oncall", keys=True), APPROVED, profiles.environment, lambda: now)
    first = operator.credentials().access_key
    aws.answer = lambda _: aws.fail(403, "ExpiredToken")

    now += 3_400_000
    assert operator.credentials().access_key == first
    now += 300_000
    with pytest.raises(ValueError, match="have expired"):
        operator.credentials()


# ------------------------------------------------------------------ pure parts
def test_what_is_handed_over_of_an_environment() -> None:
    """AWS's own variables, proxies, authorities, HOME and PATH; files become absolute."""
    environ = {
        "AWS_PROFILE": "p",
        "AWS_CONFIG_FILE": "config",
        "AWS_CA_BUNDLE": "~/ca.pem",
        "https_proxy": "http://p:1",
        "HOME": "/home/ada",
        "ANTHROPIC_API_KEY": "no",
        "PYTHONPATH": "no",
        "LD_PRELOAD": "no",
    }

    assert environment_of(environ, Path("/here")) == {
        "AWS_PROFILE": "p",
        "AWS_CONFIG_FILE": "/here/config",
        "AWS_CA_BUNDLE": "~/ca.pem",
        "https_proxy": "http://p:1",
        "HOME": "/home/ada",
    }


@pytest.mark.parametrize(
    ("arn", "role"),
    [
        (
            "arn:aws:sts::1:assumed-role/oncall/ada@example.com",
            "arn:aws:sts::1:assumed-role/oncall",
        ),
        ("arn:aws:iam::1:user/path/ada", "arn:aws:iam::1:user/path/ada"),
        ("arn:aws:sts::1:federated-user/ada", "arn:aws:sts::1:federated-user/ada"),
        ("arn:aws:iam::1:root", "arn:aws:iam::1:root"),
    ],
)
def test_the_name_of_a_roles_session_is_not_bound(arn: str, role: str) -> None:
    """Everything else of an ARN is."""
    assert role_of(arn) == role

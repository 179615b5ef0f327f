"""The demo's incident, and copies of its world in which something else is true, end to end.

Each test runs the real program over a real world file, so an answer can only be right by being
found: a copy with other names, times and culprits has to give those, a sound one has to be healthy.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.simulator.world_file import WORLDS, read_world

HOUSE = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).with_name("countersign")
SHIPPED = WORLDS / "shop-502.yaml"
OTHERS = {  # names of the shipped world, to other ones
    "lantern": "harbour",
    "storefront": "till",
    "catalogue": "pricelist",
    "infra-pipeline": "nightly-cleanup",
    "run-20417": "job-77",
    "shop": "kiosk",
    "415290837612": "901234567890",
    "mira": "otto",
    "seed: 502": "seed: 8",
    "8080": "8443",
    "at: -14m": "at: -47m",
    "since: -11m": "since: -43m",
    "since: -12m": "since: -44m",
    "2026-11-20T15:08:00Z": "2027-02-01T03:30:00Z",
}
FROM_BALANCER = {"peer": "lantern-edge", "port": 8080, "description": "public entrance"}


@dataclass(frozen=True, slots=True)
class Answered:
    """What a session came to."""

    facts: list[dict[str, Any]]
    answer: dict[str, Any]
    file: Path
    """Its journal."""


@pytest.fixture(scope="session")
def ask(home: Path) -> Callable[[str | Path], Answered]:
    """Return a function that puts a world's own question to the program in automated mode."""
    environment = {**os.environ, "COUNTERSIGN_DATA": str(home)}

    def ask(world: str | Path) -> Answered:
        path = WORLDS / f"{world}.yaml" if isinstance(world, str) else world
        question = read_world(path).question
        done = subprocess.run(
            [
                *(str(PROGRAM), "ask", question, "--aws", f"simulated:{world}"),
                *("--mode", "automated", "--ui", "json"),
            ],
            check=False,
            capture_output=True,
            text=True,
            env=environment,
            timeout=50,
        )
        assert (done.returncode, done.stderr) == (0, "")
        facts = [json.loads(line) for line in done.stdout.splitlines()]
        (answer,) = (fact for fact in facts if fact["kind"] == "answer.given")
        return Answered(facts, answer, home / "sessions" / f"{facts[0]['session']}.db")

    return ask


@pytest.fixture(scope="session")
def solved(ask: Callable[..., Answered]) -> Answered:
    """Return what the session over the shipped world came to."""
    return ask("shop-502")


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[Callable[[dict[str, Any]], None]], Path]:
    """Return a function that writes a copy of the shipped world after a change to it."""

    def changed(change: Callable[[dict[str, Any]], None]) -> Path:
        world = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
        change(world)
        path = tmp_path / "copy.yaml"
        path.write_text(yaml.safe_dump(world, sort_keys=False), encoding="utf-8")
        return path

    return changed


def revoked(change: str, group: str, port: int, peer: str) -> dict[str, Any]:
    """Return a copy of CloudTrail's event for a rule that was taken out of a security group."""
    by, at, name = change.split()
    own = f"${{security_groups.{group}}}"
    permission = {
        "ipProtocol": "tcp",
        "fromPort": port,
        "toPort": port,
        "groups": {"items": [{"groupId": f"${{security_groups.{peer}}}"}]},
    }
    return {
        "at": at,
        "region": "eu-west-1",
        "name": name,
        "source": "ec2.amazonaws.com",
        "by": by,
        "resources": [{"type": "AWS::EC2::SecurityGroup", "name": own}],
        "request": {"groupId": own, "ipPermissions": {"items": [permission]}},
    }


def with_egress_revoked(world: dict[str, Any]) -> None:
    """Put the shop's rule back, and take away what lets the load balancer talk to it."""
    mend(world)
    world["security_groups"]["lantern-edge"]["egress"] = [{"peer": "catalogue-app", "port": 9000}]
    change = "jonas.weber -16m RevokeSecurityGroupEgress"
    world["events"][0] = revoked(change, "lantern-edge", 8080, "storefront-app")


def with_other_service_cut_off(world: dict[str, Any]) -> None:
    """Put the shop's rule back, and take the catalogue's away."""
    mend(world)
    del world["security_groups"]["catalogue-app"]["ingress"][0]
    world["alarms"]["shop-catalogue-targets"]["since"] = "-20m"
    change = "catalogue-release -23m RevokeSecurityGroupIngress"
    world["events"][0] = revoked(change, "catalogue-app", 9000, "lantern-edge")


def with_machines_stopped(world: dict[str, Any]) -> None:
    """Put the shop's rule back, and stop its machines."""
    mend(world)
    names = ("storefront-1", "storefront-2", "storefront-3")
    for name in names:
        world["instances"][name]["stopped"] = "-18m"
    event = revoked("jonas.weber -18m StopInstances", "storefront-app", 0, "lantern-edge")
    touched = [{"type": "AWS::EC2::Instance", "name": f"${{instances.{name}}}"} for name in names]
    world["events"][0] = {**event, "resources": touched}


def mend(world: dict[str, Any]) -> None:
    """Put the rule back whose loss is the shipped world's incident."""
    world["security_groups"]["storefront-app"]["ingress"].append(FROM_BALANCER)


def names_of(value: Any, key: str = "") -> Iterator[str]:
    """Yield every name and sentence of a world file that is its own and no word of AWS's."""
    sections = ("networks", "security_groups", "instances", "target_groups", "load_balancers")
    own = ("title", "question", "id", "alias", "role", "session", "description")
    if isinstance(value, dict):
        if key in (*sections, "alarms", "principals", "subnets"):
            yield from value
        for name, item in value.items():
            yield from names_of(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from names_of(item, key)
    elif key in own:
        yield str(value)


# ------------------------------------------------------------------ the incident
def test_the_incident_is_solved(solved: Answered) -> None:
    """Cause, who caused it and when, in four steps; every claim's value stands in its card."""
    answer = solved.answer
    assert (answer["status"], answer["gaps"]) == ("confirmed", [])
    for part in ("storefront-app", "TCP 8080", "lantern-edge", "infra-pipeline/run-20417"):
        assert part in answer["cause"]
    assert "RevokeSecurityGroupIngress at 2026-11-20T14:54:00Z" in answer["cause"]
    assert sum(fact["kind"] == "run.finished" for fact in solved.facts) == 4
    cards = {fact["card"]: fact for fact in solved.facts if fact["kind"] == "evidence.added"}
    pointers = [each for claim in answer["claims"] for each in claim["evidence"]]
    assert len(pointers) > 10
    for each in pointers:
        assert cards[each["card"]]["facts"][each["pointer"].split("/")[-1]] == each["value"]


def test_every_call_of_the_incident_was_answered(solved: Answered) -> None:
    """All the workflows' calls are allowed by their policies and known to the simulator."""
    calls = [fact for fact in solved.facts if fact["kind"] == "aws.called"]

    assert len(calls) > 8
    assert {(call["verdict"], call["status"]) for call in calls} == {("allowed", 200)}


def test_the_journal_of_the_incident_is_intact(solved: Answered) -> None:
    """`verify` says so of the session's file."""
    done = subprocess.run([PROGRAM, "verify", solved.file], check=False, capture_output=True)

    assert done.returncode == 0


# ------------------------------------------------------------------ other worlds
def test_other_names_and_times_give_another_answer(
    ask: Callable[..., Answered], tmp_path: Path
) -> None:
    """The same fault under other names, ids and times is found as what it is there."""
    text = SHIPPED.read_text(encoding="utf-8")
    for old, new in OTHERS.items():
        assert old in text
        text = text.replace(old, new)
    copy = tmp_path / "other.yaml"
    copy.write_text(text, encoding="utf-8")

    answer = ask(copy).answer

    assert answer["status"] == "confirmed"
    for part in ("till-app", "TCP 8443", "harbour-edge", "nightly-cleanup/job-77"):
        assert part in answer["cause"]
    assert "RevokeSecurityGroupIngress at 2027-02-01T02:43:00Z" in answer["cause"]
    told = json.dumps({**answer, "at": ""})
    assert [each for each in (*names_of_shipped(), "8080", "2026-") if each in told] == []


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (
            with_egress_revoked,
            ("No outbound rule", "lantern-edge", "user/jonas.weber", "Egress at 2026-11-20T14:52"),
        ),
        (
            with_other_service_cut_off,
            ("catalogue-app", "TCP 9000", "catalogue-release/build-3311", "at 2026-11-20T14:45"),
        ),
        (
            with_machines_stopped,
            ("3 of 3 instances do not run", "jonas.weber", "StopInstances at 2026-11-20T14:50"),
        ),
    ],
)
def test_another_cause_is_found_as_another(
    ask: Callable[..., Answered],
    changed: Callable[..., Path],
    change: Callable[[dict[str, Any]], None],
    parts: tuple[str, ...],
) -> None:
    """Another rule, another principal, another kind of fault: the answer is that one."""
    answer = ask(changed(change)).answer

    assert answer["status"] == "confirmed"
    assert [part for part in parts if part not in answer["cause"]] == []
    assert "infra-pipeline" not in answer["cause"]


def test_without_cloudtrail_the_cause_is_likely(
    ask: Callable[..., Answered], solved: Answered, changed: Callable[..., Path]
) -> None:
    """The same cause, without who and when, and the missing permission as the gap."""
    confirmed = solved.answer["cause"]

    answer = ask(
        changed(lambda world: world["caller"].update(denied=["cloudtrail:LookupEvents"]))
    ).answer

    assert answer["status"] == "likely"
    assert answer["cause"].split(":")[0] == confirmed.split(". arn")[0]
    assert "infra-pipeline" not in answer["cause"]
    (gap,) = answer["gaps"]
    assert "cloudtrail:LookupEvents was refused with AccessDenied" in gap


def test_without_alarms_the_cause_is_found_by_health_checks(
    ask: Callable[..., Answered], solved: Answered, changed: Callable[..., Path]
) -> None:
    """Alarms that can't be read are a gap, not the end: the same cause, as likely."""
    confirmed = solved.answer["cause"]

    answer = ask(
        changed(lambda world: world["caller"].update(denied=["cloudwatch:DescribeAlarms"]))
    ).answer

    assert answer["status"] == "likely"
    assert answer["cause"].split(". arn")[0] == confirmed.split(". arn")[0]
    (gap,) = answer["gaps"]
    assert "cloudwatch:DescribeAlarms was refused in eu-west-1 with AccessDenied" in gap


def test_a_sound_world_with_unread_alarms_is_not_called_healthy(
    ask: Callable[..., Answered], changed: Callable[..., Path]
) -> None:
    """Passing health checks alone don't make an account sound while its alarms can't be read."""

    def change(world: dict[str, Any]) -> None:
        mend(world)
        world["caller"].update(denied=["cloudwatch:DescribeAlarms"])

    answer = ask(changed(change)).answer

    assert answer["status"] == "inconclusive"
    assert "cloudwatch:DescribeAlarms" in answer["gaps"][0]


def test_a_sound_world_is_healthy(
    ask: Callable[..., Answered], changed: Callable[..., Path]
) -> None:
    """With the rule in place no alarm fires, all targets pass, and nobody is blamed."""
    answer = ask(changed(mend)).answer

    assert (answer["status"], answer["gaps"]) == ("healthy", [])
    assert answer["claims"][0]["text"] == "0 of 4 alarms fire"


# ------------------------------------------------------------------ nothing knows the answer
def test_nothing_of_a_world_is_known_to_the_program() -> None:
    """No name, id or sentence of a world file stands in the code or in the workflows."""
    data = (WORLDS, HOUSE / "core" / "recordings")
    files = [
        file
        for floor in ("core", "tui", "sandbox")
        for file in (HOUSE / floor).rglob("*")
        if file.is_file() and file.suffix != ".pyc" and not set(data) & set(file.parents)
    ]
    words = re.compile("|".join(rf"\b{re.escape(each)}\b" for each in names_of_shipped()))
    texts = ((file, file.read_text(encoding="utf-8", errors="replace")) for file in files)
    found = [f"{file}: {match[0]}" for file, text in texts for match in words.finditer(text)]

    assert len(files) > 100
    assert found == []


def names_of_shipped() -> list[str]:
    """Return the names and sentences of every world that ships."""
    worlds = (yaml.safe_load(path.read_text(encoding="utf-8")) for path in WORLDS.glob("*.yaml"))
    found = sorted({name for world in worlds for name in names_of(world) if name})
    assert len(found) > 40
    return found


def test_the_clock_of_the_world_is_its_own(solved: Answered) -> None:
    """The answer's times come from the world, whatever day it is."""
    cards = [fact for fact in solved.facts if fact["kind"] == "evidence.added"]

    onset = datetime.fromisoformat(cards[0]["facts"]["since"])
    change = datetime.fromisoformat(cards[-1]["facts"]["when"])
    assert (onset - change).total_seconds() == 180

"""The demo's incident in each mode without a terminal, and those who can answer from elsewhere."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DEMO = ("ask", "--aws", "simulated:shop-502", "--ui", "json")
ANSWERS = """\
import json, sys
asked = json.load(sys.stdin)
with open(sys.argv[1], "a") as file:
    file.write(json.dumps(asked) + "\\n")
print(json.dumps({"comment": "seen by a program"}))
sys.exit(int(sys.argv[2]))
"""


def answering(folder: Path, status: int) -> tuple[str, Path]:
    """Return the command line of a program that ends with `status`, and where it notes requests."""
    program, noted = folder / "answers.py", folder / "asked.jsonl"
    program.write_text(ANSWERS)
    return f"{sys.executable} {program} {noted} {status}", noted


@pytest.mark.parametrize(
    ("mode", "code", "rules"),
    [
        ("guided", 3, ["ask"]),
        ("hybrid", 3, ["run", "run", "run", "ask"]),
        ("automated", 0, ["run", "run", "run", "run"]),
        ("manual", 3, ["hand over"]),
    ],
)
def test_the_incident_in_each_mode(
    countersign: Any, mode: str, code: int, rules: list[str]
) -> None:
    """Without anybody to ask each mode goes as far as it may, and says by the code how far."""
    ended = countersign(*DEMO, "--mode", mode)

    assert ended.code == code, ended.err
    requests = ended.of("decision.requested")
    assert [request["rule"] for request in requests] == rules
    assert all(request["asks_because"] for request in requests)
    runs = {run["request"] for run in ended.of("run.started")}
    assert runs == {one["request"] for one in requests if one["rule"] == "run"}
    assert all(one["comment"] for one in ended.of("decision.made"))
    if code == 3:
        assert requests[-1]["digest"] in ended.err


def test_a_program_decides_by_its_exit_status(countersign: Any, tmp_path: Path) -> None:
    """Status 0 approves what is asked; the program is shown all of it, and its words are kept."""
    command, noted = answering(tmp_path, 0)

    ended = countersign(*DEMO, "--mode", "guided", "--approver", command)

    assert ended.code == 0, ended.err
    decisions = ended.of("decision.made")
    assert {(one["by"], one["surface"]) for one in decisions} == {("human", "command")}
    asked = [json.loads(line) for line in noted.read_text().splitlines()]
    assert [one["digest"] for one in asked] == [one["digest"] for one in decisions]
    assert all("import boto3" in one["script"] and one["policy"] for one in asked)
    (answer,) = ended.of("answer.given")
    assert sum("seen by a program" in gap for gap in answer["gaps"]) == len(decisions)


@pytest.mark.parametrize(
    ("status", "code", "verbs"), [(1, 4, ["reject"]), (7, 3, []), (4, 4, ["stop"])]
)
def test_any_other_status_runs_nothing(
    countersign: Any, tmp_path: Path, status: int, code: int, verbs: list[str]
) -> None:
    """A program rejects, stops, or decides nothing at all: nothing runs."""
    command, _ = answering(tmp_path, status)

    ended = countersign(*DEMO, "--mode", "guided", "--approver", command)

    assert (ended.code, ended.of("run.started")) == (code, [])
    assert [one["verb"] for one in ended.of("decision.made")] == verbs


def test_manual_mode_hands_over_and_takes_back(countersign: Any, tmp_path: Path) -> None:
    """The folder holds all that was asked about; what comes back is evidence by hand."""
    ended = countersign(*DEMO, "--mode", "manual")
    (handed,) = ended.of("script.handed")
    (request,) = ended.of("decision.requested")
    folder, session = Path(handed["folder"]), ended.facts[0]["session"]
    brought = tmp_path / "result.json"
    brought.write_text(json.dumps({"facts": {"firing": 0}, "coverage": [], "surprise": 1}))
    given = (
        "ask",
        "--resume",
        session,
        "--ui",
        "json",
        "--result",
        f"{request['digest']}={brought}",
    )

    refused = countersign(*given)
    brought.write_text(json.dumps({"facts": {"firing": 0}}))
    taken = countersign(*given)

    assert {path.name for path in folder.iterdir()} == {
        *("INSTRUCTIONS.md", "script.py", "policy.json", "requirements.txt", "in", "out")
    }
    assert request["digest"] in (folder / "INSTRUCTIONS.md").read_text()
    assert (refused.code, refused.of("result.taken")) == (1, [])
    assert "surprise" in refused.err
    (card,) = taken.of("evidence.added")
    assert (card["by_hand"], card["run"], card["facts"]) == (True, "", {"firing": 0})
    assert card["warnings"][0].startswith("by hand: brought back by ")
    (following,) = taken.of("script.handed")
    assert following["folder"] != str(folder)
    assert (taken.code, taken.of("run.started")) == (3, [])


def test_automated_mode_on_a_live_account_needs_its_name(countersign: Any) -> None:
    """Without --confirm it is refused as a mistake, before anything is asked of AWS."""
    ended = countersign("ask", "why?", "--ui", "json", "--mode", "automated")

    assert (ended.code, ended.out) == (2, "")
    assert "--confirm" in ended.err


def test_what_nobody_decided_stands_on_stdout(countersign: Any) -> None:
    """In plain words the whole request is printed, so that somebody elsewhere can decide it."""
    ended = countersign("ask", "--aws", "simulated:shop-502", "--ui", "plain", "--mode", "guided")

    assert ended.code == 3
    for part in ("--- what is approved", "import boto3", "--- IAM policy", "digest "):
        assert part in ended.out


# ------------------------------------------------------------------ a second person
def signed(folder: Path, name: str, decision: dict[str, Any]) -> tuple[Path, Path]:
    """Return a decision file with a signature of `name`, and the file of allowed signers."""
    key, signers, path = folder / f"{name}.key", folder / "signers", folder / "decision.json"
    for old in (key, key.with_suffix(".key.pub"), path.with_name("decision.json.sig")):
        old.unlink(missing_ok=True)
    keygen("-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(key))
    public = Path(f"{key}.pub").read_text()
    signers.write_text(f'{name} namespaces="countersign" {public}')
    path.write_text(json.dumps(decision))
    keygen("-Y", "sign", "-n", "countersign", "-f", str(key), str(path))
    return path, signers


def keygen(*arguments: str) -> None:
    """Run ssh-keygen."""
    subprocess.run(["ssh-keygen", *arguments], check=True, capture_output=True, timeout=50)


def test_a_change_needs_a_second_person(countersign: Any, tmp_path: Path) -> None:
    """With `second_person` the one who asks can't approve a change; a signed decision can."""
    script, config = tmp_path / "change.py", tmp_path / "config.yaml"
    script.write_text(f"print('changed', {str(tmp_path)!r})\n")
    statement = {"Effect": "Allow", "Action": ["ec2:CreateTags"], "Resource": "*"}
    policy = script.with_name("policy.json")
    policy.write_text(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    signers = tmp_path / "signers"
    config.write_text(f"approval: {{second_person: true, allowed_signers: {signers}}}\n")
    given = (script, "--policy", policy, "--aws", "recorded:checkout-503", "--config", config)
    checked = json.loads(countersign("check", *given, "--json").out)
    decision = {"digest": checked["digest"], "verb": "approve", "confirm": "shop-prod"}
    decision["override_blockers"] = True
    path, _ = signed(tmp_path, "grace", decision)
    yes = ("--approve", checked["digest"], "--confirm", "shop-prod", "--override-blockers")

    own = countersign("run", *given, "--ui", "json", *yes)
    other = countersign("run", *given, "--ui", "json", "--decision", path, "--again")
    twice = countersign("run", *given, "--ui", "json", "--decision", path)
    path.write_text(path.read_text().replace("approve", "approve "))
    changed = countersign("run", *given, "--ui", "json", "--decision", path)

    assert (own.code, own.of("run.started")) == (3, [])
    assert "somebody else than" in own.err
    assert other.code == 0, other.err
    (made,) = other.of("decision.made")
    assert (made["identity"], made["surface"], made["confirmed"]) == ("grace", "file", "shop-prod")
    assert (changed.code, changed.of("decision.made")) == (3, [])
    assert (twice.code, twice.of("decision.made")) == (3, [])
    assert "was used by session" in twice.err

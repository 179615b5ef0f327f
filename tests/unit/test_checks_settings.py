"""The `checks` section of the settings: read strictly, and each mistake named by its path."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from core.checks.standards import Gate, Standards
from core.config import load
from core.errors import ConfigError

GATE = {"name": "no-eval", "severity": "blocker", "message": "no", "call": "eval"}


def standards(folder: Path, **checks: object) -> Standards:
    """What reviews hold drafts to under these settings."""
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump({"checks": checks}), encoding="utf-8")
    return load(file, {}).standards()


def test_what_is_set_is_what_reviews_hold_drafts_to(tmp_path: Path) -> None:
    """Every key arrives, with the packages that scripts may use."""
    found = standards(
        tmp_path,
        left_out=["security"],
        widest_line=80,
        most_quality=1,
        most_complexity=4,
        severities={"lint/B006": "blocker"},
        gates=[GATE, {"name": "a", "severity": "note", "message": "m", "import": "requests"}],
    )

    assert "pandas" in found.allowed
    assert found == Standards(
        allowed=found.allowed,
        left_out=("security",),
        widest_line=80,
        most_quality=1,
        most_complexity=4,
        severities={"lint/B006": "blocker"},
        gates=(
            Gate("no-eval", "blocker", "no", "call", "eval"),
            Gate("a", "note", "m", "import", "requests"),
        ),
    )


@pytest.mark.parametrize(
    ("checks", "said"),
    [
        ({"left_out": ["syntax"]}, "checks.left_out[0]: can't be left out"),
        ({"left_out": ["securty"]}, "checks.left_out[0]: must be one of readability, lint"),
        ({"left_out": "security"}, "checks.left_out: must be a list"),
        ({"severities": {"lint/B006": "fatal"}}, "checks.severities.lint/B006: must be 'blocker'"),
        ({"severities": {"B006": "note"}}, "must be CHECK/RULE"),
        ({"severities": {"syntax/invalid": "note"}}, "can't be rated otherwise"),
        ({"gates": {}}, "checks.gates: must be a list"),
        ({"gates": [GATE, 1]}, "checks.gates[1]: must be a mapping"),
        ({"gates": [{**GATE, "call": None}]}, "checks.gates[0]: must have exactly one of pattern"),
        ({"gates": [{**GATE, "import": "x"}]}, "checks.gates[0]: must have exactly one of pattern"),
        ({"gates": [{**GATE, "name": "No Eval"}]}, "checks.gates[0].name: must be a name"),
        ({"gates": [{**GATE, "severity": "bad"}]}, "checks.gates[0].severity: must be 'blocker'"),
        ({"gates": [{**GATE, "message": ""}]}, "checks.gates[0].message: "),
        ({"gates": [{**GATE, "patern": "x"}]}, "did you mean checks.gates.pattern?"),
        (
            {"gates": [{"name": "a", "severity": "note", "message": "m", "pattern": "("}]},
            "checks.gates[0].pattern: must be a regular expression",
        ),
        (
            {"gates": [{"name": "a", "severity": "note", "message": "m", "pattern": "a*"}]},
            "checks.gates[0].pattern: must not match the empty text",
        ),
    ],
)
def test_a_mistake_is_named_by_its_path(
    tmp_path: Path, checks: dict[str, object], said: str
) -> None:
    """Whoever wrote the gate finds the place, and nothing is guessed."""
    with pytest.raises(ConfigError) as told:
        standards(tmp_path, **checks)

    assert said in str(told.value)


def test_a_digest_tells_standards_apart() -> None:
    """Whatever could change a review changes the digest that it is cached under."""
    several = [
        Standards(),
        Standards(allowed=("a",)),
        Standards(left_out=("lint",)),
        Standards(widest_line=80),
        Standards(most_quality=1),
        Standards(most_complexity=1),
        Standards(severities={"lint/B006": "note"}),
        Standards(gates=(Gate("a", "note", "m", "call", "eval"),)),
        Standards(gates=(Gate("a", "note", "m", "import", "eval"),)),
    ]

    assert len({each.digest() for each in several}) == len(several)

"""docs/secrets.md against the code: what is swapped, withheld, redacted, cached and billed."""

from __future__ import annotations

import re
from pathlib import Path

from core.costs import PRICED, estimate
from core.upstream.cached import POLLS
from sandbox.gateway.sensitive import ENVIRONMENTS, MOST_VALUES, NAMES, SHORTEST
from sandbox.gateway.vault import NAMED, PLACEHOLDER, SAME_IDENTITY, new_handle
from sandbox.gateway.withheld import WITHHELD
from sandbox.job import AwsCall

PAGE = (Path(__file__).parents[2] / "docs" / "secrets.md").read_text(encoding="utf-8")
SECTIONS = dict(
    zip(*[iter(re.split(r"^## (.+)\n", PAGE, flags=re.MULTILINE)[1:])] * 2, strict=True)
)
ROW = re.compile(r"^\| `([a-z0-9-]+\.[A-Za-z0-9*]+)` \| (.+?) \|", re.MULTILINE)


def rows(section: str) -> dict[str, str]:
    """Return the table of a section: operation to what the page says of it."""
    return dict(ROW.findall(SECTIONS[section]))


def listed(section: str, before: str) -> set[str]:
    """Return the words in backticks of the stretch that follows `before`."""
    text = SECTIONS[section].split(before)[1]
    return set(re.findall(r"`([^`]+)`", text[: text.index("\n\n") if "\n\n" in text else None]))


def whose(name: str) -> str:
    """Return in the page's words how the owner of credentials is known."""
    if name in SAME_IDENTITY:
        return "the one who asked"
    return "the ARN in the answer" if name in NAMED else "asked of AWS"


def test_the_swapped_operations() -> None:
    """The page says of each how its owner is known; that none is missing is a test of the vault."""
    table = rows("Credentials that are swapped")

    assert {name: whose(name) for name in table} == table
    assert {*SAME_IDENTITY, *NAMED} <= set(table)


def test_the_withheld_members() -> None:
    """The table of what is withheld is the one of the vault, in order."""
    expected = {
        name: ", ".join(f"`{each}`" for each in WITHHELD[name]) for name in sorted(WITHHELD)
    }

    assert list(expected.items()) == list(rows("Credentials that are withheld").items())
    assert f"`{PLACEHOLDER}`" in SECTIONS["Credentials that are withheld"]
    assert f"`{new_handle()[:15]}...`" in PAGE


def test_what_is_redacted() -> None:
    """Names and bounds are those of the code."""
    section = "What is redacted"

    assert set(NAMES) == listed(section, "end with one of") & set(NAMES)
    assert set(ENVIRONMENTS) <= listed(section, "lists and maps named")
    assert f"fewer than {SHORTEST} characters" in SECTIONS[section]
    assert f"more than {MOST_VALUES:,} sensitive texts" in SECTIONS[section]


def test_what_is_never_answered_from_the_record() -> None:
    """The page lists exactly the calls that ask whether something is done."""
    assert listed("Answers from the record", "whether something is done:") == POLLS


def test_what_is_billed() -> None:
    """The page has every price with its source, and the amounts that are taken for it."""
    table = rows("What calls cost")
    sources = re.findall(r"\[prices\]\(([^)]+)\)", SECTIONS["What calls cost"])

    assert sorted(PRICED) == list(table)
    assert [PRICED[name].source for name in table] == sources
    for name, said in table.items():
        service, operation = name.split(".")
        taken = estimate(AwsCall(service, operation, "us-east-1", {})).micro_dollars
        total = re.search(r": \$([0-9.]+)$|^\$([0-9.]+) (?:assumed|per request)", said)
        if total:
            assert taken == round(float(total[1] or total[2]) * 1_000_000), name

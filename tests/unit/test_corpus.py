"""The corpus of good scripts: all is resolved, nothing blocks, and planted mistakes are found."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path

import pytest

from core.checks.aws_calls import extract
from core.checks.review import review
from tools.make_review_page import BEGIN, CHANGES, END, KINDS, PAGE, draft_of, said
from tools.mutate_scripts import CORPUS, Mutant, mutants, originals

GOODS = {one.name: one for one in originals()}
SAMPLED = sorted(GOODS)[::5]
LIBRARY = Path(__file__).parents[2] / "core" / "workflows" / "library"


def figures(heading: str) -> dict[str, str]:
    """Return a generated table of the page: first column to the last but those of other tools."""
    made = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    lines = made.partition(heading)[2].strip().partition("\n\n")[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: " ".join(row[1:3]) for row in cells if row[0] and "---" not in row[0]}


@pytest.mark.parametrize("name", GOODS)
def test_a_good_script_passes(name: str) -> None:
    """No check blocks it, nothing of its calls is out of sight, and its policy is its own."""
    original = GOODS[name]
    found = review(draft_of(name, original.script, original.policy))

    assert found.blockers == ()
    assert (found.unresolved, found.missing, found.excess) == (0, (), ())
    about = [one for one in found.findings if one.source in ("aws-calls", "policy")]
    assert [one for one in about if one.severity != "note"] == []


def test_the_corpus_is_large_and_says_where_it_is_from() -> None:
    """At least thirty scripts, ten of them after published ones, each with origin and licence."""
    heads = [one.script.partition('"""')[0] for one in GOODS.values()]

    assert len(GOODS) >= 30
    assert sum("aws-doc-sdk-examples" in head and "Apache-2.0" in head for head in heads) >= 10
    assert all(head.startswith("# Origin: ") for head in heads)
    assert {path.name.partition(".")[0] for path in CORPUS.glob("*.*")} == set(GOODS)
    assert set(CHANGES) <= set(GOODS)


@lru_cache(maxsize=64)
def planted(name: str) -> dict[str, Mutant]:
    """The first mutant of each kind of one script."""
    found: dict[str, Mutant] = {}
    for mutant in mutants(GOODS[name]):
        found.setdefault(mutant.kind, mutant)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_planted_mistakes_are_found(kind: str) -> None:
    """The first mistake of each kind is told in every fifth script; `make review` looks at all."""
    chosen = [mutant for name in SAMPLED if (mutant := planted(name).get(kind))]
    told = []
    for mutant in chosen:
        good = mutant.original
        known = said(good.name, good.script, good.policy)
        if said(good.name, mutant.script, mutant.policy) <= known:
            told.append(f"{good.name}: {mutant.what}")

    assert len(chosen) >= 3
    assert told == []


def test_mutants_are_the_same_each_time() -> None:
    """The mutator has no chance in it, and each mutant is unlike its original."""
    one = next(iter(GOODS.values()))
    first, second = (
        [(each.kind, each.what, each.script, each.policy) for each in mutants(one)]
        for _ in range(2)
    )

    assert first == second
    written = ast.unparse(ast.parse(one.script)) + "\n"
    assert all(each[2] != written or each[3] != one.policy for each in first)


def test_the_page_holds_the_bars() -> None:
    """What `make review` wrote: enough scripts and mutants, and the shares that are promised."""
    goods = figures("| the good scripts | |")
    planted = figures("| mistake |")

    assert int(goods["scripts"]) == len(GOODS)
    assert float(goods["of them resolved"].rstrip(" %")) >= 97
    assert goods["blockers, of all checks"] == "0"
    number, share = planted["all"].split(" ", 1)
    assert int(number) == sum(len(list(mutants(one))) for one in GOODS.values()) >= 300
    assert float(share.rstrip(" %")) >= 95
    assert set(KINDS) <= set(planted)


@pytest.mark.parametrize("name", sorted(each.parent.name for each in LIBRARY.glob("*/script.py")))
def test_the_scripts_that_ship_are_good(name: str) -> None:
    """A script of the library has no mistake, and nothing out of sight."""
    found = extract(ast.parse((LIBRARY / name / "script.py").read_text(encoding="utf-8")))

    assert [(one.rule, one.line, one.message) for one in found.findings] == []

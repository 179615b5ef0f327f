"""docs/performance.md against the benchmarks: every bar a row, every miss owned up to."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import (
    bench_gateway,
    bench_review,
    bench_sandbox,
    bench_sandbox_endurance,
    bench_screen,
    bench_start,
)
from benchmarks.page import NOTHING, Bar, Found, Row, merged, read, table

HOUSE = Path(__file__).parents[2]
PAGE = (HOUSE / "docs" / "performance.md").read_text(encoding="utf-8")
BARS: dict[str, tuple[Bar, ...]] = {
    "bench_gateway": bench_gateway.BARS,
    "bench_review": bench_review.BARS,
    "bench_sandbox": bench_sandbox.BARS,
    "bench_sandbox_endurance": bench_sandbox_endurance.BARS,
    "bench_screen": bench_screen.BARS,
    "bench_start": bench_start.BARS,
}
ENGINES = ["bubblewrap, user", "namespaces, root", "namespaces, user"]
EMPTY = "before\n<!-- name -->\n<!-- end -->\nafter\n"


def cells(benchmark: str) -> dict[str, dict[str, str]]:
    """Return the columns of one table of the page."""
    return read(table(PAGE, benchmark)[1])


def test_every_benchmark_is_on_the_page() -> None:
    """What `make bench` runs is what the tables are of."""
    assert sorted(file.stem for file in (HOUSE / "benchmarks").glob("bench_*.py")) == sorted(BARS)


@pytest.mark.parametrize("benchmark", BARS)
def test_every_bar_is_a_row(benchmark: str) -> None:
    """The rows of a table are the bars of its benchmark, in their order, and say what they are."""
    rows = [(bar.what, bar.text(bar.most)) for bar in BARS[benchmark]]

    assert list(cells(benchmark)["bar"].items()) == rows


@pytest.mark.parametrize("benchmark", BARS)
def test_every_number_is_under_its_bar(benchmark: str) -> None:
    """No table was written with a bar that was missed."""
    over = {
        bar.what
        for found in cells(benchmark).values()
        for bar in BARS[benchmark]
        if bar.most is not None and found[bar.what] != NOTHING
        if float(found[bar.what].split()[0]) > bar.most
    }

    assert over == set()


@pytest.mark.parametrize("benchmark", ["bench_sandbox", "bench_sandbox_endurance"])
def test_every_engine_was_measured(benchmark: str) -> None:
    """Each engine for each user has a column; it lacks nothing but what is about another engine."""
    columns = cells(benchmark)
    lacking = {
        (name, what)
        for name in ENGINES
        for what, cell in columns[name].items()
        if cell == NOTHING
        if what not in {bar.what for bar in bench_sandbox.COLD.values()}
    }

    assert sorted(set(columns) - {"bar"}) == ENGINES
    assert lacking == set()


def test_a_run_changes_its_own_column_only() -> None:
    """Other columns stay, rows that a benchmark no longer has go, new ones are empty elsewhere."""
    first = merged(EMPTY, Found("name", "b", [Row("x", "1", "0.5"), Row("old", "2", "1")]))
    second = merged(first, Found("name", "a", [Row("x", "1", "0.7"), Row("new", "-", "9 ms")]))

    assert second == (
        "before\n<!-- name -->\n\n"
        "| measured | bar | a | b |\n| --- | ---: | ---: | ---: |\n"
        "| x | 1 | 0.7 | 0.5 |\n| new | - | 9 ms | - |\n"
        "\n<!-- end -->\nafter\n"
    )


def test_a_page_without_a_place_is_refused() -> None:
    """Numbers are never lost without a word."""
    with pytest.raises(ValueError, match="no place for other"):
        merged(EMPTY, Found("other", "a", []))

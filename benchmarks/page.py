"""What benchmarks are held to, how they tell it, and the page that keeps what they found.

The tables of docs/performance.md are both the record and what is read: each benchmark owns one,
between two marker lines. A run replaces one column of its table and leaves the others, which
another user or another engine of the same machine has filled. Whoever can't write the page (an
ordinary user in root's checkout) has the benchmark write `--into` a file instead, which

    python -m benchmarks.page FILE

brings in. Without either option a benchmark only prints.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
NOTHING = "-"
"""Stands where there is no bar, and where nothing was measured."""
_END = "<!-- end -->"


@dataclass(frozen=True, slots=True)
class Bar:
    """One number that a benchmark measures."""

    what: str
    most: float | None
    """What it may be; None for a number that is only told."""
    unit: str = ""
    """"ms"; empty for ratios and counts."""
    digits: int = 2

    def text(self, value: float | None) -> str:
        """Return a value as the page has it."""
        return NOTHING if value is None else f"{value:.{self.digits}f} {self.unit}".strip()


class Row(NamedTuple):
    """A line of a table, with the one cell that a run has measured."""

    what: str
    bar: str
    measured: str


class Found(NamedTuple):
    """What one run of a benchmark has to say to the page."""

    benchmark: str
    column: str
    rows: list[Row]


def arguments(description: str | None) -> argparse.Namespace:
    """Read the options that every benchmark has."""
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("--page", action="store_true", help=f"write the numbers into {PAGE.name}")
    parser.add_argument("--into", type=Path, help="append them to this file, for another to write")
    return parser.parse_args()


def report(
    found: Found, bars: Sequence[Bar], values: Mapping[str, float], options: argparse.Namespace
) -> int:
    """Print a line for each bar and write where the options say; return how many were missed."""
    missed = 0
    for bar in bars:
        if bar.what in values:
            over = bar.most is not None and values[bar.what] > bar.most
            missed += over
            told = f"{bar.text(values[bar.what])}, bar {bar.text(bar.most)}"
            print(f"{found.column}: {bar.what}: {told}{' - MISSED' if over else ''}", flush=True)
    if options.page:
        write([found])
    if options.into:
        with options.into.open("a", encoding="utf-8") as file:
            file.write(json.dumps(found) + "\n")
    return missed


def rows(bars: Iterable[Bar], values: Mapping[str, float]) -> list[Row]:
    """Return the lines of a table for what was measured."""
    return [Row(bar.what, bar.text(bar.most), bar.text(values.get(bar.what))) for bar in bars]


def write(several: Iterable[Found]) -> None:
    """Bring what was found into the page."""
    page = PAGE.read_text(encoding="utf-8")
    for found in several:
        page = merged(page, found)
    PAGE.write_text(page, encoding="utf-8")


def merged(page: str, found: Found) -> str:
    """Return the page with one column of one table anew; raises ValueError without its markers."""
    before, old, after = table(page, found.benchmark)
    columns = read(old)
    columns["bar"] = {row.what: row.bar for row in found.rows}
    columns[found.column] = {row.what: row.measured for row in found.rows}
    names = ["bar", *sorted(columns.keys() - {"bar"})]
    lines = [
        ["measured", *names],
        ["---", *["---:"] * len(names)],
        *(
            [row.what, *(columns[each].get(row.what, NOTHING) for each in names)]
            for row in found.rows
        ),
    ]
    return "\n".join((before, *(f"| {' | '.join(line)} |" for line in lines), after))


def table(page: str, benchmark: str) -> tuple[str, str, str]:
    """Return what is before a benchmark's table, the table, and what comes after it."""
    before, marker, rest = page.partition(f"<!-- {benchmark} -->\n")
    text, end, after = rest.partition(_END)
    if not (marker and end):
        raise ValueError(f"the page has no place for {benchmark}")
    return before + marker, text, f"\n{end}{after}"


def read(text: str) -> dict[str, dict[str, str]]:
    """Return the columns of a table, that of the bars among them: column to row to cell."""
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    if not lines:
        return {}
    (_, *names), _, *body = lines
    return {name: {what: cells[n] for what, *cells in body} for n, name in enumerate(names)}


def main(files: Sequence[str]) -> int:
    """Bring in what benchmarks wrote into files."""
    for file in files:
        for line in Path(file).read_text(encoding="utf-8").splitlines():
            benchmark, column, lines = json.loads(line)
            write([Found(benchmark, column, [Row(*each) for each in lines])])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""docs/gateway.md: the tables are of every operation, and none of them was mistaken."""

from __future__ import annotations

from pathlib import Path

from tools.make_gateway_page import NAMED, OUTCOMES, REFUSED, VARIANTS, WAYS, WRONG

PAGE = (Path(__file__).parents[2] / "docs" / "gateway.md").read_text(encoding="utf-8")
LEAST = {"right or twin": 99.99, "parameters exact": 99.9, "rebuilt equal": 99.9}
"""Per cent, by the beginning of a line."""


def tables() -> tuple[dict[str, list[int]], dict[str, list[float]]]:
    """Return the lines of the counts and of the shares."""
    text = PAGE.partition("<!-- operations -->\n")[2].partition("<!-- end -->")[0]
    counts, shares, *_ = (
        [line.strip("| ").split(" | ") for line in part.splitlines()[2:]]
        for part in text.split("\n\n")
    )
    return (
        {what: [int(cell) for cell in cells] for what, *cells in counts},
        {what: [float(cell.removesuffix(" %")) for cell in cells] for what, *cells in shares},
    )


def test_no_operation_was_read_as_another() -> None:
    """In none of the three variants, by none of the three ways."""
    counts, _ = tables()
    assert counts[WRONG] == [0] * len(WAYS) * len(VARIANTS)


def test_the_table_accounts_for_every_operation() -> None:
    """Each has one outcome, and the refusals have their reasons."""
    counts, _ = tables()
    for column, every in enumerate(counts["operations"]):
        assert every == sum(counts[what][column] for what in OUTCOMES) > 19_000
        reasons = [cells[column] for what, cells in counts.items() if what.startswith("refused: ")]
        assert sum(reasons) == counts[REFUSED][column] + counts[NAMED][column]


def test_the_shares_are_as_high_as_they_must_be() -> None:
    """What is read, what is recovered of it, and what is built again."""
    _, shares = tables()
    for begin, least in LEAST.items():
        (found,) = (cells for what, cells in shares.items() if what.startswith(begin))
        assert min(found) >= least

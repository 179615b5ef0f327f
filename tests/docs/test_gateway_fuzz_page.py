"""docs/gateway.md: the table of injured requests is of a long run, and tells of no difference."""

from __future__ import annotations

from tools.fuzz_requests import (
    BEGIN,
    END,
    MUTATED,
    OTHER,
    PAGE,
    REFUSED,
    ROWS,
    SAME,
    UNSENT,
    UNTOLD,
)


def counts() -> dict[str, int]:
    """Return the rows of the table."""
    text = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    lines = [line.strip("| ").split(" | ") for line in text.splitlines()[2:]]
    return {what: int(count) for what, count in lines}


def test_nothing_was_read_as_another_call_than_was_judged() -> None:
    """Of a hundred thousand requests and more, as `--count 100000 --page` has written it."""
    found = counts()
    assert list(found) == list(ROWS)
    assert found[MUTATED] >= 100_000
    assert (found[OTHER], found[UNTOLD]) == (0, 0)
    assert found[MUTATED] == found[REFUSED] + found[UNSENT] + found[SAME]

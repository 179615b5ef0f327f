"""What runs print and find, as the screen keeps and shows it: bounded, safe, in three views."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from core.events import Event, Fact, PlanProposed, RunFinished, RunOutput, RunStarted
from sandbox.job import Sha
from tui import results, running
from tui.running import Ring, Runs

HOSTILE = "a\x1b]52;c;x\x07b\u202ec\u200bd\x9be"
HIDDEN = set("\x1b\x07\u202e\u200b\x9b")


def watched(*printed: RunOutput) -> Any:
    """Return a run that printed this."""
    runs = Runs()
    events: list[Event] = [
        PlanProposed("S1", "Look", "to know", "collect", "", {}),
        RunStarted("X1", "R1", "run", Sha("f" * 64), "namespaces", ()),
        *printed,
    ]
    for number, event in enumerate(events, 1):
        runs.add(Fact(number, 1_000, event))
    return runs.of("S1")


def test_a_ring_keeps_the_newest_rows() -> None:
    """Of a million rows the last are kept, and it is known how many there were."""
    ring = Ring(100, 10_000)
    for first in range(0, 1_000_000, 1_000):
        ring.extend(str(number) for number in range(first, first + 1_000))

    assert (len(ring), ring[0], ring[99], ring.total) == (100, "999900", "999999", 1_000_000)
    assert ring.dropped == 999_900
    assert len(ring._rows) <= 1_300


def test_a_ring_has_room_for_so_many_characters() -> None:
    """Long rows are cut, and push out others before there are too many of them."""
    ring = Ring(1_000, 20_000)
    ring.extend("x" * 1_000_000 for _ in range(50))

    assert len(ring) == 5
    assert all(len(row) == running.MOST_OF_A_ROW and row.endswith("…") for row in ring)


def test_output_is_told_by_rows_and_gaps() -> None:
    """Lines of stderr bear a mark, a gap says how much is missing, nothing hidden is left."""
    found = watched(
        RunOutput("X1", "stdout", 0, f"one\n{HOSTILE}\n", 0),
        RunOutput("X1", "stderr", 0, "\tbad\n", 0),
        RunOutput("X1", "stdout", 90, "", 70),
        RunOutput("X1", "stdout", 90, "last", 70),
    )

    first, _, *others = found.output
    assert first == "one"
    assert others == [
        "!     bad",
        "... 70 bytes of stdout are missing here ...",
        "last",
    ]
    assert not HIDDEN & set("".join(found.output))


def test_the_summary_tells_time_limits_and_end(story: Callable[..., Any]) -> None:
    """Elapsed of allowed seconds, calls of allowed ones, lines; and how it ended, when it has."""
    found = watched(RunOutput("X1", "stdout", 0, "one\n", 0))
    session = story().session

    assert " · ".join(running.summary(found, session, 16_000)) == (
        "X1 runs in namespaces · 15 of 30 s ████░░░░ · 0 of 200 calls, 0 denied · 1 line"
    )
    runs = Runs()
    runs.add(Fact(1, 1_000, RunStarted("X1", "R1", "run", Sha("f" * 64), "namespaces", ())))
    runs.add(Fact(2, 3_000, RunFinished("X1", "exited", 1, None, Sha("a" * 64), {}, ())))
    ended = runs.of("")
    assert ended is not None
    assert running.summary(ended, session, 99_000)[:2] == [
        "X1 ended: exit code 1",
        "2 of 30 s ░░░░░░░░",
    ]
    assert ended.result == "a" * 64


def test_a_result_has_three_views() -> None:
    """Facts and tables in columns, a tree that folds, and the text as it lies there."""
    body = json.dumps(
        {
            "facts": {"firing": 2},
            "tables": {
                "alarms": {"columns": ["name", "since"], "rows": [["cpu", 5], ["disk", None]]}
            },
        }
    ).encode()
    found = results.read(body)

    assert "alarms (2 rows)" in found.table
    assert "cpu   5" in found.table
    assert "name    value" in found.table
    shown = results.visible(found.tree, results.folded_at_first(found.tree))
    rows = [results.tree_row(found.tree[n], n, frozenset({4})) for n in shown]
    assert [row.strip() for row in rows][:3] == ["▾ result  {2}", "▾ facts  {1}", "firing: 2"]
    everything = results.visible(found.tree, frozenset())
    assert len(everything) == len(found.tree) > len(shown)
    assert '    "firing": 2' in found.raw


@pytest.mark.parametrize("body", [b"", b"nothing", b"\xff\xfe{", b'{"a": ' + b"[" * 100_000])
def test_what_is_no_json_is_shown_raw(body: bytes) -> None:
    """A result of another form breaks no view."""
    found = results.read(body)

    assert found.table == ("it is no JSON: press t for the raw text",)
    assert len(found.raw) == 1


def test_no_view_of_a_result_talks_to_the_terminal() -> None:
    """Names, cells and texts of a result are made visible in each view."""
    table = {"columns": [HOSTILE], "rows": [[HOSTILE], [{HOSTILE: 1}], 5]}
    found = results.read(json.dumps({"tables": {HOSTILE: table}}, ensure_ascii=False).encode())
    tree = "".join(node.text for node in found.tree)

    assert not HIDDEN & set("".join(found.table) + tree + "".join(found.raw))
    assert found.raw != ()


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        ("progress: 3 of 12 regions\nprogress: 6 of 12 regions\nmore\n", (6, 12, "regions")),
        ("progress: 5 of 9", (5, 9, "")),
        (f"progress: 1 of 2 {HOSTILE}\n", (1, 2, "a␛]52;c;x␇b<U+202E>c<U+200B>d<U+009B>e")),
        ("no progress: 5 of 9\nprogress: many of 9\n", None),
    ],
)
def test_a_script_tells_how_far_it_has_come(printed: str, told: object) -> None:
    """The last line of the documented form counts, safe to show; others are output like any."""
    assert watched(RunOutput("X1", "stdout", 0, printed, 0)).progress == told


def test_progress_stands_in_the_line_about_the_run(story: Any) -> None:
    """How far it has come is told in numbers and as a bar, where a script says so."""
    found = watched(RunOutput("X1", "stdout", 0, "progress: 6 of 12 regions\n", 0))
    session = story().identified().session

    assert "6 of 12 regions ████░░░░" in running.summary(found, session, 2_000)
    assert not any("█" in each for each in running.summary(watched(), session, 1_000))

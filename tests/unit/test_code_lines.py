"""Lines of code in the pane: wrapped as the widget would, coloured as it would, block by block."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some
from textual.document._document import Document
from textual.document._wrapped_document import WrappedDocument

from tui.widgets.code_lines import Parts, WrappedLines

SCRIPT = (Path(__file__).parents[2] / "core" / "session.py").read_text(encoding="utf-8") * 3
WIDTHS = some.lists(some.integers(0, 30), min_size=1, max_size=4)
TEXTS = some.lists(some.text("ab \té漢", max_size=60), max_size=8).map("\n".join)
FACTS = ("_wrap_offsets", "_offset_to_line_info", "_line_index_to_offsets", "_tab_width_cache")


@given(TEXTS, WIDTHS)
def test_lines_wrap_as_the_widget_wraps_them(text: str, widths: list[int]) -> None:
    """In every width, and back in one that was there before, all lines have the rows they had."""
    ours = WrappedLines(Document(text), 4)
    for width in widths:
        theirs = WrappedDocument(Document(text), tab_width=4)
        theirs.wrap(width)
        ours.wrap(width, 4)

        assert ours.height == theirs.height
        for fact in FACTS:
            assert getattr(ours, fact) == getattr(theirs, fact)


def test_the_parts_of_a_line_are_the_same_in_any_block() -> None:
    """Of a long script each block has what the whole script has, texts over many lines too."""
    lines = SCRIPT.count("\n") + 1
    whole, blocks = Parts(SCRIPT), Parts(SCRIPT)
    whole.update((line, []) for line in range(lines))
    whole._ask(0, lines)
    for line in reversed(range(lines)):
        assert sorted(blocks[line], key=str) == sorted(whole[line], key=str)
    assert any(last is None for line in range(lines) for _, last, _ in blocks[line])


def test_only_the_lines_that_are_looked_at_are_asked_for_their_parts() -> None:
    """A line in a long script costs no more than its block; a short script is asked at once."""
    long, short = Parts(SCRIPT), Parts("a = 1\nb = 2\n")

    assert ("number" in [name for *_, name in short[0]], len(short)) == (True, 3)
    assert long[250] is not None
    assert sorted(long) == list(range(200, 300))


@pytest.mark.parametrize("text", ["", "\n", "é = 'ü'\n", "def (:\n", "x" * 5_000])
def test_any_text_has_parts(text: str) -> None:
    """What is no Python is asked like anything else."""
    parts = Parts(text)

    assert all(parts[line] is not None for line in range(text.count("\n") + 1))

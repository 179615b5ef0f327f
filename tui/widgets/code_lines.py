"""What a pane of code knows of its lines: where they wrap, and how their parts are coloured.

Both are found when they are looked at: a line that fits is not measured, and only the lines near
those in view are asked for their parts. So a long script opens as quickly as a short one.

Does not: follow changes of the text. A pane gets new ones of these with each text.
"""

from __future__ import annotations

from functools import lru_cache

import tree_sitter_python
from textual._wrap import compute_wrap_offsets
from textual.document._document import DocumentBase
from textual.document._wrapped_document import WrappedDocument
from textual.expand_tabs import get_tab_widths
from textual.widgets import TextArea
from tree_sitter import Language, Parser, Query, QueryCursor, Tree

_BLOCK = 100
"""Lines that are asked for their parts together."""
_WHOLE = 300
"""Lines up to which a script is asked in one go."""

Part = tuple[int, int | None, str]
"""Columns in bytes, and which part of speech stands there."""


class WrappedLines(WrappedDocument):
    """Lines that never change, and the rows that they take in the widths there have been."""

    def __init__(self, document: DocumentBase, tab_width: int) -> None:
        self._known: dict[int, list[list[int]]] = {}
        super().__init__(document, tab_width=tab_width)

    @property
    def height(self) -> int:
        return len(self._offset_to_line_info)

    def wrap(self, width: int, tab_width: int | None = None) -> None:
        """Wrap all lines; only those that may not fit are measured, and once for each width."""
        if tab_width and tab_width != self._tab_width:
            self._known.clear()
        if self._known and width == self._width:
            return
        self._width, self._tab_width = width, tab_width or self._tab_width
        if width not in self._known:
            self._known[width] = [self._offsets(line, width) for line in self.document.lines]
        self._wrap_offsets = self._known[width]
        self._offset_to_line_info, self._line_index_to_offsets = [], []
        for number, offsets in enumerate(self._wrap_offsets):
            first = len(self._offset_to_line_info)
            rows = range(len(offsets) + 1)
            self._line_index_to_offsets.append([first + row for row in rows])
            self._offset_to_line_info.extend((number, row) for row in rows)
        self._tab_width_cache = [self._tabs(line) for line in self.document.lines]

    def _offsets(self, line: str, width: int) -> list[int]:
        if not width or (len(line) <= width and line.isascii() and "\t" not in line):
            return []
        tab = self._tab_width
        return compute_wrap_offsets(
            line, width, tab, precomputed_tab_sections=get_tab_widths(line, tab)
        )

    def _tabs(self, line: str) -> list[int]:
        """Return the widths of tabs as the base class has them: one more, zero, for the rest."""
        if "\t" not in line:
            return [0] if line else []
        return [width for _, width in get_tab_widths(line, self._tab_width)]


class Parts(dict[int, list[Part]]):
    """The parts of each line of a Python script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text, self._lines = text, text.count("\n") + 1
        self._tree: Tree | None = None

    def __bool__(self) -> bool:
        return True

    def __missing__(self, line: int) -> list[Part]:
        first, last = 0, self._lines
        if self._lines > _WHOLE:
            first = line - line % _BLOCK
            last = first + _BLOCK
        self.update((number, []) for number in range(first, last))
        self._ask(first, last)
        return self.setdefault(line, [])

    def _ask(self, first: int, last: int) -> None:
        """Note the parts of the lines from `first` to before `last`."""
        language, query = _grammar()
        if self._tree is None:
            self._tree = Parser(language).parse(self._text.encode())
        cursor = QueryCursor(query)
        cursor.set_point_range((first, 0), (last, 0))
        for name, nodes in cursor.captures(self._tree.root_node).items():
            for node in nodes:
                (begin, column), (end, end_column) = node.start_point, node.end_point
                for number in range(max(begin, first), min(end + 1, last)):
                    self[number].append(
                        (
                            column if number == begin else 0,
                            end_column if number == end else None,
                            name,
                        )
                    )


@lru_cache(maxsize=1)
def _grammar() -> tuple[Language, Query]:
    """Return the grammar, and what asks it for parts: making that takes a moment, once."""
    language = Language(tree_sitter_python.language())
    source = TextArea._get_builtin_highlight_query("python")  # noqa: SLF001 (there is no other way)
    return language, Query(language, source)

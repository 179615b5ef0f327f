"""Which modules a script imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator


def imports_of(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield the dotted name of each import with its line; `from a import b` is `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = "." * node.level + (node.module or "")
            yield from ((f"{above}.{alias.name}", node.lineno) for alias in node.names)

"""No module needs itself, by however many others: each can be read after those it stands on."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import pytest
from grimp import build_graph


def order_of(imports: dict[str, set[str]]) -> list[str]:
    """Return the modules, each after all that it imports; raises CycleError."""
    return list(TopologicalSorter(imports).static_order())


def test_a_circle_is_seen() -> None:
    """Two modules that import each other have no order."""
    with pytest.raises(CycleError):
        order_of({"a": {"b"}, "b": {"a"}})


def test_no_imports_go_in_circles() -> None:
    """Also not those inside functions; what only types are checked by does not count."""
    graph = build_graph("tui", "core", "sandbox", exclude_type_checking_imports=True)
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}

    assert len(order_of(imports)) == len(graph.modules)

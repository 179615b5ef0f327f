"""What a script leaves behind is data: no module outside the walls could run any of it.

Held for every module, not only for those that handle results, so that nobody has to know which
those are. What runs inside the walls (`sandbox/inside`) runs scripts, and is left out.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
INSIDE = HOUSE / "sandbox" / "inside"
LIBRARY = HOUSE / "core" / "workflows" / "library"
"""Scripts that ship; they run inside as well."""
MODULES = frozenset({"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"})
"""What turns bytes into objects by running what they say."""
RUNNERS = frozenset({"runpy", "code", "codeop", "zipimport", "imp", "importlib.machinery"})
CALLS = frozenset({"exec", "eval", "compile", "__import__"})
METHODS = frozenset({"import_module", "exec_module", "load_module", "spec_from_file_location"})
LOADERS = frozenset({"yaml.load", "yaml.unsafe_load", "yaml.full_load"})
ALLOWED = frozenset({"core/config.py: yaml.load", "core/plain_yaml.py: yaml.load"})
"""With a subclass of SafeLoader that knows neither tags nor aliases."""


def places(tree: ast.Module) -> Iterator[str]:
    """Yield whatever in a file could execute data."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                imported = [alias.name for alias in names]
            case ast.ImportFrom(module=str(module), names=names):
                imported = [module, *(f"{module}.{alias.name}" for alias in names)]
            case ast.Call(func=function):
                name = ast.unparse(function)
                if name in CALLS | LOADERS or name.rpartition(".")[2] in METHODS:
                    yield name
                continue
            case _:
                continue
        for name in imported:
            if name in MODULES | RUNNERS or name.partition(".")[0] in MODULES:
                yield name


def test_nothing_outside_the_walls_executes_data() -> None:
    """No floor imports, unpickles or evaluates bytes, but for what is named here."""
    found = {
        f"{file.relative_to(HOUSE)}: {place}"
        for floor in ("core", "tui", "sandbox")
        for file in (HOUSE / floor).rglob("*.py")
        if INSIDE not in file.parents and LIBRARY not in file.parents
        for place in places(ast.parse(file.read_text(encoding="utf-8")))
    }

    assert found == ALLOWED


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "import marshal as harmless",
        "from shelve import open",
        "from importlib import machinery",
        "import joblib.numpy_pickle",
        "def f(x): return eval(x)",
        "exec(x)",
        "importlib.import_module(name)",
        "spec.loader.exec_module(module)",
        "yaml.unsafe_load(text)",
    ],
)
def test_an_offender_is_found(source: str) -> None:
    """Each way to execute data is seen."""
    assert list(places(ast.parse(source)))


@pytest.mark.parametrize("source", ["re.compile(x)", "import json", "yaml.safe_load(text)"])
def test_what_only_reads_is_not(source: str) -> None:
    """Parsers, and what is merely called alike, are no offence."""
    assert list(places(ast.parse(source))) == []

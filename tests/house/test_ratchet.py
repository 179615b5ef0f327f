"""The house rules that a linter does not know, held by reading the syntax of every file.

Each rule is a function from a parsed file to the places that break it. `test_a_rule_finds_its
offender` breaks each of them once, so that no rule can silently stop looking.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
FLOORS = ("core", "tui", "sandbox")
MOST_LINES_OF_A_MODULE = 400
MOST_LINES_OF_A_FUNCTION = 50
MOST_LINES_OF_A_TEST = 60
MOST_LINES_OF_A_CLASS = 250
MOST_PATCHES_PER_TEST = 0.05

BROAD_EXCEPTS = frozenset(
    (
        "sandbox/inside/bootstrap.py: run",
        "sandbox/inside/tested.py: went_well",
        "tui/cli.py: main",
    )
)
"""Where catching everything is right, as "folder/file.py: function"; the reason stands there."""
FORBIDDEN_WORDS = (
    # Put together, so that this file does not hold them. Hosts of package indexes belong to the
    # machine that installs, paths of a machine belong nowhere.
    "pypi" + ".org",
    "python" + "hosted.org",
    "index" + "-url =",
    "/opt/" + "pypi",
    "/work/" + "main",
    "/work/" + "shared",
)
BEHIND_WALLS = (HOUSE / "core" / "workflows" / "library", HOUSE / "sandbox" / "inside")
"""What runs as a job, where printing is how a script talks to people."""
PATCHERS = frozenset({"Mock", "MagicMock", "AsyncMock", "patch", "create_autospec"})

Function = ast.FunctionDef | ast.AsyncFunctionDef
Rule = Callable[[ast.Module], Iterator[str]]


# ------------------------------------------------------------------ reading
def files(*folders: str) -> list[Path]:
    """Return the Python files of some folders of the house."""
    return sorted(file for folder in folders for file in (HOUSE / folder).rglob("*.py"))


def offenders(rule: Rule, *folders: str) -> list[str]:
    """Return every place in some folders that breaks a rule."""
    return [
        f"{file.relative_to(HOUSE)}: {place}"
        for file in files(*folders)
        if not (rule is prints and set(BEHIND_WALLS) & set(file.parents))
        for place in rule(ast.parse(file.read_text(encoding="utf-8")))
    ]


def functions(tree: ast.AST) -> Iterator[Function]:
    """Yield each function and method, nested ones included."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def each_test(tree: ast.AST) -> Iterator[Function]:
    """Yield each test function."""
    return (function for function in functions(tree) if function.name.startswith("test_"))


def line_of(node: ast.AST) -> int:
    """Return the first line of a part of a file."""
    line: int = getattr(node, "lineno", 0)
    return line


def last_line(node: ast.AST) -> int:
    """Return the last line of a part of a file."""
    line: int = getattr(node, "end_lineno", 0)
    return line


def length(node: Function | ast.ClassDef) -> int:
    """Return the number of lines of a definition, without its decorators."""
    return last_line(node) - line_of(node) + 1


def name_of(call: ast.Call) -> str:
    """Return the dotted name of what is called, as far as it is one."""
    return ast.unparse(call.func)


# ------------------------------------------------------------------ rules
def long_modules(tree: ast.Module) -> Iterator[str]:
    """More lines than a module may have."""
    last = max(map(last_line, tree.body), default=0)
    if last > MOST_LINES_OF_A_MODULE:
        yield f"{last} lines"


def long_functions(tree: ast.Module) -> Iterator[str]:
    """More lines than a function may have."""
    return (f.name for f in functions(tree) if length(f) > MOST_LINES_OF_A_FUNCTION)


def long_tests(tree: ast.Module) -> Iterator[str]:
    """More lines than a function among the tests may have."""
    return (f.name for f in functions(tree) if length(f) > MOST_LINES_OF_A_TEST)


def long_classes(tree: ast.Module) -> Iterator[str]:
    """More lines than a class may have."""
    classes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    return (each.name for each in classes if length(each) > MOST_LINES_OF_A_CLASS)


def silent_modules(tree: ast.Module) -> Iterator[str]:
    """No docstring."""
    if not ast.get_docstring(tree):
        yield "no docstring"


def silent_tests(tree: ast.Module) -> Iterator[str]:
    """A test that does not say what it proves."""
    return (test.name for test in each_test(tree) if not ast.get_docstring(test))


def broad_excepts(tree: ast.Module) -> Iterator[str]:
    """Catching everything, by the name of the function that does."""
    for node in ast.walk(tree):
        if catches_everything(node):
            around = [f.name for f in functions(tree) if f.lineno <= line_of(node) <= last_line(f)]
            yield around[-1] if around else "module"


def catches_everything(node: ast.AST) -> bool:
    """Return whether a statement or call swallows what it does not know."""
    if isinstance(node, ast.ExceptHandler):
        if node.type is None:
            return True
        caught: list[ast.expr] = [node.type]
    elif isinstance(node, ast.Call) and name_of(node).endswith("suppress"):
        caught = node.args
    else:
        return False
    names = {part.id for each in caught for part in ast.walk(each) if isinstance(part, ast.Name)}
    return bool(names & {"Exception", "BaseException"})


def prints(tree: ast.Module) -> Iterator[str]:
    """Printing where nobody is known to read."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return (f"line {call.lineno}" for call in calls if name_of(call) == "print")


def skips(tree: ast.Module) -> Iterator[str]:
    """A test that may not run, or may fail."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (
            ast.unparse(node).startswith(("pytest.mark.skip", "pytest.mark.xfail", "unittest.skip"))
            or ast.unparse(node) in ("pytest.skip", "pytest.xfail", "pytest.importorskip")
        ):
            yield f"line {node.lineno}"


def patches(tree: ast.Module) -> Iterator[str]:
    """Something of ours replaced for a test."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    for call in calls:
        name = name_of(call)
        if PATCHERS & set(name.split(".")) or name.endswith(("monkeypatch.setattr", ".setitem")):
            yield f"line {call.lineno}"


# ------------------------------------------------------------------ the house keeps them
@pytest.mark.parametrize(
    ("rule", "folders"),
    [
        (long_modules, FLOORS),
        (long_functions, FLOORS),
        (long_classes, FLOORS),
        (long_tests, ("tests",)),
        (silent_modules, (*FLOORS, "tests", "benchmarks")),
        (silent_tests, ("tests",)),
        (prints, ("core", "sandbox")),
        (skips, ("tests",)),
    ],
)
def test_the_house_keeps_its_rules(rule: Rule, folders: tuple[str, ...]) -> None:
    """No file breaks the rule."""
    assert offenders(rule, *folders) == []


def test_catching_everything_is_named() -> None:
    """Each place that catches everything is on the list, and nothing on the list is stale."""
    assert frozenset(offenders(broad_excepts, *FLOORS)) == BROAD_EXCEPTS


def test_almost_nothing_is_patched() -> None:
    """Tests use real parts and our own fakes: at most one patch in twenty tests."""
    number = sum(
        len(list(each_test(ast.parse(file.read_text(encoding="utf-8"))))) for file in files("tests")
    )
    found = offenders(patches, "tests")

    assert len(found) <= MOST_PATCHES_PER_TEST * number, found


def test_no_forbidden_words() -> None:
    """No file names a package index or a path of somebody's machine."""
    folders = (*FLOORS, "tests", "docs", "benchmarks", "tools", ".ci")
    at_top = (file for file in HOUSE.glob("*") if file.name != ".git")
    texts = [file for folder in folders for file in (HOUSE / folder).rglob("*")] + [*at_top]
    found = [
        f"{file.relative_to(HOUSE)}: {word}"
        for file in sorted(texts)
        if file.is_file() and "__pycache__" not in file.parts
        for word in FORBIDDEN_WORDS
        if word.encode() in file.read_bytes()
    ]

    assert found == []


# ------------------------------------------------------------------ the rules look
OFFENDERS = [
    (long_modules, "x = 1\n" * 401),
    (long_functions, "def f():\n" + " x = 1\n" * 50),
    (long_functions, "class C:\n async def f():\n" + "  x = 1\n" * 50),
    (long_tests, "def f():\n" + " x = 1\n" * 60),
    (long_classes, "class C:\n" + " x = 1\n" * 250),
    (silent_modules, "x = 1\n"),
    (silent_tests, "def test_it():\n assert True\n"),
    (broad_excepts, "def f():\n try: g()\n except: h()\n"),
    (broad_excepts, "def f():\n try: g()\n except Exception: h()\n"),
    (broad_excepts, "def f():\n try: g()\n except (ValueError, BaseException): h()\n"),
    (broad_excepts, "try: g()\nexcept Exception: h()\n"),
    (broad_excepts, "with contextlib.suppress(KeyError, Exception): g()\n"),
    (prints, "print('x')\n"),
    (skips, "@pytest.mark.skip\ndef test_it(): ...\n"),
    (skips, "@pytest.mark.skipif(True)\ndef test_it(): ...\n"),
    (skips, "pytestmark = pytest.mark.xfail\n"),
    (skips, "def test_it():\n pytest.skip('later')\n"),
    (skips, "boto3 = pytest.importorskip('boto3')\n"),
    (patches, "mock.patch.object(a, 'b')\n"),
    (patches, "a = MagicMock()\n"),
    (patches, "monkeypatch.setattr(a, 'b', c)\n"),
]
INNOCENT = '''"""A file that keeps every rule."""
class C:
    def test_it(self):
        """It holds."""
        try:
            printer.write("x")
        except ValueError:
            monkeypatch.setenv("A", "b")
'''


@pytest.mark.parametrize(("rule", "source"), OFFENDERS)
def test_a_rule_finds_its_offender(rule: Rule, source: str) -> None:
    """Each rule finds what it forbids, and only that."""
    assert len(list(rule(ast.parse(source)))) == 1
    assert list(rule(ast.parse(INNOCENT))) == []

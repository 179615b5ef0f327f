"""What the code of a script reaches for besides AWS: imports, processes, files, itself.

An allow-list: a module of the standard library that is not known to be harmless is a blocker, and
so is whatever makes code that can't be read here (`eval`, an attribute found by a computed name),
leaves Python (processes, native code), or names files that it has not got. No honest script needs
any of it. Trade-off: supporting evidence and no wall; a script that builds names at run time can
get around it, and meets the sandbox and the gateway then.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from core.checks.finding import Finding, Severity
from core.checks.imports import HARMLESS, aliases_of, dotted, imports_of, is_standard, within
from core.checks.paths import Paths
from core.checks.subject import Script

_SOURCE = "code"
_MODULES: Mapping[str, str] = {
    **dict.fromkeys(("socket", "socketserver", "ssl", "http", "urllib.request"), "network"),
    **dict.fromkeys(("urllib3", "ftplib", "smtplib", "poplib", "imaplib", "telnetlib"), "network"),
    **dict.fromkeys(("nntplib", "xmlrpc", "wsgiref", "selectors", "select"), "network"),
    **dict.fromkeys(("subprocess", "multiprocessing", "pty", "_posixsubprocess"), "process"),
    **dict.fromkeys(("ctypes", "_ctypes", "cffi", "mmap"), "native"),
    **dict.fromkeys(("importlib", "imp", "runpy", "code", "codeop", "pkgutil"), "dynamic"),
    **dict.fromkeys(("zipimport", "builtins", "site", "inspect", "gc"), "dynamic"),
    **dict.fromkeys(("pickle", "_pickle", "marshal", "shelve", "dbm", "dill"), "pickle"),
    **dict.fromkeys(("joblib", "cloudpickle", "copyreg"), "pickle"),
}
_NAMES: Mapping[str, str] = {
    **dict.fromkeys(("eval", "exec", "compile", "__import__", "globals", "breakpoint"), "dynamic"),
    **dict.fromkeys(("__builtins__", "__loader__", "__spec__"), "reflection"),
    **dict.fromkeys(
        ("sys._getframe", "sys.modules", "sys.settrace", "sys.setprofile"), "reflection"
    ),
    **dict.fromkeys(("asyncio.open_connection", "asyncio.start_server"), "network"),
    **dict.fromkeys(
        ("asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell"), "process"
    ),
    **dict.fromkeys(("os.system", "os.popen", "os.fork", "os.forkpty", "os.kill"), "process"),
    **dict.fromkeys(
        ("os.killpg", "os.chroot", "os.setuid", "os.setgid", "os.startfile"), "process"
    ),
    **dict.fromkeys(("concurrent.futures.ProcessPoolExecutor", "os.abort"), "process"),
    **dict.fromkeys(("os.path.expanduser", "pathlib.Path.home", "os.chdir"), "path"),
    **dict.fromkeys(("pandas.read_pickle",), "pickle"),
    **dict.fromkeys(("types.FunctionType", "types.CodeType"), "dynamic"),
    **dict.fromkeys(("sys.path", "sys.meta_path", "sys.path_hooks"), "dynamic"),
}
_PROCESSES = re.compile(r"os\.(exec|spawn|posix_spawn)\w*")
_WALKED = frozenset(
    (
        *("__globals__", "__builtins__", "__subclasses__", "__bases__", "__base__", "__mro__"),
        *("__code__", "__closure__", "__loader__", "__spec__", "__getattribute__", "__reduce__"),
        *("__reduce_ex__", "__import__", "f_globals", "f_builtins", "f_locals", "f_back"),
        *("gi_frame", "cr_frame", "ag_frame", "tb_frame", "gi_code", "cr_code"),
    )
)
_IN_TEXT = re.compile(r"\{[^{}]*(?:__globals__|__builtins__|__subclasses__|__class__)[^{}]*\}")
_WHY: Mapping[str, tuple[str, str]] = {
    "import": ("is not among the modules that scripts use", "do without it"),
    "network": ("makes connections of its own, and there is no network", "call AWS with boto3"),
    "process": ("starts or ends processes, or changes who they are", "do it in this script"),
    "native": ("runs code that is not Python", "do without it"),
    "dynamic": ("brings in code that can't be read here", "write the code into the script"),
    "reflection": ("reaches into the interpreter", "use the names themselves"),
    "pickle": ("makes objects by running what the data says", "use json or csv"),
    "path": ("looks outside the work folder", "read in/ and write out/, by relative paths"),
    "write": ("can't be written: only what is below out/ can", "write it below out/"),
}


def check(script: Script) -> Iterator[Finding]:
    """Yield what a script reaches for; each once a line."""
    tree = script.parsed.tree
    if tree is None:
        return
    aliases = aliases_of(tree)
    reader = _Reader(aliases, Paths(tree, aliases))
    found = [*_imports(tree), *(one for node in ast.walk(tree) for one in reader.read(node))]
    yield from dict.fromkeys(found)


def _imports(tree: ast.Module) -> Iterator[Finding]:
    for name, line in imports_of(tree):
        if name.startswith("."):
            message = f"{name} would be a module beside the script, and there is none"
            yield _finding("import", "blocker", line, message, "write it into the script")
        elif within(name, HARMLESS):
            continue
        elif module := within(name, _MODULES):
            yield _blocker(_MODULES[module], line, module)
        elif is_standard(name):
            yield _blocker("import", line, name.partition(".")[0])


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one node at a time; knows what imported names stand for."""

    aliases: Mapping[str, str]
    paths: Paths

    def read(self, node: ast.AST) -> Iterator[Finding]:
        match node:
            case ast.Name() | ast.Attribute() if isinstance(node.ctx, ast.Load):
                yield from self._name(node)
            case ast.ImportFrom():
                yield from self._taken(node)
            case ast.Call():
                yield from self._call(node)
            case ast.Constant(value=str(text)) if _IN_TEXT.search(text):
                yield _blocker("reflection", node.lineno, "a text that is filled in")
            case _:
                pass

    def _name(self, node: ast.Name | ast.Attribute) -> Iterator[Finding]:
        line = node.end_lineno or node.lineno
        name = dotted(node, self.aliases)
        if isinstance(node, ast.Attribute) and node.attr in _WALKED:
            yield _blocker("reflection", line, node.attr)
        elif name in _NAMES:
            yield _blocker(_NAMES[name], line, name)
        elif _PROCESSES.fullmatch(name):
            yield _blocker("process", line, name)
        elif isinstance(node, ast.Attribute) and node.attr == "expanduser":
            yield _blocker("path", line, "expanduser")

    def _taken(self, node: ast.ImportFrom) -> Iterator[Finding]:
        """What `from os import system` takes, used or not."""
        for alias in node.names:
            name = f"{node.module}.{alias.name}"
            if name in _NAMES or _PROCESSES.fullmatch(name):
                yield _blocker(_NAMES.get(name, "process"), node.lineno, name)

    def _call(self, node: ast.Call) -> Iterator[Finding]:
        name = dotted(node.func, self.aliases)
        if name in ("getattr", "setattr", "delattr") and len(node.args) > 1:
            yield from self._attribute(node, name)
        for rule, path in self.paths.refused(node):
            yield _blocker(rule, node.lineno, repr(path))
        for keyword in node.keywords:
            if keyword.arg == "endpoint_url":
                message = "a client with an endpoint of its own: the gateway answers AWS's alone"
                yield _finding("network", "warning", node.lineno, message, "leave endpoint_url out")

    def _attribute(self, node: ast.Call, name: str) -> Iterator[Finding]:
        """An attribute by a name that is computed, or that would be a finding by itself."""
        wanted = node.args[1]
        if isinstance(wanted, ast.Constant):
            if wanted.value in _WALKED:
                yield _blocker("reflection", node.lineno, str(wanted.value))
            elif isinstance(wanted.value, str):
                whole = f"{dotted(node.args[0], self.aliases)}.{wanted.value}"
                if whole in _NAMES or _PROCESSES.fullmatch(whole):
                    yield _blocker(_NAMES.get(whole, "process"), node.lineno, whole)
            return
        module = dotted(node.args[0], self.aliases) in self.aliases.values()
        severity: Severity = "blocker" if module else "warning"
        message = f"which attribute {name} is about is only known when the script runs"
        yield _finding("dynamic", severity, node.lineno, message, "write the attribute's name")


def _blocker(rule: str, line: int, what: str) -> Finding:
    why, fix = _WHY[rule]
    return _finding(rule, "blocker", line, f"{what} {why}", fix)


def _finding(rule: str, severity: Severity, line: int, message: str, fix: str) -> Finding:
    return Finding(_SOURCE, rule, severity, line, message, fix)

"""Which files a script names, and whether the sandbox has them: it reads in/ and writes below out/.

A path is known as far as it begins with text: written down, joined, filled in further on, or kept
under a name that is assigned once. Trade-off: one that comes from elsewhere is not looked at; a run
then says what was refused.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import Literal, NamedTuple

from core.checks.imports import dotted

Rule = Literal["path", "write"]
"""It looks outside the work folder, or writes where only reading is possible."""
_PATHS = frozenset(("pathlib.Path", "pathlib.PosixPath", "pathlib.PurePath"))
_OPENERS = frozenset(
    (
        *("open", "io.open", "codecs.open", "gzip.open", "bz2.open", "lzma.open"),
        *("zipfile.ZipFile", "tarfile.open"),
    )
)
"""Functions of a path and a mode."""
_CHANGED: Mapping[str, int] = {
    **dict.fromkeys(("os.mkdir", "os.makedirs", "os.remove", "os.unlink", "os.rmdir"), 0),
    **dict.fromkeys(("os.removedirs", "os.truncate", "shutil.rmtree"), 0),
    **dict.fromkeys(("os.rename", "os.replace", "os.symlink", "os.link"), 1),
    **dict.fromkeys(("shutil.copy", "shutil.copyfile", "shutil.copytree", "shutil.move"), 1),
}
"""Which argument of a function is made, changed or removed."""
_NAMED = frozenset(
    (
        *(*_PATHS, *_OPENERS, *_CHANGED),
        *("os.open", "os.listdir", "os.scandir", "os.walk", "os.stat", "os.lstat", "os.readlink"),
        *("os.chmod", "os.chown", "os.access", "os.path.exists", "os.path.isfile"),
        *("os.path.isdir", "glob.glob", "glob.iglob", "sqlite3.connect"),
    )
)
"""Functions whose arguments are paths."""
_METHODS = frozenset(("write_text", "write_bytes", "mkdir", "touch", "unlink", "rmdir"))
"""Of a path, that change what is there."""
_OPEN_FOLDERS = ("/job/", "/tmp/", "/dev/null", "/dev/stdout", "/dev/stderr")  # noqa: S108 - the script's own
_WRITABLE = ("out/", "tmp/", "/job/out/", "/job/tmp/", *_OPEN_FOLDERS[1:])
"""Of what scripts start in, /job, and what they see besides."""
_DEEPEST = 8


class Refused(NamedTuple):
    """A path that a script names in vain."""

    rule: Rule
    path: str
    """As far as it is known."""


class _Known(NamedTuple):
    text: str
    whole: bool
    """Whether it is all of the path, or its beginning."""


class Paths:
    """The paths of one script."""

    def __init__(self, tree: ast.Module, aliases: Mapping[str, str]) -> None:
        self._aliases = aliases
        self._once = _assigned_once(tree)

    def refused(self, call: ast.Call) -> Iterator[Refused]:
        """Yield what a call names that can't be read, or can't be written."""
        name = dotted(call.func, self._aliases)
        for argument in call.args[:2] if name in _NAMED else ():
            path = self._known(argument)
            if path is not None and _is_outside(path.text):
                yield Refused("path", path.text)
        for written in self._written(call, name):
            path = self._known(written)
            if path is not None and not _may_be_written(path):
                yield Refused("path" if _is_outside(path.text) else "write", path.text)

    def _written(self, call: ast.Call, name: str) -> Iterator[ast.expr]:
        """Yield the expressions whose path a call would change."""
        if name in _CHANGED:
            yield from call.args[_CHANGED[name] :][:1]
        elif name in _OPENERS:
            yield from call.args[:1] if _writes(call, 1) else ()
        elif isinstance(call.func, ast.Attribute):
            if call.func.attr in _METHODS or (call.func.attr == "open" and _writes(call, 0)):
                yield call.func.value
            elif call.func.attr == "download_file":  # by boto3: a path comes last
                named = [each.value for each in call.keywords if each.arg == "Filename"]
                yield from named or call.args[-1:]

    def _known(self, node: ast.expr, depth: int = 0) -> _Known | None:
        """Return the text with which a path begins, None when that is only known at run time."""
        if depth > _DEEPEST:
            return None
        match node:
            case ast.Constant(value=str(text)):
                return _Known(text, whole=True)
            case ast.Name(id=name) if name in self._once:
                return self._known(self._once[name], depth + 1)
            case ast.JoinedStr(values=several):
                return self._after(several, "", depth)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._after((left, right), "", depth)
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return self._after((left, right), "/", depth)
            case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod()):
                return _Known(text.partition("%")[0], whole=False)
            case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format")):
                return _Known(text.partition("{")[0], whole=False)
            case ast.Call(func=called, args=[_, *_] as several) if self._joins(called):
                return self._after(several, "/", depth)
            case _:
                return None

    def _joins(self, called: ast.expr) -> bool:
        return dotted(called, self._aliases) in (*_PATHS, "os.path.join")

    def _after(self, several: Sequence[ast.expr], between: str, depth: int) -> _Known | None:
        """Return what is known of one after the other; None where the first is unknown."""
        known = [self._known(each, depth + 1) for each in several]
        return reduce(lambda before, after: _followed(before, between, after), known)


def _followed(before: _Known | None, between: str, after: _Known | None) -> _Known | None:
    if before is None or not before.whole:
        return before
    if after is None:
        return _Known(before.text + between, whole=False)
    if between and after.text.startswith("/"):
        return after
    between = "" if before.text.endswith("/") else between
    return _Known(before.text + between + after.text, after.whole)


def _assigned_once(tree: ast.Module) -> dict[str, ast.expr]:
    """Return what names stand for that are bound in one place of the whole script."""
    values: dict[str, ast.expr] = {}
    bound: Counter[str] = Counter()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
                bound[name] += 1
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                values[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                values[name] = value
            case _:
                pass
    return {name: value for name, value in values.items() if bound[name] == 1}


def _writes(call: ast.Call, place: int) -> bool:
    """Whether the mode of something opened is known, and one to write in."""
    named = [each.value for each in call.keywords if each.arg == "mode"]
    mode = next(iter(named or call.args[place:]), None)
    return (
        isinstance(mode, ast.Constant)
        and isinstance(mode.value, str)
        and bool(set(mode.value) & set("wax+"))
    )


def _is_outside(path: str) -> bool:
    if path.startswith(_OPEN_FOLDERS) and ".." not in path.split("/"):
        return False
    return path.startswith(("/", "~")) or ".." in path.split("/")


def _may_be_written(path: _Known) -> bool:
    """Whether it lies where a script can write; of a beginning, whether it still could."""
    text = path.text
    while text.startswith("./"):
        text = text[2:]
    if path.whole:
        text += "/"
    return text.startswith(_WRITABLE) or (
        not path.whole and any(each.startswith(text) for each in _WRITABLE)
    )

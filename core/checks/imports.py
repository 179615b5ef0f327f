"""Which modules a script imports, and what its names stand for: from its syntax alone."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping

from sandbox.packages import normal_name

HARMLESS = frozenset(
    (
        *("__future__", "abc", "argparse", "array", "ast", "asyncio", "base64", "binascii"),
        *("bisect", "bz2", "calendar", "cmath", "collections", "concurrent.futures"),
        *("configparser", "contextlib", "contextvars", "copy", "csv", "dataclasses", "datetime"),
        *("decimal", "difflib", "email", "enum", "errno", "fnmatch", "fractions", "functools"),
        *("glob", "graphlib", "gzip", "hashlib", "heapq", "hmac", "html", "http.HTTPStatus"),
        *("io", "ipaddress", "itertools", "json", "keyword", "locale", "logging", "lzma", "math"),
        *("mimetypes", "numbers", "operator", "os", "pathlib", "platform", "posixpath", "pprint"),
        *("queue", "quopri", "random", "re", "reprlib", "sched", "secrets", "shlex", "shutil"),
        *("signal", "sqlite3", "statistics", "stat", "string", "struct", "sys", "tarfile"),
        *("tempfile", "textwrap", "threading", "time", "timeit", "tomllib", "traceback", "types"),
        *("typing", "unicodedata", "unittest", "urllib.error", "urllib.parse", "uuid", "warnings"),
        *("weakref", "xml", "zipfile", "zlib", "zoneinfo"),
    )
)
"""Modules of the standard library that only compute, or reach what the sandbox gives anyway."""
RUNTIME = frozenset(("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3"))
"""What the sealed runtime brings along."""
_PACKAGES = {
    "PIL": "pillow",
    "Crypto": "pycryptodome",
    "OpenSSL": "pyopenssl",
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "git": "gitpython",
    "google.protobuf": "protobuf",
    "jose": "python-jose",
    "jwt": "pyjwt",
    "magic": "python-magic",
    "pkg_resources": "setuptools",
    "pptx": "python-pptx",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
"""Modules whose package has another name."""


def imports_of(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield the dotted name of each import with its line; `from a import b` is `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = "." * node.level + (node.module or "")
            yield from ((f"{above}.{alias.name}", node.lineno) for alias in node.names)


def aliases_of(tree: ast.Module) -> dict[str, str]:
    """Return what names that imports bind stand for: `import os as o` makes o mean os."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                found[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found


def dotted(node: ast.expr, aliases: Mapping[str, str]) -> str:
    """Return the dotted name that an expression stands for; empty when it is none."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join((aliases.get(node.id, node.id), *reversed(parts)))


def within(name: str, modules: frozenset[str] | Mapping[str, object]) -> str:
    """Return the module of `modules` that a dotted name is or lies in, or an empty text."""
    parts = name.split(".")
    above = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((each for each in above if each in modules), "")


def is_standard(name: str) -> bool:
    """Tell whether an import is of the standard library."""
    return name.partition(".")[0] in sys.stdlib_module_names


def package_of(name: str) -> str:
    """Return the normal name of the package that brings a module, as far as it is known here."""
    known = within(name, _PACKAGES)
    return _PACKAGES[known] if known else normal_name(name.partition(".")[0])

"""Packages from an index: names are locked to hashes, and locked wheels are laid out in a folder.

uv does the work, outside the walls, and never runs a line of what it fetches: wheels only, nothing
is built. It reads none of the operator's settings files and gets an environment of its own: of the
operator's variables only those that lead to an index (proxies, certificates, `UV_INDEX...`). What
it fetched stays in its cache, so that a second lock or build needs no network.

Trade-offs: an index that asks for a password gets it from its address or from `UV_INDEX_...`, never
from a keyring or .netrc. Which of a line's hashes is taken is up to the interpreter; a line that is
locked here holds only those that this one can use.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from sandbox.errors import RuntimeUnusable
from sandbox.runtime import PACKAGES, check_folder

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_VERSION = r"[A-Za-z0-9][A-Za-z0-9.!+_-]*"
_EXTRAS = r"(?:\[[A-Za-z0-9._,-]+\])?"
_LOCKED = re.compile(rf"({_NAME}){_EXTRAS}=={_VERSION}(?: --hash=sha256:[0-9a-f]{{64}})+")
_BOUND = rf"(?:[<>!~]=|==|<|>) ?{_VERSION}"
_WANTED = re.compile(rf"{_NAME}{_EXTRAS}(?: ?{_BOUND}(?:, ?{_BOUND})*)?")
VARIABLES = frozenset(
    (
        *("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_DIR", "SSL_CERT_FILE"),
        *("UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_OFFLINE"),
        "UV_SYSTEM_CERTS",
    )
)
"""What uv gets of the operator's environment; the proxies also in lower case."""
INDEX = "UV_INDEX"
"""How the names of all variables begin that describe indexes: UV_INDEX_URL, UV_INDEX_INNER_..."""
_ALWAYS = (
    *("--no-config", "--no-python-downloads", "--no-progress", "--color", "never", "--quiet"),
    *("--only-binary", ":all:"),
)
_MOST_SECONDS = 600
_MOST_WORDS = 500
_ELSEWHERE = (
    "is the package index in reach? docs/environments.md names the variables that lead there"
)


@dataclass(frozen=True, slots=True)
class Index:
    """Where packages come from."""

    cache: Path
    """Folder of what was fetched before; made when it is missing."""
    variables: Mapping[str, str]
    """The whole environment of uv; see `variables_of`."""

    async def lock(self, wanted: Iterable[str]) -> tuple[str, ...]:
        """Return locked lines for packages and for all they need beyond the runtime, sorted.

        Each of `wanted` is a name, at most with versions: "pandas>=2". Packages of the sealed
        runtime keep its versions and get no line. Raises RuntimeUnusable in one line that says why.
        """
        lines = sorted(set(wanted))
        for line in lines:
            if not _WANTED.fullmatch(line):
                raise RuntimeUnusable(f"{line!a} is not the name of a package")
        if not lines:
            return ()
        try:
            with tempfile.TemporaryDirectory(prefix="countersign-") as folder:
                constraints = ("--constraint", _constraints(Path(folder)))
                form = ("--format", "pylock.toml", "--generate-hashes")
                printed = await self._uv(["compile", "-", *form, *constraints], lines)
        except OSError as error:
            raise RuntimeUnusable(f"packages can't be locked here: {error}") from error
        return _lines_of(printed.decode())

    async def fetch(self, lines: Sequence[str], folder: Path) -> None:
        """Lay the wheels of locked lines out in a new `folder`; raises RuntimeUnusable, OSError."""
        for line in lines:
            name_of(line)
        options = ("--require-hashes", "--no-deps", "--link-mode", "copy")
        await self._uv(["install", "-r", "-", "--target", str(folder), *options], lines)

    async def _uv(self, arguments: Sequence[str], lines: Iterable[str]) -> bytes:
        self.cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_folder(self.cache)  # uv does not hash again what it fetched before
        where = ("--cache-dir", str(self.cache), "--python", sys.executable)
        command = (_program(), "pip", *arguments, *where, *_ALWAYS)
        variables = {**self.variables, "UV_CREDENTIALS_DIR": str(self.cache / "credentials")}
        return await run_alone(command, "".join(f"{line}\n" for line in lines), variables)


def is_locked(line: str) -> bool:
    """Tell whether a requirement binds a version and hashes, and holds nothing besides."""
    return _LOCKED.fullmatch(line) is not None


def name_of(line: str) -> str:
    """Return the normal form of a locked line's name; raises RuntimeUnusable for any other line."""
    found = _LOCKED.fullmatch(line)
    if found is None:
        raise RuntimeUnusable(
            f"{line!a} is not locked, so nothing is fetched for it",
            hint="write name==version --hash=sha256:...",
        )
    return normal_name(found[1])


def normal_name(name: str) -> str:
    """Return the one spelling of a package's name: "Et_XMLFile" is "et-xmlfile"."""
    return re.sub(r"[-_.]+", "-", name).lower()


def is_name(text: str) -> bool:
    """Tell whether a text can be the name of a package."""
    return re.fullmatch(_NAME, text) is not None


def variables_of(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what of the operator's environment leads to an index, and nothing else."""
    return {
        name: value
        for name, value in environment.items()
        if name.upper() in VARIABLES or name.startswith(INDEX)
    }


async def run_alone(command: Sequence[str], given: str, variables: Mapping[str, str]) -> bytes:
    """Run a program with exactly these variables and return what it prints.

    It is dead when this returns, also when it is cancelled. Raises RuntimeUnusable when it fails.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd="/",
        env=dict(variables),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(_MOST_SECONDS):
            printed, complaint = await process.communicate(given.encode())
    except TimeoutError as error:
        raise RuntimeUnusable(f"no packages within {_MOST_SECONDS} s", hint=_ELSEWHERE) from error
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode:
        raise RuntimeUnusable(_one_line(complaint.decode(errors="replace")), hint=_ELSEWHERE)
    return printed


def _program() -> str:
    from uv import find_uv_bin

    try:
        return os.fsdecode(find_uv_bin())
    except FileNotFoundError as error:
        raise RuntimeUnusable(
            "uv, which fetches packages, is not where it was installed",
            hint="install countersign again with uv, pipx or pip, into an environment of its own",
        ) from error


def _constraints(folder: Path) -> str:
    """Write down what versions the runtime has."""
    file = folder / "runtime.txt"
    file.write_text("".join(f"{name}=={version(name)}\n" for name in PACKAGES), encoding="utf-8")
    return str(file)


def _lines_of(document: str) -> tuple[str, ...]:
    """Return the lines of a pylock.toml, less what the runtime has."""
    found = tomllib.loads(document).get("packages", ())
    try:
        lines = [
            f"{each['name']}=={each['version']}{_hashes(each['wheels'])}"
            for each in found
            if each["name"] not in PACKAGES
        ]
    except KeyError as error:
        raise RuntimeUnusable(f"the index does not tell the {error} of a package") from error
    return tuple(sorted(lines))


def _hashes(wheels: Iterable[Mapping[str, Mapping[str, str]]]) -> str:
    hashes = sorted({wheel["hashes"]["sha256"] for wheel in wheels})
    return "".join(f" --hash=sha256:{each}" for each in hashes)


def _one_line(complaint: str) -> str:
    """Return what uv complained about without its indentation, labels and passwords of indexes."""
    words = (line.strip() for line in re.sub(r"//[^/@\s]*@", "//", complaint).splitlines())
    told = [word.removeprefix("error: ").removeprefix("cause: ") for word in words if word]
    return ": ".join(told)[:_MOST_WORDS] or "uv failed without a word"

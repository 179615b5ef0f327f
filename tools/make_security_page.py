"""Makes the table of docs/security.md: runs every attack, and writes down what held where.

Started as root, so that root's scripts are tried; then the tests run once more as an ordinary user,
in a copy that this user can read, where both engines are tried. Each test that passes tells which
attack it tried (tests/attacks/conftest.py). The page is only written when every test passed and
every attack was tried on each engine, for root and for the ordinary user.
"""

from __future__ import annotations

import json
import os
import platform
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from itertools import count
from pathlib import Path

HOUSE = Path(__file__).parents[1]
PAGE = HOUSE / "docs" / "security.md"
BEGIN, END = "<!-- made by `make security` -->\n", "<!-- made by `make security`: end -->\n"
WAYS = (("namespaces", "root"), ("namespaces", "ordinary user"), ("bubblewrap", "ordinary user"))
"""Engine and user, in the order of the table's columns."""
_NOT_COPIED = (".git", ".hypothesis", ".*_cache", "__pycache__", "dist", "*.egg-info")
_FIRST_ID = 20_000


def main() -> None:
    """Run the attacks as both users and write the page."""
    if os.geteuid() != 0:
        sys.exit("make security needs root, which then becomes an ordinary user for half of it")
    with tempfile.TemporaryDirectory(prefix="cs.", dir="/tmp") as place:
        folder = Path(place)
        folder.chmod(0o755)
        tried = run_as_root(folder / "root") + run_as_ordinary_user(folder / "user")
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    made = "".join(line + "\n" for line in [*on_what(), "", *table(tried)])
    PAGE.write_text(f"{before}{BEGIN}{made}{END}{after}", encoding="utf-8")


# ------------------------------------------------------------------ running
def run_as_root(folder: Path) -> list[Mapping[str, str]]:
    """Run the tests here and return what they tried."""
    folder.mkdir()
    return run(HOUSE, folder)


def run_as_ordinary_user(folder: Path) -> list[Mapping[str, str]]:
    """Run the tests in a copy, as a user that nobody is, and return what they tried."""
    shutil.copytree(
        HOUSE, folder / "clone", symlinks=True, ignore=shutil.ignore_patterns(*_NOT_COPIED)
    )
    used = {entry.pw_uid for entry in pwd.getpwall()}
    user = next(number for number in count(_FIRST_ID) if number not in used)
    subprocess.run(["chown", "-R", f"{user}:{user}", folder], check=True)
    return run(folder / "clone", folder, user)


def run(house: Path, folder: Path, user: int | None = None) -> list[Mapping[str, str]]:
    """Run the tests of a copy of the house, with a folder for what they leave."""
    record = folder / "record"
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "CI": "1",  # a missing engine fails
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "ATTACK_RECORD": str(record),
    }
    command = [house / ".venv/bin/python", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    someone = {} if user is None else {"user": user, "group": user, "extra_groups": []}
    done = subprocess.run(
        [*command, "-n", "auto", "tests/attacks"],
        check=False,
        cwd=house,
        env=environment,
        **someone,  # type: ignore[call-overload]  # numbers and a list, as it wants them
    )
    if done.returncode:
        sys.exit("an attack was not stopped, or its control did not work: nothing was written")
    return [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]


# ------------------------------------------------------------------ writing
def on_what() -> list[str]:
    """Return a sentence about the machine that the attacks were tried on."""
    version = subprocess.run(["/usr/bin/bwrap", "--version"], capture_output=True, check=True)
    kernel = ".".join(platform.release().split(".")[:2])
    told = f"Linux {kernel} on {platform.machine()}, Python {platform.python_version()}"
    return [f"Last tried on {told}, {version.stdout.decode().strip()}."]


def table(tried: Iterable[Mapping[str, str]]) -> list[str]:
    """Return the table, a row for each attack; exits when one was not tried everywhere."""
    rows: dict[tuple[int, str, str], set[tuple[str, str]]] = {}
    for one in tried:
        row = rows.setdefault((int(one["number"]), one["title"], one["wall"]), set())
        row.add((one["engine"], one["user"]))
    gaps = [number for (number, _, _), ways in sorted(rows.items()) if ways != set(WAYS)]
    if gaps:
        sys.exit(f"attacks that were not tried everywhere, so nothing was written: {gaps}")
    head = ["", "attack", "the wall that stops it", *(", ".join(way) for way in WAYS)]
    return [
        line(head),
        line(["---"] * len(head)),
        *(line([str(n), title, wall, *["held"] * len(WAYS)]) for n, title, wall in sorted(rows)),
    ]


def line(cells: list[str]) -> str:
    """Return a line of a table."""
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()

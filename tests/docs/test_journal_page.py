"""docs/journal.md against the code, and the stand-alone program it offers."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from core.journal.chain import FORMAT, genesis, link
from core.journal.database import APPLICATION_ID, SCHEMA, VERSION
from core.journal.store import Journal
from core.journal.verify import ERASED, REFERENCES, verify

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "journal.md").read_text(encoding="utf-8")
STANDALONE = DOCS / "verify_session.py"
EXAMPLE = json.loads(PAGE.split("```json\n")[1].split("```")[0])


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    """Return the example of the page as a sealed session."""
    with Journal.create(tmp_path / "s1.db", EXAMPLE["session"]) as journal:
        journal.append([(each["at"], each["kind"], each["json"]) for each in EXAMPLE["events"]])
        journal.seal()
    return tmp_path / "s1.db"


def words_in(text: str) -> list[str]:
    """Return what stands in backquotes."""
    return re.findall(r"`([^`]+)`", text)


# ------------------------------------------------------------------ the page
def test_the_example_by_our_code() -> None:
    """The product computes the hashes of the page."""
    head = genesis(EXAMPLE["session"])
    found = [head]
    for seq, each in enumerate(EXAMPLE["events"], start=1):
        head = link(head, seq, each["at"], each["kind"], each["json"])
        found.append(head)

    assert [EXAMPLE["genesis"], *(each["hash"] for each in EXAMPLE["events"])] == found


def test_the_example_by_a_stranger() -> None:
    """Somebody who has only the formulas of the page computes the same."""
    head = hashlib.sha256(f"countersign-journal/1\n{EXAMPLE['session']}".encode()).hexdigest()
    assert EXAMPLE["genesis"] == head
    for seq, each in enumerate(EXAMPLE["events"], start=1):
        parts = [head, str(seq), str(each["at"]), each["kind"], each["json"]]
        head = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        assert each["hash"] == head


def test_the_example_by_a_shell() -> None:
    """The command of the page prints the first hash of the example."""
    command = PAGE.split("```sh\n")[1].split("```")[0]
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=True)
    assert EXAMPLE["events"][0]["hash"] == done.stdout.split()[0].decode()


def test_the_example_is_what_a_file_holds(sealed: Path) -> None:
    """A session with the example's events holds the example's hashes."""
    with closing(sqlite3.connect(f"file:{sealed}?immutable=1", uri=True)) as database:
        rows = database.execute("SELECT at, kind, json, hash FROM event").fetchall()
        meta = database.execute("SELECT key, value FROM meta ORDER BY key").fetchall()

    assert [tuple(each.values()) for each in EXAMPLE["events"]] == rows
    assert [
        ("format", FORMAT),
        ("sealed", EXAMPLE["events"][-1]["hash"]),
        ("session", EXAMPLE["session"]),
    ] == meta


def test_the_tables_are_on_the_page() -> None:
    """The page shows the tables as they are created, and the hash of the whole schema."""
    tables = [statement for statement in SCHEMA if statement.startswith("CREATE TABLE")]
    digest = hashlib.sha256("\n".join(sorted(SCHEMA)).encode()).hexdigest()

    assert "\n".join(tables) + "\n" == PAGE.split("```sql\n")[1].split("```")[0]
    assert f"`{digest}`" in PAGE


def test_a_file_holds_the_schema(sealed: Path) -> None:
    """What SQLite stores of the schema is, word for word, what the code and the page say."""
    with closing(sqlite3.connect(f"file:{sealed}?immutable=1", uri=True)) as database:
        found = database.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()

    assert sorted(SCHEMA) == sorted(sql for (sql,) in found)


def test_the_header_is_on_the_page() -> None:
    """The page names the numbers by which a session file is known."""
    assert f'`application_id` {APPLICATION_ID} ("CSJ1") and `user_version` {VERSION}' in PAGE
    assert APPLICATION_ID.to_bytes(4) == b"CSJ1"
    assert f'"{FORMAT}" + "\\n" + session' in PAGE


def test_the_references_are_on_the_page() -> None:
    """The page names exactly the keys under which payloads are looked for."""
    section = PAGE.split("under the keys ")[1].split(": a hash")[0]

    assert sorted(REFERENCES) == words_in(section)
    assert f"an event `{ERASED}` holds" in PAGE


def test_the_verdicts_are_on_the_page(sealed: Path) -> None:
    """The page's table has every verdict with its exit code."""
    table = re.findall(r"^\| (\d) \| (\w+) \|", PAGE, re.MULTILINE)
    found = [verify(sealed)]
    sealed.with_name("s1.db.sha256").unlink()
    found.append(verify(sealed))
    sealed.with_name("s1.db.sha256").write_text(f"{'0' * 64}  s1.db\n")
    found.append(verify(sealed))

    assert sorted(table) == sorted((str(each.exit_code), each.verdict) for each in found)


# ------------------------------------------------------------------ the program
def run(*arguments: str) -> tuple[int, str]:
    """Run the stand-alone program as a stranger would; returns exit code and first word."""
    command = [sys.executable, "-I", str(STANDALONE), *arguments]
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=30)
    assert done.stderr == ""
    return done.returncode, done.stdout.split(":")[0].strip()


def test_the_program_is_short_and_stands_alone() -> None:
    """It has the 85 lines the page promises, and imports nothing but the standard library."""
    source = STANDALONE.read_text(encoding="utf-8")
    imported = re.findall(r"^(?:import|from) (\w+)", source, re.MULTILINE)

    assert "in 85 lines" in PAGE
    assert source.count("\n") <= 85
    assert set(imported) <= set(sys.stdlib_module_names)


def test_the_program_knows_what_the_code_knows() -> None:
    """Format, schema and references of the program are those of the product."""
    source = STANDALONE.read_text(encoding="utf-8")
    listed = re.findall(r"^REFERENCES \|?= (\{.*\})$", source, re.MULTILINE)
    digest = hashlib.sha256("\n".join(sorted(SCHEMA)).encode()).hexdigest()

    assert set(REFERENCES) == {key for line in listed for key in re.findall(r'"(\w+)"', line)}
    assert f'SCHEMA = "{digest}"' in source
    assert f'FORMAT = "{FORMAT}"' in source


def test_the_program_says_what_it_finds(sealed: Path) -> None:
    """It tells intact, altered and neither, by word and by exit code."""
    assert run(str(sealed)) == (0, "intact")
    whole = sealed.read_bytes()
    sealed.chmod(0o600)
    sealed.write_bytes(whole.replace(b"checkout", b"checkin!"))
    assert run(str(sealed)) == (1, "altered")
    sealed.with_name("s1.db.sha256").unlink()
    assert run(str(sealed)) == (1, "altered")
    sealed.write_bytes(whole)
    assert run(str(sealed)) == (2, "cannot tell")


@pytest.mark.parametrize("arguments", [[], ["/does/not/exist"], [__file__], [str(DOCS)]])
def test_the_program_can_not_tell_what_it_can_not_read(arguments: list[str]) -> None:
    """No file, a missing one, another kind of file and a folder are neither intact nor altered."""
    assert run(*arguments) == (2, "cannot tell")

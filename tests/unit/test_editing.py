"""The parts of a draft as texts, and what is read of them when they were edited."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from core.approval.approvers import Decision
from tui.editing import Parts, Unreadable, changed
from tui.person import _Editing

LOCKED = "six==1.17.0 --hash=sha256:" + "0" * 64
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ec2:DescribeVpcs", "Resource": "*"}],
}
BEFORE = Parts(b"print(1)\n", b"", json.dumps(POLICY, indent=2).encode())


def test_what_was_not_changed_is_no_edit() -> None:
    """Neither the same texts nor the same policy, written in another way, are a new version."""
    assert changed(BEFORE, BEFORE) is None
    assert changed(BEFORE, replace(BEFORE, policy=json.dumps(POLICY).encode())) is None
    assert changed(BEFORE, replace(BEFORE, requirements=b"# nothing\n\n")) is None


def test_each_part_is_read_by_itself() -> None:
    """An edit carries what was changed, and only that; packages may go on over lines."""
    wider = {**POLICY, "Statement": [{**POLICY["Statement"][0], "Action": "ec2:*"}]}  # type: ignore[dict-item]  # it is one
    script = changed(BEFORE, replace(BEFORE, script=b"print(2)\n"))
    policy = changed(BEFORE, replace(BEFORE, policy=json.dumps(wider).encode()))
    required = changed(
        BEFORE, replace(BEFORE, requirements=LOCKED.replace(" ", " \\\n  ").encode() + b"  # why\n")
    )

    assert script is not None
    assert policy is not None
    assert required is not None
    assert (script.script, script.policy, script.requirements) == (b"print(2)\n", None, None)
    assert (policy.script, policy.policy, policy.requirements) == (None, wider, None)
    assert (required.script, required.policy, required.requirements) == (None, None, (LOCKED,))
    assert {each.verb for each in (script, policy, required)} == {"edit"}


def test_parameters_and_what_stands_beside_the_script_are_parts_too() -> None:
    """Only those that change are in the edit; one that was emptied is there, and empty."""
    before = replace(BEFORE, parameters=b'{"a": 1}', rollback=b"undo()\n", tests=b"")
    spaced = changed(before, replace(before, parameters=b'{ "a": 1 }'))
    given = changed(before, replace(before, parameters=b'{"a": 2}'))
    beside = changed(before, replace(before, rollback=b"", tests=b"assert True\n"))

    assert spaced is None
    assert given == Decision("edit", parameters={"a": 2})
    assert beside == Decision("edit", beside={"rollback": b"", "tests": b"assert True\n"})
    assert set(before.files()) == {
        "script.py",
        "requirements.txt",
        "policy.json",
        "parameters.json",
        "rollback.py",
        "tests.py",
    }
    assert before.edited({**before.files(), "rollback.py": b"x"}).rollback == b"x"


@pytest.mark.parametrize(
    ("part", "text", "told"),
    [
        ("policy", '{\n "Version": 1,\n}', "policy.json: line 3: column 1: "),
        ("policy", '{"Statement": [],\n "Statement": []}', "policy.json: line 2: the key"),
        ("parameters", "[]", "parameters.json: the parameters are not a JSON object"),
        ("parameters", '{"a": 1,\n "a": 2}', "parameters.json: line 2: the key"),
        ("parameters", '{"a": 1.5}', "parameters.json: "),
        ("policy", "[]", "policy.json: the policy is not a JSON object"),
        ("policy", '{"Statement": [{"Effect": "Alow"}]}', "policy.json: statement 1"),
        ("policy", '{"Version": 1.5}', "policy.json: "),
        ("policy", "[" * 9_999, "policy.json: "),
        (
            "requirements",
            f"# a comment\n{LOCKED}\nrequests>=2\n",
            "line 3: requests>=2 is not lock",
        ),
        ("requirements", "six==1 \\\n --hash=md5:0\n", "requirements.txt: line 1: six==1 is not"),
        ("requirements", "six\n\x1b[31m", "requirements.txt: line 1: "),
    ],
)
def test_what_can_not_be_read_is_told_with_its_place(part: str, text: str, told: str) -> None:
    """The file, the line where there is one, and why; nothing of the terminal's own in it."""
    with pytest.raises(Unreadable) as refused:
        changed(BEFORE, replace(BEFORE, **{part: text.encode()}))

    assert told in str(refused.value)
    assert "\x1b" not in str(refused.value)


def test_what_is_no_text_is_told_with_its_line() -> None:
    """Bytes that are not UTF-8 are refused where they stand; a script may hold what it likes."""
    with pytest.raises(Unreadable, match="line 2: it is not UTF-8"):
        changed(BEFORE, replace(BEFORE, policy=b"{\n\xff}"))
    edit = changed(BEFORE, replace(BEFORE, script=b"\xff"))

    assert edit is not None
    assert edit.script == b"\xff"


def test_what_was_taken_back_at_a_plain_terminal_stays_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be read is edited on; once it is as it was, the next edit begins anew."""
    editor = tmp_path / "editor"
    editor.write_text(
        '#!/bin/sh\nif grep -q typed "$3"; then sed -i /typed/d "$3"; else echo typed >> "$3"; fi\n'
    )
    editor.chmod(0o755)
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", str(editor))
    editing = _Editing(replace(BEFORE, policy=BEFORE.policy + b"\n"))

    assert asyncio.run(editing.edit()) is None
    assert editing.typed is not None
    assert asyncio.run(editing.edit()) is None
    assert editing.typed is None

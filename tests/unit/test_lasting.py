"""Grants that outlive their session: what the file holds, breaks it, and never gets in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.approval.draft import Target
from core.approval.grants import Grant, GrantGiven, GrantRevoked, lasting, lasting_name, offer
from core.approval.switching import offers, revoked
from core.decide import decide
from core.errors import IllegalEvent, JournalError
from core.lasting import NOTHING_LASTS, GrantFile
from sandbox.job import Sha

TARGET = Target("live", "aws", "123456789012", "arn:role", ("eu-west-1",), "shop")
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ec2:DescribeVpcs", "Resource": "*"}],
}
CODE = Sha("c" * 64)
NOW = 1_000


def grant(now: int = NOW) -> Grant:
    """Return a grant that outlives its session."""
    exact = offer("G1", TARGET, 1, POLICY, now)
    assert exact is not None
    return lasting(exact, CODE, now)


def given(now: int = NOW) -> GrantGiven:
    """Return the event that gives it."""
    return GrantGiven(grant(now), "ada", "tui")


def file(folder: Path, now: int = NOW, key: bytes = b"k" * 32) -> GrantFile:
    """Return the file of a folder, on an installation with `key`, at a time."""
    return GrantFile(folder / "grants.jsonl", lambda: key, lambda: now)


def test_what_is_given_holds_in_later_sessions(tmp_path: Path) -> None:
    """Another object over the same file finds it, with the session it was given in; mode 0600."""
    file(tmp_path).give(given(), "20261130T120000-0a1b2c3")

    (found,) = file(tmp_path).standing(TARGET)

    assert found == replace(given(), carried="20261130T120000-0a1b2c3")
    assert file(tmp_path).why_not(grant()) == ""
    assert (tmp_path / "grants.jsonl").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "other",
    [
        {"account": "999999999999"},
        {"role": "arn:other"},
        {"source": "simulated:00"},
        {"partition": "aws-cn"},
        {"regions": ("eu-west-1", "us-east-1")},
    ],
)
def test_it_is_for_the_account_it_was_given_in(tmp_path: Path, other: dict[str, Any]) -> None:
    """Elsewhere, as somebody else or in one region more a session takes nothing in."""
    file(tmp_path).give(given(), "s")

    assert file(tmp_path).standing(replace(TARGET, **other)) == ()


def test_it_ends_by_time(tmp_path: Path) -> None:
    """A week on no session takes it in, and what rests on it does not run; it stays listed."""
    file(tmp_path).give(given(), "s")
    later = file(tmp_path, grant().expires_at)

    assert later.standing(TARGET) == ()
    assert later.why_not(grant()) == "expired"
    assert [one.grant for one in later.listed()] == [grant()]


def test_a_revocation_stays_and_says_by_whom(tmp_path: Path) -> None:
    """Revoked once it holds nowhere, however often it is revoked; giving another is another."""
    kept = file(tmp_path)
    kept.give(given(), "s")
    for _ in range(2):
        kept.revoke(GrantRevoked(grant().grant, "grace", "revoked by grace"))
    kept.give(given(NOW + 1), "s2")

    assert kept.why_not(grant()) == "revoked by grace"
    assert [one.grant for one in kept.standing(TARGET)] == [grant(NOW + 1)]
    assert len((tmp_path / "grants.jsonl").read_text().splitlines()) == 4


def linked(path: Path) -> None:
    """Put a link in the file's place."""
    path.rename(path.with_name("moved"))
    path.symlink_to("moved")


def lines(kept: slice) -> Callable[[Path], object]:
    """Return what leaves some lines of the file: given, revoked, given, seal."""
    return lambda path: path.write_bytes(b"".join(path.read_bytes().splitlines(True)[kept]))


BROKEN: dict[str, Callable[[Path], object]] = {
    "what follows the first grant is cut off": lines(slice(1)),
    "all but the first and the last is cut off": lines(slice(0, 4, 3)),
    "the seal is cut off": lines(slice(-1)),
    "the end is cut off": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "a policy is widened": lambda path: path.write_bytes(
        path.read_bytes().replace(b"ec2:DescribeVpcs", b"ec2:DescribeVpc*")
    ),
    "others can read it": lambda path: path.chmod(0o640),
    "it is a link": linked,
    "it is no text": lambda path: path.write_bytes(b"\xff\x00" * 40),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_file_that_was_changed_grants_nothing(tmp_path: Path, how: str) -> None:
    """Whatever was done to it: nothing holds, nothing is added, and the list says why."""
    kept = file(tmp_path)
    kept.give(given(), "s")
    kept.revoke(GrantRevoked(grant().grant, "ada", "revoked by ada"))
    kept.give(given(NOW + 1), "s2")
    BROKEN[how](tmp_path / "grants.jsonl")

    assert kept.standing(TARGET) == ()
    for one in (grant(), grant(NOW + 1)):
        assert "can't be read" in kept.why_not(one)
    with pytest.raises(JournalError):
        kept.listed()
    with pytest.raises(JournalError):
        kept.give(given(NOW + 2), "s3")


def test_a_file_of_another_installation_grants_nothing(tmp_path: Path) -> None:
    """Copied from a machine with another key it is no file of grants."""
    file(tmp_path).give(given(), "s")

    assert file(tmp_path, key=b"x" * 32).standing(TARGET) == ()


def test_without_a_file_nothing_is_granted_and_no_key_is_made(tmp_path: Path) -> None:
    """Where nobody ever granted anything the key is not even asked for."""

    def key() -> bytes:
        raise AssertionError("asked for the key")

    kept = GrantFile(tmp_path / "grants.jsonl", key, lambda: NOW)

    assert kept.standing(TARGET) == ()
    assert kept.listed() == ()
    assert kept.why_not(grant()) == "it is not among the grants that are kept"


@pytest.mark.parametrize(
    "changed",
    [{"lasting": False}, {"grant": "G1"}, {"tier": 2}, {"code_digest": Sha("d" * 64)}],
)
def test_what_does_not_last_is_not_kept(tmp_path: Path, changed: dict[str, Any]) -> None:
    """A grant of one session, or one under a name that is not its own, does not get in."""
    other = replace(given(), grant=replace(grant(), **changed))

    with pytest.raises(JournalError):
        file(tmp_path).give(other, "s")
    assert not (tmp_path / "grants.jsonl").exists()


def test_another_grant_under_the_same_name_is_not_it(tmp_path: Path) -> None:
    """What rests on a grant is asked about with all of it, and not by its name."""
    file(tmp_path).give(given(), "s")

    assert file(tmp_path).why_not(replace(grant(), permissions=())) != ""


def test_where_nothing_lasts_nothing_does() -> None:
    """The port's other implementation gives nothing, keeps nothing, and lets nothing run."""
    assert NOTHING_LASTS.standing(TARGET) == ()
    assert NOTHING_LASTS.why_not(grant())
    with pytest.raises(JournalError):
        NOTHING_LASTS.give(given(), "s")


# ------------------------------------------------------------------ in a session
def asked(story: Any, author: str = "workflow", **settings: Any) -> Any:
    """Return a story with an open request for plain reads."""
    made = story(**settings).identified().drafted(policy=POLICY, author=author).reviewed()
    made.requested()
    return made


@pytest.mark.parametrize(
    ("author", "number"), [("workflow", 2), ("file", 2), ("model", 1), ("operator", 1)]
)
def test_only_a_script_that_comes_back_is_granted_for_later(
    story: Any, author: str, number: int
) -> None:
    """For a saved script two grants are offered, for one that was written for the case one."""
    found = offers(asked(story, author).session, NOW)

    assert [one.lasting for one in found] == [False, True][:number]
    assert all(one.code_digest and one.uses == 0 for one in found if one.lasting)


def carried(story: Any, **changes: Any) -> Any:
    """Return a story that took in a grant of an earlier session, for the code it will see."""
    before = asked(story)
    (_, one) = offers(before.session, NOW)
    made = story().identified()
    kept = replace(one, **changes)
    kept = replace(kept, grant=lasting_name(kept))
    made.add(GrantGiven(kept, "ada", "tui", carried="earlier"))
    return made


def test_a_carried_grant_answers_its_code(story: Any) -> None:
    """The same code in a later session runs by the grant; another code is asked about."""
    made = carried(story)
    made.drafted(policy=POLICY).reviewed()
    first = made.requested()
    name = made.session.grants[0].grant.grant
    assert (first.rule, first.grant) == ("run", name)
    made.add(decide(made.session, made.now).event)  # type: ignore[union-attr]  # a Record
    made.run().evidence()

    made.drafted(policy=POLICY, script=b"print('hello!')\n").reviewed()

    assert made.requested().rule == "ask"
    assert made.session.next_grant == "G1"


@pytest.mark.parametrize(
    "changed",
    [
        {"tier": 3},
        {"code_digest": None},
        {"purpose": "rehearse"},
        {"uses": 1},
        {"account": "999999999999"},
        {"expires_at": NOW},
    ],
)
def test_no_session_takes_in_what_may_not_last(story: Any, changed: dict[str, Any]) -> None:
    """A record in which a grant for more than one code's reads came from elsewhere is refused."""
    with pytest.raises(IllegalEvent):
        carried(story, **changed)


def test_no_session_takes_in_a_grant_twice_or_of_one_session(story: Any) -> None:
    """Neither the same again, nor one under another name, nor one that ended with its session."""
    made = carried(story)
    (standing,) = made.session.grants
    with pytest.raises(IllegalEvent, match="given before"):
        made.add(standing.given)

    renamed = replace(standing.grant, grant="L0123456789")
    with pytest.raises(IllegalEvent, match="name is wrong"):
        made.add(GrantGiven(renamed, "ada", "tui", carried="earlier"))
    short = replace(standing.grant, lasting=False, grant="G1")
    with pytest.raises(IllegalEvent, match="ended with the session"):
        made.add(GrantGiven(short, "ada", "tui", carried="earlier"))


def test_a_lasting_grant_is_revoked_where_it_is_carried(story: Any) -> None:
    """By a person at any time; what rests on it is asked."""
    made = carried(story)
    made.drafted(policy=POLICY).reviewed()
    made.requested()
    end = revoked(made.session, made.session.grants[0].grant.grant, "grace")
    made.add(end)

    assert made.requested().rule == "ask"


@pytest.mark.parametrize("last", [True, False])
def test_only_what_is_kept_elsewhere_ends_elsewhere(story: Any, last: bool) -> None:
    """A lasting grant may end for what became of the file, another only by its terms."""
    made = asked(story)
    one = offers(made.session, NOW)[int(last)]
    made.add(GrantGiven(one, "ada", "tui"))
    end = GrantRevoked(one.grant, "", "the file was changed")

    if last:
        made.add(end)
        assert made.session.grants[0].ended == "the file was changed"
    else:
        with pytest.raises(IllegalEvent, match="not come to its end"):
            made.add(end)

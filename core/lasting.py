"""Grants that outlive their session: a file beside the sessions, and the port that asks it.

`grants.jsonl` holds what was given and what was revoked, in order; nothing is ever taken out of it.
Its last line is an HMAC over all before it, under a key of this installation, and it is replaced as
a whole, so that a line less, a line more or a file of another machine is no file of grants. What
can't be read grants nothing. Trade-off: whoever can write as this user can put an older whole file
back; such a one can change the program too.

Does not: decide whether a grant covers a draft. A session takes a grant in as an event of its own
(`grant.given`, `carried`), by the same rules as those that it was given itself.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from core.approval.draft import Target
from core.approval.grants import Grant, GrantGiven, GrantRevoked, Standing, lasting_name, problem
from core.codec import parse, write
from core.errors import CountersignError, JournalAltered, JournalError
from core.place import place

MOST_BYTES = 1024 * 1024
"""Of the file: more than a thousand grants."""
_PURPOSE = b"countersign/grants/1"
_HINT = "remove it: nothing is granted any more, and what you grant from then on is kept"


class Lasting(Protocol):
    """Where grants are that outlive their session."""

    def standing(self, target: Target) -> tuple[GrantGiven, ...]:
        """Return those that hold in an account, for a session to take in; never raises."""
        ...

    def why_not(self, grant: Grant) -> str:
        """Return why this very grant does not hold now, or nothing; never raises."""
        ...

    def give(self, given: GrantGiven, session: str) -> None:
        """Keep a grant; raises JournalError."""
        ...

    def revoke(self, revoked: GrantRevoked) -> None:
        """End a grant that is kept; raises JournalError."""
        ...


@dataclass(frozen=True, slots=True)
class NothingLasts:
    """Every grant ends with its session."""

    def standing(self, target: Target) -> tuple[GrantGiven, ...]:
        del target
        return ()

    def why_not(self, grant: Grant) -> str:
        return f"{grant.grant} is kept nowhere"

    def give(self, given: GrantGiven, session: str) -> None:
        raise JournalError(f"{given.grant.grant} of {session} can't be kept here")

    def revoke(self, revoked: GrantRevoked) -> None:
        del revoked


@dataclass(frozen=True, slots=True)
class GrantFile:
    """Grants in a file that only its owner can read."""

    path: Path
    key: Callable[[], bytes]
    """Returns the key of this installation; asked where there is a file or one is made."""
    clock: Callable[[], int]

    def standing(self, target: Target) -> tuple[GrantGiven, ...]:
        """See `Lasting.standing`."""
        try:
            kept = self.listed()
        except CountersignError:
            return ()
        now = self.clock()
        return tuple(one.given for one in kept if one.holds(now) and not problem(one.grant, target))

    def why_not(self, grant: Grant) -> str:
        """See `Lasting.why_not`."""
        try:
            kept = self.listed()
        except CountersignError as error:
            return f"what outlives a session can't be read: {error}"
        one = next((each for each in kept if each.grant == grant), None)
        if one is None:
            return "it is not among the grants that are kept"
        return one.ended or one.over(self.clock())

    def give(self, given: GrantGiven, session: str) -> None:
        """See `Lasting.give`."""
        if not given.grant.lasting or lasting_name(given.grant) != given.grant.grant:
            raise JournalError(f"{given.grant.grant} ends with its session")
        self._add(replace(given, carried=session))

    def revoke(self, revoked: GrantRevoked) -> None:
        """See `Lasting.revoke`; one that is not kept, or has ended, needs no end."""
        if any(one.grant.grant == revoked.grant and not one.ended for one in self.listed()):
            self._add(revoked)

    def listed(self) -> tuple[Standing, ...]:
        """Return every grant that was ever kept, oldest first; raises JournalError."""
        found: dict[str, Standing] = {}
        for event in self._events():
            if isinstance(event, GrantGiven):
                found[event.grant.grant] = Standing(event)
            elif event.grant in found:
                found[event.grant] = replace(found[event.grant], ended=event.reason or "revoked")
        return tuple(found.values())

    def _add(self, event: GrantGiven | GrantRevoked) -> None:
        try:
            with self._alone():
                line = {"at": self.clock(), "kind": event.kind, "event": json.loads(write(event))}
                body = self._body() + json.dumps(line, sort_keys=True).encode() + b"\n"
                if len(body) > MOST_BYTES:
                    raise JournalError(f"{self.path}: is full", hint=_HINT)
                place(self.path, body + self._seal(body), over=True)
        except OSError as error:
            raise JournalError(f"{self.path}: {error.strerror}") from error

    def _events(self) -> Iterator[GrantGiven | GrantRevoked]:
        for line in self._body().splitlines():
            try:
                document = json.loads(line)
                event = parse(document["kind"], json.dumps(document["event"]))
            except (ValueError, TypeError, KeyError, CountersignError) as error:
                raise JournalAltered(f"{self.path}: a line can't be read", hint=_HINT) from error
            if not isinstance(event, GrantGiven | GrantRevoked):
                raise JournalAltered(f"{self.path}: {event.kind} is about no grant", hint=_HINT)
            yield event

    def _body(self) -> bytes:
        """Return the lines of the file but for its seal, which must fit; raises JournalError."""
        whole = self._read()
        body, _, _ = whole.removesuffix(b"\n").rpartition(b"\n")
        body = body + b"\n" if body else b""
        if whole and not hmac.compare_digest(whole, body + self._seal(body)):
            raise JournalAltered(f"{self.path}: is not what was written here", hint=_HINT)
        return body

    def _read(self) -> bytes:
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise JournalError(f"{self.path}: {error.strerror}", hint=_HINT) from error
        with os.fdopen(descriptor, "rb") as stream:
            found = os.fstat(descriptor)
            own = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
            if not own or found.st_mode & 0o077:
                raise JournalAltered(f"{self.path}: others than you can get at it", hint=_HINT)
            return stream.read(MOST_BYTES + 1024)

    def _seal(self, body: bytes) -> bytes:
        own = hmac.digest(self.key(), _PURPOSE, hashlib.sha256)
        seal = hmac.new(own, body, hashlib.sha256).hexdigest()
        return json.dumps({"seal": seal}).encode() + b"\n"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other sessions of this machine from writing at the same time."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = self.path.with_suffix(".lock")
        with os.fdopen(os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "wb") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield


NOTHING_LASTS = NothingLasts()

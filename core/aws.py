"""Where AWS answers come from, and who we are there.

`--aws live` is the account behind the operator's own credentials; a child looks for them and tells
who that is (`core.credentials`). `--aws recorded:SESSION` names a session file (a path, an id below
the data directory, or one that ships with countersign); its AWS responses are answered again.
`--aws simulated:WORLD` names a world file (a path, or one that ships); an account is made of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from core.codec import parse
from core.credentials import Order, environment_of, look
from core.errors import IdentityUnknown, JournalError, UsageError
from core.events import CallerIdentified
from core.here import working_folder
from core.simulator.world_file import WORLDS, find_world, read_world
from sandbox.job import Json

if TYPE_CHECKING:
    from core.journal.store import Reader

SHIPPED = Path(__file__).parent / "recordings"
"""Sessions that come with countersign, by name."""
LIVE = "live"
"""What `--aws` and a digest call the account behind the operator's own credentials."""
ANYONE = Order()
"""Whoever the environment and the default profile say."""


@dataclass(frozen=True, slots=True)
class Source:
    """A place that answers AWS calls."""

    name: str
    """As the digest binds it: live, recorded:HEAD or simulated:SHA-OF-WORLD."""
    origin: Mapping[str, str]
    """How the gateway process reaches it."""
    identify: Callable[[], CallerIdentified]
    """Tells who we are there; raises IdentityUnknown."""
    question: str = ""
    """What an operator would ask there, where the source tells."""
    now: datetime | None = None
    """The moment at which time stands still there; None where it passes."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What the gateway process needs of ours to reach it; holds secrets where it is live."""
    remarks: Callable[[Json], tuple[str, ...]] = lambda _: ()
    """What to show of how it takes a policy, before anything runs under that."""


def open_source(text: str, sessions: Path, order: Order = ANYONE) -> Source:
    """Return the source that `--aws` names; raises UsageError, JournalError.

    `order` says whose credentials are wanted where it is live.
    """
    kind, _, name = text.partition(":")
    if text == LIVE:
        return _live(order)
    if kind == "simulated" and name:
        return _simulated(find_world(name))
    if kind == "recorded" and name:
        return _recorded(find_session(name, (sessions, SHIPPED)))
    raise UsageError(f"--aws {text}: expected live, recorded:SESSION or simulated:WORLD")


def own_session(name: str, sessions: Path) -> Path:
    """Return the file of a session that may be gone on with; raises UsageError.

    Whoever can write a file can write approvals into it, so only sessions that this user made, in
    this data directory, are gone on with. Any other can be replayed.
    """
    path = find_session(name, (sessions,))
    if path.resolve().parent != sessions.resolve() or path.stat().st_uid != os.geteuid():
        raise UsageError(
            f"{path}: not a session of yours in {sessions}",
            hint="only your own sessions can be gone on with; `countersign replay` reads any",
        )
    return path


def source_of(session: Path, sessions: Path, order: Order = ANYONE) -> Source:
    """Return the source that a session was started against; raises UsageError when it is gone."""
    from core.events import SessionStarted

    with open_session(session) as journal:
        first = next(iter(journal.entries()), None)
    event = parse(first.kind, first.text) if first else None
    if not isinstance(event, SessionStarted):
        raise UsageError(f"{session}: not a session that was begun")
    if event.source == LIVE:
        return _live(replace(order, regions=event.regions))
    for found in _known(sessions, event.source.partition(":")[0]):
        if found.name == event.source:
            return found
    raise UsageError(f"{session}: its source {event.source} is not on this machine")


def open_session(path: Path) -> Reader:
    """Return the reader of a session file that somebody named; raises UsageError."""
    from core.journal.store import read

    try:
        return read(path)
    except JournalError as error:
        raise UsageError(f"{path}: {error}", hint="`countersign sessions` lists them") from error


def find_session(name: str, folders: tuple[Path, ...]) -> Path:
    """Return the file of a session given as a path, an id, or the unique beginning of one."""
    if name.endswith(".db"):
        if os.path.isfile(name):  # noqa: PTH113 (Path.is_file raises for a name that is too long)
            return Path(name).absolute()
        raise UsageError(f"{name}: no such session file")
    found = [path for folder in folders for path in sorted(folder.glob("*.db")) if folder.is_dir()]
    exact = [path for path in found if path.stem == name]
    begins = exact or [path for path in found if path.stem.startswith(name)]
    if len(begins) == 1:
        return begins[0].absolute()
    if begins:
        names = ", ".join(path.stem for path in begins[:5])
        raise UsageError(f"{name}: could be any of {names}")
    raise UsageError(f"{name}: no such session", hint="`countersign sessions` lists them")


def _known(sessions: Path, kind: str) -> Iterator[Source]:
    """Yield the sources of a kind that lie where they are looked for."""
    if kind == "simulated":
        yield from (_simulated(path) for path in sorted(WORLDS.glob("*.yaml")))
    else:
        for path in (
            each for folder in (sessions, SHIPPED) for each in sorted(folder.glob("*.db"))
        ):
            with suppress(UsageError):  # what can't be read is no source
                yield _recorded(path)


def _live(order: Order) -> Source:
    environment = environment_of(os.environ, working_folder())
    return Source(
        name=LIVE,
        origin={"profile": order.profile, "role": order.role},
        identify=lambda: look(order, environment).caller,
        environment=environment,
        remarks=partial(_narrowed, order.role) if order.role else lambda _: (),
    )


def _narrowed(role: str, policy: Json) -> tuple[str, ...]:
    """Return what to show of a policy that AWS can't hold a role's session to as it is."""
    from core.iam.session_policy import session_policy

    try:
        told = session_policy(policy, role.split(":")[1]).told
    except ValueError as error:  # the gateway refuses the run; here only the reason is wanted
        told = str(error)
    return (told,) if told else ()


def _simulated(path: Path) -> Source:
    world = read_world(path)
    account = world.account
    caller = CallerIdentified(
        account.partition, account.id, account.alias, world.arn, tuple(world.regions)
    )
    return Source(
        name=f"simulated:{world.digest}",
        origin={"path": str(path)},
        identify=lambda: caller,
        question=world.question,
        now=world.now,
    )


def _recorded(path: Path) -> Source:
    with open_session(path) as recording:
        head = recording.head

    def identify() -> CallerIdentified:
        return _caller(path)

    return Source(f"recorded:{head}", {"path": str(path)}, identify)


def _caller(path: Path) -> CallerIdentified:
    try:
        with open_session(path) as recording:
            for entry in recording.entries():
                if entry.kind == CallerIdentified.kind:
                    event = parse(entry.kind, entry.text)
                    if isinstance(event, CallerIdentified):
                        return event
    except (JournalError, UsageError) as error:
        raise IdentityUnknown(f"{path}: {error}") from error
    raise IdentityUnknown(f"{path}: the recording does not say whose account it was")

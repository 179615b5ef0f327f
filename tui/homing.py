"""What home shows, as plain values: sessions, one of them in detail, and the workflows.

Made from overviews of session files and from the sessions that are open here. Every text in here is
safe to show, and each state has a sign and a word besides its colour.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from core.safe_text import safe_line, safe_text
from core.session import Session
from core.sessions import Overview
from core.workflows.model import Workflow
from tui import viewing
from tui.views import Row

Standing = Literal[
    "waiting", "running", "working", "open", "answered", "failed", "replay", "unreadable"
]
SIGNS: dict[Standing, str] = {
    "waiting": "▲",
    "running": "▶",
    "working": "◌",
    "open": "○",
    "answered": "✓",
    "failed": "✗",
    "replay": "↺",
    "unreadable": "?",
}
MOST_RECENT = 8
"""Recent questions that are offered again."""
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_DAYS_AS_AGE = 30


@dataclass(frozen=True, slots=True)
class Here:
    """A session that is open at this screen."""

    key: str
    title: str
    session: Session | None
    asked: bool
    replay: bool
    problem: str
    """What ended the work on it; empty when nothing did."""


@dataclass(frozen=True, slots=True)
class Pick:
    """Something to begin a session with."""

    label: str
    question: str
    workflow: str = ""
    """Empty: it is a question only."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A session in the list."""

    key: str
    """Another key, another session: that of a seat, or the name of a file."""
    standing: Standing
    here: bool
    when: str
    account: str
    question: str
    sealed: bool

    @property
    def sign(self) -> str:
        """The state without colour."""
        return SIGNS[self.standing]


def entries(
    here: Sequence[Here], files: Iterable[Overview], now: int, wanted: str = ""
) -> tuple[Entry, ...]:
    """Return the list: what is open here first, then the files; all that hold each wanted word."""
    open_here = {each.session.id for each in here if each.session and not each.replay}
    listed = [_of_seat(each, now) for each in here]
    listed += [_of_file(each, now) for each in files if each.session not in open_here]
    words = wanted.lower().split()
    return tuple(each for each in listed if all(word in _text(each) for word in words))


def caption(found: Sequence[Entry], all_of_them: int) -> str:
    """Return how many are listed, and how many of them want something."""
    waiting = sum(each.standing == "waiting" for each in found)
    told = f"{len(found)} of {all_of_them}" if len(found) != all_of_them else f"{len(found)}"
    return f"{told} · {waiting} waiting" if waiting else told


def recent(files: Iterable[Overview]) -> tuple[str, ...]:
    """Return the last questions, each once, the newest first."""
    asked = (safe_line(each.question) for each in files if each.question)
    return tuple(dict.fromkeys(asked))[:MOST_RECENT]


def detail(found: Overview, verdict: str = "") -> tuple[Row, ...]:
    """Return what is known of a session file; `verdict` is that of a verification, if one was."""
    seal = verdict or ("sealed, not verified here: press v" if found.sealed else "not sealed")
    rows = [
        ("State", _state(found)),
        ("Answer", _answer(found.status, found.cause)),
        ("Account", found.account),
        ("Source", _source(found.source)),
        ("Mode", found.mode),
        ("Started", f"{_moment(found.started_at)} by {found.identity}" if found.started_at else ""),
        ("Last event", _moment(found.last_at) if found.last_at else ""),
        ("Record", f"{found.events} events, {seal}"),
        ("Session", found.session),
    ]
    return tuple(Row(name, safe_text(value)) for name, value in rows if value)


def detail_here(found: Here) -> tuple[Row, ...]:
    """Return the same of a session that is open here."""
    session = found.session
    if session is None:
        return (Row("State", safe_line(found.problem) or "opening"),)
    rows = [
        ("State", found.problem or viewing.work(session)),
        ("Answer", _answer(session.answer.status, session.answer.cause) if session.answer else ""),
        ("Account", f"{session.target.alias} {session.target.account}" if session.target else ""),
        ("Source", _source(session.started.source)),
        ("Mode", session.mode),
        ("Steps", str(len(session.steps))),
        ("Started", _moment(session.started_at)),
        ("Session", session.id),
    ]
    return tuple(Row(name, safe_text(value)) for name, value in rows if value)


def library(found: Iterable[Workflow], files: Iterable[Overview]) -> tuple[Row, ...]:
    """Return the saved workflows by name, and the last questions; rows without name are titles."""
    saved = [
        Row(safe_line(each.name), safe_text(" ".join(each.document.title.split())))
        for each in found
    ]
    asked = [Row(f"{number}", text) for number, text in enumerate(recent(files), 1)]
    return (
        *([Row("", "Workflows"), *saved] if saved else []),
        *([Row("", "Asked before"), *asked] if asked else []),
    )


def picks(found: Iterable[Workflow], files: Iterable[Overview]) -> tuple[Pick, ...]:
    """Return what a session can begin with: each saved workflow, then the last questions."""
    saved = [(each.name, " ".join(each.document.title.split())) for each in found]
    return (
        *(Pick(safe_line(f"{name}: {title}"), safe_line(title), name) for name, title in saved),
        *(Pick(text, text) for text in recent(files)),
    )


def age(milliseconds: int) -> str:
    """Return how long ago something was, as short as a column wants it."""
    seconds = max(0, milliseconds) // 1000
    if seconds < _MINUTE:
        return "now"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE}m"
    if seconds < _DAY:
        return f"{seconds // _HOUR}h"
    return f"{seconds // _DAY}d"


# ------------------------------------------------------------------ parts
def _of_seat(found: Here, now: int) -> Entry:
    session = found.session
    target = session.target if session else None
    return Entry(
        key=found.key,
        standing=_standing(found),
        here=True,
        when=age(now - session.started_at) if session else "now",
        account=safe_line((target.alias or target.account) if target else ""),
        question=safe_line(session.started.question if session else found.title),
        sealed=False,
    )


def _standing(found: Here) -> Standing:
    session = found.session
    if found.replay:
        return "replay"
    if found.problem:
        return "failed"
    if found.asked:
        return "waiting"
    if session and session.finished:
        return "failed" if session.finished.exit_code else "answered"
    return "running" if session and session.open_run else "working"


def _of_file(found: Overview, now: int) -> Entry:
    alias, _, number = found.account.partition(" ")
    return Entry(
        key=found.session,
        standing=found.state,
        here=False,
        when=_when(found, now),
        account=safe_line(alias or number),
        question=safe_line(found.question or found.problem),
        sealed=found.sealed,
    )


def _when(found: Overview, now: int) -> str:
    if not found.last_at:
        return ""
    days = (now - found.last_at) // (_DAY * 1000)
    return age(now - found.last_at) if days < _DAYS_AS_AGE else f"{_date(found.last_at):%b %d}"


def _state(found: Overview) -> str:
    match found.state:
        case "open":
            return "open: broke off, and can be gone on with"
        case "waiting":
            return "waiting for a decision: it can be gone on with"
        case "unreadable":
            return f"unreadable: {found.problem}"
    return f"{found.reason} (exit code {found.exit_code})"


def _answer(status: str, cause: str) -> str:
    return f"{status}: {cause}" if cause else status


def _source(source: str) -> str:
    """Return a source with its hash cut short."""
    kind, _, sha = source.partition(":")
    return f"{kind}:{sha[:12]}" if sha else kind


def _date(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)


def _moment(at: int) -> str:
    return f"{_date(at):%Y-%m-%d %H:%M:%S} UTC"


def _text(entry: Entry) -> str:
    seal = "sealed" if entry.sealed else ""
    words = (entry.standing, entry.account, entry.question, entry.key, seal)
    return " ".join(words).lower()

"""What the screen knows when a key is pressed, and by that whether an action makes sense.

A reason not to is a sentence, shown in place of the action. Does not: hold what an approval may do,
which is settled in core/; a key that passes here can still be refused there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

MORE_THAN_ONE = 2
NO_MODEL = "no model works on this session, so nobody can answer: a note goes on record"


@dataclass(frozen=True, slots=True)
class Situation:
    """What the screen knows when it asks whether an action makes sense."""

    asked: bool = False
    """A request waits for a person at this screen."""
    here: bool = False
    """Its step is the page that is shown."""
    replay: bool = False
    finished: bool = False
    pages: int = 0
    versions: int = 0
    """Of the step that is shown."""
    ran: bool = False
    """The step that is shown has a run, gone on or ended."""
    handed: bool = False
    """What waits is handed over: it is run by hand, and not here."""
    model: bool = False
    """A model plans here, and can be asked."""
    answered: bool = False
    """There is an answer, and it is the page that is shown."""
    home: bool = False
    """There is a home that lists all sessions, to go back to."""
    others: int = 0
    """Other sessions that are open at this screen."""
    waiting: int = 0
    """How many of them wait for a decision."""

    def why_no_decision(self, name: str) -> str:
        """Return why an action decides nothing now, a sentence; empty when it would."""
        if not self.asked:
            return "nothing waits for a decision"
        if not self.here:
            return "the request is on another page, or about another version: press f to see it"
        if self.handed and name in ("approve", "approve_with", "signed"):
            return "nothing runs here: b brings back what it found"
        if name == "bring" and not self.handed:
            return "it is not handed over: it runs here, once it is approved"
        return ""

    def why_not(self, name: str) -> str:
        """Return why an action that decides nothing makes no sense now; empty when it does."""
        return next((why for holds, why in _NEEDS.get(name, ()) if not holds(self)), "")


_Need = tuple[Callable[[Situation], bool], str]
"""What has to hold for an action, and what is said where it does not."""
_GOES_ON: _Need = (lambda now: not now.finished, "the session has ended")
_MORE_PAGES: _Need = (lambda now: now.pages >= MORE_THAN_ONE, "there is one page so far")
_MORE_VERSIONS: _Need = (
    lambda now: now.versions >= MORE_THAN_ONE,
    "this step has one version so far",
)
_ANSWER: _Need = (lambda now: now.answered, "there is no answer on this page")
_NEEDS: Mapping[str, tuple[_Need, ...]] = {
    "stop": (_GOES_ON,),
    "mode": (_GOES_ON,),
    "grants": (_GOES_ON,),
    "note": (_GOES_ON,),
    "ask": (_GOES_ON, (lambda now: now.model, NO_MODEL)),
    "copy_out": ((lambda now: now.asked, "nothing waits that somebody else could decide or run"),),
    "previous": (_MORE_PAGES,),
    "next": (_MORE_PAGES,),
    "older": (_MORE_VERSIONS,),
    "newer": (_MORE_VERSIONS,),
    "diff": (_MORE_VERSIONS,),
    "run": ((lambda now: now.ran, "nothing ran in what is shown: [ and ] turn to other steps"),),
    "markdown": (_ANSWER,),
    "json": (_ANSWER,),
    "home": ((lambda now: now.home, "this screen was opened for one session"),),
    "other": ((lambda now: now.others > 0, "no other session is open here"),),
    "waiting": ((lambda now: now.waiting > 0, "no other session waits"),),
}

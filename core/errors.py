"""Everything the core raises on purpose.

CountersignError             one line for the operator, `hint` the way out, `exit_code`
├── UsageError               2    bad input: a flag, a file, a name
│   ├── ConfigError          2    the settings file, with the path of the key
│   └── WorkflowError        2    a workflow file, with the path of the key
├── NotCanonical             2    a value that has no canonical JSON (a float, a broken string)
├── Left                     130  a person left; the session stays open
├── NoApprover               3    a decision is needed and nobody here can give it
├── NotCountersigned         4    redeem refused: no live matching decision for these bytes
├── ResultUnreadable         1    a result.json of another form than docs/result.md
├── NotThere                 1    a pointer into evidence that leads nowhere
├── IllegalEvent             1    an event that can't follow; a bug, or a file that was changed
├── JournalError             6    the journal can't be opened, read or written
│   ├── JournalBusy          6    another countersign writes to this session
│   └── JournalAltered       1    the hash chain does not hold
├── ModelError               1    a model could not do its part; the session stays open
│   ├── ModelUnavailable     6    it can't be reached, or does not let us in
│   ├── ModelRefused         1    it declined to answer
│   └── ModelBroken          1    its answer is not of the form that was asked for
├── IdentityUnknown          6    who we are in AWS can't be told
└── MachineUnfit             6    no sandbox here (wraps what the lower floor says)
"""

from __future__ import annotations


class CountersignError(Exception):
    """Base of the tree. `str(error)` is one line; `hint` says what to do about it."""

    exit_code = 1
    hint = "a bug in countersign, or a changed record: try `countersign verify SESSION`"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        if hint is not None:
            self.hint = hint


class UsageError(CountersignError):
    """The command line, or a file it names, can't be used."""

    exit_code = 2
    hint = "see `countersign --help`"


class ConfigError(UsageError):
    """The settings file can't be used; the message holds the path of the key."""

    hint = "config.example.yaml names every key"


class WorkflowError(UsageError):
    """A workflow's file can't be used; the message holds the path of the key."""

    hint = "docs/workflows.md describes workflow.yaml"


class ResultUnreadable(CountersignError):
    """A result.json that is not what docs/result.md describes."""

    hint = "docs/result.md shows the form of result.json"


class NotThere(CountersignError):
    """A pointer or a name leads nowhere in the evidence."""

    hint = "the claim was dropped; the evidence itself is whole"


class NotCanonical(CountersignError):
    """A value has no canonical JSON, so no digest can speak about it."""

    exit_code = 2
    hint = "write numbers with a fraction as strings"


class Left(CountersignError):
    """A person left; the session stays open."""

    exit_code = 130
    hint = "go on with `countersign ask --resume SESSION`"


class NoApprover(CountersignError):
    """A decision is needed and nobody here can give it."""

    exit_code = 3
    hint = "decide at a terminal, or pass --approve with exactly the digest that was shown"


class NotCountersigned(CountersignError):
    """There is no live, matching, unused decision for exactly these bytes: nothing runs."""

    exit_code = 4
    hint = "review the draft again; an approval holds for one digest and one run"


class IllegalEvent(CountersignError):
    """An event that can't follow the ones before it."""


class JournalError(CountersignError):
    """The journal can't be opened, read or written; nothing may happen that it can't record."""

    exit_code = 6
    hint = "check that the data directory exists, is yours and has room"


class JournalBusy(JournalError):
    """Another countersign writes to this session."""

    hint = "wait for it to end, or watch it with `countersign replay`"


class JournalAltered(JournalError):
    """The hash chain does not hold: the file is not what was written."""

    exit_code = 1
    hint = "`countersign verify` names the first event that is wrong"


class ModelError(CountersignError):
    """A model could not do its part."""

    hint = "go on with `countersign ask --resume SESSION`; without a model: --planner workflows"


class ModelUnavailable(ModelError):
    """A model can't be reached, or does not let us in."""

    exit_code = 6


class ModelRefused(ModelError):
    """A model declined to answer."""


class ModelBroken(ModelError):
    """A model's answer is not of the form that was asked for, after it was told so once."""


class IdentityUnknown(CountersignError):
    """Account and role can't be told, so no digest can be approved."""

    exit_code = 6
    hint = "check the profile and renew its credentials"


class MachineUnfit(CountersignError):
    """This machine can't run scripts safely; reviewing, checking and replaying still work."""

    exit_code = 6
    hint = "run `countersign doctor` for the exact lines to type"

"""Which planner works on a question: the one place where model planners are put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from secrets import token_hex
from typing import Literal

from core.checks.second import SecondReader
from core.codec import parse
from core.config import Settings
from core.errors import ModelUnavailable, UsageError
from core.events import SessionStarted
from core.installation import redactor
from core.journal.store import read
from core.llm.anthropic_model import AnthropicModel, Server
from core.llm.asking import Asker, ignore
from core.llm.key import VARIABLE, find_key
from core.llm.model import Delta, Model
from core.llm.outgoing import Outgoing, paths_of_this_machine
from core.llm.planner import ModelPlanner
from core.llm.reader import ModelReader
from core.packages import packages_of
from core.planner import Planner
from core.repair import NONE
from core.workflows.planner import WorkflowPlanner, load_library

Wanted = Literal["auto", "model", "workflows"]
Watch = Callable[[Delta], None]
"""Is shown what a model says while it says it."""


def choose(
    settings: Settings, wanted: Wanted, environment: Mapping[str, str], watch: Watch = ignore
) -> Planner:
    """Return the planner that is wanted; `auto` is a model when there is a key, else workflows.

    Raises ModelUnavailable when a model is wanted and there is no key, MachineUnfit when the
    keyring fails.
    """
    key = None if wanted == "workflows" else find_key(environment)
    if key:
        server = Server(key, settings.model.base_url)
        planner = AnthropicModel(settings.model.planner, server)
        coder = AnthropicModel(settings.model.coder, server)
        return model_planner(settings, planner, coder, key, watch)
    if wanted == "model":
        hint = f"`countersign config set-key` stores one, or export {VARIABLE}"
        raise ModelUnavailable("there is no key for a model", hint=hint)
    return WorkflowPlanner(load_library())


def choose_again(
    settings: Settings,
    wanted: Wanted,
    session: Path,
    environment: Mapping[str, str],
    watch: Watch = ignore,
) -> Planner:
    """Return the planner for a session that goes on: of the kind it was started with.

    Raises UsageError when another kind is wanted, JournalError, and what `choose` raises.
    """
    with read(session) as journal:
        first = next(iter(journal.entries()), None)
    event = parse(first.kind, first.text) if first else None
    if not isinstance(event, SessionStarted):
        raise UsageError(f"{session}: not a session that was begun")
    kind: Wanted = "workflows" if event.repairs == NONE else "model"
    if wanted not in ("auto", kind):
        raise UsageError(f"--planner {wanted}: the session was started with {kind}")
    return choose(settings, kind, environment, watch)


def reader_of(settings: Settings, environment: Mapping[str, str]) -> SecondReader | None:
    """Return the second reader of drafts, when the settings want one; raises MachineUnfit."""
    if settings.model.reviewer is None:
        return None
    key = find_key(environment)
    server = Server(key, settings.model.base_url) if key else None
    model = AnthropicModel(settings.model.reviewer, server) if server else None
    return ModelReader(model, _asker(settings, key or "", ignore))


def model_planner(
    settings: Settings, planner: Model, coder: Model, key: str = "", watch: Watch = ignore
) -> ModelPlanner:
    """Return a planner over two models; `key` is taken out of whatever is sent."""
    asker = _asker(settings, key, watch)
    width = settings.checks.widest_line
    return ModelPlanner(planner, coder, asker, packages_of(settings), width=width)


def _asker(settings: Settings, key: str, watch: Watch) -> Asker:
    redact = redactor(settings, [("model key", key)])
    outgoing = Outgoing(redact, paths_of_this_machine(settings.data_directory))
    return Asker(outgoing, f"data-{token_hex(4)}", watch)

"""One function per command: parsed arguments in, exit code out."""

from __future__ import annotations

import json
import os
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.approval.draft import Draft, Purpose, Terms
    from core.checks.compare import Difference
    from core.checks.finding import Review
    from core.config import Settings
    from tui.work import Opened


def ask(arguments: Namespace) -> int:
    """Work on a question, or go on with a session."""
    from core.errors import UsageError

    told = bool(arguments.question) or arguments.aws.startswith("simulated:")
    if (arguments.resume and arguments.question) or not (arguments.resume or told):
        raise UsageError(
            "give a question, or --resume SESSION",
            hint="countersign ask 'Why is checkout returning 503s?'",
        )
    question = arguments.question or ""
    if arguments.ui == "tui" and not arguments.resume:
        from tui.live import on_screen

        if arguments.limit or arguments.region:
            _settings(arguments)  # what was typed wrong is told before the screen opens
        return on_screen(arguments, lambda: _asking(arguments), question or arguments.aws)
    from tui.begin import begin, go_on
    from tui.work import planners

    settings = _settings(arguments)
    first, again = planners(settings, arguments.planner)
    if arguments.resume:
        return go_on(arguments, settings, again)
    return begin(arguments, settings, first, question, "ask")


def _asking(arguments: Namespace) -> Opened:
    """Return what starts a session; loads the loop and reads the settings, which takes a moment."""
    from tui import work

    settings = _settings(arguments)
    first, _ = work.planners(settings, arguments.planner)
    return work.beginning(arguments, settings, first, arguments.question or "", "ask")


def home(arguments: Namespace) -> int:
    """Show all sessions on the screen, and work on as many of them as somebody opens."""
    from tui.door import Door
    from tui.home_app import at_home
    from tui.live import look_for

    return at_home(Door(_settings(arguments), arguments), look_for(arguments))


def run(arguments: Namespace) -> int:
    """Run one script, once it is approved."""
    from core.planner import FilePlanner
    from tui.begin import begin

    name = Path(arguments.script).name
    planner = FilePlanner(_draft(arguments), f"Run {name}")
    return begin(arguments, _settings(arguments), lambda: planner, f"run {name}", "run")


def check(arguments: Namespace) -> int:
    """Review a script; runs nothing, and changes nothing but a file that --lock is to lock."""
    from core.approval.draft import approval_digest
    from core.approval.modes import ceiling_of
    from core.checks.review import review
    from core.iam.lint import Ceilings
    from tui import checking

    settings = _settings(arguments)
    if arguments.lock:
        _lock(arguments, settings)
    draft = _draft(arguments)
    terms, why = _terms(arguments, settings)
    mode = arguments.mode or settings.mode
    ceiling = terms.ceiling if terms else ceiling_of(mode, settings.ceiling)
    ever = settings.house().of(terms.target if terms else None).ceiling
    found = review(draft, settings.standards(), ceilings=Ceilings(ceiling, ever))
    checked = checking.Checked(
        draft=draft,
        found=found,
        digest=approval_digest(terms.preimage(draft.digest())) if terms else None,
        digests=_digests(draft, terms),
        why_not=why,
        mode=mode,
        ceiling=ceiling,
        unattended=settings.ceiling,
        regions=terms.target.regions if terms else None,
        difference=_difference(arguments, settings, draft, found) if arguments.diff else None,
    )
    if arguments.json:
        print(json.dumps(checking.document(checked)))
    else:
        print(checking.text(checked))
    return 1 if found.blockers else 0


def replay(arguments: Namespace) -> int:
    """Show a session again, read-only."""
    from core.aws import open_session
    from core.codec import parse
    from core.events import Fact
    from core.journal.verify import verify as verify_file
    from core.session import apply, begin
    from tui import surfaces

    path = _session(arguments, arguments.session)
    if arguments.ui == "tui":
        from tui.live import replay_on_screen

        return replay_on_screen(arguments, path)
    show = surfaces.showing(arguments.ui)
    session = None
    with open_session(path) as recording:
        if arguments.ui == "plain":
            print(surfaces.replay_banner(verify_file(path)))
        for entry in recording.entries():
            fact = Fact(entry.seq, entry.at, parse(entry.kind, entry.text))
            session = begin(fact) if session is None else apply(session, fact)
            show(session, fact)
    return 0


def verify(arguments: Namespace) -> int:
    """Tell whether session files are what was written."""
    from core.journal.verify import verify as verify_file
    from tui import report

    codes = []
    for name in arguments.session:
        path = _session(arguments, name)
        found = verify_file(path)
        codes.append(found.exit_code)
        document = report.verification_document(path, found)
        told = json.dumps(document) if arguments.json else None
        print(told or report.verification_text(document))
    return 1 if 1 in codes else max(codes)


def sessions(arguments: Namespace) -> int:
    """List the sessions on this machine, newest last."""
    from tui import report

    rows = report.session_rows(_sessions_folder(arguments))
    for row in rows:
        print(json.dumps(row) if arguments.json else report.session_text(row))
    if not rows and not arguments.json:
        print("no sessions yet")
    return 0


def grants(arguments: Namespace) -> int:
    """List the grants that outlive their session, or end one of them."""
    from core.here import now_ms
    from core.start import grant_file
    from tui import granted

    kept = grant_file(_settings(arguments))
    if arguments.revoke is not None:
        granted.revoke(kept, arguments.revoke)
    rows = granted.rows(kept.listed(), now_ms())
    for row in rows:
        print(json.dumps(row) if arguments.json else granted.text(row))
    if not rows and not arguments.json:
        print("no grants: every one ended with its session")
    return 0


def doctor(arguments: Namespace) -> int:
    """Say what this machine can do."""
    from tui import report

    document = report.machine(_settings(arguments))
    if arguments.json:
        print(json.dumps(document))
    else:
        print(report.machine_text(document))
    return 0 if document["engine"] else 6


def config(arguments: Namespace) -> int:
    """Store the key of a model; it is read from a terminal without echo, or from a pipe."""
    from core.llm.key import set_key

    del arguments
    if sys.stdin.isatty():
        from getpass import getpass

        key = getpass("key (not shown): ")
    else:
        key = sys.stdin.readline()
    print(f"stored in the keyring ({set_key(key)}); `countersign ask` asks a model from now on")
    return 0


def _settings(arguments: Namespace) -> Settings:
    from core.config import check_regions, load, with_limits

    path = None if arguments.config is None else Path(arguments.config)
    check_regions(getattr(arguments, "region", []))
    settings = load(path, os.environ)
    return with_limits(settings, getattr(arguments, "limit", []))


def _sessions_folder(arguments: Namespace) -> Path:
    from core.start import sessions_folder

    return sessions_folder(_settings(arguments))


def _session(arguments: Namespace, name: str) -> Path:
    from core.aws import SHIPPED, find_session

    return find_session(name, (_sessions_folder(arguments), SHIPPED))


def _draft(arguments: Namespace) -> Draft:
    from core.draft_files import DraftFiles, read_draft

    def path(name: str) -> Path | None:
        value = getattr(arguments, name)
        return None if value is None else Path(value)

    return read_draft(
        DraftFiles(
            script=Path(arguments.script),
            policy=path("policy"),
            requirements=path("requirements"),
            parameters=path("parameters"),
            rollback=path("rollback"),
            post_check=path("post_check"),
            tests=path("tests"),
            kind=arguments.kind,
        )
    )


def _lock(arguments: Namespace, settings: Settings) -> None:
    import asyncio

    from core.draft_files import lock_requirements
    from core.errors import UsageError
    from core.packages import packages_of

    if arguments.requirements is None:
        raise UsageError("--lock: say which file by --requirements FILE")
    asyncio.run(lock_requirements(Path(arguments.requirements), packages_of(settings).lock))


def _digests(draft: Draft, terms: Terms | None) -> dict[str, str]:
    """Return the digest that would be asked for by each purpose that the draft has a script for."""
    from dataclasses import replace

    from core.approval.draft import approval_digest
    from core.approval.modes import ceiling_for
    from core.approval.redeem import script_for

    found: dict[str, str] = {}
    later: tuple[Purpose, ...] = ("post-check", "roll back") if draft.kind == "change" else ()
    for purpose in ("run", *later) if terms else ():
        if terms and script_for(draft, purpose) is not None:
            ceiling = ceiling_for(purpose, terms.ceiling)
            asked = replace(terms, purpose=purpose, ceiling=ceiling)
            found[purpose] = approval_digest(asked.preimage(draft.digest()))
    return found


def _terms(arguments: Namespace, settings: Settings) -> tuple[Terms | None, str]:
    """Return what `run` would bind besides the draft, or None and why that can't be told."""
    from core.aws import open_source
    from core.errors import IdentityUnknown
    from core.start import preview, sessions_folder
    from tui.work import order_of

    order = order_of(arguments, settings)
    source = open_source(arguments.aws, sessions_folder(settings), order)
    mode = arguments.mode or settings.mode
    try:
        return preview(settings, source, mode, tuple(arguments.region)), ""
    except IdentityUnknown as error:
        return None, f"{error}; {error.hint}"


def _difference(
    arguments: Namespace, settings: Settings, draft: Draft, found: Review
) -> Difference:
    """Compare with an earlier version of the script, under the same policy and all else."""
    from dataclasses import replace

    from core.checks.compare import difference
    from core.checks.review import review
    from core.draft_files import DraftFiles, read_draft

    earlier = read_draft(DraftFiles(script=Path(arguments.diff))).script
    before = review(replace(draft, script=earlier), settings.standards())
    return difference((arguments.diff, earlier, before), (arguments.script, draft.script, found))

"""Manual mode: a script with all that a person needs to run it, as files; and what they bring back.

The folder is laid out like the one that a run sees (`in/`, `out/`), so that the script runs in it
as it is. Nothing here runs anything; what comes back is checked like what a run leaves behind, and
is evidence "by hand": nobody saw it happen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.approval.draft import Draft, Target
from core.approval.redeem import script_for
from core.checks.finding import Finding
from core.errors import JournalError, ResultUnreadable
from core.events import DecisionRequested
from core.evidence import read_result
from core.place import place
from core.safe_text import safe_line
from sandbox.job import Sha

MOST_BYTES = 4 * 1024 * 1024
"""Of what is brought back."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What a person brings back, of the one or the other kind."""

    result: bytes | None = None
    text: bytes | None = None


def contents(
    request: DecisionRequested,
    draft: Draft,
    target: Target | None,
    findings: tuple[Finding, ...],
    payload: Callable[[Sha], bytes],
) -> dict[str, bytes]:
    """Return every file of a hand-over by its name in the folder."""
    script = script_for(draft, request.purpose) or b""
    files = {
        "script.py": script,
        "policy.json": _json(draft.policy),
        "requirements.txt": "".join(f"{line}\n" for line in draft.requirements).encode(),
        "in/parameters.json": _json(draft.parameters),
    }
    files |= {f"in/{name}": payload(content) for name, content in draft.inputs}
    if request.purpose == "run":
        others = (
            ("rollback.py", draft.rollback),
            ("post_check.py", draft.post_check),
            ("tests.py", draft.tests),
        )
        files |= {name: body for name, body in others if body is not None}
    files["INSTRUCTIONS.md"] = _instructions(request, draft, target, findings).encode()
    return files


def lay_out(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files that are not there yet, and the folder for results; raises JournalError.

    What is there stays: it may be what a person has worked on.
    """
    try:
        for name in ("in", "out"):
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, body in files.items():
            if not (folder / name).exists():
                place(folder / name, body)
    except OSError as error:
        raise JournalError(f"{folder}: {error.strerror}") from error


def read_brought(path: Path) -> Brought:
    """Return what lies in a file; raises ResultUnreadable."""
    try:
        if path.exists() and not path.is_file():
            raise ResultUnreadable(f"{path}: not a file")  # a pipe might never say anything
        with path.open("rb") as stream:
            body = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise ResultUnreadable(f"{path}: {error.strerror}") from error
    return sorted_out(body)


def sorted_out(body: bytes) -> Brought:
    """Tell a result.json from other text, and check it; raises ResultUnreadable.

    What begins like a JSON object is meant as a result, and has to be one (docs/result.md).
    """
    if len(body) > MOST_BYTES:
        raise ResultUnreadable(f"more than {MOST_BYTES // 1024 // 1024} MiB were brought back")
    if not body.strip():
        raise ResultUnreadable("nothing was brought back")
    if body.lstrip().startswith(b"{"):
        read_result(body)
        return Brought(result=body)
    return Brought(text=body)


def _json(value: object) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def _instructions(
    request: DecisionRequested,
    draft: Draft,
    target: Target | None,
    findings: tuple[Finding, ...],
) -> str:
    """Return what a person has to know; texts of strangers can't pass for ours: one line each."""
    account = f"{target.alias} {target.account}".strip() if target else "unknown"
    regions = target.regions if target else ()
    region = safe_line(regions[0]) if regions else "REGION"
    told = [f"- {one.severity}: {safe_line(one.message)}" for one in findings] or ["- none"]
    install = "python3 -m venv venv && venv/bin/pip install boto3"
    if draft.requirements:
        install += " && venv/bin/pip install --require-hashes --no-deps -r requirements.txt"
    return "\n".join(
        [
            f"# {request.request}: {request.purpose}, {draft.step} version {draft.version}",
            "",
            f"Digest: {request.digest}",
            f"Account: {safe_line(account)}",
            f"Role: {safe_line(target.role if target else 'unknown')}",
            f"Regions: {safe_line(', '.join(regions) or 'none')}",
            f"Tier: {request.tier}",
            "",
            "Nothing here was run. Nobody but you stands between this script and the account: the",
            "gateway that holds scripts to their policy is not there when you run one yourself.",
            "",
            "Findings of the review:",
            *told,
            "",
            "1. Read script.py and policy.json. Do not run what you would not have written.",
            "2. Get credentials that allow what policy.json says and no more, such as a session of",
            "   your role: aws sts assume-role --policy file://policy.json ...",
            f"3. In this folder: {install}",
            f"4. AWS_REGION={region} venv/bin/python script.py | tee out/printed.txt",
            "5. Bring back out/result.json, or out/printed.txt where the script wrote none.",
            "",
            "rollback.py takes a change back and post_check.py tells whether it worked, where they",
            "are here: run the second after the script, and the first when it says no.",
            "",
        ]
    )

"""A signed decision that is none says why, in the words of whoever looked at the signature."""

from __future__ import annotations

import asyncio
import json
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from core.approval.ledger import spend
from core.approval.signed import FromSigned
from core.errors import NoApprover


async def fit() -> None:
    """Find nothing wrong with this machine."""


def keygen(folder: Path, *arguments: str) -> None:
    """Run ssh-keygen in a folder."""
    command = ["ssh-keygen", *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=50)


def signed(folder: Path, digest: str, **more: object) -> Path:
    """Return a yes to a digest that grace has signed, with more that it says."""
    path = folder / "decision.json"
    path.write_text(json.dumps({"digest": digest, "verb": "approve", **more}))
    keygen(folder, "-q", "-t", "ed25519", "-N", "", "-f", "key")
    keygen(folder, "-Y", "sign", "-n", "countersign", "-f", "key", "decision.json")
    (folder / "signers").write_text(f"grace {(folder / 'key.pub').read_text()}")
    return path


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ("no signature", "No such file"),
        ("changed", "incorrect signature"),
        ("unknown signer", "No principal matched"),
    ],
)
def test_what_is_not_signed_says_why(story: Any, tmp_path: Path, broken: str, why: str) -> None:
    """The reason of ssh-keygen comes through in one sentence, and nothing is spent."""
    made = story().identified().drafted().reviewed()
    path = signed(tmp_path, made.requested().digest)
    if broken == "no signature":
        path.with_name("decision.json.sig").unlink()
    elif broken == "changed":
        path.write_text(path.read_text() + " ")
    else:
        (tmp_path / "signers").write_text("")
    asking = FromSigned((path,), tmp_path / "signers", fit, partial(spend, tmp_path / "spent"))

    with pytest.raises(NoApprover, match=f"allowed signer: ssh-keygen says: .*{why}"):
        asyncio.run(asking(made.session.open_request, made.session, made.payload))

    assert not (tmp_path / "spent").exists()


@pytest.mark.parametrize("over", [False, "false", 1, None])
def test_only_true_overrides_blocking_findings(story: Any, tmp_path: Path, over: object) -> None:
    """Whatever else stands there, a signed yes leaves them, and nothing is spent."""
    made = story().identified().drafted().reviewed(blockers=1)
    path = signed(tmp_path, made.requested().digest, override_blockers=over)
    asking = FromSigned((path,), tmp_path / "signers", fit, partial(spend, tmp_path / "spent"))

    with pytest.raises(NoApprover, match="blocking findings that the yes leaves: 1"):
        asyncio.run(asking(made.session.open_request, made.session, made.payload))

    assert not (tmp_path / "spent").exists()

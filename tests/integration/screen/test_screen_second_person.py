"""A second person's signed decision, taken at the screen of whoever asks."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.widgets import Input

from tui.others import signing

Play = Callable[..., Any]


def keygen(folder: Path, *arguments: str) -> None:
    """Run ssh-keygen in a folder."""
    command = ["ssh-keygen", *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=50)


def typed(folder: Path, lines: str) -> None:
    """Have a shell do what somebody else was told to type."""
    subprocess.run(["sh", "-c", lines], cwd=folder, check=True, capture_output=True, timeout=50)


def signer(folder: Path, name: str) -> Path:
    """Return the file of allowed signers, with a key of `name` beside it."""
    keygen(folder, "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", "key")
    signers = folder / "signers"
    signers.write_text(f'{name} namespaces="countersign" {(folder / "key.pub").read_text()}')
    return signers


async def take(screen: Any, path: Path) -> None:
    """Name the file of a signed decision."""
    await screen.until(lambda: "o tells how" in screen.text, "the keys are awake")
    await screen.press("o")
    await screen.until(lambda: "takes what they signed" in screen.text, "it is open")
    screen.app.screen.query_one(Input).value = str(path)
    await screen.press("enter", "o")


def test_somebody_else_decides_a_change(play: Play, tmp_path: Path) -> None:
    """The one who asks can't; the lines that are shown make the file that is taken, as grace's."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    signers = signer(elsewhere, "grace")

    async def walk(screen: Any) -> None:
        await screen.asked()
        await screen.until(lambda: "o tells how" in screen.text, "the keys are awake")
        await screen.press("Y")
        await screen.until(lambda: "the lines that sign a yes went to" in screen.text, "copied")
        copied = screen.app.clipboard
        assert tuple(copied.splitlines()) == signing(screen.bridge.session, screen.bridge.asked)
        assert screen.bridge.asked.digest in copied
        typed(elsewhere, copied.replace("~/.ssh/id_ed25519", "key"))
        await take(screen, elsewhere / "nothing.json")
        await screen.until(lambda: "No such file" in screen.text, "it says why")
        assert screen.bridge.asked is not None
        await take(screen, elsewhere / "decision.json")
        await screen.ended()
        [made] = screen.decisions
        assert (made.verb, made.identity, made.surface) == ("approve", "grace", "file")
        assert made.confirmed == "shop"

    play(walk, tier=4, settings=f"approval: {{second_person: true, allowed_signers: {signers}}}\n")


def test_the_one_who_asks_signs_nothing_for_themselves(play: Play, tmp_path: Path) -> None:
    """A signature under the asker's own name is refused with a sentence; the request waits on."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    signers = elsewhere / "signers"
    signers.touch()

    async def walk(screen: Any) -> None:
        await screen.asked()
        await screen.until(lambda: "o tells how" in screen.text, "the keys are awake")
        session = screen.bridge.session
        line, _ = signing(session, screen.bridge.asked)
        typed(elsewhere, line)
        keygen(elsewhere, "-q", "-t", "ed25519", "-N", "", "-f", "key")
        signers.write_text(f"{session.started.identity} {(elsewhere / 'key.pub').read_text()}")
        keygen(elsewhere, "-Y", "sign", "-n", "countersign", "-f", "key", "decision.json")
        await take(screen, elsewhere / "decision.json")
        await screen.until(lambda: "somebody else than" in screen.text, "it says why")
        assert (screen.decisions, screen.bridge.asked is not None) == ([], True)

    play(walk, tier=4, settings=f"approval: {{second_person: true, allowed_signers: {signers}}}\n")

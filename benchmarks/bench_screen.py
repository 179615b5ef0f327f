"""How soon the screen stands, and whether it stays quick while a script floods it.

The first frame is measured through a pseudo terminal, from the start of the process until question
and four titles are painted, in turn with the first frames of two other programs (neighbours.py).
The rest is one screen in this process without a terminal: a probe in its loop tells for how long
nothing else could be done, which is what a key waits for.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from statistics import median, quantiles

from benchmarks.frames import started
from benchmarks.neighbours import Program, installed
from benchmarks.page import Bar, Found, arguments, report, rows
from core.aws import SHIPPED
from core.codec import parse
from core.events import Fact, RunOutput, RunStarted
from core.journal.store import read
from core.session import Session, apply, begin
from sandbox.job import Sha
from tui.app import CountersignApp
from tui.bridge import Bridge
from tui.results import VIEWS
from tui.screens.run import RunScreen
from tui.views import Code
from tui.widgets.code_pane import CodePane
from tui.widgets.find_bar import FindBar
from tui.widgets.lines import LinesView

COMMAND = [str(Path(sys.executable).parent / "countersign")]
ASK = [*COMMAND, "ask", "Why does the shop return 502?", "--aws", "simulated:shop-502"]
TITLES = ("502", "1 Plan", "2 Code", "3 Findings", "4 IAM policy")
HELP = ("Keys", "Escape goes back")
"""What the page of help shows, which a key opens."""
ROUNDS = 5
BATCH, BATCHES, PAUSE_S = 1_000, 200, 0.05
"""20,000 lines a second for ten seconds."""
MILLION = 1_000_000

FIRST = Bar("from the start to the frame with question and four titles", 1000.0, "ms", 0)
OF_POSTING = Bar("the same, of posting's first frame", 1.0)
USABLE = Bar("from the start until a key has opened the help", 1000.0, "ms", 0)
POSTING = Bar("posting: from the start to its first frame", None, "ms", 0)
HARLEQUIN = Bar("harlequin: from the start to its first frame", None, "ms", 0)
STALL = Bar("20,000 lines/s for 10 s: what a key waits for, 99th of 100", 50.0, "ms", 0)
MEMORY = Bar("memory after a million lines", 200.0, "MB", 0)
RESULT = Bar("a result of 5 MB, opened, searched and scrolled: longest wait", 100.0, "ms", 0)
SCRIPT = Bar("a script of 2,000 lines, opened and scrolled: longest wait", 100.0, "ms", 0)
OTHERS = {"posting": POSTING, "harlequin": HARLEQUIN}
BARS = (FIRST, OF_POSTING, USABLE, POSTING, HARLEQUIN, STALL, MEMORY, RESULT, SCRIPT)


def main() -> int:
    """Measure, tell, and return 1 when a bar is missed."""
    options = arguments(__doc__)
    values = asyncio.run(_screen())
    with installed() as others:
        values.update(_starts(others))
    found = Found("bench_screen", "screen", rows(BARS, values))
    return int(report(found, BARS, values, options) > 0)


def _starts(others: dict[str, Program]) -> dict[str, float]:
    """Measure the starts of all programs in turn; medians."""
    taken: dict[str, list[float]] = {}
    for number in range(ROUNDS + 1):
        for what, spent in _one_of_each(others):
            if number:  # the first is unmeasured: files into the cache, bytecode onto the disk
                taken.setdefault(what, []).append(spent)
    values = {what: median(spent) for what, spent in taken.items()}
    if POSTING.what in values:
        values[OF_POSTING.what] = values[FIRST.what] / values[POSTING.what]
    return values


def _one_of_each(others: dict[str, Program]) -> Iterator[tuple[str, float]]:
    with started([*ASK, "--ui", "tui"]) as terminal:
        yield FIRST.what, terminal.shows(TITLES)
        terminal.press(b"?")
        yield USABLE.what, terminal.shows(HELP)
    for name, program in others.items():
        with started(program.command) as terminal:
            yield OTHERS[name].what, terminal.shows(program.titles)


class Probe:
    """Counts for how long the loop could do nothing else."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def during(self, work: Awaitable[None]) -> list[float]:
        """Return what somebody would have waited, in milliseconds, while `work` went on."""
        self.waits = []
        task = asyncio.ensure_future(work)
        while not task.done():
            begun = time.perf_counter()
            await asyncio.sleep(0.005)
            self.waits.append((time.perf_counter() - begun - 0.005) * 1000)
        await task
        return self.waits


class WithResult(Bridge):
    """A session whose runs have one result, of 5 MB."""

    def __init__(self) -> None:
        super().__init__()
        row = {"name": "x" * 80, "since": 1, "tags": {"a": "b"}}
        self._result = json.dumps([row] * 45_000).encode()

    def body(self, content: Sha) -> bytes:
        del content
        return self._result


async def _screen() -> dict[str, float]:
    bridge = WithResult()
    app = CountersignApp(bridge, "why?")
    values: dict[str, float] = {}
    gc.freeze()  # as the product does before its screen comes up
    async with app.run_test(size=(120, 40)) as pilot:
        session = _running(bridge)
        screen = RunScreen(bridge, session.steps[-1].plan.step)
        await app.push_screen(screen)
        await pilot.pause()
        flood = _flood(bridge, session)
        waits = await Probe().during(flood(BATCHES, PAUSE_S))
        values[STALL.what] = quantiles(waits, n=100)[-1]
        await flood(MILLION // BATCH - BATCHES, 0.001)
        values[MEMORY.what] = _memory()
        values[RESULT.what] = max(await Probe().during(_open_result(screen)))
        await screen.dismiss(None)
        values[SCRIPT.what] = max(await Probe().during(_open_script(app)))
    return values


def _running(bridge: Bridge) -> Session:
    """Return the session that ships, as it stood when its first run had begun."""
    session: Session | None = None
    with read(SHIPPED / "shop-502.db") as recording:
        for entry in recording.entries():
            fact = Fact(entry.seq, entry.at, parse(entry.kind, entry.text))
            session = apply(session, fact) if session else begin(fact)
            bridge.show(session, fact)
            if isinstance(fact.event, RunStarted):
                return session
    raise ValueError("the recording holds no run")


def _flood(bridge: Bridge, session: Session) -> Callable[[int, float], Awaitable[None]]:
    now = [session]

    async def flood(batches: int, pause: float) -> None:
        for _ in range(batches):
            seq = now[0].seq + 1
            text = "".join(f"{seq} {n} a line of what a script prints\n" for n in range(BATCH))
            fact = Fact(seq, now[0].last_at, RunOutput("X1", "stdout", 0, text, 0))
            now[0] = apply(now[0], fact)
            bridge.show(now[0], fact)
            await asyncio.sleep(pause)

    return flood


async def _open_result(screen: RunScreen) -> None:
    """Open a result as the screen does when a run has ended, and scroll in each of its views."""
    screen.read_result(Sha("0" * 64))
    view = screen.query_one("#result", LinesView)
    for each in VIEWS:
        while not (view.border_subtitle or "").startswith(f"{each}, "):  # noqa: ASYNC110 (no event tells)
            await asyncio.sleep(0.02)
        await _scroll(view.scroll_end, view.scroll_home)
        await _search(screen, f"it is not in the {each}")
        screen.action_turn()


async def _search(screen: RunScreen, text: str) -> None:
    """Look for a text in the result, through all of its rows."""
    screen.action_show("result")
    screen.action_act("find")
    screen.on_find_bar_sought(FindBar.Sought(text))
    looking = [each for each in screen.workers if each.group == "find"]
    await screen.workers.wait_for_complete(looking)


async def _open_script(app: CountersignApp) -> None:
    pane = app.screen.query_one(CodePane)
    text = "\n".join(f"value_{number} = function({number})  # a line" for number in range(2_000))
    pane.paint(Code("big", text, {}, ""))
    await _scroll(pane.scroll_end, pane.scroll_home)


async def _scroll(*moves: Callable[..., object]) -> None:
    for move in moves:
        move(animate=False)
        await asyncio.sleep(0.2)


def _memory() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    sys.exit(main())

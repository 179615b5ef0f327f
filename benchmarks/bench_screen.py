"""How soon the screen stands, and whether it stays quick while a script floods it.

The first frame is measured through a pseudo terminal, from the start of the process until question
and four titles are painted. The rest is one screen in this process without a terminal: a probe in
its loop tells for how long nothing else could be done, which is what a key waits for.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median, quantiles

from benchmarks.page import Bar, Found, arguments, report, rows
from core.aws import SHIPPED
from core.codec import parse
from core.events import Fact, RunOutput, RunStarted
from core.journal.store import read
from core.session import Session, apply, begin
from tui import results
from tui.app import CountersignApp
from tui.bridge import Bridge
from tui.screens.run import RunScreen
from tui.views import Code
from tui.widgets.code_pane import CodePane
from tui.widgets.lines import LinesView

COMMAND = [str(Path(sys.executable).parent / "countersign")]
ASK = [*COMMAND, "ask", "Why does the shop return 502?", "--aws", "simulated:shop-502"]
TITLES = ("502", "1 Plan", "2 Code", "3 Findings", "4 IAM policy")
SEQUENCE = re.compile(rb"\x1b\[[0-9;:?<>=$]*[a-zA-Z]")
ROUNDS = 5
BATCH, BATCHES, PAUSE_S = 1_000, 200, 0.05
"""20,000 lines a second for ten seconds."""
MILLION = 1_000_000

FIRST = Bar("from the start to the frame with question and four titles", 1000.0, "ms", 0)
STALL = Bar("20,000 lines/s for 10 s: what a key waits for, 99th of 100", 50.0, "ms", 0)
MEMORY = Bar("memory after a million lines", 200.0, "MB", 0)
RESULT = Bar("a result of 5 MB, opened and scrolled: longest wait", 100.0, "ms", 0)
SCRIPT = Bar("a script of 2,000 lines, opened and scrolled: longest wait", 100.0, "ms", 0)
BARS = (FIRST, STALL, MEMORY, RESULT, SCRIPT)


def main() -> int:
    """Measure, tell, and return 1 when a bar is missed."""
    options = arguments(__doc__)
    values = asyncio.run(_screen())
    _first_frame()  # once unmeasured: files into the cache
    values[FIRST.what] = median(_first_frame() for _ in range(ROUNDS))
    found = Found("bench_screen", "screen", rows(BARS, values))
    return int(report(found, BARS, values, options) > 0)


def _first_frame() -> float:
    """Return milliseconds from the start of the program until all titles were painted."""
    with tempfile.TemporaryDirectory() as data:
        begun = time.perf_counter()
        process, master = pty.fork()
        if process == 0:
            environment = {**os.environ, "TERM": "xterm-256color", "COUNTERSIGN_DATA": data}
            os.execve(ASK[0], [*ASK, "--ui", "tui"], environment)
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        written = b""
        while not all(
            each in SEQUENCE.sub(b"", written).decode(errors="replace") for each in TITLES
        ):
            if not select.select([master], [], [], 30)[0]:
                raise TimeoutError("the screen never came")
            written += os.read(master, 65536)
        spent = (time.perf_counter() - begun) * 1000
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(master)
        return spent


def _shows_all(written: bytes) -> bool:
    text = SEQUENCE.sub(b"", written).decode(errors="replace")
    return all(each in text for each in TITLES)


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


async def _screen() -> dict[str, float]:
    bridge = Bridge()
    app = CountersignApp(bridge, "why?")
    values: dict[str, float] = {}
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
    row = {"name": "x" * 80, "since": 1, "tags": {"a": "b"}}
    body = json.dumps([row] * 45_000).encode()
    found = await asyncio.to_thread(results.read, body)
    view = screen.query_one("#result", LinesView)
    for each in (found.table, found.raw):
        view.paint(each)
        await _scroll(view.scroll_end, view.scroll_home)


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

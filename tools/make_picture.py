"""Makes docs/screen.svg: the real screen at the third request of the demo, as a picture.

The real program works on the simulated shop; two steps are approved by key, then the picture is
taken. Fonts are left to whoever looks: no address of a font server goes into the file.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from core.aws import open_source
from core.config import load
from core.start import Wish, start
from core.workflows.planner import WorkflowPlanner, load_library
from tui.app import CountersignApp
from tui.bridge import Bridge
from tui.work import Front, bring_to_end

PICTURE = Path(__file__).parent.parent / "docs" / "screen.svg"
SIZE = (120, 36)
ARMED = 0.8
"""Seconds after which the keys that decide are armed."""


async def take(data: Path) -> str:
    """Return the picture of the screen at the third request."""
    settings = load(None, {**os.environ, "COUNTERSIGN_DATA": str(data)})
    bridge, planner = Bridge(), WorkflowPlanner(load_library())

    async def work() -> int:
        source = await asyncio.to_thread(open_source, "simulated:shop-502", data)
        wish = Wish(source.question, "ask", "guided")
        desk, session = await start(settings, source, wish, bridge.show)
        bridge.opened(desk.log.payload, desk.log.journal.path)
        front = Front(bridge.show, bridge.approver, bridge.inbox)
        return await bring_to_end(desk, session, planner, front)

    app = CountersignApp(bridge, "shop-502", work)
    async with app.run_test(size=SIZE) as pilot:
        for request in ("R1", "R2"):
            await until(lambda request=request: asks(bridge, request))  # type: ignore[misc]
            await asyncio.sleep(ARMED)
            await pilot.press("a")
        await until(lambda: asks(bridge, "R3"))
        await asyncio.sleep(ARMED)
        return app.export_screenshot(title="countersign")


def asks(bridge: Bridge, request: str) -> bool:
    """Tell whether `request` is open."""
    asked = bridge.session.open_request if bridge.session else None
    return asked is not None and asked.request == request


async def until(true: Callable[[], bool]) -> None:
    """Wait, at most a minute."""
    for _ in range(600):
        if true():
            return
        await asyncio.sleep(0.1)
    raise TimeoutError


def without_font_server(picture: str) -> str:
    """Return the picture with fonts that every machine has."""
    plain = re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL)
    spaced = plain.replace("<text ", '<text xml:space="preserve" ')
    return spaced.replace("Fira Code", "Fira Code, DejaVu Sans Mono, Menlo, Consolas")


def main() -> int:
    """Make the picture anew."""
    with tempfile.TemporaryDirectory() as folder:
        picture = asyncio.run(take(Path(folder) / "data"))
    PICTURE.write_text(without_font_server(picture), encoding="utf-8")
    print(f"made {PICTURE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

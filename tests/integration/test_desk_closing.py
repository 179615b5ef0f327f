"""A desk that is closed is closed whole, whatever breaks in on it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from socket import create_server

import pytest

from core.aws import open_source
from core.config import load
from core.gateway_client import GatewayProcess
from core.journal.store import Journal
from core.start import Wish, sessions_folder, start
from core.workshop import LocalWorkshop
from sandbox.environments import Environments
from sandbox.errors import GatewayLost
from sandbox.packages import Index


class NeverClosed(Environments):
    """Environments of which one can't be broken off."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, Index(folder, {}))
        self.asked = asyncio.Event()

    async def close(self) -> None:
        self.asked.set()
        await asyncio.Event().wait()


def test_a_desk_that_is_cancelled_while_it_closes_leaves_nothing(
    tmp_path: Path, children: Callable[[], list[int]]
) -> None:
    """Gateway and review process end, and the journal can be opened, though the workshop hangs."""
    settings = load(None, {"COUNTERSIGN_DATA": str(tmp_path)})

    async def main() -> tuple[Path, int]:
        source = open_source("recorded:checkout-503", sessions_folder(settings))
        wish = Wish("why?", "ask", "guided")
        opened, session = await start(settings, source, wish, lambda *_: None)
        environments = NeverClosed(tmp_path)
        desk = replace(opened, workshop=LocalWorkshop(tmp_path, environments, ()))
        desk.reviewer.prepare()
        with suppress(GatewayLost):  # it does not take such a run, and goes on
            async with desk.gateway.attach("run-1", b"", create_server(("127.0.0.1", 0))):
                pass
        there = len(children())
        closing = asyncio.create_task(desk.close())
        await environments.asked.wait()
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        return sessions_folder(settings) / f"{session.id}.db", there

    path, there = asyncio.run(main())

    assert there == 2
    assert children() == []
    Journal.open(path).close()


def test_a_gateway_whose_closing_is_broken_off_at_once_is_gone(
    children: Callable[[], list[int]],
) -> None:
    """Also where no thread was free to wait for its process."""

    async def main() -> list[int]:
        gateway, free = GatewayProcess(), threading.Event()
        with suppress(GatewayLost):
            async with gateway.attach("run-1", b"", create_server(("127.0.0.1", 0))):
                pass
        with ThreadPoolExecutor(1) as threads:
            asyncio.get_running_loop().set_default_executor(threads)
            threads.submit(free.wait)
            closing = asyncio.create_task(gateway.close())
            await asyncio.sleep(0)
            closing.cancel()
            await asyncio.wait([closing])
            there = children()
            free.set()
        return there

    assert asyncio.run(main()) == []

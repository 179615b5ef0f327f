"""The gateway as a server: who holds control and channel decides when a run begins and ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from queue import Queue
from socket import (
    AF_UNIX,
    SHUT_RD,
    SHUT_RDWR,
    SHUT_WR,
    SOCK_STREAM,
    create_server,
    send_fds,
    socket,
    socketpair,
)
from typing import Any

import pytest

from sandbox.gateway.frames import ACKNOWLEDGEMENT, HEADER
from sandbox.gateway.serve import MOST_CONNECTIONS
from sandbox.job import OPERATOR, AwsCall

Wire = Callable[..., bytes]
Everything = Callable[[socket], bytes]
CALL = AwsCall("cloudwatch", "DescribeAlarms", "eu-west-1", {"MaxRecords": 5}, OPERATOR)


def test_a_call_is_told_before_it_is_answered(server: Any) -> None:
    """When the answer has arrived the frame of the call is already there to read."""
    run = server.run()
    head, _, body = run.ask().partition(b"\r\n\r\n")
    run.channel.setblocking(False)
    assert run.called().call == CALL
    assert head.split(b"\r\n") == [
        b"HTTP/1.1 200 OK",
        b"x-amzn-requestid: R-1",
        b"content-length: 8",
        b"connection: close",
    ]
    assert body == b'{"a": 1}'


def test_a_refused_specification_opens_nothing(server: Any) -> None:
    """The reason comes back, then the channel ends and nobody listens."""
    run = server.attach(b"other")
    assert run.opened() == {"refused": "not the approved one"}
    assert run.told() == []
    with pytest.raises(ConnectionRefusedError):
        run.connect()


def test_a_call_in_flight_is_told_although_its_connection_is_cut(
    server: Any, wire: Wire, everything: Everything
) -> None:
    """Ending a run closes its connections first; what was sent already is still on record."""
    server.door.opened.clear()
    run = server.run()
    with run.connect() as script, run.connect() as idle:
        script.sendall(wire())
        assert server.door.reached.wait(20)
        run.channel.shutdown(SHUT_WR)
        assert everything(idle) == b""
        assert everything(script) == b""
        server.door.opened.set()
        (called,) = run.told()
    assert (called.status, called.response is not None) == (200, True)
    with pytest.raises(ConnectionRefusedError):
        run.connect()


def test_when_nobody_listens_on_the_channel_the_run_is_over(server: Any) -> None:
    """A call that can't be told is not answered, and the run takes no other: fail closed."""
    run = server.run()
    run.channel.shutdown(SHUT_RD)
    assert run.ask() == b""
    end = time.monotonic() + 20
    while True:
        try:
            assert run.ask() == b""
        except ConnectionRefusedError:
            break
        assert time.monotonic() < end
    assert server.door.sent == [CALL]


def test_the_end_of_control_is_the_end_of_every_run(server: Any, everything: Everything) -> None:
    """When the application is gone its runs are closed, and `serve` returns."""
    runs = [server.run() for _ in range(3)]
    with runs[0].connect() as idle:
        server.stop()
        assert everything(idle) == b""


def test_a_channel_without_a_specification_ends(server: Any, everything: Everything) -> None:
    """A frame that never comes, is too large or is broken off holds nothing open."""
    with ExitStack() as stack:
        channels = []
        for garbage in (b"", b"\xff\xff\xff\xff", HEADER.pack(5) + b"x", b"\x00"):
            channel, theirs = socketpair(AF_UNIX, SOCK_STREAM)
            channels.append(stack.enter_context(channel))
            with create_server(("127.0.0.1", 0)) as listener, theirs:
                send_fds(server.control, [b"+"], [listener.fileno(), theirs.fileno()])
            channel.sendall(garbage)
            channel.settimeout(20)
        assert [everything(channel) for channel in channels] == [b""] * 4


def test_more_scripts_than_slots_are_served_or_closed(server: Any, everything: Everything) -> None:
    """Sixty-four at a time are served; one more is closed, and served once there is room."""
    run = server.run()
    with ExitStack() as stack:
        idle = [stack.enter_context(run.connect()) for _ in range(MOST_CONNECTIONS + 1)]
        assert everything(idle[-1]) == b""
    assert run.ask().startswith(b"HTTP/1.1 200")


def test_a_call_waits_until_its_intent_is_on_disk(server: Any) -> None:
    """Nothing is sent before the word to go; then the call is sent, told and answered."""
    server.ask_first()
    run = server.run()
    with ThreadPoolExecutor(1) as script:
        answer = script.submit(run.ask)
        intended = run.intended()
        assert (intended.number, intended.call, intended.verdict.tier) == (1, CALL, 4)
        assert server.door.sent == []
        intended.go()
        assert answer.result().startswith(b"HTTP/1.1 200")
    assert server.door.sent == [CALL]
    assert run.called().verdict.allowed


def test_a_call_whose_intent_nobody_stores_is_denied(server: Any) -> None:
    """After a while it is told as denied; a word that comes too late neither sends nor harms."""
    server.ask_first()
    run = server.run()
    assert b"not sent: its intent is not on disk: nobody put it there within 1 s" in run.ask()
    intended = run.intended()
    assert not run.called().verdict.allowed
    intended.go()
    with ThreadPoolExecutor(1) as script:
        answer = script.submit(run.ask)
        run.intended().go()
        assert answer.result().startswith(b"HTTP/1.1 200")
    assert server.door.sent == [CALL]


@pytest.mark.parametrize("how", [SHUT_WR, SHUT_RDWR])
def test_the_end_of_the_run_is_no_word_to_go(
    server: Any, wire: Wire, everything: Everything, how: int
) -> None:
    """Whoever was to store the intent goes away: nothing is sent, and that is told if it can be."""
    server.ask_first()
    run = server.run()
    with run.connect() as script:
        script.sendall(wire())
        run.intended()
        run.channel.shutdown(how)
        assert not everything(script).startswith(b"HTTP/1.1 200")
    told = run.told()
    assert [called.verdict.allowed for called in told] == ([False] if how == SHUT_WR else [])
    assert server.door.sent == []


def test_the_word_for_a_call_that_does_not_wait_ends_the_run(
    server: Any, wire: Wire, everything: Everything
) -> None:
    """Anything on the channel but the number of a call that waits is the end: fail closed."""
    server.ask_first()
    run = server.run()
    with run.connect() as script:
        script.sendall(wire())
        run.intended()
        run.channel.sendall(ACKNOWLEDGEMENT.pack(2))
        assert not everything(script).startswith(b"HTTP/1.1 200")
    assert server.door.sent == []
    with pytest.raises(ConnectionRefusedError):
        run.connect()


def test_calls_that_wait_do_not_keep_others_from_going(server: Any) -> None:
    """Words arrive in any order, also while every place is taken by a call that waits."""
    server.ask_first()
    run = server.run()
    with ThreadPoolExecutor(MOST_CONNECTIONS + 4) as scripts:
        answers = [scripts.submit(run.ask) for _ in range(MOST_CONNECTIONS)]
        waiting = [run.intended() for _ in answers]
        for intended in reversed(waiting):
            intended.go()
        assert {answer.result()[:12] for answer in answers} == {b"HTTP/1.1 200"}


def test_a_defect_of_ours_ends_the_run(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that nobody can tell of must not be followed by others, as if it had not been."""

    def defect() -> Any:
        raise KeyError

    raised: Queue[Any] = Queue()
    monkeypatch.setattr(threading, "excepthook", raised.put)  # pytest's own would warn of it
    server.door.answer = defect
    run = server.run()
    assert run.ask() == b""
    assert run.told() == []
    assert raised.get(timeout=20).exc_type is KeyError

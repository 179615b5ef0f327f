"""Limits hold, each is named in the result, and what a script prints never ends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.job import Sandbox

Run = Callable[..., Any]


def test_the_kernels_limits(run: Run) -> None:
    """What the kernel holds is what was approved, soft and hard alike."""
    ran = run(
        """
        import resource
        for name in ("AS", "CPU", "FSIZE", "NOFILE", "CORE", "MEMLOCK", "MSGQUEUE"):
            print(name, *resource.getrlimit(getattr(resource, f"RLIMIT_{name}")))
        """,
        memory_bytes=500_000_000,
        cpu_ms=2_500,
        work_bytes=1_000_000,
        descriptors=50,
    )

    assert ran.printed().splitlines() == [
        "AS 500000000 500000000",
        "CPU 3 3",
        "FSIZE 1000000 1000000",
        "NOFILE 50 50",
        "CORE 0 0",
        "MEMLOCK 0 0",
        "MSGQUEUE 0 0",
    ]


def test_wall_time(run: Run) -> None:
    """A script that waits for ever is ended, whatever signals it ignores."""
    ran = run(
        """
        import signal, time
        for number in set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_IGN)
        print("here", flush=True)
        time.sleep(60)
        """,
        wall_ms=1_000,
    )

    assert ran.ending == ("limit", None, "wall_ms")
    assert ran.printed() == "here\n"


def test_processor_time(run: Run) -> None:
    """A script that computes for ever is ended by the kernel."""
    assert run("while True: pass", cpu_ms=900).ending == ("limit", None, "cpu_ms")


def test_memory(run: Run) -> None:
    """A script that takes too much memory is told so by python, not by the machine's end."""
    ran = run("bytearray(400_000_000)", memory_bytes=300_000_000)

    assert ran.ending == ("exited", 1, None)
    assert ran.printed("stderr").endswith("MemoryError\n")


def test_memory_of_all_processes(run: Run) -> None:
    """Processes that each keep to their limit are ended when together they take too much."""
    ran = run(
        """
        import os, time
        for _ in range(10):
            if os.fork() == 0:
                held = bytearray(100_000_000)
                time.sleep(60)
        time.sleep(60)
        """,
        memory_bytes=300_000_000,
        run_memory_bytes=400_000_000,
    )

    assert ran.ending == ("limit", None, "run_memory_bytes")


def test_memory_that_processes_share_counts_once(run: Run) -> None:
    """A large process may fork as often as it likes, as long as its children write little."""
    ran = run(
        """
        import os, time
        held = bytearray(100_000_000)
        children = [os.fork() or (time.sleep(1), os._exit(0)) for _ in range(9)]
        for child in children:
            os.waitpid(child, 0)
        """,
        run_memory_bytes=400_000_000,
    )

    assert ran.ending == ("exited", 0, None)


def test_a_fork_bomb_is_contained(run: Run) -> None:
    """Only so many processes exist at once, the script itself included."""
    ran = run(
        """
        import os, time
        for number in range(100):
            try:
                if os.fork() == 0:
                    time.sleep(60)
            except BlockingIOError as error:
                print(number, error.strerror)
                break
        """,
        processes=10,
    )

    assert ran.ending == ("exited", 0, None)
    assert ran.printed() == "9 Resource temporarily unavailable\n"


def test_a_full_disk_is_the_scripts_own(run: Run) -> None:
    """Files of all sizes together can't take more room than the work folder has."""
    ran = run(
        """
        import errno
        for number in range(100):
            try:
                with open(f"/job/tmp/{number}", "wb") as file:
                    file.write(bytes(100_000))
            except OSError as error:
                print(number, errno.errorcode[error.errno])
                break
        """,
        work_bytes=1_000_000,
    )

    assert ran.printed() == "9 ENOSPC\n"
    assert ran.result.problems == ("the work folder is full (work_bytes)",)


def test_a_single_file_is_no_larger(run: Run) -> None:
    """A file without content can't be larger than the work folder either."""
    ran = run(
        """
        import errno
        try:
            open("/job/tmp/sparse", "wb").truncate(10**12)
        except OSError as error:
            print(errno.errorcode[error.errno])
        """
    )

    assert ran.printed() == "EFBIG\n"


def test_files_have_a_number(run: Run, engine: Sandbox) -> None:
    """Empty files can't fill the machine's memory; an engine without that limit says so."""
    ran = run(
        """
        import errno
        for number in range(2000):
            try:
                open(f"/job/tmp/{number}", "w").close()
            except OSError as error:
                print(number < 100, errno.errorcode[error.errno])
                break
        """,
        files=100,
    )

    unlimited = "a limit for the number of files that a script writes" in engine.degraded
    assert ran.printed() == ("" if unlimited else "True ENOSPC\n")
    assert ran.result.problems == (() if unlimited else ("the work folder is full (files)",))


def test_descriptors_have_a_number(run: Run) -> None:
    """Open files and sockets are bounded; the smallest number that can be set is enough to run."""
    ran = run(
        """
        import errno, os
        for number in range(2000):
            try:
                os.dup(0)
            except OSError as error:
                print(number + 3, errno.errorcode[error.errno])
                break
        """,
        descriptors=16,
    )

    assert ran.printed() == "16 EMFILE\n"


def test_output_keeps_its_beginning_and_end(run: Run) -> None:
    """Both ends of each stream are kept, the middle is counted, and the script goes on."""
    ran = run(
        """
        import sys
        sys.stdout.write("a" * 500_000 + "b" * 500_000)
        sys.stderr.write("c" * 90_000)
        open("/job/out/result.json", "w").write("{}")
        """,
        output_bytes=100_000,
    )

    assert ran.ending == ("exited", 0, None)
    assert ran.result.result == b"{}"
    assert ran.printed() == "a" * 50_000 + "b" * 50_000
    assert ran.printed("stderr") == "c" * 90_000
    last = ran.outputs("stdout")[-1]
    assert (last.offset + len(last.data), last.dropped) == (1_000_000, 900_000)
    assert [output.dropped for output in ran.outputs("stderr")][-1] == 0


def test_output_without_end_does_not_outlast_the_run(run: Run) -> None:
    """A script that prints for ever is read until its time is up, and ends with it."""
    ran = run("while True: print('x' * 10_000)", wall_ms=1_000, output_bytes=50_000)

    assert ran.ending == ("limit", None, "wall_ms")
    assert len(ran.printed()) == 50_000
    assert ran.outputs("stdout")[-1].dropped > 0


def test_what_is_printed_arrives_while_the_script_runs(run: Run) -> None:
    """Output is not kept back until the end: two prints with a pause are two stretches."""
    ran = run(
        """
        import time
        print("first", flush=True)
        time.sleep(1)
        print("second")
        """
    )

    assert [(output.offset, output.data) for output in ran.outputs("stdout")] == [
        (0, b"first\n"),
        (6, b"second\n"),
    ]

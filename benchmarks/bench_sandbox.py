"""How long the sandbox takes: to a script's first line, to its end, and for each AWS call.

Everything that is compared is measured in turn, so that whatever else the machine does slows all of
it down; medians are compared. Run it as root and as an ordinary user: the walls differ, and with
them the time. Fails when a bar is missed.

The calls of a script inside and of one outside take turns by the clock, which both see: one works
in the even slots of 50 ms, the other in the odd ones, over the same gateway process.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from socket import create_server
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.jobs import VARIABLES, Bench, canned_gateway, engines
from benchmarks.page import Bar, Found, arguments, report, rows
from sandbox.engines.environment import script_environment
from sandbox.engines.memory import family
from sandbox.engines.plan import PORT
from sandbox.runtime import build_runtime

ROUNDS = 21
CALLING_SECONDS = 8.0
NOW = "import time; print(time.monotonic())"
EMPTY = 'import boto3\nboto3.client("ec2", region_name="eu-west-1")\n'
CALLS = """
import os, time
import boto3
turn, end = int(os.environ["TURN"]), float(os.environ["END"])
client = boto3.client("sts", use_ssl=False)
took = []
while (now := time.monotonic()) < end:
    slot, gone = divmod(now, 0.05)
    if slot % 2 != turn:
        time.sleep(0.05 - gone)
        continue
    client.get_caller_identity()
    took.append((time.monotonic() - now) * 1000)
took = took[len(took) // 10:]  # without the first ones, which load what they need
print(took)
"""

FIRST_LINE = Bar("with a spare: from run() to the script's first line", 2.0, "ms")
FIRST_LINE_OFFLINE = Bar("the same for a script without AWS", None, "ms")
END = Bar("with a spare: an empty boto3 script to its confirmed end, of bare Python", 0.1)
COLD = {
    "bubblewrap": Bar("without one, under bubblewrap, of bare Python", 1.1),
    "namespaces": Bar("without one, under our namespaces, of bare Python", 1.3),
}
BARE = Bar("the same script under bare Python", None, "ms", 0)
CALL = Bar("what the way through the listener adds to an AWS call", 0.15, "ms")
PLAIN_CALL = Bar("the same call over plain TCP to the same gateway", None, "ms")
BARS = (FIRST_LINE, FIRST_LINE_OFFLINE, END, *COLD.values(), BARE, CALL, PLAIN_CALL)

Values = dict[str, float]


async def main() -> int:
    """Measure each engine that this user can have, and return 1 when a bar is missed."""
    options, missed = arguments(__doc__), 0
    gateway = canned_gateway()
    with TemporaryDirectory() as folder:
        runtime = build_runtime(Path(folder) / "runtimes")
        for engine in engines():
            bench = Bench(engine, runtime, gateway)
            await bench.run(bench.job(CALLS, {"TURN": "0", "END": "0"}))  # starts the gateway
            values = {**await starts(bench), **await calls(bench)}
            found = Found("bench_sandbox", bench.column, rows(BARS, values))
            missed += report(found, BARS, values, options)
            engine.close()
        await gateway.close()
    return int(missed > 0)


# ------------------------------------------------------------------ starts
async def starts(bench: Bench) -> Values:
    """Return the medians of all that has to do with starting and ending."""
    took = defaultdict[Bar, list[float]](list)
    for _ in range(ROUNDS):
        took[FIRST_LINE].append(await first_line(bench, aws=True))
        took[FIRST_LINE_OFFLINE].append(await first_line(bench, aws=False))
        took[BARE].append(bare())
        await prepared(bench, aws=True)
        took[END].append(await to_the_end(bench))
        took[COLD[bench.engine.engine]].append(await to_the_end(bench))
    medians = {bar: median(each) for bar, each in took.items()}
    for bar in (END, *COLD.values()):
        if bar in medians:
            medians[bar] /= medians[BARE]
    return {bar.what: value for bar, value in medians.items()}


async def prepared(bench: Bench, *, aws: bool) -> None:
    """Have a spare and wait until it does nothing any more, as when a person reads."""
    bench.engine.prepare(bench.shape(aws=aws), ["ec2"] if aws else [])
    quiet, before = 0, -1
    while quiet < 4:
        await asyncio.sleep(0.1)
        used = sum(map(ticks, family(os.getpid())))
        quiet, before = (quiet + 1 if used == before else 0), used


def ticks(process: int) -> int:
    """Return the processor time that a process has used, 0 when it has ended or is this one."""
    if process == os.getpid():
        return 0
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2]
    except OSError:
        return 0
    return sum(map(int, fields.split()[11:13]))


async def first_line(bench: Bench, *, aws: bool) -> float:
    """Return the time from `run` of a prepared engine to the first line of a script."""
    job = bench.job(NOW, aws=aws)
    await prepared(bench, aws=aws)
    begin = time.monotonic()
    return (float(await bench.run(job)) - begin) * 1000


async def to_the_end(bench: Bench) -> float:
    """Return the time from `run` until all of an empty boto3 script is dead."""
    job = bench.job(EMPTY)
    begin = time.monotonic()
    await bench.run(job)
    return (time.monotonic() - begin) * 1000


def bare() -> float:
    """Return the time that the same script takes without any walls."""
    environment = {**script_environment(aws=True), **VARIABLES}
    begin = time.monotonic()
    subprocess.run([sys.executable, "-I", "-c", EMPTY], check=True, env=environment)
    return (time.monotonic() - begin) * 1000


# ------------------------------------------------------------------ calls
async def calls(bench: Bench) -> Values:
    """Return how long a call takes outside, and how much longer inside."""
    end = str(time.monotonic() + CALLING_SECONDS)
    inside, outside = await asyncio.gather(
        bench.run(bench.job(CALLS, {"TURN": "0", "END": end})),
        call_without_walls(bench, {"TURN": "1", "END": end}),
    )
    plain = median(json.loads(outside))
    return {PLAIN_CALL.what: plain, CALL.what: median(json.loads(inside)) - plain}


async def call_without_walls(bench: Bench, variables: dict[str, str]) -> bytes:
    """Run the same script as a plain process, over a listener on the machine's own loopback."""
    listener = create_server(("127.0.0.1", 0))
    port = str(listener.getsockname()[1])
    ours = {
        name: value.replace(str(PORT), port) for name, value in script_environment(aws=True).items()
    }
    async with bench.gateway.attach("plain", b"spec", listener):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-c", CALLS),
            env={**ours, **VARIABLES, **variables},
            stdout=subprocess.PIPE,
            start_new_session=True,  # as a script has: the kernel shares out time by session
        )
        printed, _ = await process.communicate()
    return printed


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))

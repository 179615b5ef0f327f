"""What the gateway costs: time for each call, throughput, memory, and the time until it is ready.

Real boto3 clients in plain processes call a loopback server that plays AWS, directly and through a
real gateway process in front of the same server. Direct calls and others are made in turn by one
process, and rounds of eight processes in turn with each other, so that whatever else the machine
does slows both down; medians are compared. Fails when a bar is missed.

The server answers at once where the time of a call is measured, which is the worst case: all that
differs is the gateway. Eight scripts at once meet it both ways, at once and after `AWS_MS`, the
quickest that AWS answers; on two cores eight clients and the gateway share what eight clients have
for themselves otherwise, and no script waits for AWS as little as that.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_server
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.forwarding_gateway import ACCESS_KEY, ACCOUNT, POLICY, REGION
from benchmarks.gateway_parts import decide_us, route_us, sign_us
from benchmarks.page import Bar, Found, arguments, report, rows
from core.approval.draft import Draft, Target, Terms
from core.approval.spec import write_spec
from core.canonical import sha256
from core.gateway_client import GatewayProcess
from core.journal.store import Journal
from sandbox.engines.memory import family, resident
from sandbox.limits import Limits

HERE = Path(__file__).parent
AWS_MS = 20
SCRIPTS = 8
PAIRS = 400
STRETCHES = 6
PAUSE_SECONDS = 3.0
ROUNDS = 3
STARTS = 24
STARTING_SECONDS = 4.0
CALLING_SECONDS = 3.0
CLIENTS = """
import json, sys, time
import boto3
from botocore.config import Config
what = json.loads(sys.argv[1])
def client(way, service="logs"):
    proxies = {} if way == "direct" else {"http": f"http://127.0.0.1:{what['gateway']}"}
    url = f"http://127.0.0.1:{what['server']}" if way == "direct" else None
    return boto3.Session(what["key"], "secret", region_name=what["region"]).client(
        service, use_ssl=False, endpoint_url=url, config=Config(proxies=proxies))
"""
PAIRED = """
clients = {way: client(way) for way in ("direct", "gateway")}
took = {way: [] for way in clients}
for _ in range(what["pairs"]):
    for way, each in clients.items():
        begin = time.perf_counter()
        each.describe_log_groups(logGroupNamePrefix="a", limit=5)
        took[way].append((time.perf_counter() - begin) * 1000)
print(json.dumps({way: each[len(each) // 10:] for way, each in took.items()}))
"""
COUNTED = """
each, count = client(what["way"]), 0
each.describe_log_groups(logGroupNamePrefix="a", limit=5)
time.sleep(max(0, what["begin"] - time.monotonic()))
while time.monotonic() < what["end"]:
    each.describe_log_groups(logGroupNamePrefix="a", limit=5)
    count += 1
print(count)
"""
SEVERAL = """
for service, method in what["calls"]:
    getattr(client("gateway", service), method)()
print("null")
"""
SERVICES = [
    ("autoscaling", "describe_auto_scaling_groups"),
    ("cloudtrail", "describe_trails"),
    ("cloudwatch", "describe_alarms"),
    ("ec2", "describe_instances"),
    ("ecs", "list_clusters"),
    ("elbv2", "describe_load_balancers"),
    ("logs", "describe_log_groups"),
    ("rds", "describe_db_instances"),
    ("sts", "get_caller_identity"),
]

ADDED = Bar("what the gateway adds to a call, of the same call directly", 1.07)
"""0.80 ms beside a direct call of 0.75 ms; both grow alike where a machine is slower."""
ADDED_MS = Bar("what the gateway adds to a call", 0.8, "ms")
DIRECT = Bar("the same call directly", None, "ms")
LOST = Bar(
    f"{SCRIPTS} scripts at once, answers after {AWS_MS} ms: share of direct that is lost", 0.3
)
LOST_AT_ONCE = Bar(
    f"{SCRIPTS} scripts at once, answers at once: share of direct that is lost", None
)
ROUTE = Bar("to find which operations a request could be, mean", 25, "us", 1)
DECISION = Bar("to judge a call by a policy of 22 statements, of what signing one takes", 0.43)
"""20 us beside 47 us."""
DECISION_US = Bar("to judge a call by a policy of 22 statements, mean", 20, "us", 1)
MEMORY = Bar(f"memory of the process after {len(SERVICES)} services", 100, "MB", 0)
READY = Bar("from its start until the process has taken a run, of importing botocore", 1.5)
"""150 ms beside 99 ms."""
READY_MS = Bar("from its start until the process has taken a run", 150, "ms", 0)
PARTS = (ROUTE, DECISION, DECISION_US, MEMORY, READY, READY_MS)
BARS = (ADDED, ADDED_MS, DIRECT, LOST, LOST_AT_ONCE, *PARTS)

Values = dict[str, float]


async def main() -> int:
    """Measure, tell, and return 1 when a bar is missed.

    What is short is measured before eight scripts load the machine.
    """
    options = arguments(__doc__)
    async with scene(0) as fresh:
        values = await calls(fresh)
    values |= await ready()
    values |= {ROUTE.what: route_us(), DECISION_US.what: decide_us()}
    values[DECISION.what] = values[DECISION_US.what] / sign_us()
    async with scene(0) as fresh:
        values[MEMORY.what] = await memory(fresh)
    async with scene(0) as at_once, scene(AWS_MS) as like_aws:
        values[LOST.what] = await lost(like_aws)
        values[LOST_AT_ONCE.what] = await lost(at_once)
    found = Found("bench_gateway", "gateway", rows(BARS, values))
    return int(report(found, BARS, values, options) > 0)


# ------------------------------------------------------------------ server, gateway, clients
@dataclass(frozen=True, slots=True)
class Scene:
    """A server that plays AWS, and a gateway before it."""

    server: int
    """Its port on the loopback device, as that of `gateway`."""
    gateway: int

    async def script(self, text: str, **what: Any) -> Any:
        """Run a script in a plain process and return what it printed, as JSON."""
        said = {"server": self.server, "gateway": self.gateway, "key": ACCESS_KEY, **what}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-c", CLIENTS + text, json.dumps({**said, "region": REGION})),
            env={"PATH": os.defpath},
            stdout=subprocess.PIPE,
            start_new_session=True,  # as a script has: the kernel shares out time by session
        )
        printed, _ = await process.communicate()
        if process.returncode:
            raise RuntimeError("a client of the benchmark failed")
        return json.loads(printed)


@asynccontextmanager
async def scene(answer_ms: int) -> AsyncIterator[Scene]:
    """Yield a scene whose server answers after so long."""
    server, port = _server(answer_ms)
    gateway = GatewayProcess((sys.executable, "-I", str(HERE / "forwarding_gateway.py"), str(port)))
    listener = create_server(("127.0.0.1", 0), backlog=128)
    ours = listener.getsockname()[1]
    try:
        async with gateway.attach("benchmark", b"spec", listener) as told:
            listening = asyncio.create_task(_take_all(told))
            yield Scene(port, ours)
        await listening
    finally:
        await gateway.close()
        server.kill()
        server.wait()


def _server(answer_ms: int) -> tuple[subprocess.Popen[bytes], int]:
    """Start a server that plays AWS; return it with its port."""
    with create_server(("127.0.0.1", 0), backlog=128) as listener:
        number = listener.fileno()
        command = [sys.executable, "-I", str(HERE / "answering_server.py"), str(number)]
        return (
            subprocess.Popen([*command, str(answer_ms)], pass_fds=[number]),
            listener.getsockname()[1],
        )


def _gateway_process() -> int:
    """Return the id of the one gateway process that there is."""
    name = b"forwarding_gateway.py"
    everyone = {each: Path(f"/proc/{each}/cmdline").read_bytes() for each in family(os.getpid())}
    return next(process for process, command in everyone.items() if name in command)


async def _take_all(told: AsyncIterator[Any]) -> None:
    """Take in what the gateway tells, as an engine would."""
    async for _ in told:
        pass


# ------------------------------------------------------------------ what is measured
async def calls(scene: Scene) -> Values:
    """Return how long a call takes directly, and how much longer through the gateway.

    Of several stretches that stretch counts in which the direct call was quickest: then whoever
    shares the machine did least.
    """
    stretches = []
    for _ in range(STRETCHES):
        took = await scene.script(PAIRED, pairs=PAIRS)
        stretches.append((median(took["direct"]), median(took["gateway"])))
        await asyncio.sleep(PAUSE_SECONDS)
    direct, ours = min(stretches)
    added = ours - direct
    return {ADDED.what: added / direct, ADDED_MS.what: added, DIRECT.what: direct}


async def lost(scene: Scene) -> float:
    """Return what share of the calls that several scripts make directly they don't make by us."""
    shares = []
    for _ in range(ROUNDS):
        direct, ours = [await made(scene, way) for way in ("direct", "gateway")]
        shares.append(1 - ours / direct)
    return median(shares)


async def made(scene: Scene, way: str) -> int:
    """Return how many calls several scripts have made at once, one way."""
    begin = time.monotonic() + STARTING_SECONDS
    end = begin + CALLING_SECONDS
    each = (scene.script(COUNTED, way=way, begin=begin, end=end) for _ in range(SCRIPTS))
    return sum(await asyncio.gather(*each))


async def memory(scene: Scene) -> float:
    """Return the megabytes of a new gateway process after a call of several services."""
    await scene.script(SEVERAL, calls=SERVICES)
    return resident(_gateway_process()) / 1_000_000


async def ready() -> Values:
    """Return how long the product's gateway process takes until a run is attached to it.

    In turn with a bare Python that imports botocore, which is what a gateway's first call waits
    for. That half of the starts counts in which this import was quicker.
    """
    starts = []
    with TemporaryDirectory() as folder:
        spec = recorded(Path(folder) / "session.db")
        for _ in range(STARTS):
            gateway, listener = GatewayProcess(), create_server(("127.0.0.1", 0))
            begin = time.perf_counter()
            async with gateway.attach("benchmark", spec, listener):
                took = (time.perf_counter() - begin) * 1000
            await gateway.close()
            starts.append((_import_ms(), took))
    quicker = sorted(starts)[: STARTS // 2]
    imported, took = (median(each) for each in zip(*quicker, strict=True))
    return {READY_MS.what: took, READY.what: took / imported}


def _import_ms() -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-I", "-c", "import botocore.session"], check=True)
    return (time.perf_counter() - begin) * 1000


def recorded(path: Path) -> bytes:
    """Record an empty session at `path` and return the specification of a run over it."""
    with Journal.create(path, "a-session") as journal:
        journal.seal()
        source = f"recorded:{journal.head}"
    draft = Draft(
        step="S1",
        version=1,
        author="operator",
        kind="collect",
        language="python",
        script=b"",
        requirements=(),
        policy=POLICY,
        rollback=None,
        post_check=None,
        parameters={},
        inputs=(),
    )
    role = f"arn:aws:iam::{ACCOUNT}:role/on-call"
    terms = Terms(
        "run", Target(source, "aws", ACCOUNT, role, (REGION,)), Limits(), 2, sha256(b"runtime")
    )
    return write_spec(draft, terms, {"path": str(path)}, ACCESS_KEY)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))

"""The gateway process end to end: a real boto3 script on one side, a recording on the other."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from socket import create_connection, create_server, socket
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from core.approval.draft import Draft, Target, Terms
from core.approval.spec import write_spec
from core.canonical import sha256
from core.gateway_client import GatewayProcess
from core.journal.store import Journal
from sandbox.errors import GatewayLost
from sandbox.job import Called, GatewayEvent
from sandbox.limits import Limits

REGION = "eu-west-1"
KEY = "AKIDRUN1"
ALARMS = b'{"MetricAlarms": [{"AlarmName": "p99"}]}'
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["cloudwatch:DescribeAlarms", "rds:DescribeDBInstances"],
            "Resource": "*",
        }
    ],
}
DRAFT = Draft(
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


@dataclass(frozen=True)
class Recording:
    """A recorded session on disk."""

    path: Path
    head: str

    def spec(self, source: str = "", limits: Limits | None = None, key: str = KEY) -> bytes:
        """Return the specification of an approved run over this recording."""
        target = Target(
            source or f"recorded:{self.head}",
            "aws",
            "111122223333",
            "arn:aws:iam::111122223333:role/on-call",
            (REGION,),
        )
        terms = Terms("run", target, limits or Limits(), 2, sha256(b"runtime"))
        return write_spec(DRAFT, terms, {"path": str(self.path)}, key)


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    """Return a finished session with one answered call."""
    path = tmp_path / "session.db"
    with Journal.create(path, "a-session") as journal:
        called = {
            "service": "cloudwatch",
            "operation": "DescribeAlarms",
            "region": REGION,
            "parameters": {},
            "verdict": "allowed",
            "status": 200,
            "response": journal.keep(ALARMS),
            "headers": {"x-amzn-requestid": "R-1", "content-type": "application/x-amz-json-1.0"},
        }
        journal.append([(1, "aws.called", json.dumps(called))])
        journal.seal()
        return Recording(path, journal.head)


@dataclass(frozen=True)
class Script:
    """What a script in the sandbox has: dummy keys and a proxy."""

    port: int
    key: str = KEY

    def client(self, service: str, region: str = REGION) -> Any:
        return boto3.Session(self.key, "secret", region_name=region).client(
            service,
            use_ssl=False,
            config=Config(proxies={"http": f"http://127.0.0.1:{self.port}"}),
        )

    def error(self, service: str, method: str, region: str = REGION, **parameters: Any) -> str:
        """Return the code of the ClientError that a call raises."""
        with pytest.raises(ClientError) as refused:
            getattr(self.client(service, region), method)(**parameters)
        assert refused.value.response["ResponseMetadata"]["RetryAttempts"] == 0
        code: str = refused.value.response["Error"]["Code"]
        return code


def listening() -> tuple[socket, int]:
    """Return a listener, as the sandbox would hand it out, and its port."""
    listener = create_server(("127.0.0.1", 0))
    return listener, listener.getsockname()[1]


def with_gateway(story: Callable[[GatewayProcess], Awaitable[None]]) -> None:
    """Run a story with a gateway that is closed at its end."""

    async def tell() -> None:
        gateway = GatewayProcess()
        try:
            await story(gateway)
        finally:
            await gateway.close()

    asyncio.run(tell())


def refused(port: int) -> bool:
    """Tell whether nobody listens on a port any more."""
    try:
        create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_real_script_gets_what_the_policy_allows_and_nothing_else(recording: Recording) -> None:
    """Allowed; denied by policy, region, tier or service; not recorded: each as AWS says it."""

    def script(script: Script) -> None:
        alarms = script.client("cloudwatch").describe_alarms()
        assert alarms["MetricAlarms"] == [{"AlarmName": "p99"}]
        assert alarms["ResponseMetadata"]["RequestId"] == "R-1"
        assert script.error("cloudwatch", "describe_alarm_history") == "AccessDeniedException"
        assert script.error("cloudwatch", "describe_alarms", "us-east-1") == "AccessDeniedException"
        assert (
            script.error("cloudwatch", "delete_alarms", AlarmNames=["p99"])
            == "AccessDeniedException"
        )
        assert script.error("ec2", "describe_instances") == "UnauthorizedOperation"
        assert script.error("sts", "get_session_token") == "AccessDenied"
        assert script.error("dynamodb", "list_tables") == "AccessDeniedException"
        assert script.error("s3", "list_buckets") == "AccessDenied"
        assert script.error("rds", "describe_db_instances") == "NotInRecording"

    async def story(gateway: GatewayProcess) -> None:
        listener, port = listening()
        async with gateway.attach("X1", recording.spec(), listener) as calls:
            await asyncio.to_thread(script, Script(port))
        told = [only_called(event) async for event in calls]
        assert [(one.number, summary(one)) for one in told] == [
            (1, "cloudwatch.DescribeAlarms eu-west-1 allowed 200"),
            (2, "cloudwatch.DescribeAlarmHistory eu-west-1 denied 400"),
            (3, "cloudwatch.DescribeAlarms us-east-1 denied 400"),
            (4, "cloudwatch.DeleteAlarms eu-west-1 denied 400"),
            (5, "ec2.DescribeInstances eu-west-1 denied 403"),
            (6, "sts.GetSessionToken eu-west-1 denied 403"),
            (7, "dynamodb.ListTables eu-west-1 denied 400"),
            (8, "s3.ListBuckets eu-west-1 denied 403"),
            (9, "rds.DescribeDBInstances eu-west-1 allowed 400"),
        ]
        assert told[0].response is not None
        assert told[0].response.body == ALARMS
        assert [one.response for one in told[1:8]] == [None] * 7

    with_gateway(story)


def only_called(event: GatewayEvent) -> Called:
    """Return the event, which must be a call that was answered."""
    assert isinstance(event, Called)
    return event


def summary(called: Called) -> str:
    """Return what was called, and what came of it, in a line."""
    end = f"{'allowed' if called.verdict.allowed else 'denied'} {called.status}"
    if called.call is None:
        return f"unidentified {end}"
    return f"{called.call.service}.{called.call.operation} {called.call.region} {end}"


def test_two_runs_have_their_own_keys_and_limits(recording: Recording) -> None:
    """A run's listener serves its own key only, and its limits are not another run's."""

    async def story(gateway: GatewayProcess) -> None:
        one, first = listening()
        two, second = listening()
        few = recording.spec(limits=replace(Limits(), aws_calls=1), key="AKIDRUN2")
        async with (
            gateway.attach("X1", recording.spec(), one),
            gateway.attach("X2", few, two) as calls,
        ):
            stranger = Script(second)
            code = await asyncio.to_thread(stranger.error, "cloudwatch", "describe_alarms")
            assert code == "AccessDeniedException"
            own = Script(second, "AKIDRUN2")
            code = await asyncio.to_thread(own.error, "cloudwatch", "describe_alarms")
            assert code == "AccessDeniedException"
            await asyncio.to_thread(Script(first).client("cloudwatch").describe_alarms)
        reasons = [called.verdict.reason async for called in calls]
        assert "another key than the one of this run" in reasons[0]
        assert reasons[1] == "the run's limit aws_calls (1) is used up"

    with_gateway(story)


def test_leaving_the_block_closes_everything_of_the_run(recording: Recording) -> None:
    """Once `attach` is left nobody accepts on the listener, and open connections are cut."""

    async def story(gateway: GatewayProcess) -> None:
        listener, port = listening()
        copy = listener.dup()
        async with gateway.attach("X1", recording.spec(), listener) as calls:
            idle = create_connection(("127.0.0.1", port), timeout=5)
            await asyncio.to_thread(Script(port).client("cloudwatch").describe_alarms)
        assert refused(port)
        with idle, copy:
            assert idle.recv(1) == b""
        assert [called.number async for called in calls] == [1]
        assert [called.number async for called in calls] == []

    with_gateway(story)


@pytest.mark.parametrize("changed", ["policy", "one byte of the script"])
def test_a_specification_that_was_changed_is_refused(recording: Recording, changed: str) -> None:
    """The gateway recomputes the digest: what nobody approved, be it a byte, judges nothing."""
    document = json.loads(recording.spec())
    if changed == "policy":
        document["code"]["policy"]["Statement"][0]["Action"] = "*"
    else:
        assert document["code"]["script"] == sha256(DRAFT.script)
        document["code"]["script"] = sha256(DRAFT.script + b"#")

    async def story(gateway: GatewayProcess) -> None:
        listener, port = listening()
        with pytest.raises(GatewayLost, match="refused run X1: the policy or script in the spec"):
            async with gateway.attach("X1", json.dumps(document).encode(), listener):
                pass
        assert refused(port)

    with_gateway(story)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("live", "there are no credentials in profile 'default'"),
        ("elsewhere", "the source 'elsewhere' is not known"),
        ("simulated:" + "0" * 64, "the simulator did not start"),
        ("recorded:" + "0" * 64, "is not the approved one"),
    ],
)
def test_another_source_is_refused(recording: Recording, source: str, reason: str) -> None:
    """Only the approved source answers; one that can't says why."""

    async def story(gateway: GatewayProcess) -> None:
        listener, _ = listening()
        with pytest.raises(GatewayLost, match=reason):
            async with gateway.attach("X1", recording.spec(source), listener):
                pass

    with_gateway(story)


def test_a_gateway_that_dies_is_noticed_and_replaced(recording: Recording) -> None:
    """Killed under a run: its listener is dead, its iterator says so, the next run gets another."""

    async def story(gateway: GatewayProcess) -> None:
        listener, port = listening()
        async with gateway.attach("X1", recording.spec(), listener) as calls:
            assert gateway._process is not None
            gateway._process.kill()
            with pytest.raises(GatewayLost, match="let go of run X1"):
                await anext(calls)
        assert refused(port)
        listener, port = listening()
        async with gateway.attach("X2", recording.spec(), listener) as calls:
            await asyncio.to_thread(Script(port).client("cloudwatch").describe_alarms)
            assert (await anext(calls)).number == 1

    with_gateway(story)


def test_a_gateway_that_cant_start_says_why(recording: Recording) -> None:
    """The last words of the process are in the error."""
    dying = "import sys; sys.exit('OSError: the last words')"

    async def story() -> None:
        gateway = GatewayProcess((sys.executable, "-I", "-c", dying))
        listener, port = listening()
        with pytest.raises(GatewayLost, match="did not take run X1: OSError: the last words"):
            async with gateway.attach("X1", recording.spec(), listener):
                pass
        assert refused(port)
        await gateway.close()

    asyncio.run(story())


def alive(process: Path) -> bool:
    """Tell whether a process, given by its folder in /proc, still runs."""
    try:
        return "Z" not in (process / "stat").read_text().rpartition(")")[2]
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_the_process_knows_nothing_of_its_surroundings(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its environment is empty, its folder is the root, and it is gone after `close`."""
    monkeypatch.setenv("AWS_PROFILE", "production")

    async def story() -> None:
        gateway = GatewayProcess()
        listener, _ = listening()
        async with gateway.attach("X1", recording.spec(), listener):
            assert gateway._process is not None
            process = Path(f"/proc/{gateway._process.pid}")
            assert (process / "environ").read_bytes() == b""
            assert (process / "cwd").readlink() == Path("/")
        await gateway.close()
        assert not alive(process)
        await gateway.close()

    asyncio.run(story())


PARENT = """
import asyncio, os, signal
from socket import create_server
from core.gateway_client import GatewayProcess

async def main():
    gateway = GatewayProcess()
    listener = create_server(("127.0.0.1", 0))
    async with gateway.attach("X1", bytes.fromhex(SPEC), listener):
        print(gateway._process.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


def test_the_process_does_not_outlive_its_parent(recording: Recording) -> None:
    """A kill -9 of the application ends the gateway with a run attached."""
    script = f"SPEC = {recording.spec().hex()!r}\n{PARENT}"
    parent = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, check=False)
    assert (parent.returncode, parent.stderr) == (-signal.SIGKILL, b"")
    gateway = Path(f"/proc/{int(parent.stdout)}")
    end = time.monotonic() + 20
    while alive(gateway):
        assert time.monotonic() < end
        time.sleep(0.05)


CRT = """
import os, sys
from socket import socketpair
sys.path.insert(0, {folder!r})
if {started}:
    from core.gateway_main import main
    ours, other = socketpair()
    other.close()
    main([str(ours.detach())])
import botocore.compat
print(botocore.compat.HAS_CRT)
"""


@pytest.mark.parametrize("started", [False, True], ids=["control", "gateway"])
def test_awscrt_beside_it_changes_nothing(tmp_path: Path, started: bool) -> None:
    """Its signers would be taken by botocore wherever it is installed; the gateway's does not."""
    (tmp_path / "awscrt").mkdir()
    (tmp_path / "awscrt/__init__.py").write_text("__version__ = '0.1.0'")
    for name in ("auth", "checksums", "http"):
        (tmp_path / f"awscrt/{name}.py").touch()

    ended = subprocess.run(
        [sys.executable, "-c", CRT.format(folder=str(tmp_path), started=started)],
        check=True,
        capture_output=True,
        text=True,
    )

    assert ended.stdout == f"{not started}\n"

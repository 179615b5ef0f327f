"""AWS calls of a script reach the gateway, over the one descriptor that leads out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from socket import socket
from time import time
from typing import Any

import pytest

from sandbox.errors import GatewayLost, LaunchFailed
from sandbox.gateway.identify import identify, scope_of
from sandbox.gateway.links import without_link
from sandbox.job import AwsCall, Called, Finished, Job, JobEvent, Output, Sandbox, Verdict

Run = Callable[..., Any]
MakeJob = Callable[..., Job]

IDENTITY = (
    b'<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
    b"<GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult>"
    b"</GetCallerIdentityResponse>"
)
ALLOWED = Verdict(allowed=True, reason="a test", tier=1, action="sts:GetCallerIdentity")


class Recording:
    """A gateway that answers every request with the same identity and keeps what came."""

    def __init__(self) -> None:
        self.attached: list[tuple[str, bytes]] = []
        self.requests: list[bytes] = []
        self.bodies: list[bytes] = []
        self.left = 0

    @asynccontextmanager
    async def attach(
        self, run: str, spec: bytes, listener: socket
    ) -> AsyncIterator[AsyncIterator[Called]]:
        self.attached.append((run, spec))
        calls: asyncio.Queue[Called | None] = asyncio.Queue()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            self.requests.append(head)
            length = [line for line in head.lower().split(b"\r\n") if b"content-length" in line]
            self.bodies.append(await reader.readexactly(int(length[0].split()[1]) if length else 0))
            call = AwsCall("sts", "GetCallerIdentity", "eu-west-1", {})
            calls.put_nowait(Called(len(self.requests), call, ALLOWED, 200, "id", 1, None))
            size = str(len(IDENTITY)).encode()
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: " + size + b"\r\n\r\n" + IDENTITY)
            writer.close()

        async with await asyncio.start_server(answer, sock=listener):
            yield each(calls)
        self.left += 1
        calls.put_nowait(None)


async def each(calls: asyncio.Queue[Called | None]) -> AsyncIterator[Called]:
    """Yield the calls up to the None that ends them."""
    while (called := await calls.get()) is not None:
        yield called


class Failing:
    """A gateway that is lost: at once, or when `due` is set."""

    def __init__(self, *, at_once: bool) -> None:
        self._at_once = at_once
        self.due = asyncio.Event()

    @asynccontextmanager
    async def attach(
        self, run: str, spec: bytes, listener: socket
    ) -> AsyncIterator[AsyncIterator[Called]]:
        with listener:
            if self._at_once:
                raise GatewayLost("the gateway is gone")
            yield lost(self.due)


async def lost(due: asyncio.Event) -> AsyncIterator[Called]:
    """Tell of one call and fail."""
    await due.wait()
    yield Called(1, None, ALLOWED, 200, "id", 1, None)
    raise GatewayLost("the gateway is gone")


def test_a_boto3_call_reaches_the_gateway(run: Run) -> None:
    """boto3 sends plain HTTP to the gateway, signed with the run's key for the real host."""
    gateway = Recording()
    ran = run(
        """
        import boto3
        print(boto3.client("sts").get_caller_identity()["Account"])
        """,
        gateway,
    )

    assert ran.printed("stderr") == ""
    assert ran.printed() == "123456789012\n"
    assert gateway.attached == [("run-1", b"spec")]
    assert gateway.left == 1
    [head] = gateway.requests
    assert head.startswith(b"POST http://sts.eu-west-1.amazonaws.com/ HTTP/1.1\r\n")
    assert b"Credential=AKIDRUN1/" in head
    assert gateway.bodies == [b"Action=GetCallerIdentity&Version=2011-06-15"]
    assert [type(event) for event in ran.events].count(Called) == 1
    assert isinstance(ran.events[-1], Finished)


@pytest.mark.parametrize(
    ("call", "url"),
    [
        ("client('ec2').describe_regions()", "http://ec2.eu-west-1.amazonaws.com/"),
        ("client('iam').list_users()", "http://iam.amazonaws.com/"),
        ("client('s3').list_buckets()", "http://s3.eu-west-1.amazonaws.com/"),
        (
            "client('s3', use_ssl=True).get_object(Bucket='name', Key='a b')",
            "http://name.s3.eu-west-1.amazonaws.com/a%20b",
        ),
        (
            "Session(region_name='us-east-2').client('logs').describe_log_groups()",
            "http://logs.us-east-2.amazonaws.com/",
        ),
        (
            "client('s3control').get_public_access_block(AccountId='123456789012')",
            "http://123456789012.s3-control.eu-west-1.amazonaws.com/v20180820/configuration/publicAccessBlock",
        ),
        ("resource('ec2').meta.client.describe_vpcs()", "http://ec2.eu-west-1.amazonaws.com/"),
    ],
)
def test_every_client_speaks_plain_http_with_the_real_host(run: Run, call: str, url: str) -> None:
    """The gateway sees which service is meant, however the client was made."""
    gateway = Recording()
    run(f"import boto3\nboto3.{call}", gateway)

    assert gateway.requests[0].split()[1].split(b"?")[0].decode() == url


@pytest.mark.parametrize("made", ["client('s3')", "resource('s3').meta.client"])
def test_a_link_made_inside_is_one_that_the_gateway_follows(run: Run, made: str) -> None:
    """It is SigV4 with the run's key, though boto3 signs links of S3 with SigV2 by itself."""
    gateway = Recording()
    ran = run(
        f"""
        import boto3
        from urllib.request import urlopen
        url = boto3.{made}.generate_presigned_url("get_object", dict(Bucket="name", Key="a b"))
        print(urlopen(url).status)
        """,
        gateway,
    )

    assert ran.printed("stderr") == ""
    assert ran.printed() == "200\n"
    first, *lines = gateway.requests[0].decode().removesuffix("\r\n\r\n").split("\r\n")
    method, url, _ = first.split()
    headers = [(name, text.strip()) for name, _, text in (each.partition(":") for each in lines)]
    url, signed = without_link(method, url, headers, b"", time())
    call = identify(method, url, signed, b"")
    assert call == AwsCall("s3", "GetObject", "eu-west-1", {"Bucket": "name", "Key": "a b"})
    assert scope_of(signed).access_key == "AKIDRUN1"


def test_the_gateways_port_cant_be_taken_over(run: Run) -> None:
    """A script can't listen where its own calls are answered, to fake answers of AWS."""
    ran = run(
        """
        import errno, socket
        for port in (3128, 3129):
            try:
                with socket.socket() as listener:
                    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                    listener.bind(("127.0.0.1", port))
                    listener.listen()
                print("listens")
            except OSError as error:
                print(errno.errorcode[error.errno])
        """,
        Recording(),
    )

    taken, free = ran.printed().split()
    assert taken in {"EACCES", "EADDRINUSE"}
    assert free in {"EACCES", "EPERM"}  # by Landlock, or by the filter where it does not know TCP


def test_without_aws_nobody_answers(run: Run) -> None:
    """A job without a gateway has no listener, no credentials and no proxy."""
    ran = run(
        """
        import os, socket
        print([name for name in os.environ if "PROXY" in name.upper() or "SECRET" in name])
        try:
            socket.create_connection(("127.0.0.1", 3128))
        except (ConnectionRefusedError, PermissionError):
            print("nobody")
        """
    )

    assert ran.printed() == "[]\nnobody\n"


def test_leaving_early_lets_go_of_the_gateway(engine: Sandbox, make_job: MakeJob) -> None:
    """The gateway's block is left, in order, also when the run's block is left in the middle."""
    gateway = Recording()
    job = make_job("print('started', flush=True)\nimport time\ntime.sleep(60)", aws=True)

    async def main() -> None:
        async with engine.run(job, gateway, b"") as events:
            await anext(events)
            assert gateway.left == 0

    asyncio.run(main())

    assert gateway.left == 1


def test_a_gateway_that_is_not_there_prevents_the_run(engine: Sandbox, make_job: MakeJob) -> None:
    """The script is not started when nobody would judge its calls."""
    job = make_job("print('started')", aws=True)

    async def main() -> None:
        async with engine.run(job, Failing(at_once=True), b""):
            raise AssertionError("the script was started")

    with pytest.raises(GatewayLost):
        asyncio.run(main())


def test_a_gateway_that_is_lost_ends_the_run(engine: Sandbox, make_job: MakeJob) -> None:
    """The script is killed, not left waiting for answers, and the reader is told why."""
    job = make_job("print('started', flush=True)\nimport time\ntime.sleep(60)", aws=True)

    told: list[JobEvent] = []
    gateway = Failing(at_once=False)

    async def main() -> None:
        async with engine.run(job, gateway, b"") as events:
            async for event in events:
                told.append(event)
                gateway.due.set()

    with pytest.raises(GatewayLost):
        asyncio.run(main())
    assert [type(event) for event in told] == [Output, Called]


@pytest.mark.parametrize("aws", [True, False])
def test_a_gateway_goes_with_aws_only(engine: Sandbox, make_job: MakeJob, aws: bool) -> None:
    """A job that may not reach AWS gets no gateway, one that may is not run without."""
    gateway = None if aws else Recording()

    async def main() -> None:
        async with engine.run(make_job("pass", aws=aws), gateway, b""):
            pass

    with pytest.raises(LaunchFailed, match="a gateway goes with"):
        asyncio.run(main())

"""Attacks by the network: to the internet, to the cloud's metadata, to the host and to other runs.

No packet leaves the loopback device, of a control neither: where an attack needs an address of the
internet, the control gets a network of its own in which the loopback device has that address, and
a service there that says the secret.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import pytest

from sandbox.engines.plan import PORT
from sandbox.job import Called, Job, Output, Sandbox, Sha, Shape
from sandbox.limits import Limits
from sandbox.runtime import Runtime

Attack = Callable[[str, object], str]
Staged = Callable[..., str]

SECRET = "a-word-that-only-the-host-knows"
NETWORK = "an empty network namespace"
TCP = "an empty network namespace, Landlock"
FAMILIES = "seccomp filter: sockets of the internet only"
VIEW = "a root file system of its own"
NO_RIGHTS = "no capabilities"
mark = pytest.mark.attack
NETLINK = mark(42, "a netlink socket, to the kernel", wall=FAMILIES)

CUT_OFF = {"EACCES", "ENETUNREACH"}
"""By Landlock, which is asked first, or by a network without a way."""
NOBODY = {"EACCES", "ECONNREFUSED"}
"""By Landlock, or by a loopback device on which nobody listens."""

SERVICE = f"""
import socket, threading
def serve():
    address, port = PARAMETER
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    stream, datagrams = socket.socket(family), socket.socket(family, socket.SOCK_DGRAM)
    for one in stream, datagrams:
        one.bind((address, port))
    stream.listen()
    def greet():
        stream.accept()[0].send(b"{SECRET}")
    def answer():
        datagrams.sendto(b"{SECRET}", datagrams.recvfrom(64)[1])
    for service in greet, answer:
        threading.Thread(target=service, daemon=True).start()
serve()
"""
"""For the control: somebody who says the secret at the address, by TCP and by UDP."""
CONNECT = """
import socket
def attempt():
    with socket.create_connection(PARAMETER, timeout=5) as connection:
        return connection.recv(64).decode()
"""
SEND = """
import socket
def attempt():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.settimeout(5)
        sender.connect(PARAMETER)
        sender.send(b"found you")
        return sender.recv(64).decode()
"""
SOCKET = """
import ctypes, os
SOCKET = {"x86_64": 41, "aarch64": 198}[os.uname().machine]
def attempt():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(*map(ctypes.c_long, (SOCKET, *PARAMETER))) == -1:
        raise OSError(ctypes.get_errno(), "socket")
    return "opened"
"""
"""By the system call itself, since Python would not pass on a family with an upper half."""
UNIX = """
import socket
def attempt():
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(PARAMETER)
        return connection.recv(64).decode()
"""
UPPER = 1 << 32


@contextmanager
def greeting(listener: socket.socket) -> Iterator[None]:
    """Say the secret to whoever connects, as long as the block lasts."""

    def greet() -> None:
        with suppress(OSError):  # raised by accept when the listener is shut down
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.send(SECRET.encode())

    server = threading.Thread(target=greet)
    server.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        server.join()


# ------------------------------------------------------------------ the internet and the cloud
@pytest.mark.parametrize(
    ("address", "port"),
    [
        pytest.param("198.51.100.7", 443, marks=mark(32, "TCP to the internet", wall=TCP)),
        pytest.param(
            "169.254.169.254", 80, marks=mark(33, "the instance's metadata service", wall=TCP)
        ),
        pytest.param("fd00:ec2::254", 80, marks=mark(34, "the metadata service by IPv6", wall=TCP)),
        pytest.param(
            "169.254.170.2", 80, marks=mark(35, "the credentials of a container's task", wall=TCP)
        ),
    ],
)
def test_no_tcp_to_the_internet(staged: Staged, walled: Attack, address: str, port: int) -> None:
    """Whoever listens at the address is reached where there is a way, and there is none inside."""
    assert staged(SERVICE + CONNECT, (address, port), address=address) == SECRET
    assert walled(CONNECT, (address, port)) in CUT_OFF


@mark(39, "UDP to a name server of the internet", wall=NETWORK)
def test_no_udp_to_the_internet(staged: Staged, walled: Attack) -> None:
    """A datagram is answered where there is a way; inside it is not even sent."""
    assert staged(SERVICE + SEND, ("8.8.8.8", 53), address="8.8.8.8") == SECRET
    assert walled(SEND, ("8.8.8.8", 53)) == "ENETUNREACH"


NAME_SERVER = """
import ctypes, socket, threading
def set_up():
    for name, text in ("nsswitch.conf", "hosts: dns"), ("resolv.conf", "nameserver 127.0.0.1"):
        with open(name, "w") as file:
            file.write(text + chr(10))
        target = f"/etc/{name}".encode()
        if ctypes.CDLL(None).mount(name.encode(), target, None, ctypes.c_ulong(0x1000), None):
            raise SystemExit("no settings for the control")
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    def answer():
        while True:
            query, who = server.recvfrom(512)
            end = query.index(bytes(1), 12) + 5  # the name, its type and class
            question = query[12:end]
            found = question[-3] == 1  # an A record
            head = query[:2] + bytes((0x81, 0x80, 0, 1, 0, found, 0, 0, 0, 0))
            record = bytes((0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 99))
            server.sendto(head + question + record * found, who)
    threading.Thread(target=answer, daemon=True).start()
set_up()
"""
"""For the control: a name server of its own, and the settings that name it, in its own mounts."""


LOOK_UP = """
import socket
def attempt():
    return socket.getaddrinfo(PARAMETER, 80, socket.AF_INET)[0][4][0]
"""


@mark(38, "look a name up, and so tell it to a name server", wall="no resolver, " + NETWORK)
def test_no_name_is_looked_up(staged: Staged, walled: Attack) -> None:
    """A name server is asked outside; inside only the file of names is."""
    unknown = "[Errno -2] Name or service not known"

    assert staged(NAME_SERVER + LOOK_UP, "a-secret.example.com") == "192.0.2.99"
    assert walled(LOOK_UP, "a-secret.example.com") == unknown


@mark(52, "have boto3 call an endpoint of the script's choice", wall=TCP)
def test_no_endpoint_of_its_own(staged: Staged, walled: Attack) -> None:
    """A client that is sent elsewhere reaches whoever listens there, and inside nobody."""
    service = f"""
import http.server, threading
class Answer(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.send_response(403)
        self.end_headers()
        self.wfile.write(b"<E><Error><Code>{SECRET}</Code></Error></E>")
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("198.51.100.7", 80), Answer)
threading.Thread(target=server.serve_forever, daemon=True).start()
"""
    attack = """
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError
def attempt():
    client = boto3.client(
        "sts", endpoint_url="http://198.51.100.7", region_name="eu-west-1",
        aws_access_key_id="A", aws_secret_access_key="B",
        config=Config(connect_timeout=5, retries={"total_max_attempts": 1}),
    )
    try:
        client.get_caller_identity()
    except EndpointConnectionError:
        return "nobody there"
    except ClientError as error:
        return error.response["Error"]["Code"]
"""

    assert staged(service + attack, None, address="198.51.100.7") == SECRET
    assert walled(attack, None) == "nobody there"


# ------------------------------------------------------------------ the host
@pytest.mark.parametrize(
    "address",
    [
        pytest.param("127.0.0.1", marks=mark(36, "a service on the host's loopback", wall=TCP)),
        pytest.param("::1", marks=mark(37, "a service on the host's ::1", wall=TCP)),
    ],
)
def test_no_tcp_to_the_host(staged: Staged, walled: Attack, address: str) -> None:
    """A service on a loopback device answers those who share it; nobody is there inside."""
    assert staged(SERVICE + CONNECT, (address, 5999), address="::1") == SECRET
    with listening(address) as port:
        assert walled(CONNECT, (address, port)) in NOBODY


@contextmanager
def listening(address: str) -> Iterator[int]:
    """Have the host listen at a loopback address, where it has that; give the port."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        listener = socket.create_server((address, 0), family=family)
    except OSError:  # a host without IPv6
        yield 5999
        return
    with listener, greeting(listener):
        yield listener.getsockname()[1]


@mark(36, "a service on the host's loopback", wall=TCP)
def test_a_service_of_the_host_is_out_of_reach(outside: Attack, walled: Attack) -> None:
    """The very service that a plain script reaches is not there for one behind the walls."""
    with socket.create_server(("127.0.0.1", 0)) as listener, greeting(listener):
        where = listener.getsockname()

        assert outside(CONNECT, where) == SECRET
        assert walled(CONNECT, where) in NOBODY


def test_no_udp_to_the_host(outside: Attack, walled: Attack) -> None:
    """A datagram reaches the host's loopback device outside and nobody inside."""
    attack = """
    import socket
    def attempt():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.connect(("127.0.0.1", PARAMETER))
            sender.send(b"found you")
            sender.settimeout(0.5)
            try:
                sender.recv(1)
            except TimeoutError:
                return "sent"
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.setblocking(False)
        port = receiver.getsockname()[1]

        assert outside(attack, port) == "sent"
        assert receiver.recv(64) == b"found you"
        assert walled(attack, port) == "ECONNREFUSED"
        with pytest.raises(BlockingIOError):
            receiver.recv(64)


# ------------------------------------------------------------------ unix sockets
@mark(46, "an abstract unix socket of the host", wall=FAMILIES + "; an empty network namespace")
def test_no_abstract_unix_socket_of_the_host(outside: Attack, walled: Attack) -> None:
    """An abstract unix socket has no path to hide, so no such socket can be made."""
    with socket.socket(socket.AF_UNIX) as listener:
        name = f"\0countersign-{uuid4()}"
        listener.bind(name)
        listener.listen()
        with greeting(listener):
            assert outside(UNIX, name) == SECRET
            assert walled(UNIX, name) == "EPERM"


@mark(18, "Docker's socket", wall=FAMILIES + "; not mounted")
@mark(47, "a unix socket with a path", wall=FAMILIES + "; not mounted")
def test_no_unix_socket_of_the_host(outside: Attack, walled: Attack, tmp_path: Path) -> None:
    """Who can connect to Docker's socket is root; no unix socket can be made to do it with."""
    exists = """
    import os
    def attempt():
        return os.path.exists(PARAMETER)
    """
    with socket.socket(socket.AF_UNIX) as listener:
        path = str(tmp_path / "docker.sock")
        listener.bind(path)
        listener.listen()
        with greeting(listener):
            assert outside(UNIX, path) == SECRET
            assert walled(UNIX, path) == "EPERM"
            assert outside(exists, path) == "True"
            assert walled(exists, path) == "False"


@mark(48, "the message bus of the operator's session", wall=FAMILIES + "; not mounted")
def test_no_message_bus(
    outside: Attack, walled: Attack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The bus, by which programs and keyrings are run, is found by a variable or by its place."""
    attack = """
    import os, socket
    def attempt():
        everyones = "unix:path=/run/dbus/system_bus_socket"
        address = os.environ.get("DBUS_SESSION_BUS_ADDRESS", everyones)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(address.removeprefix("unix:path="))
            return connection.recv(64).decode()
    """
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "bus"))
        listener.listen()
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path / 'bus'}")
        with greeting(listener):
            assert outside(attack, None) == SECRET
            assert walled(attack, None) == "EPERM"


@mark(49, "a unix socket of the script's own", wall=FAMILIES)
def test_no_unix_socket_is_bound(outside: Attack, walled: Attack) -> None:
    """A socket with a name would be a door for whoever is outside and looks for it."""
    attack = """
    import socket
    def attempt():
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("door")
            listener.listen()
            return "bound"
    """

    assert outside(attack, None) == "bound"
    assert walled(attack, None) == "EPERM"


# ------------------------------------------------------------------ sockets of other families
@pytest.mark.parametrize(
    ("asked", "offered"),
    [
        pytest.param((2, 3, 1), {"opened"}, marks=mark(40, "a raw socket", wall=NO_RIGHTS)),
        pytest.param(
            (17, 3, 0), {"opened"}, marks=mark(41, "a packet socket, to listen in", wall=FAMILIES)
        ),
        pytest.param((16, 3, 0), {"opened"}, marks=NETLINK),
        pytest.param((UPPER | 16, 3, 0), {"opened"}, marks=NETLINK),
        # What a kernel can be built without fails outside with an error of its own.
        pytest.param(
            (40, 1, 0),
            {"opened", "EAFNOSUPPORT"},
            marks=mark(43, "a socket to the hypervisor (vsock)", wall=FAMILIES),
        ),
        pytest.param(
            (38, 5, 0),
            {"opened", "EAFNOSUPPORT"},
            marks=mark(44, "a socket to the kernel's ciphers", wall=FAMILIES),
        ),
        pytest.param((31, 3, 1), {"opened", "EAFNOSUPPORT", "EPROTONOSUPPORT"}, id="bluetooth"),
    ],
)
def test_no_other_family(
    staged: Staged, walled: Attack, asked: tuple[int, int, int], offered: set[str]
) -> None:
    """Sockets to the kernel, the hypervisor and devices aren't all in namespaces."""
    assert staged(SOCKET, asked) in offered
    assert walled(SOCKET, asked) == "EPERM"


@pytest.mark.parametrize(("family", "kind"), [(2, 1), (2, 2), (10, 1), (UPPER | 2, 1)])
def test_sockets_that_scripts_use(walled: Attack, family: int, kind: int) -> None:
    """Internet sockets are there, held in by the empty network."""
    assert walled(SOCKET, (family, kind, 0)) == "opened"


@mark(45, "a network device of the script's own", wall=VIEW)
def test_no_network_device(staged: Staged, walled: Attack) -> None:
    """Whoever may open /dev/net/tun and has a network can add a device to it."""
    attack = """
    import os
    def attempt():
        os.close(os.open("/dev/net/tun", os.O_RDWR))
        return "opened"
    """
    there = Path("/dev/net/tun").exists()

    assert staged(attack, None) in ({"opened", "EACCES"} if there else {"ENOENT"})
    assert walled(attack, None) == "ENOENT"


# ------------------------------------------------------------------ the gateway's place
LISTEN = """
import socket
def attempt():
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(("127.0.0.1", PARAMETER))
        listener.listen()
        return "listening"
"""


@pytest.mark.parametrize("port", [PORT, 0], ids=["the gateway's port", "any port"])
@mark(51, "listen in the gateway's place", wall="seccomp filter, Landlock")
def test_nobody_listens_in_the_gateways_place(staged: Staged, walled: Attack, port: int) -> None:
    """Who answers as the gateway does could tell the code that asks next what AWS never said."""
    assert staged(LISTEN, port) == "listening"
    assert walled(LISTEN, port) in {"EACCES", "EPERM"}


class Doorman:
    """A gateway that says the secret to whoever comes."""

    @asynccontextmanager
    async def attach(
        self, run: str, spec: bytes, listener: socket.socket
    ) -> AsyncIterator[AsyncIterator[Called]]:
        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(SECRET.encode())
            writer.close()

        async with await asyncio.start_server(answer, sock=listener):
            yield no_calls()


async def no_calls() -> AsyncIterator[Called]:
    """Yield nothing."""
    none: tuple[Called, ...] = ()
    for called in none:
        yield called


@mark(53, "the gateway of another run", wall="a network namespace and a listener for each run")
def test_no_gateway_of_another_run(runtime: Runtime, engine: Sandbox) -> None:
    """A run reaches its own gateway, and another one at the same time does not reach that one."""
    script = f"""
import socket, time
try:
    with socket.create_connection(("127.0.0.1", {PORT}), timeout=5) as connection:
        print(connection.recv(64).decode(), flush=True)
    time.sleep(60)
except OSError as error:
    print(error.strerror)
"""

    async def run(*, aws: bool) -> AsyncGenerator[str, None]:
        shape = Shape("python", runtime.root, runtime.digest, Limits(), aws=aws)
        digest = Sha(hashlib.sha256(script.encode()).hexdigest())
        job = Job("r", shape, script.encode(), digest, b"{}", {}, {})
        async with engine.run(job, Doorman() if aws else None, b"") as events:
            async for event in events:
                if isinstance(event, Output):
                    yield event.data.decode().strip()

    async def both() -> tuple[str, str]:
        with_gateway, without = run(aws=True), run(aws=False)
        reached = await anext(with_gateway)  # and stays
        refused = await anext(without)
        for one in with_gateway, without:
            await one.aclose()
        return reached, refused

    reached, refused = asyncio.run(both())

    assert reached == SECRET
    assert refused in {"Connection refused", "Permission denied"}

"""AWS as a proxy on loopback plays it: the product reaches it as behind any corporate proxy.

The proxy takes CONNECT for every host, shows a certificate of an authority that the test made, and
answers what comes inside. The product is given HTTPS_PROXY and AWS_CA_BUNDLE, and nothing else.
"""

from __future__ import annotations

import itertools
import os
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from core.credentials import Approved, Operator, Order, environment_of
from core.upstream.live import Live
from core.upstream.wire import Wire
from sandbox.job import AwsCall, Verdict

ACCOUNT = "123456789012"
ARN = f"arn:aws:sts::{ACCOUNT}:assumed-role/oncall/ada@example.com"
KEY = "AKIACANARYCANARYCANA"
SECRET = "canary/secret+canary/secret+canary/secr"
STS = "https://sts.amazonaws.com/doc/2011-06-15/"


@dataclass(frozen=True, slots=True)
class Arrived:
    """A request as it came out of the tunnel."""

    host: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def scope(self) -> list[str]:
        """Key id, date, region and service that it is signed for."""
        credential = self.headers.get("authorization", "").partition("Credential=")[2]
        return credential.partition(",")[0].split("/")

    @property
    def form(self) -> dict[str, str]:
        """The parameters of a query request."""
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered; `pieces` are sent as chunks, each as soon as it is there."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    pieces: Iterator[bytes] | None = None


def xml_of(operation: str, result: str) -> Answer:
    """Return an answer of a query service."""
    body = (
        f'<{operation}Response xmlns="{STS}"><{operation}Result>{result}</{operation}Result>'
        f"<ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></{operation}Response>"
    )
    return Answer(200, body.encode(), {"Content-Type": "text/xml", "x-amzn-RequestId": "r-1"})


def error_of(status: int, code: str, headers: dict[str, str] | None = None) -> Answer:
    """Return an error of a query service."""
    body = (
        f'<ErrorResponse xmlns="{STS}"><Error><Type>Sender</Type><Code>{code}</Code>'
        f"<Message>{code}</Message></Error><RequestId>r-1</RequestId></ErrorResponse>"
    )
    return Answer(status, body.encode(), {"Content-Type": "text/xml", **(headers or {})})


class Authority:
    """Signs certificates for whatever host is asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Corporate Proxy")])
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        made = self._begun(self._name, self._key).add_extension(constraints, critical=True)
        self.bundle = folder / "authority.pem"
        self.bundle.write_bytes(self._signed(made))
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()

    def context(self, host: str) -> ssl.SSLContext:
        """Return what a server shows that claims to be `host`."""
        with self._lock:
            if host not in self._contexts:
                self._contexts[host] = self._made(host)
            return self._contexts[host]

    def _made(self, host: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "host")])
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        made = self._begun(name, key).add_extension(names, critical=False)
        file = self._folder / f"{host}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + self._signed(made)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _begun(self, name: x509.Name, key: ec.EllipticCurvePrivateKey) -> Any:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )

    def _signed(self, made: Any) -> bytes:
        signed: x509.Certificate = made.sign(self._key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM)


class FakeAws:
    """Answers STS and IAM by itself and everything else as the test says."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.arrived: list[Arrived] = []
        self.tunnels: list[str] = []
        self.identities = {KEY: ARN}
        """Key id to the ARN behind it; whoever is not here is nobody."""
        self.answer: Callable[[Arrived], Answer | None] = lambda _: None
        """Asked first; None leaves the answer to this class."""
        self._numbers = itertools.count(1)
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def proxy(self) -> str:
        """The address for HTTPS_PROXY."""
        return f"http://127.0.0.1:{self._server.server_port}"

    fail = staticmethod(error_of)
    result = staticmethod(xml_of)
    reply = Answer

    def of(self, service: str) -> list[Arrived]:
        """Return the requests that were signed for a service, in their order."""
        return [each for each in self.arrived if each.scope[-2:-1] == [service]]

    def close(self) -> None:
        """End the proxy."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def respond(self, arrived: Arrived) -> Answer:
        """Record a request and answer it."""
        self.arrived.append(arrived)
        told = self.answer(arrived)
        if told is not None:
            return told
        arn = self.identities.get(arrived.scope[0])
        if arn is None:
            return error_of(403, "InvalidClientTokenId")
        match arrived.form.get("Action"):
            case "GetCallerIdentity":
                account = arn.split(":")[4]
                result = f"<Arn>{arn}</Arn><UserId>A</UserId><Account>{account}</Account>"
                return xml_of("GetCallerIdentity", result)
            case "AssumeRole":
                return self._assumed(arrived.form)
            case "ListAccountAliases":
                result = (
                    "<IsTruncated>false</IsTruncated><AccountAliases><member>shop-prod</member>"
                )
                return xml_of("ListAccountAliases", result + "</AccountAliases>")
        return error_of(400, "NotPlayedHere")

    def _assumed(self, form: dict[str, str]) -> Answer:
        key = f"ASIACANARYROLE{next(self._numbers):06}"
        account, name = form["RoleArn"].split(":")[4], form["RoleArn"].rpartition("/")[2]
        session = form["RoleSessionName"]
        self.identities[key] = f"arn:aws:sts::{account}:assumed-role/{name}/{session}"
        ends = datetime.now(UTC) + timedelta(hours=1)
        issued = (
            f"<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{SECRET}"
            f"</SecretAccessKey><SessionToken>canary-token</SessionToken>"
            f"<Expiration>{ends:%Y-%m-%dT%H:%M:%SZ}</Expiration></Credentials>"
        )
        return xml_of("AssumeRole", issued)


class _Handler(BaseHTTPRequestHandler):
    """Opens tunnels, and answers inside of them; http.server calls do_ and the method."""

    protocol_version = "HTTP/1.1"
    host = ""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is called
        del format, args

    def do_CONNECT(self) -> None:
        self.host = self.path.partition(":")[0]
        aws: FakeAws = self.server.aws  # type: ignore[attr-defined]  # a server of ours
        aws.tunnels.append(self.path)
        self.wfile.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        context = aws.authority.context(self.host)
        outside = self.rfile, self.wfile
        with (
            suppress(OSError, ValueError),  # whoever does not trust us hangs up
            context.wrap_socket(self.connection, server_side=True) as inside,
            inside.makefile("rb") as self.rfile,
            inside.makefile("wb") as self.wfile,
        ):
            self.close_connection = False
            while not self.close_connection:
                self.handle_one_request()
        self.rfile, self.wfile = outside
        self.close_connection = True

    def __getattr__(self, name: str) -> Callable[[], None]:
        if not name.startswith("do_"):
            raise AttributeError(name)
        return self._answer

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        aws: FakeAws = self.server.aws  # type: ignore[attr-defined]  # a server of ours
        self._give(aws.respond(Arrived(self.host, self.command, self.path, headers, body)))

    def _give(self, answer: Answer) -> None:
        chunked = answer.pieces is not None
        framing = {"Transfer-Encoding": "chunked"}
        if not chunked:
            framing = {"Content-Length": str(len(answer.body))}
        self.send_response_only(answer.status)
        for name, value in {"Date": formatdate(usegmt=True), **framing, **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body if self.command != "HEAD" else b"")
        self.wfile.flush()
        for piece in answer.pieces or ():
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n" if chunked else b"")
        self.wfile.flush()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, aws: FakeAws) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.aws = aws


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return who signs the certificates of all tests."""
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def aws(authority: Authority) -> Iterator[FakeAws]:
    """Return AWS."""
    played = FakeAws(authority)
    yield played
    played.close()


class Profiles:
    """The operator's files below ~/.aws, and the environment that reaches the proxy."""

    def __init__(self, aws: FakeAws, patch: pytest.MonkeyPatch) -> None:
        self.folder = Path(os.environ["HOME"]) / ".aws"
        self.folder.mkdir()
        self._patch = patch
        for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
            self.set(name, None)
        self.set("HTTPS_PROXY", aws.proxy)
        self.set("AWS_CA_BUNDLE", str(aws.authority.bundle))
        self.config("[profile oncall]\nregion = eu-west-1\n")
        (self.folder / "credentials").write_text(
            f"[oncall]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n"
        )
        self.changed = False
        """Whether a test has set anything since."""

    def config(self, text: str) -> None:
        """Write ~/.aws/config."""
        self.changed = True
        (self.folder / "config").write_text(text)

    def set(self, name: str, value: str | None) -> None:
        """Set a variable of the environment, or take it away."""
        self.changed = True
        if value is None:
            self._patch.delenv(name, raising=False)
        else:
            self._patch.setenv(name, value)

    @property
    def environment(self) -> dict[str, str]:
        """What the product makes of the environment for those who speak with AWS."""
        return environment_of(os.environ, Path.cwd())


@pytest.fixture
def profiles(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> Profiles:
    """Return an operator whose profile `oncall` holds the keys of ARN."""
    return Profiles(aws, monkeypatch)


@pytest.fixture(scope="session")
def operators() -> dict[str, Operator]:
    """Return the operator of whoever changes nothing: the keys of a file are good for all tests."""
    return {}


@pytest.fixture
def live(profiles: Profiles, operators: dict[str, Operator]) -> Iterator[Callable[..., Live]]:
    """Return a function that makes the upstream of profile `oncall` as it is set up by then."""
    wires: list[Wire] = []

    def made(allowed: Sequence[str] = ("eu-west-1", "us-east-1"), **more: Any) -> Live:
        def judge(call: AwsCall) -> Verdict:
            return Verdict(call.region in allowed, "its region", 1, "")

        operator = None if profiles.changed else operators.get("oncall")
        if operator is None:
            role = f"arn:aws:sts::{ACCOUNT}:assumed-role/oncall"
            order = Order("oncall", regions=("eu-west-1",), keys=True)
            operator = Operator(order, Approved("aws", ACCOUNT, role), profiles.environment)
        if not profiles.changed:
            operators["oncall"] = operator
        wires.append(Wire("aws", operator.found.ca_bundle))
        return Live(operator, wires[-1], judge, **more)

    yield made
    for wire in wires:
        wire.close()

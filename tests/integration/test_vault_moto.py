"""Credentials that a simulated AWS really issues and knows again: swapped, used, never shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.awsrequest import HeadersDict
from botocore.config import Config
from botocore.parsers import create_parser
from moto.server import ThreadedMotoServer

from core.upstream.concealing import Concealing
from sandbox.gateway.shapes import operation_model
from sandbox.gateway.vault import PLACEHOLDER, Vault
from sandbox.job import OPERATOR, AwsCall, Credentials, Response

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/reader"
ASSUMED = f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/me"


class Aws:
    """Sends calls to the simulated AWS, signed by whoever they are made for."""

    def __init__(self, endpoint: str, vault: Vault) -> None:
        self.endpoint = endpoint
        self.vault = vault
        self.issued: list[str] = []
        self.session = botocore.session.Session()

    def send(self, call: AwsCall) -> Response:
        """Return the raw answer; every access key id in it is noted."""
        keys = Credentials("AKIAOPERATOR", "secret")
        if call.principal != OPERATOR:
            keys = self.vault.credentials_of(call.principal)
        client = self.session.create_client(
            call.service,
            region_name=call.region,
            endpoint_url=self.endpoint,
            aws_access_key_id=keys.access_key,
            aws_secret_access_key=keys.secret_key,
            aws_session_token=keys.token or None,
            config=Config(retries={"total_max_attempts": 1}),
        )
        seen: list[dict[str, Any]] = []

        def see(response_dict: dict[str, Any], **_: object) -> None:
            seen.append(response_dict)

        client.meta.events.register("before-parse", see)
        methods = client.meta.method_to_api_mapping
        method = next(name for name in methods if methods[name] == call.operation)
        said = getattr(client, method)(**call.parameters)
        self.issued += [
            str(said[key]["SecretAccessKey"])
            for key in ("Credentials", "AccessKey")
            if "SecretAccessKey" in said.get(key, {})
        ]
        return Response(200, dict(seen[0]["headers"]), seen[0]["body"])


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Serve a simulated AWS on loopback."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def account(endpoint: str) -> tuple[Vault, Aws, Concealing]:
    """Return a vault, and an upstream without and with it."""
    vault = Vault()
    aws = Aws(endpoint, vault)
    return vault, aws, Concealing(aws, vault)


def call(name: str, principal: str = OPERATOR, **parameters: Any) -> AwsCall:
    """Return a call of an operation."""
    service, operation = name.split(".")
    return AwsCall(service, operation, "us-east-1", parameters, principal)


def parsed(name: str, response: Response) -> dict[str, Any]:
    """Return what a script's botocore makes of an answer."""
    model = operation_model(*name.split("."))
    given = {
        "status_code": response.status,
        "headers": HeadersDict(response.headers),
        "body": response.body,
    }
    found: dict[str, Any] = create_parser(model.service_model.resolved_protocol).parse(
        given, model.output_shape
    )
    return found


def test_a_role_is_assumed_and_used_through_a_handle(
    account: tuple[Vault, Aws, Concealing],
) -> None:
    """What is sent under the handle is sent as the role; its keys never leave the gateway."""
    vault, aws, upstream = account
    name = "sts.AssumeRole"
    response = upstream.send(call(name, RoleArn=ROLE, RoleSessionName="me"))
    given = parsed(name, response)["Credentials"]
    principal = vault.principal_of(given["AccessKeyId"])
    assert principal == ASSUMED
    identity = upstream.send(call("sts.GetCallerIdentity", principal))

    assert parsed("sts.GetCallerIdentity", identity)["Arn"] == ASSUMED
    assert vault.credentials_of(ASSUMED).secret_key == aws.issued[0]
    assert aws.issued[0].encode() not in response.body
    assert vault.credentials_of(ASSUMED).token.encode() not in response.body
    assert given["SecretAccessKey"].startswith(PLACEHOLDER)


def test_new_keys_are_withheld(account: tuple[Vault, Aws, Concealing]) -> None:
    """A key that was made is named, so that it can be removed, and its secret is not shown."""
    _, aws, upstream = account
    upstream.send(call("iam.CreateUser", UserName="ada"))
    response = upstream.send(call("iam.CreateAccessKey", UserName="ada"))
    key = parsed("iam.CreateAccessKey", response)["AccessKey"]

    assert (key["UserName"], key["SecretAccessKey"]) == ("ada", PLACEHOLDER)
    assert key["AccessKeyId"].startswith("AKIA")
    assert aws.issued[-1].encode() not in response.body


def test_tokens_are_withheld(account: tuple[Vault, Aws, Concealing]) -> None:
    """A token of a registry is replaced, and the rest of the answer is there."""
    name = "ecr.GetAuthorizationToken"
    (data,) = parsed(name, account[2].send(call(name)))["authorizationData"]

    assert data["authorizationToken"] == PLACEHOLDER
    assert data["proxyEndpoint"].startswith("https://")

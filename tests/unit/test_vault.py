"""Credentials in answers: every operation that gives some away, parsed as a script would."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest
from botocore.awsrequest import HeadersDict
from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape
from botocore.parsers import create_parser

from core.upstream.concealing import WITHHELD_CODE, Concealing
from sandbox.gateway.deny import DENIED
from sandbox.gateway.shapes import answer_of, operation_model, shapes_below, signs
from sandbox.gateway.vault import (
    MOST_HANDLES,
    NAMED,
    PLACEHOLDER,
    SAME_IDENTITY,
    Vault,
    new_handle,
)
from sandbox.gateway.withheld import WITHHELD
from sandbox.job import OPERATOR, AwsCall, Credentials, Response

ARN = "arn:aws:sts::111122223333:assumed-role/reader/me"
OTHER = "arn:aws:sts::444455556666:assumed-role/other/me"
KEY, SECRET, TOKEN = "ASIAREALREALREALREAL", 'wJ&l"rX<Ut>nFE\\MI/K7', "FwoGZXIvYXdz&EJr//e+="
TEMPORARY = {"accesskeyid": KEY, "secretaccesskey": SECRET, "secretkey": SECRET}
TEMPORARY |= {"sessiontoken": TOKEN}
OK = 200


def sweep() -> Iterator[str]:
    """Yield every operation of every service whose answer holds credentials that sign."""
    likely = re.compile(rb'"secret(access)?key":', re.IGNORECASE)
    for file in Path(Loader.BUILTIN_DATA_PATH).glob("*/*/service-2.json.gz"):
        if not likely.search(data := gzip.decompress(file.read_bytes())):
            continue
        service = file.parts[-3]
        model = ServiceModel(json.loads(data), service)
        for operation in model.operation_names:
            output = model.operation_model(operation).output_shape
            if any(signs(shape) for shape in shapes_below(output)):
                yield f"{service}.{operation}"


SIGNING = sorted(sweep())
IN_CBOR = [name for name in SIGNING if answer_of(*name.split(".")).protocol.endswith("cbor")]
CONCEALED = sorted({*SIGNING, *WITHHELD} - {*IN_CBOR})


# ------------------------------------------------------------------ answers as AWS writes them
def written(shape: Shape, name: str, secrets: dict[str, str]) -> Any:
    """Return a value of a shape: `secrets` by name, something harmless for the rest."""
    if shape.type_name == "structure":
        members = list(shape.members.items())
        return {
            inner.serialization.get("name", member): written(inner, member, secrets)
            for member, inner in (members[:1] if shape.metadata.get("union") else members)
            if "location" not in inner.serialization
        }
    if shape.type_name == "list":
        return [written(shape.member, name, secrets)]
    if shape.type_name == "map":
        return {"key": written(shape.value, name, secrets)}
    plain = {"integer": 7, "long": 7, "double": 7.0, "boolean": True, "timestamp": 1700000000}
    if shape.type_name == "timestamp":
        return 1700000000
    if shape.type_name == "blob":
        return base64.b64encode(secrets.get(name.lower(), "harmless").encode()).decode()
    return plain.get(shape.type_name, secrets.get(name.lower(), "harmless"))


def as_xml(name: str, value: Any) -> str:
    """Return a value as an element."""
    if isinstance(value, dict):
        inner = "".join(as_xml(key, item) for key, item in value.items())
    elif isinstance(value, list):
        inner = "".join(as_xml("member", item) for item in value)
    else:
        inner = {True: "true", False: "false"}.get(value, escape(str(value)))
    return f"<{name}>{inner}</{name}>"


def answer(name: str, secrets: dict[str, str]) -> Response:
    """Return the answer of an operation with these secrets in it."""
    model = operation_model(*name.split("."))
    output = model.output_shape
    assert output is not None
    payload = output.serialization.get("payload")
    value = written(output.members[payload] if payload else output, "", secrets)
    if "json" in model.service_model.resolved_protocol:
        return Response(OK, {"content-type": "application/json"}, json.dumps(value).encode())
    wrapper = output.serialization.get("resultWrapper")
    body = as_xml(wrapper, value) if wrapper else as_xml("x", value)[3:-4]
    xml = f'<Answer xmlns="https://aws.example/doc/">{body}</Answer>'
    return Response(OK, {"content-length": str(len(xml))}, xml.encode())


def parsed(name: str, response: Response) -> dict[str, Any]:
    """Return what a script's botocore makes of an answer."""
    model = operation_model(*name.split("."))
    given = {
        "status_code": response.status,
        "headers": HeadersDict(response.headers),
        "body": response.body,
    }
    parser = create_parser(model.service_model.resolved_protocol)
    found: dict[str, Any] = parser.parse(given, model.output_shape)
    del found["ResponseMetadata"]
    return found


def texts(value: Any) -> Iterator[tuple[str, str]]:
    """Yield each text of a parsed answer with its name in lower case."""
    for name, item in value.items() if isinstance(value, dict) else ():
        for each in item if isinstance(item, list) else [item]:
            if isinstance(each, str | bytes):
                yield name.lower(), each if isinstance(each, str) else each.decode("latin-1")
            yield from texts(each)


def call_of(name: str, principal: str = OPERATOR) -> AwsCall:
    """Return a call of an operation."""
    service, operation = name.split(".")
    return AwsCall(service, operation, "eu-west-1", {}, principal)


def spellings(secret: str) -> set[str]:
    """Return how a secret may stand in bytes."""
    return {
        *(secret, escape(secret), json.dumps(secret)[1:-1], quote(secret, safe="")),
        base64.b64encode(secret.encode()).decode().rstrip("="),
    }


def withheld(name: str, response: Response) -> str:
    """Return why an answer was withheld, from the error that a script gets."""
    error = parsed(name, response)["Error"]
    made, _, why = error["Message"].partition(" is withheld: ")

    assert (error["Code"], made) == (WITHHELD_CODE, "the call was made, but its answer (200)")
    assert response.headers[DENIED] == "1"
    return str(why)


class Account:
    """An upstream that gives the answers it is told, and knows whose credentials are whose."""

    def __init__(self, given: Response, vault: Vault, arn: str = ARN) -> None:
        self.given = given
        self.vault = vault
        self.arn = arn
        self.signed: list[Credentials] = []

    def send(self, call: AwsCall) -> Response:
        """Answer; asking for the identity needs credentials."""
        if call.operation != "GetCallerIdentity":
            return self.given
        self.signed.append(self.vault.credentials_of(call.principal))
        return Response(OK, {}, f"<R><Result><Arn>{self.arn}</Arn></Result></R>".encode())


def secrets_of(name: str) -> dict[str, str]:
    """Return a secret for each member that holds one in the answer of an operation."""
    withheld = [member.lower().replace("_", "") for member in WITHHELD.get(name, ())]
    named = {"arn": ARN} if name in NAMED else {}
    return TEMPORARY | named | {member: f"{SECRET}{member}" for member in withheld}


def conceal(name: str, secrets: dict[str, str]) -> tuple[Vault, Response]:
    """Return the vault, and the answer that went through it."""
    vault = Vault()
    return vault, Concealing(Account(answer(name, secrets), vault), vault).send(call_of(name))


# ------------------------------------------------------------------ nothing gets through
@pytest.fixture(scope="module", params=CONCEALED)
def each(request: pytest.FixtureRequest) -> str:
    """Return each operation in turn; tests of one stand together, as its model is kept."""
    return str(request.param)


def test_no_secret_is_left(each: str) -> None:
    """No operation that gives credentials away leaves one in the answer, in any spelling."""
    secrets = secrets_of(each)
    before, after = answer(each, secrets), conceal(each, secrets)[1]
    told = " ".join((after.body.decode(), *after.headers.values(), *after.sensitive))
    hidden = [secret for secret in secrets.values() if secret not in (ARN, KEY)]

    assert [one for one in hidden if any(each in before.body.decode() for each in spellings(one))]
    assert [one for one in hidden if any(each in told for each in spellings(one))] == []


def test_a_handle_stands_for_the_identity(each: str) -> None:
    """A script reads dummy credentials; under their key id the vault knows the real ones."""
    vault, after = conceal(each, secrets_of(each))
    read = dict(texts(parsed(each, after)))
    principal = vault.principal_of(read.get("accesskeyid", ""))

    if each not in SIGNING:
        assert "accesskeyid" not in read
    elif "SECRETACCESSKEY" in map(str.upper, WITHHELD.get(each, ())):
        assert (read["accesskeyid"], read["secretaccesskey"]) == (KEY, PLACEHOLDER)
    elif each in SAME_IDENTITY:
        assert principal == OPERATOR
    else:
        assert principal == ARN
        assert vault.credentials_of(ARN) == Credentials(KEY, SECRET, TOKEN)
        assert read["accesskeyid"].startswith("ASIACOUNTERSIGN")
        assert len(read["accesskeyid"]) == len(KEY)


def test_the_rest_of_the_answer_stays(each: str) -> None:
    """What botocore makes of the answer is what it was, but for the texts that were taken."""
    secrets = secrets_of(each)
    before, after = parsed(each, answer(each, secrets)), parsed(each, conceal(each, secrets)[1])
    secrets.pop("arn", "")

    assert [pair for pair in texts(before) if pair[0] not in secrets] == [
        pair for pair in texts(after) if pair[0] not in secrets
    ]
    assert [name for name, _ in texts(before)] == [name for name, _ in texts(after)]


def test_what_is_secret_is_told_but_not_what_stands_in_its_place() -> None:
    """Whoever records the call learns its other secrets, and goes on to show the placeholders."""
    after = conceal("sts.AssumeRole", secrets_of("sts.AssumeRole"))[1]
    assert after.sensitive == ()

    vault = Vault()
    body = Response(OK, {}, b'{"Parameter": {"Value": "hunter2"}}', sensitive=("swordfish",))
    response = Concealing(Account(body, vault), vault).send(call_of("ssm.GetParameter"))
    assert response == replace(body, sensitive=("swordfish", "hunter2"))


@pytest.mark.parametrize("name", IN_CBOR)
def test_cbor_is_not_even_sent(name: str) -> None:
    """An answer that could not be rewritten is not asked for."""
    vault = Vault()
    upstream = Concealing(Account(Response(OK, {}, b"\xa0"), vault), vault)
    with pytest.raises(ValueError, match="credentials in CBOR"):
        upstream.send(call_of(name))


def test_the_page_names_them_all() -> None:
    """docs/secrets.md lists every operation that gives away what signs, as what it is."""
    page = (Path(__file__).parents[2] / "docs" / "secrets.md").read_text(encoding="utf-8")
    swapped, _, rest = page.partition("## Credentials that are withheld")
    table = set(re.findall(r"^\| `([^`]+)` \|", swapped, re.MULTILINE))
    withheld = {
        name for name, members in WITHHELD.items() if "secretaccesskey" in map(str.lower, members)
    }

    assert table == {*SIGNING} - {*IN_CBOR} - withheld
    assert all(f"`{name}`" in swapped for name in IN_CBOR)
    assert all(f"`{name}`" in rest for name in withheld)


def test_what_is_withheld_is_there() -> None:
    """Each member that is withheld is a text of its operation's answer, by that name."""
    for name, members in WITHHELD.items():
        output = operation_model(*name.split(".")).output_shape
        found = {
            inner.serialization.get("name", member): inner.type_name
            for shape in shapes_below(output)
            for member, inner in getattr(shape, "members", {}).items()
        }
        assert [found.get(member) in ("string", "blob") for member in members] == [True] * len(
            members
        ), name


# ------------------------------------------------------------------ whose credentials
def test_an_answer_that_names_nobody_is_asked_about() -> None:
    """Where the answer holds no ARN, AWS is asked with the credentials themselves."""
    vault = Vault()
    account = Account(answer("codepipeline.PollForJobs", TEMPORARY), vault, OTHER)
    response = Concealing(account, vault).send(call_of("codepipeline.PollForJobs"))
    handle = dict(texts(parsed("codepipeline.PollForJobs", response)))["accesskeyid"]

    assert account.signed == [Credentials(KEY, SECRET, TOKEN)]
    assert vault.principal_of(handle) == OTHER


@pytest.mark.parametrize("arn", ["", "me", "arn:aws:s3:::bucket", "arn:aws:iam::1:root"])
@pytest.mark.parametrize("name", ["sts.AssumeRole", "sso.GetRoleCredentials"])
def test_credentials_of_nobody_are_refused(name: str, arn: str) -> None:
    """What can't be judged is not handed on."""
    vault = Vault()
    account = Account(answer(name, TEMPORARY | {"arn": arn}), vault, arn)
    response = Concealing(account, vault).send(call_of(name))

    assert withheld(name, response) == f"whose credentials {name} gave can't be told"
    with pytest.raises(ValueError, match="no credentials"):
        vault.credentials_of(arn)


def test_the_latest_credentials_of_an_identity_count() -> None:
    """A role that is assumed again is sent with the newer keys, under both handles."""
    vault = Vault()
    name = "sts.AssumeRole"
    handles = []
    for number in range(2):
        secrets = TEMPORARY | {"arn": ARN, "secretaccesskey": f"{SECRET}{number}"}
        response = Concealing(Account(answer(name, secrets), vault), vault).send(call_of(name))
        handles.append(dict(texts(parsed(name, response)))["accesskeyid"])

    assert [vault.principal_of(handle) for handle in handles] == [ARN, ARN]
    assert vault.credentials_of(ARN).secret_key == f"{SECRET}1"


def test_a_session_token_is_for_the_one_who_asked() -> None:
    """Asked for under a handle, it is one more handle of the same identity."""
    vault = Vault()
    upstream = Concealing(Account(answer("sts.GetSessionToken", TEMPORARY), vault), vault)
    response = upstream.send(call_of("sts.GetSessionToken", OTHER))
    handle = dict(texts(parsed("sts.GetSessionToken", response)))["accesskeyid"]

    assert vault.principal_of(handle) == OTHER


def test_handles_are_new() -> None:
    """A handle that is taken is not given twice, and nobody gets more than there are."""
    taken = iter(["ASIA1", "ASIA1", "ASIA2"])
    vault = Vault(lambda: next(taken))
    upstream = Concealing(Account(answer("sts.GetSessionToken", TEMPORARY), vault), vault)
    for _ in range(2):
        upstream.send(call_of("sts.GetSessionToken"))

    assert [vault.principal_of(each) for each in ("ASIA1", "ASIA2", "ASIA3")] == [
        *(OPERATOR, OPERATOR, None)
    ]
    stuck = Vault(lambda: "ASIA1")
    upstream = Concealing(Account(answer("sts.GetSessionToken", TEMPORARY), stuck), stuck)
    upstream.send(call_of("sts.GetSessionToken"))
    response = upstream.send(call_of("sts.GetSessionToken"))
    assert withheld("sts.GetSessionToken", response) == "no new handle could be made"
    assert new_handle() != new_handle()


def test_a_run_is_not_given_credentials_without_end() -> None:
    """The number of handles is bounded, and said before the call is sent."""
    numbers = iter(range(MOST_HANDLES + 1))
    vault = Vault(lambda: f"ASIA{next(numbers)}")
    upstream = Concealing(Account(answer("sts.GetSessionToken", TEMPORARY), vault), vault)
    for _ in range(MOST_HANDLES):
        upstream.send(call_of("sts.GetSessionToken"))
    with pytest.raises(ValueError, match=f"{MOST_HANDLES} times"):
        upstream.send(call_of("sts.GetSessionToken"))


# ------------------------------------------------------------------ the net under the table
def test_a_pair_that_no_model_knows_loses_its_secret() -> None:
    """Credentials in an answer whose shape holds none are withheld, and never used."""
    body = {"Item": {"deep": [{"AccessKeyId": KEY, "secretAccessKey": SECRET, "n": 1}]}}
    vault = Vault()
    account = Account(Response(OK, {}, json.dumps(body).encode()), vault)
    response = Concealing(account, vault).send(call_of("dynamodb.GetItem"))

    assert json.loads(response.body)["Item"]["deep"] == [
        {"AccessKeyId": KEY, "secretAccessKey": PLACEHOLDER, "n": 1}
    ]
    assert account.signed == []


def test_a_pair_in_xml_loses_its_secret() -> None:
    """Whatever the namespace and the case, and wherever it stands."""
    body = (
        f'<a:R xmlns:a="urn:x"><a:set><a:item><a:accessKeyId>{KEY}</a:accessKeyId>'
        f"<a:SecretKey>abcdefgh</a:SecretKey><a:sessionToken>ijklmnop</a:sessionToken>"
        f"</a:item></a:set></a:R>"
    )
    vault = Vault()
    response = vault.conceal(call_of("rds.DescribeEvents"), Response(OK, {}, body.encode()), str)

    assert KEY.encode() in response.body
    assert response.body.count(PLACEHOLDER.encode()) == 2
    assert b"abcdefgh" not in response.body
    assert b"ijklmnop" not in response.body


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("dynamodb.GetItem", b'{"Item": {"accesskeyid": {"S": "a"}, "secretkey": {"S": "b"}}}'),
        ("ecs.ListClusters", b'{ "clusterArns": ["secretkey-accesskeyid"] }'),
        ("s3.GetObject", b'{"accessKeyId": "a", "secretAccessKey": "bbbbbbbbb"}'),
        ("lambda.Invoke", b'{"accessKeyId": "a", "secretAccessKey": "bbbbbbbbb"}'),
        ("sts.GetCallerIdentity", b"not XML at all"),
        ("sts.AssumeRole", b""),
    ],
)
def test_content_stays_as_it_is(name: str, body: bytes) -> None:
    """What is no pair of texts, or is content of somebody's, comes back byte for byte."""
    vault = Vault()
    response = Response(OK, {"a": "b"}, body)

    assert response == vault.conceal(call_of(name), response, str)


def test_errors_stay_as_they_are() -> None:
    """An error of AWS is what the script gets."""
    response = replace(answer("sts.AssumeRole", TEMPORARY), status=403)
    assert response == Vault().conceal(call_of("sts.AssumeRole"), response, str)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("sts.AssumeRole", b"<AssumeRole"),
        ("ecr.GetAuthorizationToken", b'{"authorizationData": ['),
        ("ecr.GetAuthorizationToken", b"[" * 100_000),
        ("ecs.ListClusters", b'{"accessKeyId": "a", "secretAccessKey": "b"'),
    ],
)
def test_what_cant_be_read_is_refused(name: str, body: bytes) -> None:
    """Credentials that can't be found can't be taken out."""
    with pytest.raises(ValueError, match="may hold credentials; the answer is not what"):
        Vault().conceal(call_of(name), Response(OK, {}, body), str)


def test_a_secret_in_two_places_is_refused() -> None:
    """A secret that stands in the answer under another name too does not go."""
    body = {"authorizationData": [{"authorizationToken": SECRET, "proxyEndpoint": f"x{SECRET}"}]}
    response = Response(OK, {}, json.dumps(body).encode())
    with pytest.raises(ValueError, match="other places"):
        Vault().conceal(call_of("ecr.GetAuthorizationToken"), response, str)
    with pytest.raises(ValueError, match="other places"):
        Vault().conceal(
            call_of("ecr.GetAuthorizationToken"),
            Response(
                OK, {"x": SECRET}, b'{"authorizationToken": %s}' % json.dumps(SECRET).encode()
            ),
            str,
        )


def test_a_stream_with_credentials_is_refused_and_closed() -> None:
    """What is not held in memory can't be looked at; its connection is let go."""
    closed = []

    def pieces() -> Iterator[bytes]:
        try:
            yield b"{"
        finally:
            closed.append(True)

    vault, stream = Vault(), pieces()
    next(stream)
    account = Account(Response(OK, {}, b"", stream), vault)
    response = Concealing(account, vault).send(call_of("ecr.GetAuthorizationToken"))

    assert "too large to be looked at" in withheld("ecr.GetAuthorizationToken", response)
    assert (response.stream, closed) == (None, [True])


@pytest.mark.parametrize(
    "name",
    [
        *("ecr.GetAuthorizationToken", "codeartifact.GetAuthorizationToken", "sts.AssumeRole"),
        *("ec2.CreateKeyPair", "s3.CreateSession", "s3control.GetDataAccess"),
    ],
)
def test_an_answer_that_is_withheld_is_an_error_of_ours(name: str) -> None:
    """The script gets an ordinary error with our mark; the call keeps its id and what it cost."""
    broken = Response(OK, {"x-amzn-RequestId": "R-1"}, b"secret: " + SECRET.encode(), cost=7)
    vault = Vault()
    response = Concealing(Account(broken, vault), vault).send(call_of(name))

    assert "is not what" in withheld(name, response)
    assert SECRET.encode() not in response.body
    assert (response.headers["x-amzn-requestid"], response.cost) == ("R-1", 7)

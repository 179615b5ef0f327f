"""A request is read as exactly one operation, or refused with the reason and what it could mean."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from sandbox.errors import Unidentified
from sandbox.gateway import identify as exported
from sandbox.gateway.identify import identify, scope_of
from sandbox.gateway.services import private_loader
from sandbox.job import AwsCall

FORM = "application/x-www-form-urlencoded; charset=utf-8"
TARGET = "GraniteServiceVersion20100801.DescribeAlarms"


@dataclass(frozen=True)
class Wire:
    """A request on its way; `with_` changes a header or takes it away (None)."""

    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    method: str = "POST"

    def with_(self, **headers: str | None) -> Wire:
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = [(name, value) for name, value in self.headers if name.lower() not in changed]
        added = [(name, value) for name, value in changed.items() if value is not None]
        return replace(self, headers=(*kept, *added))

    def read(self) -> AwsCall:
        return identify(self.method, self.url, self.headers, self.body)


def signed(signing_name: str, region: str = "eu-west-1", key: str = "AKID") -> str:
    """Return an Authorization header; nobody checks the signature."""
    return (
        f"AWS4-HMAC-SHA256 Credential={key}/20260131/{region}/{signing_name}/aws4_request, "
        f"SignedHeaders=content-type;host;x-amz-date, Signature={'0' * 64}"
    )


JSON = Wire(
    "http://monitoring.eu-west-1.amazonaws.com/",
    (
        ("Host", "monitoring.eu-west-1.amazonaws.com"),
        ("Content-Type", "application/x-amz-json-1.0"),
        ("X-Amz-Target", TARGET),
        ("Authorization", signed("monitoring")),
    ),
    b'{"AlarmNames": ["a"], "MaxRecords": 5}',
)
ALARMS = {"AlarmNames": ["a"], "MaxRecords": 5}
QUERY = Wire(
    "http://rds.eu-west-1.amazonaws.com/",
    (
        ("Host", "rds.eu-west-1.amazonaws.com"),
        ("Content-Type", FORM),
        ("Authorization", signed("rds")),
    ),
    b"Action=DescribeDBInstances&Version=2014-10-31&Filters.Filter.1.Name=engine"
    b"&Filters.Filter.1.Values.Value.1=mysql&MaxRecords=20",
)
EC2 = Wire(
    "http://ec2.eu-west-1.amazonaws.com/",
    (
        ("Host", "ec2.eu-west-1.amazonaws.com"),
        ("Content-Type", FORM),
        ("Authorization", signed("ec2")),
    ),
    b"Action=DescribeInstances&Version=2016-11-15&InstanceId.1=i-1&InstanceId.2=i-2&DryRun=false",
)


def query(body: bytes) -> Wire:
    """Return a form request with another body."""
    return replace(QUERY, body=body)


DESCRIBE = b"Action=DescribeDBInstances&Version=2014-10-31"

REFUSED: list[tuple[str, Wire, str]] = [
    (
        "JSON marker and form marker",
        replace(JSON, body=b"Action=DeleteAlarms&Version=2010-08-01"),
        "X-Amz-Target says 'DescribeAlarms', the body says 'DeleteAlarms'",
    ),
    (
        "JSON marker on a form",
        QUERY.with_(x_amz_target="x.DeleteDBInstance"),
        "X-Amz-Target says 'DeleteDBInstance', the body says 'DescribeDBInstances'",
    ),
    (
        "Action twice in the body",
        query(DESCRIBE + b"&Action=DeleteDBInstance"),
        "the body says 'DescribeDBInstances', the body says 'DeleteDBInstance'",
    ),
    (
        "Action in the query string as well",
        replace(QUERY, url=QUERY.url + "?Action=DeleteDBInstance"),
        "the query string says 'DeleteDBInstance', the body says",
    ),
    ("any query string", replace(JSON, url=JSON.url + "?x=1"), "has a query string"),
    ("an empty query string", replace(JSON, url=JSON.url + "?"), "has a query string"),
    (
        "presigned",
        replace(JSON, url=JSON.url + "?X-Amz-Credential=x").with_(authorization=None),
        "not signed in its headers",
    ),
    ("a path", replace(JSON, url=JSON.url + "x"), "the path is not '/'"),
    ("no path", replace(JSON, url=JSON.url[:-1]), "not an absolute http URL"),
    ("a fragment", replace(JSON, url=JSON.url + "#x"), "not an absolute http URL"),
    ("origin form", replace(JSON, url="/"), "not an absolute http URL"),
    ("GET", replace(JSON, method="GET"), "the method is 'GET'"),
    ("post", replace(JSON, method="post"), "the method is 'post'"),
    ("Host is another", JSON.with_(host="logs.eu-west-1.amazonaws.com"), "and the Host header"),
    (
        "user in the URL",
        replace(JSON, url="http://x@monitoring.eu-west-1.amazonaws.com/").with_(host=None),
        "not an absolute http URL",
    ),
    (
        "port in the URL",
        replace(JSON, url="http://monitoring.eu-west-1.amazonaws.com:80/").with_(host=None),
        "that service is at monitoring.eu-west-1.amazonaws.com",
    ),
    (
        "another region's host",
        JSON.with_(authorization=signed("monitoring", "us-east-1")),
        "signed for cloudwatch in us-east-1 and goes to 'monitoring.eu-west-1.amazonaws.com'",
    ),
    (
        "another service's host",
        replace(JSON, url="http://logs.eu-west-1.amazonaws.com/").with_(host=None),
        "signed for cloudwatch in eu-west-1 and goes to 'logs.eu-west-1.amazonaws.com'",
    ),
    (
        "a host that only looks like AWS",
        replace(JSON, url="http://monitoring.eu-west-1.amazonaws.com.evil.example/").with_(
            host=None
        ),
        "that service is at",
    ),
    ("unsigned", JSON.with_(authorization=None), "not signed in its headers"),
    ("bearer", JSON.with_(authorization="Bearer x"), "not signed the way botocore signs"),
    (
        "SigV4a",
        JSON.with_(authorization=signed("monitoring").replace("AWS4-HMAC", "AWS4-ECDSA-P256")),
        "not signed the way botocore signs",
    ),
    (
        "a region with a slash",
        JSON.with_(authorization=signed("monitoring", "eu-west-1/x")),
        "not signed the way botocore signs",
    ),
    (
        "another service",
        JSON.with_(authorization=signed("dynamodb")),
        "X-Amz-Target does not name an operation of dynamodb",
    ),
    ("two headers of one name", replace(JSON, headers=(*JSON.headers, ("HOST", "x"))), "'host'"),
    ("compressed", JSON.with_(content_encoding="gzip"), "compressed"),
    ("CBOR", JSON.with_(smithy_protocol="rpc-v2-cbor"), "smithy-protocol says"),
    ("method override", JSON.with_(x_http_method_override="GET"), "another method"),
    ("no content type", JSON.with_(content_type=None), "content-type is None"),
    ("JSON said to be a form", JSON.with_(content_type=FORM), "content-type is 'application/x-www"),
    ("form said to be JSON", QUERY.with_(content_type="application/json"), "the content type is"),
    (
        "other JSON version",
        JSON.with_(content_type="application/x-amz-json-1.1"),
        "and would be 'application/x-amz-json-1.0'",
    ),
    ("no target", JSON.with_(x_amz_target=None), "does not name an operation of cloudwatch"),
    (
        "another service's target",
        JSON.with_(x_amz_target="Logs_20140328.DescribeLogGroups"),
        "does not name an operation of cloudwatch",
    ),
    (
        "unknown operation",
        JSON.with_(x_amz_target="GraniteServiceVersion20100801.describeAlarms"),
        "cloudwatch has no operation 'describeAlarms'",
    ),
    (
        "cloudwatch as a form",
        JSON.with_(x_amz_target=None, content_type=FORM),
        "does not name an operation of cloudwatch",
    ),
    ("no Action", query(b"Version=2014-10-31"), "rds has no operation ''"),
    ("no Version", query(b"Action=DescribeDBInstances"), "for version '' of rds"),
    (
        "a header that the operation does not know",
        JSON.with_(x_evil="smuggled"),
        "the header 'x-evil' says something that it does not know",
    ),
    (
        "a call that is never signed",
        replace(
            QUERY,
            url="http://sts.eu-west-1.amazonaws.com/",
            body=b"Action=AssumeRoleWithSAML&Version=2011-06-15",
        ).with_(host=None, authorization=signed("sts")),
        "AssumeRoleWithSAML is never signed",
    ),
    (
        "a presigned request inside",
        query(
            b"Action=CopyDBSnapshot&Version=2014-10-31&SourceDBSnapshotIdentifier=a"
            b"&TargetDBSnapshotIdentifier=b&PreSignedUrl=http%3A%2F%2Fx"
        ),
        "PreSignedUrl is a request of its own",
    ),
]


@pytest.mark.parametrize(("wire", "reason"), [pytest.param(*row[1:], id=row[0]) for row in REFUSED])
def test_a_request_of_more_than_one_meaning_is_refused(wire: Wire, reason: str) -> None:
    """Each thing that another reader could read differently is refused, with its own reason."""
    with pytest.raises(Unidentified) as refused:
        wire.read()
    assert reason in refused.value.reason


@pytest.mark.parametrize(
    ("wire", "operation", "parameters"),
    [
        (JSON, "cloudwatch.DescribeAlarms", ALARMS),
        (
            QUERY,
            "rds.DescribeDBInstances",
            {"Filters": [{"Name": "engine", "Values": ["mysql"]}], "MaxRecords": 20},
        ),
        (EC2, "ec2.DescribeInstances", {"InstanceIds": ["i-1", "i-2"], "DryRun": False}),
        (
            replace(JSON, url=JSON.url.replace("http:", "https:")),
            "cloudwatch.DescribeAlarms",
            ALARMS,
        ),
        (JSON.with_(x_amzn_query_mode="true", user_agent="x"), "cloudwatch.DescribeAlarms", ALARMS),
    ],
)
def test_the_three_protocols_are_read(wire: Wire, operation: str, parameters: Any) -> None:
    """Service, operation, region and typed parameters come from the wire alone."""
    call = wire.read()
    assert (f"{call.service}.{call.operation}", call.region) == (operation, "eu-west-1")
    assert call.parameters == parameters


def test_candidates_name_what_a_request_could_have_meant() -> None:
    """An operator sees both readings of an ambiguous request, and the operation of a broken one."""
    with pytest.raises(Unidentified) as ambiguous:
        replace(JSON, body=b"Action=DeleteAlarms").read()
    assert ambiguous.value.candidates == ("cloudwatch.DescribeAlarms", "cloudwatch.DeleteAlarms")
    with pytest.raises(Unidentified) as unknown_member:
        query(DESCRIBE + b"&Nonsense=1").read()
    assert unknown_member.value.candidates == ("rds.DescribeDBInstances",)


def test_the_global_name_of_sts_is_the_one_in_us_east_1() -> None:
    """sts.amazonaws.com is accepted for us-east-1 only, where it is a second name."""
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    wire = replace(QUERY, url="http://sts.amazonaws.com/", body=body).with_(host=None)
    assert wire.with_(authorization=signed("sts", "us-east-1")).read() == AwsCall(
        "sts", "GetCallerIdentity", "us-east-1", {}
    )
    with pytest.raises(Unidentified, match=r"that service is at sts\.eu-west-1\.amazonaws\.com"):
        wire.with_(authorization=signed("sts", "eu-west-1")).read()


def test_a_text_in_json_is_no_marker() -> None:
    """A log query that holds "&Action=" is a parameter, not a second operation."""
    body = b'{"AlarmNames": ["x&Action=DeleteAlarms&Version=2010-08-01"]}'
    assert replace(JSON, body=body).read().operation == "DescribeAlarms"


def test_the_scope_tells_whose_key_signed() -> None:
    """The key id of the credential scope is what tells one run's requests from another's."""
    scope = scope_of([("authorization", signed("rds", "us-west-2", "AKIDRUN1"))])
    assert (scope.access_key, scope.region, scope.signing_name) == ("AKIDRUN1", "us-west-2", "rds")


def test_the_package_exports_it() -> None:
    """`sandbox.gateway.identify` is the function."""
    assert exported is identify


WATCHED = """
import sys
sys.path.insert(0, HOUSE)
from sandbox.gateway import identify
opened = []
sys.addaudithook(lambda event, details: opened.append((event, details)) if watching else None)
watching = False
identify(*REQUEST)
watching = True
identify(*REQUEST)
watching = False
print(opened)
"""


def test_only_the_first_call_of_a_service_reads_anything() -> None:
    """After a service's model is loaded, identifying opens, imports and connects nothing."""
    request = (EC2.method, EC2.url, EC2.headers, EC2.body)
    house = str(Path(__file__).parents[2])
    script = f"HOUSE = {house!r}\nREQUEST = {request!r}\n{WATCHED}"
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], capture_output=True, check=True, text=True
    )
    assert done.stdout == "[]\n"


def test_models_of_the_operator_are_not_read() -> None:
    """A model in ~/.aws/models could rename operations, so the loader does not look there."""
    folder = Path.home() / ".aws" / "models" / "sts" / "2099-01-01"
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_text("{}")
    assert private_loader().determine_latest_version("sts", "service-2") == "2011-06-15"

"""What a body may hold is bounded before it is taken apart, and nothing may follow its end."""

from __future__ import annotations

import json

import pytest

from sandbox.errors import Unidentified
from sandbox.gateway.bodies import MOST_VALUES, read_json, same_json
from sandbox.gateway.identify import identify
from sandbox.gateway.rebuild import Rebuilder
from sandbox.gateway.vault import Vault
from sandbox.job import AwsCall, Response

FORM = "application/x-www-form-urlencoded; charset=utf-8"
REGION = "eu-west-1"


def read(
    host: str, body: bytes, *, path: str = "/", signs_as: str, region: str = REGION, **more: str
) -> AwsCall:
    """Return the call that a POST to a host of AWS is read as."""
    signed = (
        f"AWS4-HMAC-SHA256 Credential=AKID/20260131/{region}/{signs_as}/aws4_request, "
        f"SignedHeaders=host, Signature={'0' * 64}"
    )
    named = {name.replace("_", "-"): text for name, text in more.items()}
    headers = {"Host": host, "Authorization": signed, **named}
    return identify("POST", f"http://{host}{path}", list(headers.items()), body)


def put_item(value: str) -> AwsCall:
    """Return what putting an item with one attribute is read as."""
    return read(
        "dynamodb.eu-west-1.amazonaws.com",
        b'{"TableName": "table", "Item": {"a": %b}}' % value.encode(),
        signs_as="dynamodb",
        X_Amz_Target="DynamoDB_20120810.PutItem",
        Content_Type="application/x-amz-json-1.0",
    )


def create_app(body: bytes) -> AwsCall:
    """Return what a body that is one structure is read as."""
    return read(
        "pinpoint.eu-west-1.amazonaws.com",
        body,
        path="/v1/apps",
        signs_as="mobiletargeting",
        Content_Type="application/json",
    )


def list_users(region: str) -> AwsCall:
    """Return what a form for IAM, signed for a region, is read as."""
    body = b"Action=ListUsers&Version=2010-05-08"
    return read("iam.amazonaws.com", body, signs_as="iam", region=region, Content_Type=FORM)


def caller(body: bytes, region: str = REGION) -> AwsCall:
    """Return what a form for STS is read as."""
    host = f"sts.{region}.amazonaws.com"
    return read(host, body, signs_as="sts", region=region, Content_Type=FORM)


def nested(levels: int) -> str:
    """Return an attribute of lists in lists."""
    return '{"L": [' * levels + '{"S": "x"}' + "]}" * levels


def test_what_is_read_can_be_built_however_deep_it_is() -> None:
    """AWS takes 32 levels; what is accepted must not be too deep for those who read on."""
    assert Rebuilder().build(put_item(nested(40))).method == "POST"
    for levels in range(50, 400, 10):
        with pytest.raises(Unidentified, match=r"nested deeper|recursion"):
            put_item(nested(levels))


def test_a_body_of_very_many_values_is_refused() -> None:
    """Each would take a hundred times its bytes; what stands in a text is no value."""
    with pytest.raises(Unidentified, match="more than 250000 values"):
        put_item('{"L": [' + "{}," * MOST_VALUES + "{}]}")
    assert put_item(json.dumps({"S": '\\",[{' * MOST_VALUES})).operation == "PutItem"
    with pytest.raises(Unidentified, match="more than 250000 values"):
        read(
            "route53.amazonaws.com",
            b"<a>" + b"<b/>" * MOST_VALUES + b"</a>",
            path="/2013-04-01/hostedzone",
            signs_as="route53",
            region="us-east-1",
        )


def test_a_form_of_very_many_fields_or_parts_is_refused() -> None:
    """Before anything is made of them."""
    begin = b"Action=GetCallerIdentity&Version=2011-06-15&"
    with pytest.raises(Unidentified, match="Max number of fields"):
        caller(begin + b"a=b&" * 100_000)
    with pytest.raises(Unidentified, match="more than 64 parts"):
        caller(begin + b"a." * 100_000 + b"a=b")


def test_nothing_may_follow_the_end_of_json() -> None:
    """Not even what would close the object that a value is put into to be read."""
    assert create_app(b'{"Name": "a"}').operation == "CreateApp"
    with pytest.raises(Unidentified, match="goes on after its end"):
        create_app(b'{"Name": "a"}, "x": {"Name": "b"}')
    assert not same_json(b"1", b'1, "x": 2')
    with pytest.raises(Unidentified, match="can't be read"):
        read_json(b'{"a": 1}, "x": 2')


def test_an_answer_that_is_nested_too_deep_is_not_handed_on() -> None:
    """It may hold credentials, and can't be written without them."""
    deep = b"<a>" * 5000 + b"%b" + b"</a>" * 5000
    keys = b"<b><AccessKeyId>AKIA</AccessKeyId><SecretAccessKey>secret-key</SecretAccessKey></b>"
    call = AwsCall("iam", "ListUsers", "us-east-1", {})
    with pytest.raises(ValueError, match="nested too deep"):
        Vault().conceal(call, Response(200, {}, deep % keys), lambda _: "")


def test_a_call_is_judged_in_the_region_that_it_is_signed_for() -> None:
    """A global service has one, and a request that names another was made by no client."""
    assert list_users("us-east-1").region == "us-east-1"
    with pytest.raises(Unidentified, match="would be signed for us-east-1"):
        list_users(REGION)

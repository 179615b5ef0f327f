"""Secrets by their shape: what botocore marks, and the gaps that it leaves."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.gateway.sensitive import (
    MOST_VALUES,
    SHORTEST,
    holds_secrets,
    sensitive_parameters,
    sensitive_values,
)
from sandbox.job import AwsCall, Response

NOTHING = Response(200, {}, b"{}")


def call(name: str, **parameters: Any) -> AwsCall:
    """Return a call of an operation."""
    service, operation = name.split(".")
    return AwsCall(service, operation, "eu-west-1", parameters)


def found(name: str, body: Any, **parameters: Any) -> tuple[str, ...]:
    """Return what is secret in a call and its answer, given as JSON or as bytes."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return sensitive_values(call(name, **parameters), Response(200, {}, data))


ASSUMED = b"""<R><AssumeRoleResult><Credentials><SessionToken>FwoGZX</SessionToken></Credentials>
</AssumeRoleResult></R>"""
USER_DATA = base64.b64encode(b"#!/bin/sh\nexport TOKEN=abc\n").decode()


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("secretsmanager.GetSecretValue", {"SecretString": "hunter2"}, ["hunter2"]),
        ("secretsmanager.GetSecretValue", {"SecretBinary": "aHVudGVyMg=="},
         ["aHVudGVyMg==", "hunter2"]),
        ("secretsmanager.GetSecretValue", {"SecretString": '{"a": ["hunter2", 1], "b": "short"}'},
         ['{"a": ["hunter2", 1], "b": "short"}', "hunter2"]),
        ("ssm.GetParameter", {"Parameter": {"Name": "/db", "Value": "hunter2"}}, ["hunter2"]),
        ("kms.Decrypt", {"Plaintext": "aHVudGVyMg=="}, ["aHVudGVyMg==", "hunter2"]),
        ("ecr.GetAuthorizationToken", {"authorizationData": [{"authorizationToken": "QVdTOnB3"}]},
         ["QVdTOnB3"]),
        ("sts.AssumeRole", ASSUMED, ["FwoGZX"]),
        ("ec2.DescribeInstanceAttribute",
         f"<R><userData><value>{USER_DATA}</value></userData></R>".encode(),
         [USER_DATA, "#!/bin/sh\nexport TOKEN=abc\n"]),
        ("ec2.GetPasswordData", b"<R><passwordData>TGludXgg</passwordData></R>", ["TGludXgg"]),
        ("lambda.GetFunctionConfiguration",
         {"FunctionName": "f-function", "Environment": {"Variables": {"API_KEY": "k3y-1234"}}},
         ["k3y-1234"]),
        ("ecs.DescribeTaskDefinition",
         {"taskDefinition": {"containerDefinitions": [
             {"name": "web-container",
              "environment": [{"name": "DATABASE_PASSWORD1", "value": "s3cr3t-pass"}]}]}},
         ["s3cr3t-pass"]),
        ("codebuild.BatchGetProjects",
         {"projects": [{"environment": {
             "image": "aws/codebuild/standard:5.0",
             "environmentVariables": [{"name": "TOKEN_NUMBER_1", "value": "tok-123456"}]}}]},
         ["tok-123456"]),
        ("batch.DescribeJobDefinitions",
         {"jobDefinitions": [{"containerProperties": {
             "environment": [{"name": "DB", "value": "postgres://me:pw@db/x"}]}}]},
         ["postgres://me:pw@db/x"]),
        ("logs.FilterLogEvents", {"events": [{"message": "password=hunter2"}]}, []),
        ("dynamodb.GetItem", {"Item": {"password": {"S": "hunter2"}}}, []),
    ],
)  # fmt: skip
def test_secrets_in_answers(name: str, body: Any, expected: list[str]) -> None:
    """What the models mark, and the known gaps, in the format of each protocol."""
    assert expected == list(found(name, body))


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        ("rds.CreateDBInstance", {"MasterUserPassword": "hunter2", "Engine": "postgres"},
         ["hunter2"]),
        ("ec2.RunInstances", {"UserData": USER_DATA, "ImageId": "ami-1234"},
         [USER_DATA, "#!/bin/sh\nexport TOKEN=abc\n"]),
        ("ssm.PutParameter", {"Name": "/db", "Value": "hunter2", "Type": "SecureString"},
         ["hunter2"]),
        ("kms.Encrypt", {"KeyId": "alias/a", "Plaintext": b"\xff\xfe secret"}, ["//4gc2VjcmV0"]),
        ("secretsmanager.PutSecretValue", {"SecretId": "long-name", "SecretString": "hunter2"},
         ["hunter2"]),
        ("lambda.UpdateFunctionConfiguration",
         {"FunctionName": "function", "Environment": {"Variables": {"LONG_NAME": "k3y-1234"}}},
         ["k3y-1234"]),
        ("cloudwatch.DescribeAlarms", {"AlarmNames": ["password-alarm"]}, []),
    ],
)  # fmt: skip
def test_secrets_in_parameters(name: str, parameters: dict[str, Any], expected: list[str]) -> None:
    """What a script sends is as secret as what it gets, also when the answer is an error."""
    error = Response(400, {}, b"no answer at all")
    assert expected == list(sensitive_values(call(name, **parameters), error))


@pytest.mark.parametrize(
    "value",
    [
        "eu-west-1", "us-gov-east-1a", "information", "8080", "10.0.0.1:5432", "2026-01-31",
        "arn:aws:sqs:eu-west-1:111122223333:queue-1", "https://example.com/path/1",
        "db.cluster-x1.eu-west-1.rds.amazonaws.com:5432", "production", "none",
    ],
)  # fmt: skip
def test_ordinary_environment_variables_stay(value: str) -> None:
    """Regions, addresses, numbers and words are not taken out of everything that is stored."""
    environment = {"Variables": {"NAME": value}}
    assert found("lambda.GetFunctionConfiguration", {"Environment": environment}) == ()


@pytest.mark.parametrize(
    "value", ["true", "False", "12345", "eu-west-1", "arn:aws:kms:eu-west-1:111122223333:key/1", ""]
)
def test_what_never_counts(value: str) -> None:
    """A short text, a truth value, a region or an ARN is no secret even where one is expected."""
    assert found("secretsmanager.GetSecretValue", {"SecretString": value}) == ()


@given(st.text(min_size=SHORTEST).filter(lambda text: not text.startswith(("arn:", "{", "["))))
def test_every_other_secret_counts(secret: str) -> None:
    """Whatever a secret is made of, it is told, and told once."""
    parameter = {"Value": secret, "Type": "SecureString"}
    told = found("ssm.GetParameters", {"Parameters": [parameter, parameter]})

    assert told in ((secret,), ()) if secret.count("-") > 1 else told == (secret,)


def test_most_operations_hold_nothing() -> None:
    """For the reads that are made most nothing is parsed a second time."""
    names = [
        *("cloudwatch.DescribeAlarms", "cloudwatch.GetMetricData", "dynamodb.GetItem"),
        *("ec2.DescribeInstances", "ecs.DescribeServices", "logs.FilterLogEvents"),
        *("cloudtrail.LookupEvents", "s3.ListObjectsV2", "sts.GetCallerIdentity"),
    ]

    assert [holds_secrets(*name.split(".")) for name in names] == [(False, False)] * len(names)


def test_more_secrets_than_can_be_handled_are_refused() -> None:
    """No secret is stored because there were many."""
    values = [{"Value": f"secret number {number}"} for number in range(MOST_VALUES + 1)]
    assert len(found("ssm.GetParameters", {"Parameters": values[1:]})) == MOST_VALUES
    with pytest.raises(ValueError, match="ask for fewer items"):
        found("ssm.GetParameters", {"Parameters": values})
    with pytest.raises(ValueError, match="ask for fewer items"):
        found("secretsmanager.GetSecretValue", {"SecretString": "x" * 300_000})
    with pytest.raises(ValueError, match="ask for fewer items"):
        sensitive_parameters(call("secretsmanager.PutSecretValue", SecretString="x" * 300_000))


@pytest.mark.parametrize("body", [b"{", b"<a>", b"\xff", b'{"Parameters": 7}'])
def test_an_answer_that_cant_be_read_is_refused(body: bytes) -> None:
    """Where secrets are expected and can't be found, the answer does not go."""
    with pytest.raises(ValueError, match="can't be read"):
        found("ssm.GetParameters", body)


def test_an_unknown_operation_is_refused() -> None:
    """What no model knows can't be looked through."""
    with pytest.raises(ValueError, match="no operation"):
        sensitive_values(call("ssm.GetEverything"), NOTHING)
    with pytest.raises(ValueError, match="no service"):
        sensitive_values(call("nonsense.GetEverything"), NOTHING)

"""How well a script is written: what is remarked, and what is left alone."""

from __future__ import annotations

import pytest

from core.checks import calling
from core.checks.subject import Script

HEAD = "import boto3\nfrom botocore.exceptions import ClientError\nec2 = boto3.client('ec2')\n"
TAIL = """\
try:
    ec2.describe_account_attributes(AttributeNames=["a"])
except ClientError:
    x = 1
"""


def rules(body: str) -> list[str]:
    """Return the rules that a script breaks that handles errors somewhere."""
    return [one.rule for one in calling.check(Script("script", (HEAD + body + TAIL).encode()))]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", []),
        ("ec2.describe_instances(InstanceIds=['i-1'])\n", []),
        ("ec2.get_paginator('describe_instances').paginate()\n", []),
        (
            "ec2.describe_instances(NextToken=ec2.describe_instances()['NextToken'])\n",
            [],
        ),
        ("boto3.client('elbv2').describe_target_health(TargetGroupArn='a')\n", []),
        (
            "for i in ('a', 'b'):\n    ec2.describe_instances(InstanceIds=[i])\n",
            ["calls-in-loop"],
        ),
        ("[ec2.describe_instances(InstanceIds=[i]) for i in ('a',)]\n", ["calls-in-loop"]),
        ("for i in (['a'],):\n    ec2.describe_instances(InstanceIds=i)\n", []),
        ("for i in 'ab':\n    ec2.describe_instances(InstanceIds=['c'])\n", []),
        (
            "s = boto3.client('ssm')\nfor i in 'ab':\n    s.get_parameter(Name=i)\n",
            ["calls-in-loop"],
        ),
        ("s = boto3.client('ssm')\ns.get_parameter(Name='a')\n", []),
        ("s = boto3.client('s3')\ns.get_paginator('list_objects_v2')\n", ["unbounded"]),
        ("s = boto3.client('s3')\ns.get_paginator('list_objects_v2')  # MaxItems\n", []),
        ("while True:\n    print(1)\n", ["timeout"]),
        ("while True:\n    break\n", []),
        ("import time\ntime.sleep(60)\n", ["timeout"]),
        ("import time\ntime.sleep(1)\n", []),
        ("ec2.get_waiter('vpc_available').wait(VpcIds=['a'])\n", ["timeout"]),
        ("ec2.get_waiter('vpc_available').wait(VpcIds=['a'], WaiterConfig={})\n", []),
        ("import threading\nthreading.Event().wait(timeout=1)\n", []),
    ],
)
def test_how_aws_is_called(body: str, expected: list[str]) -> None:
    """Loops, waits and answers without end are remarked where they are, not elsewhere."""
    assert rules(body) == expected


@pytest.mark.parametrize(
    ("caught", "expected"),
    [
        ("ClientError", []),
        ("(KeyError, ClientError)", []),
        ("ec2.exceptions.ClientError", []),
        ("KeyError", ["error-handling"]),
    ],
)
def test_what_is_caught(caught: str, expected: list[str]) -> None:
    """A script that calls AWS catches what AWS answers."""
    script = HEAD + TAIL.replace("except ClientError", f"except {caught}")

    assert [one.rule for one in calling.check(Script("script", script.encode()))] == expected


def test_a_script_without_calls_has_nothing_to_catch() -> None:
    """Only who calls can be refused."""
    assert list(calling.check(Script("script", b"print(1)\n"))) == []

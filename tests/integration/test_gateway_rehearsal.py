"""Scripts in rehearsal: behind the real walls, before a real gateway process, and without AWS."""

from __future__ import annotations

import asyncio
import json
import textwrap
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core.approval.draft import Draft, Purpose, Target, Terms
from core.approval.spec import write_spec
from core.canonical import sha256
from core.gateway_client import GatewayProcess
from sandbox.errors import GatewayLost
from sandbox.job import Called, Finished, Job, JobEvent, Output, Sandbox
from sandbox.limits import Limits

MakeJob = Callable[..., Job]

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                *("ec2:Describe*", "ecs:Describe*", "ecs:List*", "logs:Describe*", "logs:Filter*"),
                *("rds:Describe*", "s3:List*", "s3:GetObject", "sts:GetCallerIdentity"),
                *("cloudwatch:Get*", "cloudwatch:Describe*", "iam:List*", "sqs:List*", "sqs:Get*"),
            ],
            "Resource": "*",
        }
    ],
}
RIGHT = {
    "pages": """
        import boto3
        pages = boto3.client("ec2").get_paginator("describe_instances").paginate()
        found = [i["InstanceId"] for p in pages for r in p["Reservations"] for i in r["Instances"]]
        assert len(found) == 2
        print(found)
    """,
    "by name": """
        import boto3
        ecs = boto3.client("ecs")
        arns = ecs.list_services(cluster="shop")["serviceArns"]
        found = ecs.describe_services(cluster="shop", services=arns)["services"]
        print({each["serviceArn"]: each["runningCount"] / each["desiredCount"] for each in found})
    """,
    "by hand": """
        import boto3
        logs, token, found = boto3.client("logs"), None, []
        for group in logs.describe_log_groups()["logGroups"]:
            while True:
                more = {"nextToken": token} if token else {}
                page = logs.filter_log_events(logGroupName=group["logGroupName"], **more)
                found += [each["message"] for each in page["events"]]
                token = page.get("nextToken")
                if not token:
                    break
        print(found)
    """,
    "waiting": """
        import boto3
        rds = boto3.client("rds")
        rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier="orders")
        print(rds.describe_db_instances()["DBInstances"][0]["Endpoint"]["Address"])
    """,
    "files": """
        import boto3, json
        s3 = boto3.client("s3")
        for bucket in s3.list_buckets()["Buckets"]:
            for item in s3.list_objects_v2(Bucket=bucket["Name"])["Contents"]:
                print(json.load(s3.get_object(Bucket=bucket["Name"], Key=item["Key"])["Body"]))
    """,
}
WRONG = {
    "InstanceList": "boto3.client('ec2').describe_instances()['InstanceList']",
    "Alarms": "boto3.client('cloudwatch').describe_alarms()['Alarms']",
    "groups": "boto3.client('logs').describe_log_groups()['groups']",
    "Status": "boto3.client('rds').describe_db_instances()['DBInstances'][0]['Status']",
    "AccountId": "boto3.client('sts').get_caller_identity()['AccountId']",
}


def specification(
    source: str = "live", purpose: Purpose = "rehearse", origin: dict[str, str] | None = None
) -> bytes:
    """Return that of a run whose source has neither credentials nor a file."""
    draft = Draft(
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
    role = "arn:aws:iam::111122223333:role/on-call"
    target = Target(source, "aws", "111122223333", role, ("eu-west-1",))
    terms = Terms(purpose, target, Limits(), 2, sha256(b"runtime"))
    return write_spec(draft, terms, origin or {}, "AKIDRUN1")


def rehearsed(
    engine: Sandbox, make_job: MakeJob, scripts: dict[str, str], spec: bytes
) -> dict[str, list[JobEvent]]:
    """Run scripts one after the other before one gateway process; return what each told."""

    async def each(gateway: GatewayProcess, job: Job) -> list[JobEvent]:
        async with engine.run(job, gateway, spec) as events:
            return [event async for event in events]

    async def every() -> dict[str, list[JobEvent]]:
        gateway, told = GatewayProcess(), {}
        try:
            for number, (name, script) in enumerate(scripts.items()):
                data = textwrap.dedent(script).encode()
                job = replace(
                    make_job(script, aws=True, wall_ms=50_000),
                    run=f"X{number}",
                    script=data,
                    script_digest=sha256(data),
                )
                told[name] = await each(gateway, job)
        finally:
            await gateway.close()
        return told

    return asyncio.run(every())


def code_of(events: list[JobEvent]) -> int | None:
    """Return how a script ended."""
    assert isinstance(events[-1], Finished)
    return events[-1].result.code


def said(events: list[JobEvent], stream: str) -> str:
    """Return what a script printed."""
    outputs = (each for each in events if isinstance(each, Output) and each.stream == stream)
    return b"".join(each.data for each in outputs).decode()


@pytest.mark.parametrize("name", RIGHT)
def test_a_script_that_is_right_comes_to_its_end(
    engine: Sandbox, make_job: MakeJob, name: str
) -> None:
    """Pages, names, loops by hand, waiters and files: the script ends, and was answered."""
    events = rehearsed(engine, make_job, {name: RIGHT[name]}, specification())[name]
    assert said(events, "stderr") == ""
    assert code_of(events) == 0
    calls = [each for each in events if isinstance(each, Called)]
    assert calls
    assert all(each.verdict.allowed and each.status == 200 for each in calls)


@pytest.mark.parametrize("name", WRONG)
def test_a_script_that_reads_a_wrong_key_fails(
    engine: Sandbox, make_job: MakeJob, name: str
) -> None:
    """A member that no answer has ends the script with a KeyError that names it."""
    script = f"import boto3\nprint({WRONG[name]})"
    spec = specification("recorded:" + "0" * 64)
    events = rehearsed(engine, make_job, {name: script}, spec)[name]
    assert code_of(events) == 1
    assert said(events, "stderr").rstrip().endswith(f"KeyError: '{name}'")


def test_the_policy_judges_a_rehearsal_too(engine: Sandbox, make_job: MakeJob) -> None:
    """A call that the policy does not allow is denied, and nothing is made up for it."""
    script = "import boto3\nboto3.client('ec2').terminate_instances(InstanceIds=['i-1'])"
    events = rehearsed(engine, make_job, {"it": script}, specification())["it"]
    [called] = [each for each in events if isinstance(each, Called)]
    assert code_of(events) == 1
    assert "UnauthorizedOperation" in said(events, "stderr")
    assert not called.verdict.allowed
    assert called.response is None


@pytest.mark.parametrize("purpose", ["run", "post-check", "another"])
def test_only_a_rehearsal_is_made_up(engine: Sandbox, make_job: MakeJob, purpose: Any) -> None:
    """For any other purpose the source is asked, which there is none of here: nothing runs."""
    with pytest.raises(GatewayLost):
        rehearsed(engine, make_job, {"it": ""}, specification("recorded:0", purpose))


def test_the_purpose_is_the_one_that_was_hashed(engine: Sandbox, make_job: MakeJob) -> None:
    """A specification whose purpose was changed afterwards is refused."""
    document = json.loads(specification("live", "run"))
    document["approval"]["purpose"] = "rehearse"
    with pytest.raises(GatewayLost, match="does not match its digest"):
        rehearsed(engine, make_job, {"it": ""}, json.dumps(document).encode())

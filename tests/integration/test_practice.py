"""A change that is rehearsed in a simulated account: in a copy that is nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from core.approval.draft import Draft, Kind, Purpose, Target, Terms
from core.approval.spec import write_spec
from core.canonical import sha256
from core.gateway_runs import open_run
from core.simulator.world_file import find_world, read_world
from core.upstream import world_source
from sandbox.errors import GatewayLost
from sandbox.gateway.services import service_named
from sandbox.job import AwsCall, Upstream
from sandbox.limits import Limits

REGION = "eu-west-1"
WORLD = find_world("shop-502")
DRAFT = Draft(
    step="S1",
    version=1,
    author="workflow",
    kind="change",
    language="python",
    script=b"",
    requirements=(),
    policy={"Version": "2012-10-17", "Statement": []},
    rollback=b"",
    post_check=b"",
    parameters={},
    inputs=(),
)


def upstream_of(purpose: Purpose, kind: Kind = "change") -> Upstream:
    """Return where the calls of a run in the world that ships go."""
    world = read_world(WORLD)
    source = f"simulated:{world.digest}"
    target = Target(source, "aws", world.account.id, world.arn, (REGION,))
    terms = Terms(purpose, target, Limits(), 4, sha256(b"runtime"))
    spec = write_spec(replace(DRAFT, kind=kind), terms, {"path": str(WORLD)}, "AKIDRUN1")
    return open_run(spec, {}).upstream


def ask(upstream: Upstream, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
    """Make a call and parse its answer as botocore does."""
    from botocore.parsers import create_parser

    response = upstream.send(AwsCall(service, operation, REGION, parameters))
    body = response.body
    assert isinstance(body, bytes)
    known = service_named(service)
    answer: dict[str, Any] = create_parser(known.protocol).parse(
        {"status_code": response.status, "headers": dict(response.headers), "body": body},
        known.operation(operation).output_shape,
    )
    return answer


def rules(upstream: Upstream, group: str) -> list[Any]:
    """Return the rules of a security group that let something in."""
    found = ask(upstream, "ec2", "DescribeSecurityGroups", GroupIds=[group])
    rules: list[Any] = found["SecurityGroups"][0]["IpPermissions"]
    return rules


@pytest.fixture(scope="module", autouse=True)
def run() -> Iterator[Upstream]:
    """Return where the calls of a run go, and end what the tests started."""
    yield upstream_of("run")
    world_source._simulated(str(WORLD), read_world(WORLD).digest).close()
    world_source._simulated.cache_clear()
    world_source._changes.cache_clear()
    if world_source._PRACTICE._latest:
        world_source._PRACTICE._latest.close()


def open_group(upstream: Upstream) -> str:
    """Return a group that lets something in."""
    groups = ask(upstream, "ec2", "DescribeSecurityGroups")["SecurityGroups"]
    return next(str(each["GroupId"]) for each in groups if each["IpPermissions"])


def test_a_change_is_tried_in_a_copy(run: Upstream) -> None:
    """What it changes is there for the rehearsal itself, and for no other and no run."""
    first, group = upstream_of("rehearse"), open_group(run)
    before = rules(first, group)
    ask(first, "ec2", "RevokeSecurityGroupIngress", GroupId=group, IpPermissions=before)

    assert before
    assert rules(first, group) == []
    assert rules(run, group) == before
    assert rules(upstream_of("rehearse"), group) == before
    with pytest.raises(ValueError, match="ended"):
        rules(first, group)


def test_what_earlier_runs_changed_is_there(run: Upstream) -> None:
    """A copy is led to where the account is, by all that changed it, and still is nobody else's."""
    group = open_group(run)
    port = {"IpProtocol": "tcp", "FromPort": 9, "ToPort": 9, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    opened = {"GroupId": group, "IpPermissions": [port]}
    gone = {"GroupId": group, "IpPermissions": rules(run, group)}
    ask(run, "ec2", "RevokeSecurityGroupIngress", **gone)
    ask(run, "ec2", "AuthorizeSecurityGroupIngress", **opened)
    assert "Error" in ask(run, "ec2", "AuthorizeSecurityGroupIngress", **opened)
    there = rules(run, group)
    copy = upstream_of("rehearse")

    assert [each["FromPort"] for each in there] == [9]
    assert rules(copy, group) == there
    ask(copy, "ec2", "RevokeSecurityGroupIngress", **opened)
    assert rules(copy, group) == []
    assert rules(run, group) == there


def test_what_is_not_in_the_account_fails_and_what_it_cannot_tell_is_made_up() -> None:
    """A group that there is not is AWS's own error; an operation without a world gets its shape."""
    upstream = upstream_of("rehearse")

    lacking = ask(upstream, "ec2", "DescribeSecurityGroups", GroupIds=["sg-0123456789abcdef0"])
    assert lacking["Error"]["Code"] == "InvalidGroup.NotFound"
    made_up = ask(upstream, "sqs", "ListQueues")
    assert made_up["QueueUrls"]


@pytest.mark.parametrize("kind", ["collect", "report"])
def test_only_changes_are_tried_in_a_copy(kind: Kind) -> None:
    """What only reads is answered from shapes: nothing has to be started for it."""
    made_up = ask(upstream_of("rehearse", kind), "ec2", "DescribeSecurityGroups", GroupIds=["sg-1"])

    assert [each["GroupId"] for each in made_up["SecurityGroups"]] == ["sg-1"]


def test_a_kind_that_nobody_knows_is_refused() -> None:
    """The kind is a part of what is hashed, and has to be one of four."""
    with pytest.raises(GatewayLost, match="nothing is known of the kind"):
        upstream_of("rehearse", "another")  # type: ignore[arg-type]  # on purpose

"""AWS calls read from code: sample scripts as on-call people write them, and planted mistakes."""

from __future__ import annotations

import ast
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.checks.aws_calls import Extraction, extract
from core.checks.models import operations, paginators, services, waiters


def read(script: str) -> Extraction:
    """Extract from a script that is indented as the test is."""
    return extract(ast.parse(textwrap.dedent(script)))


def calls(script: str) -> list[str]:
    """The calls of a script, such as "3 ec2.DescribeVpcs"."""
    return [f"{one.line} {one.service}.{one.operation}" for one in read(script).calls]


SAMPLES: dict[str, tuple[str, list[str]]] = {
    "a client in a function": (
        """\
        import boto3
        def main():
            ec2 = boto3.client("ec2", region_name="us-east-1")
            print(ec2.describe_instances()["Reservations"])
        main()
        """,
        ["4 ec2.DescribeInstances"],
    ),
    "made and used at once": (
        """\
        import boto3 as aws
        found = aws.client(service_name="sts").get_caller_identity()["Account"]
        """,
        ["2 sts.GetCallerIdentity"],
    ),
    "imported names": (
        """\
        from boto3 import client as make, Session
        from boto3.session import Session as Other
        make("rds").describe_db_instances()
        Session().client("ecs").list_clusters()
        Other(region_name="x").client("logs").describe_log_groups()
        """,
        ["3 rds.DescribeDBInstances", "4 ecs.ListClusters", "5 logs.DescribeLogGroups"],
    ),
    "botocore by itself": (
        """\
        import botocore.session
        session = botocore.session.get_session()
        session.create_client("cloudtrail").lookup_events()
        """,
        ["3 cloudtrail.LookupEvents"],
    ),
    "paginators and waiters": (
        """\
        import boto3
        ec2 = boto3.client("ec2")
        kind = "describe_volumes"
        for page in ec2.get_paginator("describe_instances").paginate():
            print(page)
        pages = ec2.get_paginator(kind)
        ec2.get_waiter("instance_running").wait(InstanceIds=["i-1"])
        """,
        ["4 ec2.DescribeInstances", "6 ec2.DescribeVolumes", "7 ec2.DescribeInstances"],
    ),
    "links that are followed": (
        """\
        import boto3, urllib.request
        s3 = boto3.client("s3")
        link = s3.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"})
        head = s3.generate_presigned_url(ExpiresIn=60, ClientMethod="head_object")
        urllib.request.urlopen(link)
        """,
        ["3 s3.GetObject", "4 s3.HeadObject"],
    ),
    "a loop over regions": (
        """\
        import boto3, json
        parameters = json.load(open("/job/in/parameters.json"))
        rows = []
        for region in parameters["regions"]:
            for service in ("rds", "elbv2"):
                client = boto3.client(service, region_name=region)
                if service == "rds":
                    rows += client.describe_db_clusters()["DBClusters"]
                else:
                    rows += client.describe_load_balancers()["LoadBalancers"]
        """,
        ["8 rds.DescribeDBClusters", "10 elbv2.DescribeLoadBalancers"],
    ),
    "a class with its clients": (
        """\
        import boto3
        class Scan:
            shared = boto3.client("sts")
            def __init__(self, session, alarms):
                self.session = session
                self.logs = session.client("logs")
                self.alarms = alarms
            def run(self):
                self.shared.get_caller_identity()
                self.logs.filter_log_events(logGroupName="x")
                return self.alarms.describe_alarms()
        Scan(boto3.Session(), alarms=boto3.client("cloudwatch")).run()
        """,
        ["9 sts.GetCallerIdentity", "10 logs.FilterLogEvents", "11 cloudwatch.DescribeAlarms"],
    ),
    "a helper that makes clients": (
        """\
        import boto3
        session = boto3.Session()
        def client(service, region="us-east-1"):
            return session.client(service, region_name=region)
        def both(region):
            return client("ec2", region), client("rds", region)
        ec2, rds = both("us-east-1")
        ec2.describe_vpcs()
        rds.describe_events()
        client("ecs").list_services()
        """,
        ["8 ec2.DescribeVpcs", "9 rds.DescribeEvents", "10 ecs.ListServices"],
    ),
    "a client handed to a function": (
        """\
        import boto3
        from concurrent.futures import ThreadPoolExecutor
        def names(ec2, *, deep=False):
            return ec2.describe_tags()
        def health(elb):
            return elb.describe_target_health(TargetGroupArn="x")
        names(boto3.client("ec2"), deep=True)
        with ThreadPoolExecutor() as pool:
            pool.submit(health, boto3.client("elbv2"))
        """,
        ["4 ec2.DescribeTags", "6 elbv2.DescribeTargetHealth"],
    ),
    "clients in containers": (
        """\
        import boto3
        clients = {name: boto3.client(name) for name in ["ec2", "rds"]}
        exact = {"logs": boto3.client("logs"), "ecs": boto3.client("ecs")}
        by_region = {}
        for region in ["us-east-1"]:
            by_region[region] = boto3.client("cloudwatch", region_name=region)
        listed = []
        listed.append(boto3.client("sts"))
        clients["rds"].describe_db_instances()
        exact["logs"].describe_log_groups()
        exact.get("ecs").list_clusters()
        for region, alarms in sorted(by_region.items()):
            alarms.describe_alarms()
        for one in listed:
            one.get_caller_identity()
        [vpcs.describe_vpcs() for vpcs in clients.values()]
        """,
        [
            "9 rds.DescribeDBInstances",
            "10 logs.DescribeLogGroups",
            "11 ecs.ListClusters",
            "13 cloudwatch.DescribeAlarms",
            "15 sts.GetCallerIdentity",
            "16 ec2.DescribeVpcs",
        ],
    ),
    "methods handed on": (
        """\
        import boto3
        from functools import partial
        here = partial(boto3.client, region_name="us-east-1")
        def each(call, key):
            return call()[key]
        each(here("ec2").describe_vpcs, "Vpcs")
        look = getattr(here("rds"), "describe_db_instances")
        make = lambda name: boto3.client(name)
        for name in ("describe_subnets", "describe_volumes"):
            getattr(make("ec2"), name)()
        """,
        [
            "6 ec2.DescribeVpcs",
            "7 rds.DescribeDBInstances",
            "10 ec2.DescribeSubnets",
            "10 ec2.DescribeVolumes",
        ],
    ),
    "conditions, globals and a long chain": (
        """\
        import boto3, sys
        cache = None
        def get():
            global cache
            cache = cache or boto3.client("cloudwatch")
            return cache
        client = boto3.client("ec2") if sys.argv else boto3.client("ec2", use_ssl=False)
        if (logs := boto3.client("logs")):
            (
                logs
                .get_log_events(logStreamName="x")
            )
        client.describe_regions()
        get().describe_alarms()
        boto3.resource("ec2").meta.client.describe_images()
        """,
        [
            "11 logs.GetLogEvents",
            "13 ec2.DescribeRegions",
            "14 cloudwatch.DescribeAlarms",
            "15 ec2.DescribeImages",
        ],
    ),
    "tokens that come round": (
        """\
        import boto3, json
        logs = boto3.client("logs")
        token, start = None, json.load(open("/job/in/parameters.json"))
        while True:
            page = logs.get_query_results(queryId=token) if token else logs.start_query(**start)
            token = page.get("queryId") or token
            page = page.get("more", page)
            if page.get("status"):
                break
        """,
        ["5 logs.GetQueryResults", "5 logs.StartQuery"],
    ),
    "no AWS at all": (
        """\
        import json, re, statistics
        class Store:
            def describe_instances(self):
                return re.compile("x")
        rows = [Store().describe_instances()]
        json.dump({"facts": {"rows": len(rows)}}, open("/job/out/result.json", "w"))
        """,
        [],
    ),
    "what boto3 adds to S3": (
        """\
        import boto3
        boto3.client("s3").download_file("bucket", "key", "/job/out/x")
        """,
        ["2 s3.GetObject"],
    ),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_calls_of_sample_scripts(name: str) -> None:
    """Every call is found on its line, whichever way the client got there."""
    script, expected = SAMPLES[name]

    assert calls(script) == expected


@pytest.mark.parametrize("name", sorted(set(SAMPLES) - {"conditions, globals and a long chain"}))
def test_sample_scripts_raise_no_false_alarm(name: str) -> None:
    """Nothing in a sound script is wrong or out of sight; some read one page only, and are told."""
    found = read(SAMPLES[name][0])

    assert {one.rule for one in found.findings} <= {"one-page"}
    assert (found.complete, found.unresolved) == (True, 0)


EC2 = "import boto3\nec2 = boto3.client('ec2')\n"
MISTAKES: list[tuple[str, str, str, str, int]] = [
    # script, rule, severity, what the message or the fix says, line
    (EC2 + "ec2.describe_instance()", "unknown-operation", "blocker", "describe_instances?", 3),
    (EC2 + "ec2.DescribeInstances()", "unknown-operation", "blocker", "ec2 has no operation", 3),
    (EC2 + "ec2.get_paginator('describe_instance')", "unknown-paginator", "blocker",
     "describe_instances?", 3),
    (EC2 + "ec2.get_paginator('get_console_output')", "unknown-paginator", "blocker",
     "ec2 has no paginator 'get_console_output'", 3),
    (EC2 + "ec2.generate_presigned_url('get_object')", "unknown-operation", "blocker",
     "ec2 has no operation 'get_object'", 3),
    (EC2 + "ec2.get_waiter('instance_runing')", "unknown-waiter", "blocker",
     "instance_running?", 3),
    (EC2 + "getattr(ec2, 'describe_vpc')()", "unknown-operation", "blocker", "describe_vpcs?", 3),
    ("import boto3\nboto3.client('ec')", "unknown-service", "blocker", "did you mean ec", 2),
    ("import boto3\nboto3.client('monitoring')", "unknown-service", "blocker",
     "there is no service 'monitoring'", 2),
    ("import boto3\nfor n in ['ec2', 'lamda']:\n  boto3.client(n)", "unknown-service", "blocker",
     "lambda?", 3),
    ("import boto3\nboto3.resource('rds')", "unknown-service", "blocker",
     'boto3.client("rds")', 2),
    ("import boto3\nboto3.resource('dynamo')", "unknown-service", "blocker", "dynamodb", 2),
    ("import boto3, sys\nboto3.client(sys.argv[1])", "cannot-tell", "warning",
     "which service this client is for", 2),
    (EC2 + "getattr(ec2, 'describe_' + x)()", "cannot-tell", "warning", "computed name", 3),
    (EC2 + "ec2.get_paginator(x)", "cannot-tell", "warning", "which paginator", 3),
    (EC2 + "getattr(ec2, 'get_waiter')(x)", "cannot-tell", "warning", "get_waiter()", 3),
    (EC2 + "ec2.get_waiter()", "cannot-tell", "warning", "which waiter", 3),
    ("somewhere().describe_instances()", "cannot-tell", "warning", "which client", 1),
    ("def f(ec2):\n  ec2.describe_instances()", "cannot-tell", "warning", "which client", 2),
    ("exec('import boto3')", "cannot-tell", "warning", "exec()", 1),
    ("__import__('boto3')", "cannot-tell", "warning", "__import__()", 1),
    ("import importlib\nimportlib.import_module('boto3')", "cannot-tell", "warning",
     "import_module()", 2),
]  # fmt: skip


@pytest.mark.parametrize(("script", "rule", "severity", "says", "line"), MISTAKES)
def test_planted_mistakes(script: str, rule: str, severity: str, says: str, line: int) -> None:
    """What does not exist is a blocker with a suggestion, what can't be told a warning."""
    found = read(script).findings

    assert [(one.rule, one.severity, one.line) for one in found] == [(rule, severity, line)]
    assert says in f"{found[0].message} {found[0].fix}"


@pytest.mark.parametrize(
    ("script", "complete"),
    [
        (EC2, True),
        (EC2 + "ec2.describe_nothing()", True),
        (EC2 + "getattr(ec2, x)()", False),
        ("import boto3\nboto3.resource('ec2')", True),
        ("import boto3\nboto3.resource(x)", False),
        ("exec(x)", False),
    ],
)
def test_what_hides_calls_makes_the_list_incomplete(script: str, complete: bool) -> None:
    """Doubts make the list of calls incomplete; mistakes do not."""
    assert read(script).complete is complete


def test_an_operation_of_one_of_several_clients_exists() -> None:
    """Where a name can be one of two clients, only what neither of them has is a mistake."""
    script = "import boto3\nfor n in ('ec2', 'rds'):\n  c = boto3.client(n)\n  c.{}()\n"

    assert calls(script.format("describe_vpcs")) == ["4 ec2.DescribeVpcs"]
    assert [one.message for one in read(script.format("describe_x")).findings] == [
        "ec2 or rds has no operation 'describe_x'"
    ]


def test_a_script_made_to_be_followed_for_ever_ends() -> None:
    """Names that multiply without end lead to a doubt, not to a review that never comes back."""
    lines = [f"a{n + 1} = (a{n} if x else a{n}) or [a{n}, a{n}][0]" for n in range(40)]
    found = read("\n".join(["import boto3", "a0 = boto3.client('ec2')", *lines, "a40.stop()"]))

    assert "too entangled" in found.findings[-1].message
    assert found.complete is False


def test_a_script_nested_to_the_limit_of_the_parser_is_read() -> None:
    """No depth that the parser accepts breaks the reading."""
    found = read("import boto3\nx = " + "[" * 90 + "boto3.client('ec2').describe_vpcs()" + "]" * 90)

    assert [one.operation for one in found.calls] == ["DescribeVpcs"]


@given(st.sampled_from([(*one, key) for key, one in enumerate(SAMPLES.values())]), st.data())
def test_any_part_of_a_script_is_read(
    sample: tuple[str, list[str], int], data: st.DataObject
) -> None:
    """Removing lines from a script, as long as it parses, never breaks the reading."""
    lines = textwrap.dedent(sample[0]).splitlines()
    kept = data.draw(st.lists(st.booleans(), min_size=len(lines), max_size=len(lines)))
    script = "\n".join(line for line, keep in zip(lines, kept, strict=True) if keep)
    try:
        tree = ast.parse(script)
    except SyntaxError:
        return

    assert all(1 <= one.line <= len(lines) for one in extract(tree).calls)


def test_the_models_are_those_of_botocore() -> None:
    """Services, operations, paginators and waiters have the names that clients use."""
    assert {"ec2", "sts", "elbv2"} <= services()
    assert operations("rds")["describe_db_instances"] == "DescribeDBInstances"
    assert paginators("ec2")["describe_instances"] == "DescribeInstances"
    assert waiters("ec2")["instance_running"] == "DescribeInstances"
    assert waiters("sts") == {}
    assert operations("monitoring") == {}

"""Calls against botocore's models: parameters, keys of answers, pages and resources."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from pathlib import Path
from typing import Any

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from s3transfer.manager import TransferManager  # type: ignore[import-untyped]  # it has none

from core.checks import models, parameters, transfers
from core.checks.aws_calls import Extraction, extract
from core.checks.literals import Entries, Known, Listing, Literal
from core.iam.globs import UNKNOWN_PART

HEAD = "import boto3\nec2, s3 = boto3.client('ec2'), boto3.client('s3')\n"
RESOURCES = "import boto3\nec2, s3 = boto3.resource('ec2'), boto3.resource('s3')\n"
ONE = "answer = ec2.describe_instances(InstanceIds=['i-1'])\n"
PAGES = "pages = ec2.get_paginator('describe_instances').paginate()\n"


def read(script: str) -> Extraction:
    """Extract from a script that is indented as the test is."""
    return extract(ast.parse(textwrap.dedent(script)))


MISTAKES: list[tuple[str, str, str, int]] = [
    # script, rule, what message and fix say, line
    (HEAD + "ec2.describe_vpcs(VpcId=['x'])", "unknown-parameter", "VpcIds?", 3),
    (HEAD + "f = [{'Name': 'x', 'Value': ['y']}]\nec2.describe_vpcs(Filters=f, MaxResults=5)",
     "unknown-parameter", "Filters[] of DescribeVpcs has no parameter 'Value'", 4),
    (HEAD + "f = {'Name': 'x'}\nf['Valuez'] = []\nec2.describe_vpcs(Filters=[f], MaxResults=5)",
     "unknown-parameter", "Values?", 5),
    (HEAD + "k = {'VpcIds': ['x']}\nk.update(DryRun=True)\nk['Dry'] = 1\nec2.describe_vpcs(**k)",
     "unknown-parameter", "DryRun?", 6),
    (HEAD + "ec2.get_paginator('describe_vpcs').paginate(\n  Filter=[])", "unknown-parameter",
     "Filters?", 4),
    (HEAD + "ec2.get_waiter('instance_running').wait(InstanceId='x')", "unknown-parameter",
     "InstanceIds?", 3),
    (HEAD + "s3.get_object(Bucket='b')", "missing-parameter", "needs the parameter 'Key'", 3),
    (HEAD + "def get(**more):\n  s3.get_object(Bucket='b')", "missing-parameter", "'Key'", 4),
    (HEAD + "s3.delete_objects(Bucket='b', Delete={})", "missing-parameter",
     "Delete of DeleteObjects needs the parameter 'Objects'", 3),
    (HEAD + "ec2.describe_vpcs(VpcIds='x')", "wrong-type", "is a list, and gets a string", 3),
    (HEAD + "ec2.describe_vpcs(VpcIds=['x'], DryRun='no')", "wrong-type", "a boolean", 3),
    (HEAD + "ec2.describe_vpcs(VpcIds=[1])", "wrong-type", "VpcIds[]", 3),
    (HEAD + "n = 5\nec2.describe_vpcs(MaxResults=f'{n}')", "wrong-type", "gets a string", 4),
    (HEAD + "ec2.describe_vpcs(VpcIds=None, MaxResults=5)", "wrong-type", "gets None", 3),
    (HEAD + ONE + "ec2.describe_vpcs(VpcIds=answer['Reservations'][0]['Instances'][0]['VpcId'])",
     "wrong-type", "gets a string", 4),
    (HEAD + "s3.put_object(Bucket='b', Key='k', ACL='privat')", "unknown-value", "private?", 3),
    (HEAD + "ec2.describe_vpcs(MaxResults=1)", "wrong-value", "at least 5", 3),
    (HEAD + "ec2.describe_vpcs(['x'], MaxResults=5)", "positional", "by name only", 3),
    (HEAD + "ec2.describe_vpcs()", "one-page", 'get_paginator("describe_vpcs")', 3),
    (HEAD + "s3.list_objects_v2(Bucket='b')", "one-page", "ContinuationToken", 3),
    (HEAD + ONE + "answer['Reservation']", "unknown-key", "Reservations?", 4),
    (HEAD + ONE + "answer.get('Reservation', [])", "unknown-key", "Reservations?", 4),
    (HEAD + ONE + "answer['Instances']", "unknown-key", "never a 'Instances'", 4),
    (HEAD + ONE + "answer['Reservations']['Instances']", "unknown-key", "a loop over it", 4),
    (HEAD + ONE + "for r in answer['Reservations']:\n  for i in r['Instances']:\n    i['Id']",
     "unknown-key", "never a 'Id' in Instance of ec2", 6),
    (HEAD + PAGES + "[p['Reservation'] for p in pages]", "unknown-key", "Reservations?", 4),
    (HEAD + PAGES + "x = [r for p in pages for r in p['Reservations']]\nx[0]['Instance']",
     "unknown-key", "Instances?", 5),
    (HEAD + PAGES + "pages.build_full_result()['Reservation']", "unknown-key", "Reservations?", 4),
    (HEAD + ONE + "x = sorted(answer['Reservations'], key=lambda r: r['Owner'])", "unknown-key",
     "OwnerId?", 4),
    (HEAD + ONE + "def f(r):\n  return r['Owner']\nlist(map(f, answer['Reservations']))",
     "unknown-key", "OwnerId?", 5),
    (HEAD + ONE + "x = []\nx.extend(answer['Reservations'])\nfor r in x:\n  r['Owner']",
     "unknown-key", "OwnerId?", 7),
    (HEAD + ONE + "x = []\nx += answer['Reservations']\nfor n, r in enumerate(x):\n  r['Owner']",
     "unknown-key", "OwnerId?", 7),
    (HEAD + ONE + "x = {**answer['Reservations'][0], 'Region': 'y'}\nx['Owner']", "unknown-key",
     "OwnerId?", 5),
    (HEAD + "def f():\n  for p in ec2.get_paginator('describe_vpcs').paginate():\n"
     "    yield from p['Vpcs']\nfor v in f():\n  v['Cidr']", "unknown-key", "CidrBlock?", 7),
    (HEAD + "class A:\n  def vpcs(self):\n    return ec2.describe_vpcs(MaxResults=5)['Vpcs']\n"
     "for v in A().vpcs():\n  v['Cidr']", "unknown-key", "CidrBlock?", 7),
    (RESOURCES + "ec2.instance.all()", "unknown-attribute", "instances?", 3),
    (RESOURCES + "for i in ec2.instances.all():\n  i.stat", "unknown-attribute", "state?", 4),
    (RESOURCES + "ec2.Instance('i-1').state['Nam']", "unknown-key", "Name?", 3),
    (RESOURCES + "ec2.instances.filter(Filter=[])", "unknown-parameter", "Filters?", 3),
    (RESOURCES + "ec2.instances.terminat()", "unknown-attribute", "terminate", 3),
    (RESOURCES + "s3.Bucket('b').put_object(Key='k', Bdy=b'')", "unknown-parameter", "Body?", 3),
    (RESOURCES + "s3.Object('b', 'k').get()['Bdy']", "unknown-key", "Body?", 3),
    (HEAD + PAGES + "pages.search('Reservations[].Instance[].VpcId')", "unknown-key",
     "Instances?", 4),
    (HEAD + PAGES + "pages.search('Reservations[*].Instances[?State.Nam==`1`][]')", "unknown-key",
     "Name?", 4),
    (HEAD + PAGES + "pages.search('Reservations[].Instances[].{a: VpcId, b: Tags[0].Val}')",
     "unknown-key", "Value?", 4),
    (HEAD + PAGES + "pages.search('sort_by(Reservations[].Instances[], &LaunchTim)')",
     "unknown-key", "LaunchTime?", 4),
    (HEAD + PAGES + "pages.search('Reservations.Instances')", "unknown-key", "is a list", 4),
    (HEAD + PAGES + "pages.search('Reservations[')", "bad-search", "JMESPath", 4),
    (HEAD + PAGES + "pages.build_full_result()['Reservation']", "unknown-key", "Reservations?", 4),
    (HEAD + "import jmespath\njmespath.search('Reservation', ec2.describe_instances("
     "InstanceIds=['i-1']))", "unknown-key", "Reservations?", 4),
    (HEAD + "s3.upload_file('f', 'b', 'k', ExtraArgs={'ContentTyp': 'x'})", "unknown-parameter",
     "ContentType?", 3),
    (HEAD + "s3.download_file('b', 'k', 'f', {'Range': 'x'})", "unknown-parameter",
     "ExtraArgs of download_file", 3),
    (HEAD + "s3.copy({}, 'b', 'k', ExtraArgs={'MetadataDirectiv': 'COPY'})", "unknown-parameter",
     "MetadataDirective?", 3),
    (HEAD + "s3.upload_file('f', 'b', Ky='k', Key='k')", "unknown-parameter", "Key?", 3),
    (HEAD + "s3.upload_file('f', 'b')", "missing-parameter", "'Key'", 3),
    (HEAD + "s3.upload_fileobj(open('f', 'rb'), 'b', 3)", "wrong-type", "Key", 3),
    (HEAD + "s3.upload_file('f', 'b', 'k', ['x'])", "wrong-type", "dictionary", 3),
    (HEAD + "s3.upload_file('f', 'b', 'k', None, None, None, 7)", "positional", "6", 3),
    (HEAD + "from boto3.s3.transfer import TransferConfig\nTransferConfig(max_concurency=2)",
     "unknown-parameter", "max_concurrency?", 4),
    (RESOURCES + "s3.Bucket('b').download_file('k')", "missing-parameter", "Filename", 3),
    (RESOURCES + "s3.Object('b', 'k').upload_file('f', Bucket='b')", "unknown-parameter",
     "has no parameter 'Bucket'", 3),
    (HEAD + "ec2._make_api_call('DescribeVpcs', {})", "cannot-tell", "inside boto3", 3),
    (HEAD + "import operator\noperator.methodcaller('stop_instances')(ec2)", "cannot-tell",
     "methodcaller()", 4),
]  # fmt: skip


@pytest.mark.parametrize(("script", "rule", "says", "line"), MISTAKES)
def test_planted_mistakes(script: str, rule: str, says: str, line: int) -> None:
    """Each mistake is found on its line, with what was meant, and nothing else is."""
    found = read(script).findings

    assert [(one.rule, one.line) for one in found] == [(rule, line)]
    assert says in f"{found[0].message} {found[0].fix}"


SOUND: dict[str, str] = {
    "what may be several things is right if one of them is": """\
        import boto3, sys
        ec2 = boto3.client("ec2")
        wanted = ["vpc-1"] if sys.argv else "vpc-1"
        token = None
        while True:
            page = ec2.describe_vpcs(VpcIds=wanted, NextToken=token)
            token = page.get("NextToken")
        """,
    "arguments that are not in sight": """\
        import boto3, json, os
        ec2 = boto3.client("ec2")
        more = json.load(open("/job/in/parameters.json"))
        ec2.describe_instances(**more)
        ec2.describe_vpcs(VpcIds=more["vpcs"], MaxResults=int(os.environ["MOST"]))
        """,
    "keys that the script adds itself": """\
        import boto3
        ec2 = boto3.client("ec2")
        for vpc in ec2.describe_vpcs(MaxResults=5)["Vpcs"]:
            vpc["Region"] = "here"
            vpc.setdefault("Owner", "nobody")
            print(vpc["Region"], vpc["Owner"], vpc["VpcId"])
        """,
    "transfers and searches that are right": """\
        import boto3, jmespath, sys
        from boto3.s3.transfer import TransferConfig
        ec2, s3 = boto3.client("ec2"), boto3.client("s3")
        small = TransferConfig(max_concurrency=2, use_threads=False)
        s3.upload_file("f", "b", "k", ExtraArgs={"ACL": "private"}, Config=small)
        s3.upload_file(*sys.argv)
        s3.download_file("b", "k", "f", ExtraArgs={"VersionId": "1"} if sys.argv else None)
        boto3.resource("s3").Bucket("b").upload_file("f", "k")
        s3.copy({"Bucket": "a", "Key": "k"}, "b", "k", Config=small)
        {"a": 1}.copy()
        pages = ec2.get_paginator("describe_instances").paginate()
        print(list(pages.search("Reservations[].Instances[?State.Name=='running'][].[VpcId]")))
        print(list(pages.search("max_by(Reservations[].Instances[], &LaunchTime).Tags | [0].Key")))
        print(list(pages.search(sys.argv[1])))
        print(jmespath.search("anything[].at_all", {"anything": sys.argv}))
        print(jmespath.search("length(Vpcs)", ec2.describe_vpcs(VpcIds=["a"])))
        """,
    "one name for several answers": """\
        import boto3, json
        ec2 = boto3.client("ec2")
        for each in ec2.describe_vpcs(MaxResults=5)["Vpcs"]:
            print(each["VpcId"])
        for each in ec2.describe_subnets(MaxResults=5)["Subnets"]:
            print(each["SubnetId"])
        for each in json.load(open("rows.json")):
            print(each["anything"])
        """,
    "a function that anything may be handed to": """\
        import boto3, json
        ec2 = boto3.client("ec2")
        def name(row):
            return row["name"]
        name(ec2.describe_vpcs(MaxResults=5)["Vpcs"][0])
        rows = [json.loads(line) for line in open("rows")]
        rows.sort(key=lambda row: name(row))
        """,
    "what boto3 adds to models": """\
        import boto3
        from boto3.dynamodb.conditions import Key
        s3, table = boto3.client("s3"), boto3.resource("dynamodb").Table("orders")
        s3.copy_object(Bucket="b", Key="k", CopySource={"Bucket": "a", "Key": "k"})
        found = table.query(KeyConditionExpression=Key("id").eq("1"), Limit=5)
        print([item["anything"]["inside"] for item in found["Items"]])
        table.get_item(Key={"id": "1", "number": 2})["Item"]["whatever"]
        with table.batch_writer() as batch:
            batch.put_item(Item={"id": "2"})
        """,
    "pages by hand": """\
        import boto3
        logs, sqs = boto3.client("logs"), boto3.client("sqs")
        more = {}
        while True:
            page = logs.describe_log_groups(**more)
            for group in page["logGroups"]:
                print(group["logGroupName"])
            if "nextToken" not in page:
                break
            more = {"nextToken": page["nextToken"]}
        logs.describe_log_streams(logGroupName="web", limit=1)
        boto3.client("rds").describe_db_instances(DBInstanceIdentifier="orders")
        """,
    "a helper for several operations": """\
        import boto3
        alarms = boto3.client("cloudwatch")
        def listed(method, key, **more):
            for page in alarms.get_paginator(method).paginate(**more):
                yield from page[key]
        for alarm in listed("describe_alarms", "MetricAlarms", StateValue="ALARM"):
            print(alarm["AlarmName"])
        for item in listed("describe_alarm_history", "AlarmHistoryItems", AlarmName="x"):
            print(item["HistorySummary"])
        """,
    "answers that boto3 changes, and what is not of an answer": """\
        import boto3, json
        functions, iam = boto3.client("lambda"), boto3.client("iam")
        answer = functions.invoke(FunctionName="f", Payload=json.dumps({"a": 1}).encode())
        print(json.loads(answer["Payload"].read())["anything"])
        print(iam.get_role(RoleName="r")["Role"]["AssumeRolePolicyDocument"]["Statement"])
        print(boto3.client("cloudformation").get_template(StackName="s")["TemplateBody"]["Resources"])
        s3 = boto3.client("s3")
        try:
            print(s3.head_object(Bucket="b", Key="k")["ResponseMetadata"]["RequestId"])
        except s3.exceptions.ClientError as error:
            print(error.response["Error"]["Code"])
        """,
    "resources, collections and what hangs on them": """\
        import boto3
        ec2, s3 = boto3.resource("ec2"), boto3.resource("s3")
        for instance in ec2.instances.filter(Filters=[{"Name": "x", "Values": ["y"]}]):
            print(instance.id, instance.state["Name"], instance.vpc.cidr_block)
            for volume in instance.volumes.all():
                print(volume.size)
        bucket = s3.Bucket("b")
        bucket.upload_file("a", "b")
        print([one.key for one in bucket.objects.filter(Prefix="x").limit(5)])
        print(s3.Object("b", "k").get()["Body"].read(), s3.meta.client.list_buckets()["Buckets"])
        """,
}


@pytest.mark.parametrize("name", SOUND)
def test_sound_scripts_raise_no_false_alarm(name: str) -> None:
    """What is right, or can't be told to be wrong, is no finding."""
    found = read(SOUND[name])

    assert [(one.rule, one.line, one.message) for one in found.findings] == []


def test_calls_behind_resources() -> None:
    """Attributes, collections and actions of resources are the calls that boto3 makes for them."""
    found = read(SOUND["resources, collections and what hangs on them"])

    assert [f"{one.line} {one.service}.{one.operation}" for one in found.calls] == [
        "3 ec2.DescribeInstances",
        "4 ec2.DescribeVpcs",
        "5 ec2.DescribeVolumes",
        "8 s3.PutObject",
        "9 s3.ListObjects",
        "10 s3.GetObject",
        "10 s3.ListBuckets",
    ]


def test_parameters_as_far_as_they_can_be_told() -> None:
    """What is known of a call's parameters is kept, with a sign where something is not."""
    (site,) = read(HEAD + "s3.get_object(Bucket='b', Key=f'{input()}/x', VersionId=input())").sites

    assert site.parameters == {
        "Bucket": "b",
        "Key": f"{UNKNOWN_PART}/x",
        "VersionId": UNKNOWN_PART,
    }


SECOND_OPINION = ("autoscaling", "dynamodb", "ecs", "elb", "iam", "kms", "lambda", "route53", "s3")
"""Services with many examples and models that are read fast."""


def examples(service: str) -> list[tuple[str, dict[str, Any]]]:
    """The example calls that ship with botocore, and each once more without its last parameter."""
    folder = Path(str(Loader.BUILTIN_DATA_PATH), service)
    newest = max(each for each in folder.iterdir() if any(each.glob("service-2.json*")))
    found = json.loads((newest / "examples-1.json").read_text(encoding="utf-8"))["examples"]
    calls = [(name, one.get("input", {})) for name, each in found.items() for one in each]
    return [*calls, *((name, dict([*given.items()][:-1])) for name, given in calls)]


def literal(value: Any) -> Literal:
    """A value as a script would write it."""
    if isinstance(value, dict):
        return Entries({key: (literal(one),) for key, one in value.items()})
    if isinstance(value, list):
        return Listing(tuple((literal(one),) for one in value))
    return Known(value)


@pytest.mark.parametrize("service", SECOND_OPINION)
def test_parameters_are_judged_as_botocore_judges_them(service: str) -> None:
    """Of published calls, whole and cut short, the same ones are refused as by botocore itself."""
    loader = Loader([Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    model = ServiceModel(loader.load_service_model(service, "service-2"))
    calls = [call for call in examples(service) if call[0] in model.operation_names]
    for name, given in calls:
        shape = model.operation_model(name).input_shape
        theirs = shape is not None and ParamValidator().validate(given, shape).has_errors()
        found = literal(given)
        assert isinstance(found, Entries)
        ours = [*parameters.check(parameters.Wanted(service, name), found, ())]
        assert any(one.severity == "blocker" for one in ours) == theirs, (name, given, ours)

    assert len(calls) >= 10
    assert models.operations(service)


@pytest.mark.parametrize(
    "script",
    [
        HEAD + "".join(f"x{n + 1} = [{', '.join([f'x{n}'] * 40)}]\n" for n in range(9))
        + "ec2.describe_vpcs(VpcIds=x9)",
        HEAD + "x = ec2.describe_vpcs(MaxResults=5)\nx = {**x, 'a': x}\nx['b']\nx['a']['b']",
        HEAD + "def f(**k):\n  f(**k, a=k)\n  ec2.describe_vpcs(**k)\nf(x=f)",
    ],
)  # fmt: skip
def test_arguments_made_to_be_read_for_ever_end(script: str) -> None:
    """What multiplies or comes round to itself is given up, and never waited for."""
    assert read(script).calls


def test_what_transfers_take_is_what_s3transfer_takes() -> None:
    """Extra arguments and configuration are exactly those that boto3 does not refuse."""
    for what, allowed in (
        ("upload", TransferManager.ALLOWED_UPLOAD_ARGS),
        ("download", TransferManager.ALLOWED_DOWNLOAD_ARGS),
        ("copy", TransferManager.ALLOWED_COPY_ARGS),
    ):
        assert transfers._EXTRA[what] == set(allowed)
    taken = inspect.signature(TransferConfig).parameters
    assert set(taken) == transfers._CONFIG
    client = boto3.client("s3", region_name="eu-west-1")
    for method, takes in transfers._SIGNATURES.items():
        assert tuple(inspect.signature(getattr(client, method)).parameters) == takes


SEARCHED = ["dynamodb", "ec2", "ecs", "iam", "logs", "rds", "route53", "s3", "ssm"]


@pytest.mark.parametrize("service", SEARCHED)
def test_expressions_of_botocore_itself_are_right(service: str) -> None:
    """What its paginators search for is in the answers: no false alarm."""
    script = f"import boto3\nclient = boto3.client({service!r})\n"
    for name, operation in models.paginators(service).items():
        rules = models._paginators(service)[operation]
        script += f"pages = client.get_paginator({name!r}).paginate()\n"
        for key in ("result_key", "output_token", "more_results", "non_aggregate_keys"):
            for each in models._listed(rules.get(key)):
                script += f"pages.search({each!r})\n"
    found = [one for one in read(script).findings if one.rule in ("unknown-key", "bad-search")]

    assert found == []

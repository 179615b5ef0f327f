"""What one call needs: ARNs made from parameters, and permissions that come along."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.iam.actions import lookup, operations
from core.iam.globs import UNKNOWN_PART
from core.iam.resources import Place, needs

PLACE = Place("aws", "us-east-1", "123456789012")
U = UNKNOWN_PART
HERE = "us-east-1:123456789012"

CASES: list[tuple[str, str, dict[str, Any], list[str]]] = [
    # service, operation, parameters, every spelling of every resource
    ("ec2", "DescribeInstances", {"InstanceIds": ["i-1"]}, ["*"]),
    ("ec2", "GetConsoleOutput", {"InstanceId": "i-1"}, [f"arn:aws:ec2:{HERE}:instance/i-1"]),
    ("ec2", "GetConsoleOutput", {}, [f"arn:aws:ec2:{HERE}:instance/{U}"]),
    ("ec2", "GetConsoleOutput", {"InstanceId": ["i-1", 7]}, [
        f"arn:aws:ec2:{HERE}:instance/i-1", f"arn:aws:ec2:{HERE}:instance/{U}",
    ]),
    ("ec2", "DescribeImageAttribute", {"ImageId": "ami-1"}, ["arn:aws:ec2:us-east-1::image/ami-1"]),
    ("ec2", "InventedYesterday", {"InstanceId": "i-1"}, [U]),
    ("cloudwatch", "DescribeAlarms", {"AlarmNames": ["a", "b", "a"]}, [
        f"arn:aws:cloudwatch:{HERE}:alarm:a", f"arn:aws:cloudwatch:{HERE}:alarm:b",
    ]),
    ("cloudwatch", "DescribeAlarms", {"AlarmNames": []}, [f"arn:aws:cloudwatch:{HERE}:alarm:{U}"]),
    ("cloudwatch", "DescribeAlarms", {"AlarmNames": ["arn:aws:cloudwatch:us-east-1:1:alarm:a"]},
     [U]),
    ("cloudwatch", "GetDashboard", {"DashboardName": "web"}, [
        "arn:aws:cloudwatch::123456789012:dashboard/web",
    ]),
    ("logs", "FilterLogEvents", {"logGroupName": "/aws/web"}, [
        f"arn:aws:logs:{HERE}:log-group:/aws/web:{U}", f"arn:aws:logs:{HERE}:log-group:/aws/web",
    ]),
    ("logs", "FilterLogEvents", {"logGroupIdentifier": f"arn:aws:logs:{HERE}:log-group:web"}, [
        f"arn:aws:logs:{HERE}:log-group:web:{U}", f"arn:aws:logs:{HERE}:log-group:web",
    ]),
    ("logs", "FilterLogEvents", {"logGroupIdentifier": "arn:aws:logs:us-east-1:9:log-group:web"},
     [U]),
    ("logs", "StartQuery", {"logGroupNames": ["a"], "logGroupName": "b"}, [
        f"arn:aws:logs:{HERE}:log-group:b:{U}", f"arn:aws:logs:{HERE}:log-group:b",
        f"arn:aws:logs:{HERE}:log-group:a:{U}", f"arn:aws:logs:{HERE}:log-group:a",
    ]),
    ("logs", "StartQuery", {"logGroupName": "b", "queryString": "SOURCE logGroups()"}, [
        f"arn:aws:logs:{HERE}:log-group:{U}:{U}", f"arn:aws:logs:{HERE}:log-group:{U}",
    ]),
    ("logs", "StartQuery", {"logGroupName": "b", "queryLanguage": "SQL"}, [
        f"arn:aws:logs:{HERE}:log-group:{U}:{U}", f"arn:aws:logs:{HERE}:log-group:{U}",
    ]),
    ("cloudwatch", "DescribeAlarms", {"AlarmNames": ["a"], "AlarmNamePrefix": "b"}, [
        f"arn:aws:cloudwatch:{HERE}:alarm:{U}",
    ]),
    ("logs", "GetLogEvents", {"logGroupName": "web", "logStreamName": "s"}, [
        f"arn:aws:logs:{HERE}:log-group:web:log-stream:s",
    ]),
    ("ecs", "DescribeServices", {"services": ["a", "b"]}, [
        f"arn:aws:ecs:{HERE}:service/default/a", f"arn:aws:ecs:{HERE}:service/default/b",
    ]),
    ("ecs", "DescribeServices", {"cluster": f"arn:aws:ecs:{HERE}:cluster/c", "services": ["a"]}, [
        f"arn:aws:ecs:{HERE}:service/c/a",
    ]),
    ("ecs", "DescribeServices", {"cluster": "arn:aws:ecs:us-east-1:9:cluster/c", "services": "a"},
     [U]),
    ("ecs", "DescribeServices", {
        "cluster": "c", "services": [f"arn:aws:ecs:{HERE}:service/c/a"],
    }, [f"arn:aws:ecs:{HERE}:service/c/a"]),
    ("ecs", "DescribeServices", {
        "cluster": "c", "services": [f"arn:aws:ecs:{HERE}:service/d/a"],
    }, [U]),
    ("ecs", "DescribeClusters", {"clusters": [f"arn:aws:ecs:{HERE}:cluster/c"]}, [
        f"arn:aws:ecs:{HERE}:cluster/c",
    ]),
    ("rds", "DescribeDBInstances", {}, [f"arn:aws:rds:{HERE}:db:{U}"]),
    ("rds", "DescribeDBInstances", {"DBInstanceIdentifier": "PROD"}, [
        f"arn:aws:rds:{HERE}:db:prod",
    ]),
    ("rds", "ListTagsForResource", {"ResourceName": f"arn:aws:rds:{HERE}:db:PROD"}, [
        f"arn:aws:rds:{HERE}:db:prod",
    ]),
    ("elbv2", "DeleteTargetGroup", {"TargetGroupArn": "arn:aws:elasticloadbalancing:x"}, [
        "arn:aws:elasticloadbalancing:x",
    ]),
    ("elbv2", "DeleteTargetGroup", {"TargetGroupArn": "web"}, [U]),
    ("sts", "AssumeRole", {"RoleArn": "arn:aws:iam::9:role/x"}, ["arn:aws:iam::9:role/x"]),
    ("autoscaling", "SetDesiredCapacity", {"AutoScalingGroupName": "web"}, [
        f"arn:aws:autoscaling:{HERE}:autoScalingGroup:{U}:autoScalingGroupName/web",
    ]),
    ("ec2", "StopInstances", {"InstanceIds": [f"i-{number}" for number in range(1001)]}, [U]),
    ("s3", "GetObject", {"Bucket": "web", "Key": "a/b:c"}, ["arn:aws:s3:::web/a/b:c"]),
    ("s3", "GetObject", {"Bucket": "x-s3alias", "Key": "a"}, [f"{U}/a"]),
    ("s3", "ListObjectsV2", {"Bucket": "web"}, ["arn:aws:s3:::web"]),
    ("s3", "ListBuckets", {}, ["*"]),
    ("s3", "DeleteObjects", {"Bucket": "web", "Delete": {"Objects": [{"Key": "a"}, {"Key": "b"}]}},
     ["arn:aws:s3:::web/a", "arn:aws:s3:::web/b"]),
    ("lambda", "GetFunction", {"FunctionName": "web"}, [f"arn:aws:lambda:{HERE}:function:web"]),
    ("lambda", "Invoke", {"FunctionName": "999999999999:function:web", "Qualifier": "live"},
     ["arn:aws:lambda:us-east-1:999999999999:function:web:live"]),
    ("dynamodb", "GetItem", {"TableName": f"arn:aws:dynamodb:{HERE}:table/web"},
     [f"arn:aws:dynamodb:{HERE}:table/web"]),
    ("dynamodb", "GetItem", {"TableName": "arn:aws:dynamodb:us-east-1:999999999999:table/web"},
     [U]),
    ("events", "RemoveTargets", {
        "Rule": "r", "EventBusName": "arn:aws:events:us-east-1:999999999999:event-bus/theirs",
    }, [U]),
    ("events", "RemoveTargets", {"Rule": "r"}, [f"arn:aws:events:{HERE}:rule/{U}"]),
    ("dynamodb", "BatchGetItem", {"RequestItems": {"a": {}, "b": {}}},
     [f"arn:aws:dynamodb:{HERE}:table/a", f"arn:aws:dynamodb:{HERE}:table/b"]),
    ("dynamodb", "Query", {"TableName": "web", "IndexName": "by"},
     [f"arn:aws:dynamodb:{HERE}:table/web/index/by"]),
    ("sqs", "ReceiveMessage", {"QueueUrl": "https://sqs.x/999999999999/jobs"},
     ["arn:aws:sqs:us-east-1:999999999999:jobs"]),
    ("secretsmanager", "GetSecretValue", {"SecretId": "db"},
     [f"arn:aws:secretsmanager:{HERE}:secret:db-{U}"]),
    ("ssm", "GetParameter", {"Name": "/web/key:3"}, [f"arn:aws:ssm:{HERE}:parameter/web/key"]),
    ("ssm", "GetParametersByPath", {"Path": "/web"}, [f"arn:aws:ssm:{HERE}:parameter/web/{U}"]),
    ("kms", "DescribeKey", {"KeyId": "alias/web"}, [f"arn:aws:kms:{HERE}:key/{U}"]),
    ("iam", "GetRole", {"RoleName": "app"}, [f"arn:aws:iam::123456789012:role/{U}app"]),
    ("route53", "ListResourceRecordSets", {"HostedZoneId": "/hostedzone/Z1"},
     ["arn:aws:route53:::hostedzone/Z1"]),
    ("cloudformation", "DescribeStacks", {"StackName": "web"},
     [f"arn:aws:cloudformation:{HERE}:stack/web/{U}"]),
    ("apigateway", "GetRestApi", {"restApiId": "a1"},
     ["arn:aws:apigateway:us-east-1::/restapis/a1"]),
    ("stepfunctions", "ListExecutions", {
        "stateMachineArn": f"arn:aws:states:{HERE}:stateMachine:a",
    }, [f"arn:aws:states:{HERE}:stateMachine:a"]),
    ("ecr", "DescribeImages", {"repositoryName": "team/web", "registryId": "999999999999"},
     ["arn:aws:ecr:us-east-1:999999999999:repository/team/web"]),
    ("codecommit", "ListBranches", {"repositoryName": "web"}, [f"arn:aws:codecommit:{HERE}:web"]),
    ("glacier", "ListJobs", {"accountId": "-", "vaultName": "a"},
     [f"arn:aws:glacier:us-east-1:{U}:vaults/a"]),
    ("eks", "ListNodegroups", {"clusterName": "web"}, [f"arn:aws:eks:{HERE}:cluster/web"]),
    ("eks", "ListNodegroups", {"clusterName": "a:b"}, [f"arn:aws:eks:{HERE}:cluster/{U}"]),
    ("backup", "DescribeBackupVault", {"BackupVaultName": "a", "BackupVaultAccountId": "9"},
     [f"arn:aws:backup:us-east-1:{U}:backup-vault:{U}"]),
]  # fmt: skip


@pytest.mark.parametrize(("service", "operation", "parameters", "expected"), CASES)
def test_resources_come_from_parameters(
    service: str, operation: str, parameters: dict[str, Any], expected: list[str]
) -> None:
    """Each element of each parameter is one resource; what is not understood is unknown."""
    own = needs(lookup(service, operation), parameters, PLACE)[0]

    assert [one for spellings in own.resources for one in spellings] == expected


ROLE = "arn:aws:iam::123456789012:role/app"
SOME_ROLE = f"arn:aws:iam::123456789012:role/{U}"


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "expected"),
    [
        ("ecs", "UpdateService", {"service": "a"}, []),
        ("ecs", "RegisterTaskDefinition", {"taskRoleArn": ROLE, "executionRoleArn": ROLE}, [ROLE]),
        ("ecs", "UpdateService", {"overrides": {"taskRoleArn": "app"}}, [SOME_ROLE]),
        ("ecs", "UpdateService", {"overrides": {"list": [[{"x": ROLE}]]}}, [ROLE]),
        ("ec2", "RunInstances", {"IamInstanceProfile": {"Name": "app"}}, [SOME_ROLE]),
        ("autoscaling", "CreateLaunchConfiguration", {"IamInstanceProfile": "app"}, [SOME_ROLE]),
        ("sts", "AssumeRole", {"RoleArn": ROLE}, []),
        ("ec2", "DescribeInstances", {"Filters": [{"Values": [ROLE]}]}, []),
        ("ec2", "InventedYesterday", {"Thing": ROLE}, [ROLE]),
    ],
)
def test_a_change_that_hands_over_a_role_needs_to_be_allowed_to(
    service: str, operation: str, parameters: dict[str, Any], expected: list[str]
) -> None:
    """iam:PassRole is needed for every role in the parameters of a change, and of no read."""
    found = needs(lookup(service, operation), parameters, PLACE)
    passed = [
        one
        for need in found
        if need.action.name == "iam:PassRole"
        for spellings in need.resources
        for one in spellings
    ]

    assert passed == expected


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "expected"),
    [
        ("s3", "GetObject", {"VersionId": "1"}, ["s3:GetObjectVersion"]),
        ("s3", "ListObjectsV2", {"Bucket": "a--use1-az4--x-s3"}, ["s3express:CreateSession"]),
        ("s3", "PutObject", {"ACL": "public-read", "Tagging": "a=b"},
         ["s3:PutObject", "s3:PutObjectAcl", "s3:PutObjectTagging"]),
        ("s3", "CopyObject", {}, ["s3:PutObject", "s3:GetObject"]),
        ("s3", "UploadPartCopy", {"CopySource": "b/k?versionId=1"},
         ["s3:PutObject", "s3:GetObject", "s3:GetObjectVersion"]),
        ("s3", "DeleteObjects", {"Delete": {"Objects": [{"Key": "a", "VersionId": "1"}]}},
         ["s3:DeleteObject", "s3:DeleteObjectVersion"]),
        ("dynamodb", "TransactWriteItems", {"TransactItems": [{"Put": {}}, {"Delete": {}}]},
         ["dynamodb:PutItem", "dynamodb:DeleteItem"]),
        ("dynamodb", "ExecuteStatement", {"Statement": " select * from t"},
         ["dynamodb:PartiQLSelect"]),
        ("dynamodb", "ExecuteStatement", {"Statement": "drop t"}, ["dynamodb:ExecuteStatement"]),
        ("dynamodb", "BatchExecuteStatement", {"Statements": [
            {"Statement": "SELECT a FROM b"}, {"Statement": "UPDATE b SET c=1"},
        ]}, ["dynamodb:PartiQLSelect", "dynamodb:PartiQLUpdate"]),
        ("dynamodb", "ExecuteTransaction", {"TransactStatements": [
            {"Statement": "SELECT a FROM b"}, {"Statement": "EXISTS(SELECT a FROM b)"},
        ]}, ["dynamodb:ExecuteTransaction"]),
        ("dynamodb", "BatchExecuteStatement", {"Statements": [
            {"Statement": "SELECT a FROM b"}, None,
        ]}, ["dynamodb:BatchExecuteStatement"]),
        ("dynamodb", "ExecuteStatement", {}, ["dynamodb:ExecuteStatement"]),
        ("kms", "ReEncrypt", {"DestinationKeyId": "k"}, ["kms:ReEncryptFrom", "kms:ReEncryptTo"]),
        ("neptunedata", "ExecuteOpenCypherQuery", {}, [
            "neptune-db:WriteDataViaQuery", "neptune-db:ReadDataViaQuery",
            "neptune-db:DeleteDataViaQuery",
        ]),
        ("ec2", "RunInstances", {"TagSpecifications": [{"ResourceType": "instance"}]},
         ["ec2:RunInstances", "ec2:CreateTags"]),
        ("ecs", "CreateService", {"tags": [{"key": "a"}]},
         ["ecs:CreateService", "ecs:TagResource"]),
        ("ecs", "TagResource", {"tags": [{"key": "a"}]}, ["ecs:TagResource"]),
        ("iam", "TagRole", {"RoleName": "app"}, ["iam:TagRole"]),
        ("cloudformation", "CreateStack", {"Capabilities": ["CAPABILITY_NAMED_IAM"]},
         ["cloudformation:CreateStack", "iam:CreateRole"]),
        ("cloudformation", "CreateStack", {"Capabilities": ["CAPABILITY_AUTO_EXPAND"]},
         ["cloudformation:CreateStack"]),
        ("cloudcontrol", "GetResource", {"TypeName": "AWS::S3::Bucket", "RoleArn": "app"},
         ["cloudformation:GetResource", "iam:PassRole"]),
        ("kinesisanalyticsv2", "DiscoverInputSchema", {"ServiceExecutionRole": "app"},
         ["kinesisanalytics:DiscoverInputSchema", "iam:PassRole"]),
        ("ecs", "RunTask", {"taskDefinition": "web"}, ["ecs:RunTask", "iam:PassRole"]),
        ("ec2", "RunInstances", {"LaunchTemplate": {"LaunchTemplateName": "web"}},
         ["ec2:RunInstances", "iam:PassRole"]),
        ("emr", "RunJobFlow", {"JobFlowRole": "app"},
         ["elasticmapreduce:RunJobFlow", "iam:PassRole"]),
    ],
)  # fmt: skip
def test_a_call_is_all_that_it_asks_for(
    service: str, operation: str, parameters: dict[str, Any], expected: list[str]
) -> None:
    """Actions in another's place, and actions besides, by what the parameters ask for."""
    found = needs(lookup(service, operation), parameters, PLACE)

    assert [need.action.name for need in found] == expected


def test_a_statement_that_can_not_be_told_is_a_change() -> None:
    """A statement that begins with anything but a known verb is tier 4, on unknown resources."""
    (need,) = needs(lookup("dynamodb", "ExecuteStatement"), {"Statement": "/**/select"}, PLACE)

    assert (need.action.tier, need.resources) == (4, ((U,),))


def test_a_sign_that_may_be_a_blank_makes_the_source_of_a_copy_unknown() -> None:
    """AWS may read "+" as a blank, and so another object than the one that was judged."""
    parameters = {"Bucket": "web", "Key": "a", "CopySource": "pay/b+c"}
    found = needs(lookup("s3", "CopyObject"), parameters, PLACE)

    assert (U,) in found[1].resources


def test_a_copy_names_its_source() -> None:
    """What is read is the object in the parameter, escaped or not."""
    parameters = {"Bucket": "web", "Key": "a", "CopySource": "/pay/b%20c?versionId=1"}
    found = needs(lookup("s3", "CopyObject"), parameters, PLACE)

    assert [need.resources for need in found] == [
        (("arn:aws:s3:::web/a",),),
        (("arn:aws:s3:::pay/b c",),),
        (("arn:aws:s3:::pay/b c",),),
    ]


@pytest.mark.parametrize(
    ("given_value", "expected"), [(True, True), ("yes", True), (False, False), (None, False)]
)
def test_unmasked_logs_need_a_permission_of_their_own(given_value: Any, expected: bool) -> None:
    """logs:Unmask is needed on the same groups as soon as a read asks for unmasked events."""
    parameters = {"logGroupName": "web", "unmask": given_value}
    found = needs(lookup("logs", "FilterLogEvents"), parameters, PLACE)

    assert [need.action.name for need in found[1:]] == ["logs:Unmask"] * expected
    assert {need.resources for need in found} == {found[0].resources}


@pytest.mark.parametrize(
    ("query", "expected"),
    [("fields @message", 0), ("fields unmask(@message)", 1), ("fields UNMASK(@a)", 1), (7, 1)],
)
def test_a_query_that_unmasks_needs_the_same(query: Any, expected: int) -> None:
    """A query can unmask by itself, so its text is looked into."""
    parameters = {"logGroupName": "web", "queryString": query}
    found = needs(lookup("logs", "StartQuery"), parameters, PLACE)

    assert [need.action.name for need in found[1:]] == ["logs:Unmask"] * expected


def test_parameters_nested_without_end_are_read() -> None:
    """Depth that would break a recursive reader is no problem."""
    nested: Any = ROLE
    for _ in range(5000):
        nested = {"a": [nested]}

    assert len(needs(lookup("ecs", "UpdateService"), nested, PLACE)) == 2


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("arn:aws:x"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


def test_every_template_gives_an_arn() -> None:
    """Whatever is left out, a resource is a whole ARN, a star, or unknown altogether."""
    odd = {
        one
        for key in operations()
        for need in needs(lookup(*key), {}, PLACE)
        for spellings in need.resources
        for one in spellings
        if one != "*" and not one.startswith(U) and not one.startswith("arn:aws:")
    }

    assert odd == set()


def test_a_name_alone_is_no_arn() -> None:
    """A template that begins with a parameter takes a whole ARN, or reads one out of the value."""
    whole = ("{Bucket!", "{CopySource!", "{QueueUrl!", "{FunctionName!", "{KeyId!", "{SecretId")
    begun = {
        template
        for key in operations()
        for template in lookup(*key).on
        if template.startswith("{") and "!" in template.partition("}")[0]
    }

    assert {one for one in begun if not one.startswith((*whole, "{SourceKeyId!"))} == set()


@given(st.sampled_from(sorted(operations())), st.data())
def test_no_call_is_without_resources(key: tuple[str, str], data: st.DataObject) -> None:
    """Whatever a call's parameters hold, it names at least one resource, and no exception comes."""
    action = lookup(*key)
    names = sorted({name for one in action.on for name in one.replace("|", "{").split("{")})
    parameters = data.draw(
        st.dictionaries(st.sampled_from([n.split("}")[0] for n in names]), _VALUES)
    )
    found = needs(action, parameters, PLACE)

    assert all(spellings for need in found for spellings in need.resources)
    assert all(need.resources for need in found)

"""The condition keys of a call, as far as they are certain before it is sent.

What AWS fills from the request itself is known here: it is in the parameters. All else (tags of a
resource, the caller's address, second factors, organisations) is `UNKNOWN`, which allows nothing
and lets every Deny bite. So is a key whose value AWS may write in another way than the request,
and one that AWS has for only some of the permissions that the call needs. A key is absent (None)
only where AWS makes it from a parameter that was not given.

Keys and the actions that have them are those of AWS's Service Authorization Reference; the global
ones of "AWS global condition context keys" in the IAM User Guide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from core.iam.conditions import OTHER_KEYS, UNKNOWN
from sandbox.job import OPERATOR, AwsCall

_Pairs = Iterator[tuple[str, Any]]

_PRINCIPAL = re.compile(r"arn:[\w-]+:(iam|sts)::(\d{12}):(user|role|federated-user)/(.+)", re.ASCII)
_SESSION = re.compile(r"arn:[\w-]+:sts::(\d{12}):assumed-role/.+", re.ASCII)
_WHOLE_NUMBER = re.compile(r"0|-?[1-9]\d{0,37}", re.ASCII)
_ARN = re.compile(r"arn:([^:*?]*:){4}.+", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Given:
    """A key whose value is a parameter as it was given."""

    service: str
    operations: frozenset[str]
    """Empty: every operation of the service that has the parameter."""
    parameter: str
    key: str
    absent: bool = False
    """AWS has no such key when the parameter was not given; otherwise it may fill in a default."""
    unless: frozenset[str] = frozenset()
    """Parameters that make the call need permissions for which AWS does not have the key."""
    whole_arn: bool = False
    """Only an ARN is certain; AWS would turn a name into one."""


def _given(service: str, operations: str, parameter: str, key: str, **more: Any) -> _Given:
    return _Given(service, frozenset(operations.split()), parameter, key, **more)


_LISTS = "ListObjects ListObjectsV2 ListObjectVersions"
_ACLS = "CreateMultipartUpload PutObject PutObjectAcl PutBucketAcl CreateBucket"
_ITEMS = "GetItem BatchGetItem Query Scan PutItem UpdateItem DeleteItem"
_MAPPINGS = "CreateEventSourceMapping UpdateEventSourceMapping"
_POLICIES = "AttachRolePolicy AttachUserPolicy AttachGroupPolicy DetachRolePolicy DetachUserPolicy"
_TAGGED = frozenset({"Tagging"})

_TABLE: Final = (
    # Amazon S3: the query parameters of a listing, and the header of a canned ACL.
    _given("s3", _LISTS, "Prefix", "s3:prefix", absent=True),
    _given("s3", _LISTS, "Delimiter", "s3:delimiter", absent=True),
    _given("s3", _LISTS, "MaxKeys", "s3:max-keys", absent=True),
    _given("s3", _ACLS, "ACL", "s3:x-amz-acl", absent=True, unless=_TAGGED),
    _given("s3", "GetObject HeadObject DeleteObject", "VersionId", "s3:VersionId", absent=True),
    # Amazon DynamoDB: what the request says; what it does not say, DynamoDB fills in.
    _given("dynamodb", _ITEMS, "Select", "dynamodb:Select"),
    _given("dynamodb", "PutItem UpdateItem DeleteItem", "ReturnValues", "dynamodb:ReturnValues"),
    _given("dynamodb", _ITEMS, "ReturnConsumedCapacity", "dynamodb:ReturnConsumedCapacity"),
    # Amazon EC2: of the resources of a launch, AWS has this key for the instance.
    _given("ec2", "RunInstances", "InstanceType", "ec2:InstanceType"),
    # AWS Lambda
    _given("lambda", _MAPPINGS, "FunctionName", "lambda:FunctionArn", whole_arn=True),
    _given("lambda", "AddPermission", "Principal", "lambda:Principal"),
    _given("lambda", "CreateFunctionUrlConfig", "AuthType", "lambda:FunctionUrlAuthType"),
    # AWS Security Token Service
    _given("sts", "AssumeRole", "RoleSessionName", "sts:RoleSessionName"),
    _given("sts", "AssumeRole", "ExternalId", "sts:ExternalId", absent=True),
    _given("sts", "AssumeRole", "SourceIdentity", "sts:SourceIdentity"),
    # Others
    _given("iam", _POLICIES, "PolicyArn", "iam:PolicyARN"),
    _given("cloudwatch", "PutMetricData", "Namespace", "cloudwatch:namespace"),
    _given("sns", "Subscribe", "Protocol", "sns:Protocol"),
    _given("sns", "Subscribe", "Endpoint", "sns:Endpoint"),
    _given("ecs", "", "cluster", "ecs:cluster", whole_arn=True),
)

_ONE_RESOURCE = frozenset(
    {
        "CreateCustomerGateway",
        "CreateDhcpOptions",
        "CreateInternetGateway",
        "CreateKeyPair",
        "CreatePlacementGroup",
        "ImportKeyPair",
    }
)
"""Creations in EC2 with one resource. In others, AWS has the tags for only some resources."""
_OWN_TAGS = frozenset({"s3", "s3control"})
"""Services that have other keys for the tags of a request, and other shapes."""
_TAG_PARAMETERS = ("Tags", "tags", "TagList", "TagSpecifications")
_KEYS_PARAMETERS = ("TagKeys", "tagKeys")
_KEY_OF_KEYS = "aws:TagKeys"


def context_of(
    call: AwsCall, region: str, account: str, now: datetime | None = None
) -> dict[str, Any]:
    """Return the condition keys of `call`; every key that is not named is unknown.

    `account` is the account of the operator. Without `now`, which has a time zone, the time is
    unknown. Of a value that is not as AWS's models have it, the key is unknown.
    """
    return {
        "aws:RequestedRegion": region,
        "aws:SecureTransport": "true",
        **dict(_principal(call.principal, account)),
        **dict(_times(now)),
        **dict(_parameters(call)),
        **dict(_tags(call)),
        **dict(_others(call, region)),
        OTHER_KEYS: UNKNOWN,
    }


def _principal(principal: str, account: str) -> _Pairs:
    """Who calls. The key of an assumed role is the role's ARN, whose path its session hides."""
    if principal == OPERATOR:
        yield "aws:PrincipalAccount", account
        return
    if session := _SESSION.fullmatch(principal):
        yield "aws:PrincipalAccount", session[1]
        yield "aws:PrincipalType", "AssumedRole"
    elif found := _PRINCIPAL.fullmatch(principal):
        yield "aws:PrincipalArn", principal
        yield "aws:PrincipalAccount", found[2]
        if found[1] == "iam" and found[3] == "user":
            yield "aws:PrincipalType", "User"
            yield "aws:username", found[4].rpartition("/")[2]


def _times(now: datetime | None) -> _Pairs:
    if now is not None:
        yield "aws:CurrentTime", now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        yield "aws:EpochTime", str(int(now.timestamp()))


def _parameters(call: AwsCall) -> _Pairs:
    """The keys of the table."""
    for row in _TABLE:
        of_call = row.service == call.service and (
            call.operation in row.operations or not row.operations
        )
        if not of_call or not row.unless.isdisjoint(call.parameters):
            continue
        value = call.parameters.get(row.parameter)
        if value is None:
            if row.absent:
                yield row.key, None
        elif isinstance(value, str | int) and (not row.whole_arn or _ARN.fullmatch(str(value))):
            yield row.key, value


def _others(call: AwsCall, region: str) -> _Pairs:
    if call.service == "ec2":
        yield "ec2:Region", region
    if call.service == "dynamodb":
        keys = _leading_keys(call)
        if keys:
            yield "dynamodb:LeadingKeys", keys


def _leading_keys(call: AwsCall) -> list[str]:
    """The partition keys; certain where a whole key is asked for, which is one attribute."""
    if call.operation in ("GetItem", "UpdateItem", "DeleteItem"):
        keys = [call.parameters.get("Key")]
    elif call.operation == "BatchGetItem":
        tables = call.parameters.get("RequestItems")
        asked = list(tables.values()) if isinstance(tables, Mapping) else [None]
        keys = [key for one in asked for key in _items(one, "Keys")]
    else:
        return []
    values = [_leading_key(key) for key in keys]
    return [] if None in values else sorted({value for value in values if value})


def _leading_key(key: Any) -> str | None:
    """The text of a key like {"id": {"S": "x"}}; numbers only as DynamoDB would write them."""
    if not isinstance(key, Mapping) or len(key) != 1:
        return None
    (attribute,) = key.values()
    if not isinstance(attribute, Mapping) or len(attribute) != 1:
        return None
    ((kind, value),) = attribute.items()
    if not isinstance(value, str) or not value:
        return None
    certain = kind == "S" or (kind == "N" and _WHOLE_NUMBER.fullmatch(value))
    return value if certain else None


def _items(holder: Any, name: str) -> Sequence[Any]:
    """The list in `holder` under a name; a list of nothing certain where there is none."""
    found = holder.get(name) if isinstance(holder, Mapping) else None
    return found if isinstance(found, list | tuple) and found else [None]


def _tags(call: AwsCall) -> _Pairs:
    """`aws:RequestTag/...` and `aws:TagKeys`, where one known parameter holds all tags.

    They say what the call asks for, also of a service that has no conditions on tags.
    """
    if call.service in _OWN_TAGS:
        return
    names = [name for name in (*_TAG_PARAMETERS, *_KEYS_PARAMETERS) if name in call.parameters]
    if len(names) != 1:
        return
    value = call.parameters[names[0]]
    if names[0] in _KEYS_PARAMETERS:
        if isinstance(value, list | tuple) and value and all(isinstance(one, str) for one in value):
            yield _KEY_OF_KEYS, list(value)
        return
    tags = _read_tags(_specified(call, value) if names[0] == "TagSpecifications" else value)
    if tags and len({key.lower() for key in tags}) == len(tags):
        yield _KEY_OF_KEYS, list(tags)
        for key, text in tags.items():
            yield f"aws:RequestTag/{key}", text


def _specified(call: AwsCall, value: Any) -> Any:
    """The tags of EC2's TagSpecifications, where all of the call is one resource."""
    if call.service == "ec2" and call.operation in _ONE_RESOURCE and _is_list_of_one(value):
        return value[0].get("Tags")
    return None


def _is_list_of_one(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 1 and isinstance(value[0], Mapping)


def _read_tags(value: Any) -> dict[str, str]:
    """The tags of {"k": "v"}, or of a list of {"Key": "k", "Value": "v"}; empty when in doubt."""
    if isinstance(value, Mapping):
        pairs = list(value.items())
    elif isinstance(value, list | tuple):
        pairs = [_pair(one) for one in value]
    else:
        return {}
    whole = all(isinstance(key, str) and isinstance(text, str) and key for key, text in pairs)
    return dict(pairs) if whole and len(dict(pairs)) == len(pairs) else {}


def _pair(tag: Any) -> tuple[Any, Any]:
    for key, value in (("Key", "Value"), ("key", "value")):
        if isinstance(tag, Mapping) and set(tag) == {key, value}:
            return tag[key], tag[value]
    return None, None

"""Texts for members of invented answers: by the member's name, in the form that scripts expect.

A script splits ARNs, converts amounts and loads documents; a text that can't be treated so would
fail a script that is right.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.model import Shape

_GLOBAL = ("iam", "sts", "cloudfront", "route53", "s3", "organizations")
"""Their ARNs name no region."""
_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": ["*"]}],
}
_TRAIL_EVENT = {
    "eventVersion": "1.11",
    "userIdentity": {
        "type": "AssumedRole",
        "arn": "arn:{partition}:sts::{account}:assumed-role/rehearsed-1/rehearsed-1",
        "accountId": "{account}",
        "sessionContext": {"sessionIssuer": {"userName": "rehearsed-1"}},
    },
    "eventTime": "2026-01-01T12:00:00Z",
    "eventSource": "ec2.amazonaws.com",
    "eventName": "RehearsedEvent",
    "awsRegion": "{region}",
    "sourceIPAddress": "192.0.2.1",
    "userAgent": "rehearsed",
    "requestParameters": {},
    "responseElements": {},
    "readOnly": False,
}
_KNOWN = (
    (r"^cloudtrailevent$", json.dumps(_TRAIL_EVENT)),
    (r"policy(document|text|body)?$|^policydocument", json.dumps(_POLICY)),
    (r"^(secretstring|resultjson|.*template(body)?)$", "{}"),
    (r"region(name)?$|^locationconstraint$", "{region}"),
    (r"availabilityzone(name)?$|^zonename$", "{region}a"),
    (r"^account(id)?$|accountid$|^owner(id)?$", "{account}"),
    (r"cidr(block|ip)?$", "192.0.2.0/24"),
    (r"^ip$|ipv?4?addr(ess)?$|^(private|public)ip$", "192.0.2.1"),
    (r"queueurl$", "https://sqs.{region}.amazonaws.com/{account}/rehearsed-{number}"),
    (r"(url|uri|endpoint)$", "https://rehearsed.invalid/rehearsed-{number}"),
    (r"(amount|price|value|quantity|percent(age)?|count|size|port|version)$", "{number}"),
    (r"(time|timestamp|date)$|^(start|end)$", "2026-01-01T12:00:00Z"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the answering service is."""

    partition: str
    service: str
    """As it is called in ARNs."""
    region: str
    account: str


def text_for(shape: Shape, name: str, named: str, place: Place, number: int) -> str:
    """Return the text of a member; `named` is what the request says of the same thing, or empty."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    if plain.removesuffix("s").endswith("arn"):
        return named if named.startswith("arn:") else _arn(place, named or f"rehearsed-{number}")
    if named:
        named = re.split(r"[:/]", named)[-1] if named.startswith("arn:") else named
        return named if plain != "value" else f"{number}"
    for pattern, text in _KNOWN:
        if re.search(pattern, plain):
            return _filled(text, place, number)
    return f"rehearsed-{number}".ljust(shape.metadata.get("min", 0), "x")


def _filled(text: str, place: Place, number: int) -> str:
    for name, value in (
        ("partition", place.partition),
        ("region", place.region),
        ("account", place.account),
        ("number", str(number)),
    ):
        text = text.replace("{" + name + "}", value)
    return text


def _arn(place: Place, name: str) -> str:
    region = "" if place.service in _GLOBAL else place.region
    return f"arn:{place.partition}:{place.service}:{region}:{place.account}:rehearsed/{name}"

"""What a parameter says of a resource, where a service takes more than a plain name.

A Lambda function can be named four ways, a queue by its URL, a secret without the end of its ARN.
Each function here takes such a value and gives the stretch of the ARN that it stands for, or
`UNKNOWN_PART`. Wrong would be worse than unknown: a policy for one resource would then allow a call
on another, so a value that is not surely understood is unknown, and only a `*` covers it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from core.iam.globs import UNKNOWN_PART


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call goes."""

    partition: str
    region: str
    account: str


_PLAIN = re.compile(r"[\w.@+=,-]+", re.ASCII)
_PATH = re.compile(r"[\w.@+=,/#-]+", re.ASCII)
_BUCKET = re.compile(r"[a-zA-Z0-9](?:[\w.-]*[a-zA-Z0-9])?", re.ASCII)
_ALIASES = ("-s3alias", "--ol-s3", "--x-s3", "--table-s3")
"""Ends of what may stand in a bucket's place: access points, and buckets of other services."""
_FUNCTION = re.compile(
    r"(?:(?:(?P<region>[a-z0-9-]+):)?(?P<account>\d{12}):function:)?"
    r"(?P<name>[\w-]+)(?P<version>:[\w$-]+)?",
    re.ASCII,
)
_NO_FUNCTION = re.compile(r"\d{12}|function|[a-z]{2}(?:-[a-z]+)+-\d", re.ASCII)
"""What may be the account, the word or the region of a longer name that leaves out the rest."""
_QUEUE = re.compile(r"/(?P<account>\d{12})/(?P<name>[\w-]+(?:\.fifo)?)", re.ASCII)
_KEY = re.compile(r"(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_WHOLE_SECRET = re.compile(r"arn:[^:]*:secretsmanager:[^:]*:\d{12}:secret:.+-[A-Za-z0-9]{6}")


def plain(value: str, place: Place) -> str:
    """A name without anything that could be more than a name."""
    del place
    return value if _PLAIN.fullmatch(value) else UNKNOWN_PART


def account(value: str, place: Place) -> str:
    """The account that a resource is in; Glacier's "-" and the like are unknown."""
    del place
    return value if re.fullmatch(r"\d{12}", value, re.ASCII) else UNKNOWN_PART


def path(value: str, place: Place) -> str:
    """A name that may be divided by "/"."""
    del place
    return value if _PATH.fullmatch(value) and "//" not in value else UNKNOWN_PART


def bucket(value: str, place: Place) -> str:
    """A bucket's ARN; what is an access point, or may be one, is unknown."""
    fits = _BUCKET.fullmatch(value) and not value.endswith(_ALIASES)
    return f"arn:{place.partition}:s3:::{value}" if fits else UNKNOWN_PART


def source(value: str, place: Place) -> str:
    """The object that is copied: "bucket/key", maybe escaped, maybe with "?versionId="."""
    if "+" in value:  # S3 may read a blank; botocore escapes it
        return UNKNOWN_PART
    name, slash, key = unquote(value.partition("?versionId=")[0]).lstrip("/").partition("/")
    whole = bucket(name, place)
    return f"{whole}/{key}" if slash and key and whole != UNKNOWN_PART else UNKNOWN_PART


def function(value: str, place: Place) -> str:
    """A Lambda function: its name, "name:alias", "account:function:name", or its ARN."""
    start = f"arn:{place.partition}:lambda:"
    found = _FUNCTION.fullmatch(value.removeprefix(start))
    if found is None or (value.startswith("arn:") and not found["region"]):
        return UNKNOWN_PART
    if not found["account"] and _NO_FUNCTION.fullmatch(found["name"]):
        return UNKNOWN_PART
    where = f"{found['region'] or place.region}:{found['account'] or place.account}"
    return f"{start}{where}:function:{found['name']}{found['version'] or ''}"


def qualifier(value: str, place: Place) -> str:
    """The version or alias of a function, as its ARN ends with it."""
    del place
    return f":{value}" if re.fullmatch(r"[\w$-]+", value, re.ASCII) else UNKNOWN_PART


def queue(value: str, place: Place) -> str:
    """A queue's ARN from its URL, with the account that the URL names; only its path counts."""
    found = _QUEUE.fullmatch(urlsplit(value).path) if "[" not in value else None
    if found is None:
        return UNKNOWN_PART
    return f"arn:{place.partition}:sqs:{place.region}:{found['account']}:{found['name']}"


def secret(value: str, place: Place) -> str:
    """A secret by its name or ARN; AWS adds six characters to the name that nobody knows."""
    start = f"arn:{place.partition}:secretsmanager:{place.region}:"
    if value.startswith("arn:"):
        whole = value.startswith(start) and _WHOLE_SECRET.fullmatch(value)
        return value if whole else UNKNOWN_PART
    name = path(value, place)
    return f"{start}{place.account}:secret:{name}-{UNKNOWN_PART}"


def parameter(value: str, place: Place) -> str:
    """A parameter of Systems Manager, without its first "/" and without ":version" or ":label"."""
    return path(value.partition(":")[0].removeprefix("/"), place)


def key(value: str, place: Place) -> str:
    """A KMS key by its id or ARN; which key an alias stands for is not known here."""
    start = f"arn:{place.partition}:kms:"
    if value.startswith("arn:"):
        known = re.fullmatch(r"[a-z0-9-]+:\d{12}:key/(.+)", value.removeprefix(start))
        fits = value.startswith(start) and known and _KEY.fullmatch(known[1])
        return value if fits else UNKNOWN_PART
    name = value if _KEY.fullmatch(value) else UNKNOWN_PART
    return f"{start}{place.region}:{place.account}:key/{name}"


def zone(value: str, place: Place) -> str:
    """The id of a hosted zone, which Route 53 also takes as "/hostedzone/ID"."""
    return plain(value.removeprefix("/hostedzone/").removeprefix("hostedzone/"), place)


READERS: Mapping[str, Callable[[str, Place], str]] = {
    "name": plain,
    "account": account,
    "path": path,
    "bucket": bucket,
    "source": source,
    "function": function,
    "qualifier": qualifier,
    "queue": queue,
    "secret": secret,
    "parameter": parameter,
    "key": key,
    "zone": zone,
}
"""By the word behind the "!" in a template."""

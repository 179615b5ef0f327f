"""Looks for the operator's credentials in a process that ends: `-m core.upstream.whoami`.

An order (`core.credentials.Order`) comes on stdin, an answer goes to stdout: who the caller is, and
the keys only where the order asks for them; or why that can't be told, and what to type. botocore's
own chain does the looking; what it finds is shown to STS, and nothing is believed before that.

The role of an order is assumed here too. A session policy goes along where one is given; where none
is, only to find out who we would be, the role's session may read the account's alias and nothing
else.
"""

from __future__ import annotations

import json
import os
import pwd
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from core.credentials import Order, role_of
from core.upstream.explain import Unknown, explained

DURATION_SECONDS = 3600
"""Of a role's session; more than an hour is not to be had for a role assumed by a role."""
READ_ONLY = "arn:{}:iam::aws:policy/ReadOnlyAccess"

_ALIAS_ONLY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "iam:ListAccountAliases", "Resource": "*"}],
    },
    separators=(",", ":"),
)
_CLIENTS = {
    "ignore_configured_endpoint_urls": True,
    "connect_timeout": 5,
    "read_timeout": 10,
    "retries": {"mode": "standard", "total_max_attempts": 2},
}
_FAILURES = (
    *(BotoCoreError, ClientError),
    *(EOFError, LookupError, OSError, RuntimeError, TypeError, ValueError),
)
"""What the chain raises: it was written by many, and reads what anybody may have written."""
_TOO_LARGE = "the approved policy, packed, is larger than AWS takes for a session"
_NOT_IN_NAMES = re.compile(r"[^\w+=,.@-]", re.ASCII)
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Keys:
    """Credentials as they are here, with when they end; 0 = never."""

    access_key: str
    secret_key: str
    token: str
    expires: int


def main() -> int:
    """Answer one order."""
    order = Order(**json.load(sys.stdin))
    session = Session(profile=order.profile or None)
    try:
        answer = answered(session, order)
    except Unknown as unknown:
        answer = {"unknown": str(unknown), "hint": unknown.hint}
    except _FAILURES as error:
        reason, hint = explained(error, session, order)
        answer = {"unknown": reason, "hint": hint}
    json.dump(answer, sys.stdout)
    return 0


def answered(session: Session, order: Order) -> dict[str, Any]:
    """Return the answer to an order; raises Unknown, and whatever botocore raises."""
    bundle = _trust(session)
    keys = _keys(session)
    region = _region(session, order)
    told: tuple[str, ...] = ()
    if order.role:
        keys, told = _assumed(session, order, keys, region)
    known = _client(session, "sts", region, keys).get_caller_identity()
    partition = known["Arn"].split(":")[1]
    caller = {
        "partition": partition,
        "account": known["Account"],
        "alias": "" if order.keys else _alias(session, region, keys),
        "role": role_of(known["Arn"]),
        "regions": list(order.regions) or [region],
    }
    return {
        "caller": caller,
        "keys": [keys.access_key, keys.secret_key, keys.token] if order.keys else None,
        "expires": keys.expires,
        "ca_bundle": bundle,
        "dualstack": bool(session.get_config_variable("use_dualstack_endpoint")),
        "fips": bool(session.get_config_variable("use_fips_endpoint")),
        "told": told,
    }


def _trust(session: Session) -> str:
    """Return the file of trusted authorities, and have every client of the session use it."""
    bundle = session.get_config_variable("ca_bundle")
    for variable in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        bundle = bundle or os.environ.get(variable)
    bundle = os.path.expanduser(bundle or "")  # noqa: PTH111 (a Path of nothing would be ".")
    if bundle:
        if not os.path.isfile(bundle):  # noqa: PTH113 (as above)
            raise Unknown(
                f"the CA bundle {bundle} is not a file",
                "correct AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE, SSL_CERT_FILE or ca_bundle",
            )
        session.set_config_variable("ca_bundle", bundle)
    return bundle


def _region(session: Session, order: Order) -> str:
    """Return the region whose STS is asked: the first that may be called."""
    region = os.environ.get("AWS_REGION") or session.get_config_variable("region")
    if order.regions:
        return order.regions[0]
    if not region:
        raise Unknown(
            "no region is set, so none could be called",
            "name one with --region NAME, or set `region` in the profile or AWS_REGION",
        )
    return str(region)


def _keys(session: Session) -> Keys:
    credentials = session.get_credentials()
    if credentials is None:
        raise Unknown.no_credentials(session)
    frozen = credentials.get_frozen_credentials()
    ends: datetime | None = getattr(credentials, "_expiry_time", None)  # botocore tells it so only
    return Keys(frozen.access_key, frozen.secret_key, frozen.token or "", _ms(ends))


def _ms(moment: datetime | None) -> int:
    return 0 if moment is None else int(moment.timestamp() * 1000)


def _client(session: Session, service: str, region: str, keys: Keys) -> Any:
    return session.create_client(
        service,
        region_name=region,
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        aws_session_token=keys.token or None,
        config=Config(**_CLIENTS),
    )


def _alias(session: Session, region: str, keys: Keys) -> str:
    """Return what people call the account, empty where it may not be read."""
    try:
        aliases = _client(session, "iam", region, keys).list_account_aliases()["AccountAliases"]
    except (BotoCoreError, ClientError):
        return ""
    return aliases[0] if aliases else ""


# ------------------------------------------------------------------ the role
def _assumed(
    session: Session, order: Order, keys: Keys, region: str
) -> tuple[Keys, tuple[str, ...]]:
    """Return keys of the order's role, and what to tell of how it was assumed."""
    sts = _client(session, "sts", region, keys)
    wanted = _wanted(order)
    told: tuple[str, ...] = ()
    try:
        found = _assume(sts, wanted)
    except ClientError as error:
        if error.response["Error"]["Code"] != "PackedPolicyTooLarge":
            raise
        if not order.reads_only:
            raise Unknown(
                _TOO_LARGE, "allow fewer actions and resources, or work in steps"
            ) from error
        told = (f"{_TOO_LARGE}: AWS itself holds the role to ReadOnlyAccess",)
        del wanted["Policy"]
        partition = order.role.split(":")[1]
        found = _assume(sts, {**wanted, "PolicyArns": [{"arn": READ_ONLY.format(partition)}]})
    issued = found["Credentials"]
    keys = Keys(
        issued["AccessKeyId"],
        issued["SecretAccessKey"],
        issued["SessionToken"],
        _ms(issued["Expiration"]),
    )
    return keys, told


def _wanted(order: Order) -> dict[str, Any]:
    wanted: dict[str, Any] = {
        "RoleArn": order.role,
        "RoleSessionName": name_of(order.session),
        "DurationSeconds": DURATION_SECONDS,
    }
    if order.policy or not order.managed:  # without any, a session has all the rights of the role
        wanted["Policy"] = order.policy or _ALIAS_ONLY
    if order.managed:
        wanted["PolicyArns"] = [{"arn": arn} for arn in order.managed]
    return wanted


def _assume(sts: Any, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Assume a role under this user's name where the role allows that, else without it."""
    try:
        found: dict[str, Any] = sts.assume_role(**wanted, SourceIdentity=name_of(_user()))
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        found = sts.assume_role(**wanted)
    return found


def name_of(text: str) -> str:
    """Return a name that STS takes: 2 to 64 letters, digits and a few signs."""
    return _NOT_IN_NAMES.sub("-", text)[:_LONGEST_NAME].ljust(2, "-")


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid-{os.getuid()}"


if __name__ == "__main__":
    sys.exit(main())

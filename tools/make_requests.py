"""Writes the requests of every operation that botocore knows, as real clients make them.

Run as a program of its own, which imports nothing of Countersign: what is read back later was made
by nobody who could know how it is read. The first argument is the way by which it is sent:

- https: to the real host of AWS, as without any proxy (a streamed body is chunked then);
- proxy: the same without TLS, as through a plain-HTTP proxy (checksums are in headers then);
- endpoint: to an endpoint of its own, as an endpoint variable of the service gives it.

Each line of the output is one request:

    [service, operation, variant, region, parameters, method, url, headers, body]

with what JSON can't hold as {"$bytes": base64}, {"$time": ISO 8601}. Parameters are those that the
client serialised, after its own additions (tokens, encoded user data). The operation is the one
that is on the wire: where a client asks for its endpoint first, it is DescribeEndpoints.
"""

from __future__ import annotations

import base64
import copy
import json
import random
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, TextIO

from botocore import UNSIGNED
from botocore.awsrequest import AWSPreparedRequest
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.model import OperationModel, Shape
from botocore.session import Session
from botocore.tokens import FrozenAuthToken

REGION = "us-east-1"
VARIANTS = ("required", "all", "random")
WAYS = ("https", "proxy", "endpoint")
OURS = "http://127.0.0.1:8080/_svc/"
ARN = "arn:aws:kinesis:us-east-1:123456789012:stream/value"
MOMENT = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)
SHARE = 0.4
"""How many of the optional members the random variant has."""
MOST_DEPTH = 4
MOST_ITEMS = 100
LEAST_DEPTH = -12
"""Between these two only what is required is sampled, so that no client refuses it."""
SIGNED = ("PresignedUrl", "PreSignedUrl", "DestinationRegion")
EMPTY: dict[str, Any] = {"structure": {}, "list": [], "map": {}}
NUMBERS = ("integer", "long", "float", "double")
SCALARS: dict[str, Any] = {
    "integer": 7,
    "long": 7,
    "float": 0.5,
    "double": 0.5,
    "boolean": True,
    "timestamp": MOMENT,
}


class Taken(Exception):
    """Carries a finished request out of the client."""


def take(request: AWSPreparedRequest, **_: object) -> None:
    """Stop the client at its last hook before the network."""
    raise Taken(request)


def sample(shape: Shape, variant: str, dice: random.Random, depth: int = MOST_DEPTH) -> Any:
    """Return a value of `shape`."""
    kind = shape.type_name
    if depth < LEAST_DEPTH and kind in EMPTY:
        return EMPTY[kind]  # a shape that needs itself has to end somewhere
    variant = variant if depth >= 0 else "required"
    if getattr(shape, "is_document_type", False):
        return {"a": [1, "x"]}
    if kind == "structure":
        return structure(shape, variant, dice, depth)
    if kind == "list":
        least = max(1, min(shape.metadata.get("min", 1), MOST_ITEMS))
        return [sample(shape.member, variant, dice, depth - 1)] * least
    if kind == "map":
        return {
            sample(shape.key, variant, dice, depth - 1): sample(
                shape.value, variant, dice, depth - 1
            )
        }
    if kind == "string":
        return text(shape)
    if kind in NUMBERS:
        return max(SCALARS[kind], shape.metadata.get("min", 0))
    if kind == "blob":
        return b"blob".ljust(min(shape.metadata.get("min", 0), 2048), b"x")
    return SCALARS[kind]


def text(shape: Shape) -> str:
    """Return a text that a shape allows, by its length and its choices."""
    if shape.enum:
        return str(shape.enum[0])
    least = min(shape.metadata.get("min", 0), 2048)
    if shape.name.lower().endswith("arn") and least <= len(ARN) <= shape.metadata.get("max", 99):
        kind = shape.name[:-3].lower()  # some endpoint rules take an ARN apart
        return ARN.replace("stream", kind) if kind in ("channel", "queue") else ARN
    return "value".ljust(least, "x")[: max(least, shape.metadata.get("max", 99))]


def structure(shape: Shape, variant: str, dice: random.Random, depth: int) -> dict[str, Any]:
    """Return a structure with the members that the variant asks for; below the top, one at least.

    A URL that is signed for the call is left to the client.
    """
    wanted = [
        name
        for name in shape.members
        if name in shape.required_members
        or (variant == "all" and name not in SIGNED)
        or (variant == "random" and name not in SIGNED and dice.random() < SHARE)
    ]
    if getattr(shape, "is_tagged_union", False) and depth < 0:
        wanted = list(shape.members)[-1:]  # the first is often what needs itself: And, Or, Not
    elif getattr(shape, "is_tagged_union", False) or (
        not wanted and LEAST_DEPTH < depth < MOST_DEPTH
    ):
        wanted = wanted[:1] or list(shape.members)[:1]
    return {name: sample(shape.members[name], variant, dice, depth - 1) for name in wanted}


class Token:
    """Gives the token that some services take instead of a signature."""

    def load_token(self, **_: object) -> FrozenAuthToken:
        """Return it; nobody looks at it."""
        return FrozenAuthToken("token")


def client_of(session: Session, service: str, way: str, **config: Any) -> BaseClient:
    """Return a client that stops before the network and keeps what it serialised."""
    client = session.create_client(
        service,
        region_name=REGION,
        use_ssl=way == "https",
        endpoint_url=OURS + service if way == "endpoint" else None,
        aws_access_key_id="AKID",
        aws_secret_access_key="secret",
        config=Config(
            disable_request_compression=True,
            request_checksum_calculation="when_required",
            retries={"total_max_attempts": 1},
            parameter_validation=False,
            account_id_endpoint_mode="disabled",
            inject_host_prefix=way != "endpoint",
            s3={"us_east_1_regional_endpoint": "regional"},
            **config,
        ),
    )
    client.meta.events.register("before-send", take)
    return client


def requests(session: Session, service: str, way: str) -> Iterator[list[Any]]:
    """Yield the requests of a service; a line without a method says why there is none."""
    try:
        client = client_of(session, service, way)
    except BotoCoreError:
        client = client_of(session, service, way, signature_version=UNSIGNED)
    said: list[Any] = ["", {}]

    def keep(params: dict[str, Any], model: OperationModel, **_: object) -> None:
        said[:] = [model.name, copy.deepcopy(params)]

    client.meta.events.register_last("before-parameter-build", keep)
    model = client.meta.service_model
    for method, name in client.meta.method_to_api_mapping.items():
        shape = model.operation_model(name).input_shape
        for variant in VARIANTS:
            dice = random.Random(f"{service}.{name}")
            parameters = sample(shape, variant, dice) if shape is not None else {}
            if "ContentLength" in parameters:
                parameters["ContentLength"] = len(parameters.get("Body", b""))
            try:
                getattr(client, method)(**parameters)
            except Taken as taken:
                yield [service, said[0], variant, REGION, said[1], *wire(taken.args[0])]
            except (BotoCoreError, ValueError, TypeError, KeyError, AttributeError) as error:
                why = f"{type(error).__name__}: {error}"
                yield [service, name, variant, REGION, parameters, "", why[:200], [], b""]


def wire(request: AWSPreparedRequest) -> list[Any]:
    """Return a prepared request as a gateway gets it."""
    headers = [
        (name, value.decode("latin-1") if isinstance(value, bytes) else str(value))
        for name, value in request.headers.items()
    ]
    body = request.body or b""
    if hasattr(body, "read"):
        body = body.read()
    body = body.encode() if isinstance(body, str) else bytes(body)
    return [request.method, request.url, headers, body]


def plain(value: Any) -> Any:
    """Return what JSON can't hold as what it can."""
    if isinstance(value, bytes | bytearray):
        return {"$bytes": base64.b64encode(value).decode("ascii")}
    if isinstance(value, datetime):
        return {"$time": value.isoformat()}
    if hasattr(value, "read"):
        return plain(value.read())
    return str(value)


def write(way: str, services: Iterable[str], file: TextIO) -> None:
    """Write a line for each request of some services."""
    session = Session()
    session.register_component("token_provider", Token())
    for service in services:
        file.writelines(
            json.dumps(line, default=plain) + "\n" for line in requests(session, service, way)
        )


if __name__ == "__main__":
    write(sys.argv[1], sys.argv[2:] or Session().get_available_services(), sys.stdout)

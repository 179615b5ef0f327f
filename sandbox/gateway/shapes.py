"""What botocore's models say of the secrets in an operation, worked out once per operation.

Trade-off: a walk over the shapes of an operation follows each shape once, so a shape that stands in
two places is judged by the first; names of members are looked at in every place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from sandbox.errors import Unidentified
from sandbox.gateway.services import service_named

if TYPE_CHECKING:
    from botocore.model import OperationModel, Shape

KEY_ID = "accesskeyid"
"""Name of the member with an access key id, in lower case; beside one of SECRET_KEYS it signs."""
SECRET_KEYS = ("secretaccesskey", "secretkey")
SESSION_TOKEN = "sessiontoken"  # noqa: S105  a name, no secret

_OPERATIONS_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Answer:
    """What the body of an operation's answer is like."""

    protocol: str
    signs: bool
    """It holds credentials that requests can be signed with."""
    document: bool
    """It is written in the protocol's format, and not content of somebody's or a stream."""


@lru_cache(maxsize=_OPERATIONS_KEPT)
def answer_of(service: str, operation: str) -> Answer:
    """Return what is known of an answer beforehand; raises ValueError for what no model has."""
    model = operation_model(service, operation)
    output = model.output_shape
    payload = output.serialization.get("payload") if output else None
    content = payload and output and output.members[payload].type_name in ("blob", "string")
    return Answer(
        protocol=model.service_model.resolved_protocol,
        signs=any(signs(shape) for shape in shapes_below(output)),
        document=not content and not model.has_event_stream_output,
    )


def operation_model(service: str, operation: str) -> OperationModel:
    """Return the model of an operation; raises ValueError when there is none."""
    try:
        return service_named(service).operation(operation)
    except Unidentified as error:
        raise ValueError(error.reason) from error


def signs(shape: Shape) -> bool:
    """Whether a structure holds credentials that requests can be signed with."""
    names = {name.lower() for name in getattr(shape, "members", {})}
    return KEY_ID in names and not names.isdisjoint(SECRET_KEYS)


def plain_name(name: str) -> str:
    """Return a name as it is compared: letters and digits in lower case."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def shapes_below(shape: Shape | None) -> Iterator[Shape]:
    """Yield a shape and every shape that it is made of, each once."""
    waiting, seen = [shape] if shape else [], set[str]()
    while waiting:
        each = waiting.pop()
        if each.name not in seen:
            seen.add(each.name)
            yield each
            waiting.extend(inner for _, inner in parts_of(each))


def parts_of(shape: Shape) -> list[tuple[str, Shape]]:
    """Return the members of a shape by name; those of lists and maps have none."""
    if shape.type_name == "structure":
        return list(shape.members.items())
    if shape.type_name == "list":
        return [("", shape.member)]
    if shape.type_name == "map":
        return [("", shape.value)]
    return []

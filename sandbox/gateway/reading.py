"""What a request says, if it is a certain operation: its parameters, in all seven protocols.

Whether it really says that is not known yet: `recognise` has it written again.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from sandbox.errors import Unidentified
from sandbox.gateway.arrived import Arrived
from sandbox.gateway.bodies import MOST_VALUES, read_json
from sandbox.gateway.candidates import COMPRESSED, Candidate
from sandbox.gateway.parameters import from_form, from_json
from sandbox.gateway.rest import RestRequest, from_rest

if TYPE_CHECKING:
    from botocore.model import OperationModel, Shape


_MOST_DEPTH = 96
"""Of maps and lists in one another: all that AWS takes, and all later readers can walk down."""


def read(candidate: Candidate, operation: OperationModel, arrived: Arrived) -> dict[str, Any]:
    """Return the parameters of a request; raises Unidentified when it can't be that operation."""
    shape = operation.input_shape
    try:
        parameters = _read(candidate, operation, arrived)
    except (ValueError, RecursionError) as error:
        raise Unidentified(f"its parameters can't be read: {error}") from error
    _check_depth(parameters)
    missing = set(shape.required_members if shape else ()) - set(parameters)
    if missing:
        raise Unidentified(f"{min(missing)!r} is missing")
    return parameters


def _read(candidate: Candidate, operation: OperationModel, arrived: Arrived) -> dict[str, Any]:
    shape = operation.input_shape
    if candidate.route is not None:
        if "content-encoding" in arrived.headers and not _has_header(shape, "content-encoding"):
            raise Unidentified(COMPRESSED)
        request = RestRequest(
            arrived.method, arrived.path, arrived.query, arrived.headers, arrived.body
        )
        return from_rest(request, candidate.route, candidate.labels, operation)
    if candidate.protocol == "json":
        return from_json(read_json(arrived.body), shape)
    if candidate.protocol == "smithy-rpc-v2-cbor":
        return _from_cbor(arrived.body, shape)
    return from_form(candidate.fields or {}, shape, ec2=candidate.protocol == "ec2")


def _check_depth(parameters: dict[str, Any]) -> None:
    level: list[Any] = [parameters]
    for _ in range(_MOST_DEPTH):
        level = [
            below
            for each in level
            for below in (each.values() if isinstance(each, dict) else each)
            if isinstance(below, dict | list)
        ]
        if not level:
            return
    raise Unidentified(f"its parameters are nested deeper than {_MOST_DEPTH} levels")


def _has_header(shape: Shape | None, name: str) -> bool:
    return shape is not None and any(
        member.serialization.get("location") == "header"
        and str(member.serialization.get("name", key)).lower() == name
        for key, member in shape.members.items()
    )


def _from_cbor(body: bytes, shape: Shape | None) -> dict[str, Any]:
    from botocore.parsers import ResponseParserError, RpcV2CBORParser
    from botocore.validate import ParamValidator

    if not body or shape is None:
        return {}
    if len(body) > MOST_VALUES:
        raise Unidentified(f"the CBOR is larger than {MOST_VALUES} bytes")
    try:
        document = RpcV2CBORParser().parse_data_item(io.BufferedReader(io.BytesIO(body)))
    except (ResponseParserError, TypeError, KeyError, OverflowError, MemoryError) as error:
        raise Unidentified(f"the CBOR can't be read: {error}") from error
    if not isinstance(document, dict):
        raise Unidentified("the CBOR is not a map")
    report = ParamValidator().validate(document, shape)
    if report.has_errors():
        raise Unidentified(report.generate_report())
    return document

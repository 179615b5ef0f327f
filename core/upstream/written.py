"""Writes the answer of an operation as its service would, in any protocol of botocore.

botocore can read answers and not write them; JSON and CBOR are written as its requests are, by its
own serializers, and XML as its parser looks for it. Whoever answers without AWS needs nothing else.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET
from zlib import crc32

from sandbox.job import Response

if TYPE_CHECKING:
    from botocore.model import OperationModel, Shape

REQUEST_ID = "rehearsal"
_OUTSIDE = 16
"""Bytes of an event's frame besides its headers and what it says."""

CONTENT = b'{"rehearsed": true}\n'
"""Of files, objects and whatever else a service does not look into."""
_OF_CONTENT = {
    "content-type": "application/octet-stream",
    "content-length": str(len(CONTENT)),
}
"""What is said of something that is only asked about."""
Values = Mapping[str, Any]

_KINDS = {"json": "application/x-amz-json-1.1", "rest-json": "application/json"}
_XML = "text/xml"
_SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_CBOR = "smithy-rpc-v2-cbor"
_LOCATED = ("header", "headers", "statusCode")
_TEXT_HEADER = 7
"""How event streams number the type of a header that is a text."""


def written(operation: OperationModel, values: Values) -> Response:
    """Return an answer of success that holds `values`, by the names of the output's members."""
    output, protocol = operation.output_shape, operation.service_model.resolved_protocol
    headers = {"x-amzn-requestid": REQUEST_ID}
    status = int(operation.http.get("responseCode", 200))
    inside = dict(values)
    if protocol.startswith("rest-"):
        inside = {}
        for name, value in values.items():
            shape = output.members[name]
            if shape.serialization.get("location") not in _LOCATED:
                inside[name] = value
            elif shape.serialization["location"] != "statusCode":
                headers |= _in_headers(operation, shape, name, value)
    if operation.http.get("method") == "HEAD":
        return Response(status, {**_OF_CONTENT, **headers}, b"")
    kind, body = _body(operation, inside)
    return Response(status, {"content-type": kind, **headers}, body)


def _body(operation: OperationModel, values: Values) -> tuple[str, bytes]:
    output, protocol = operation.output_shape, operation.service_model.resolved_protocol
    events = output.event_stream_name if output is not None else None
    if events:
        body = _stream(operation, events, values)
        return "application/vnd.amazon.eventstream", body
    if protocol in ("query", "ec2"):
        return _XML, _query(operation, values)
    payload = output.serialization.get("payload") if output is not None else None
    if payload:
        shape, value = output.members[payload], values.get(payload)
        if value is None:
            return _document(protocol, output, {})
        if shape.type_name in ("blob", "string"):
            return "application/octet-stream", value.encode() if isinstance(value, str) else value
        return _document(protocol, shape, value)
    if f"{operation.service_model.service_name}.{operation.name}" == "s3.GetBucketLocation":
        return _XML, _tree("LocationConstraint", values.get("LocationConstraint", ""))
    return _document(protocol, output, values)


def _document(protocol: str, shape: Any, values: Any) -> tuple[str, bytes]:
    """Return a structure (or a list, or a map) in the format of a protocol."""
    if protocol == "rest-xml":
        root = ET.Element("Answer")
        if shape is not None:
            _members(root, shape, values)
        return _XML, _as_bytes(root)
    if protocol == _CBOR:
        return "application/cbor", _cbor(shape, values) if shape is not None else b"\xa0"
    return _KINDS[protocol], _json(shape, values) if shape is not None else b"{}"


def _json(shape: Shape, values: Any) -> bytes:
    import json

    from botocore.serialize import create_serializer

    holder: dict[str, Any] = {}
    create_serializer("json", False)._serialize(holder, values, shape, "it")  # noqa: SLF001
    return json.dumps(holder["it"]).encode("ascii")


def _cbor(shape: Shape, values: Any) -> bytes:
    from botocore.serialize import create_serializer

    data = bytearray()
    create_serializer(_CBOR, False)._serialize_data_item(data, values, shape)  # noqa: SLF001
    return bytes(data)


def _in_headers(operation: OperationModel, shape: Shape, name: str, value: Any) -> dict[str, str]:
    from botocore.serialize import create_serializer

    named = shape.serialization.get("name", name)
    if shape.serialization["location"] == "headers":
        return {named + key: str(each) for key, each in value.items()}
    serializer = create_serializer(operation.service_model.resolved_protocol, False)
    return {named: serializer._convert_header_value(shape, value)}  # noqa: SLF001


# ------------------------------------------------------------------ XML
def _query(operation: OperationModel, values: Values) -> bytes:
    root = ET.Element(f"{operation.name}Response")
    output = operation.output_shape
    place = root
    if output is not None:
        if wrapper := output.serialization.get("resultWrapper"):
            place = ET.SubElement(root, wrapper)
        _members(place, output, values)
    if operation.service_model.resolved_protocol == "ec2":
        ET.SubElement(root, "requestId").text = REQUEST_ID
    else:
        ET.SubElement(ET.SubElement(root, "ResponseMetadata"), "RequestId").text = REQUEST_ID
    return _as_bytes(root)


def _tree(name: str, text: str) -> bytes:
    root = ET.Element(name)
    root.text = text
    return _as_bytes(root)


def _as_bytes(root: ET.Element) -> bytes:
    data: bytes = ET.tostring(root, encoding="utf-8")
    return data


def _members(node: ET.Element, shape: Any, values: Values) -> None:
    if shape.type_name != "structure":
        _element(node, shape, values, "member")
        return
    for name, value in values.items():
        member = shape.members[name]
        named = member.serialization.get("name", name)
        if member.serialization.get("xmlAttribute"):
            prefix, _, local = named.rpartition(":")
            node.set(f"{{{_SCHEMA_INSTANCE}}}{local}" if prefix == "xsi" else named, str(value))
        else:
            _element(node, member, value, named)


def _element(node: ET.Element, shape: Any, value: Any, name: str) -> None:
    """Add a value under its name to what it belongs to."""
    flat = shape.serialization.get("flattened")
    if shape.type_name == "list":
        inner = shape.member.serialization.get("name")
        place = node if flat else ET.SubElement(node, name)
        for item in value:
            _element(place, shape.member, item, inner or (name if flat else "member"))
    elif shape.type_name == "map":
        place = node if flat else ET.SubElement(node, name)
        for key, item in value.items():
            entry = ET.SubElement(place, name if flat else "entry")
            _element(entry, shape.key, key, shape.key.serialization.get("name", "key"))
            _element(entry, shape.value, item, shape.value.serialization.get("name", "value"))
    elif shape.type_name == "structure":
        _members(ET.SubElement(node, name), shape, value)
    else:
        ET.SubElement(node, name).text = _text(shape, value)


def _text(shape: Shape, value: Any) -> str:
    from botocore.serialize import create_serializer

    serializer = create_serializer("rest-xml", False)
    match shape.type_name:
        case "timestamp":
            kind = shape.serialization.get("timestampFormat")
            return str(serializer._convert_timestamp_to_str(value, kind))  # noqa: SLF001
        case "blob":
            return str(serializer._get_base64(value))  # noqa: SLF001
        case "boolean":
            return "true" if value else "false"
        case _:
            return str(value)


# ------------------------------------------------------------------ event streams
def _stream(operation: OperationModel, events: str, values: Values) -> bytes:
    """Return each kind of event once, after the first answer where the protocol has one."""
    protocol, output = operation.service_model.resolved_protocol, operation.output_shape
    others = {name: value for name, value in values.items() if name != events}
    parts = []
    if not protocol.startswith("rest-"):
        parts.append(_event("initial-response", *_document(protocol, output, others)))
    kinds = output.members[events].members
    for name, value in values.get(events, {}).items():
        parts.append(_event(name, *_content(protocol, kinds[name], value)))
    return b"".join(parts)


def _content(protocol: str, shape: Any, values: Values) -> tuple[str, bytes]:
    """Return what an event says, but for what would stand in its headers."""
    for name, member in shape.members.items():
        if member.serialization.get("eventpayload"):
            value = values[name]
            if isinstance(value, bytes | str):
                data = value.encode() if isinstance(value, str) else value
                return "application/octet-stream", data
            return _document(protocol, member, value)
    inside = {
        name: value
        for name, value in values.items()
        if not shape.members[name].serialization.get("eventheader")
    }
    return _document(protocol, shape, inside)


def _event(name: str, kind: str, data: bytes) -> bytes:
    named = {":event-type": name, ":content-type": kind, ":message-type": "event"}
    headers = b"".join(
        struct.pack("!B", len(key))
        + key.encode()
        + struct.pack("!BH", _TEXT_HEADER, len(text))
        + text.encode()
        for key, text in named.items()
    )
    frame = _OUTSIDE + len(headers) + len(data)
    prelude = struct.pack("!II", frame, len(headers))
    prelude += struct.pack("!I", crc32(prelude))
    message = prelude + headers + data
    return message + struct.pack("!I", crc32(message))

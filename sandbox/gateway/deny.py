"""Refusals in the words of AWS, so that the script's botocore raises an ordinary ClientError.

The dialect is that of the service the request was signed for, or the best guess from its headers
when the service is unknown. Statuses are 400 and 403 with access-denied codes: botocore retries
none of them. Every refusal of ours carries `x-countersign-denied: 1`, which AWS never sends. The
answer to a HEAD request has no body, so botocore can only say 403 there, as it does of AWS.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html import escape

from sandbox.job import Response

DENIED = "x-countersign-denied"
"""Header that tells a refusal of the gateway from one of AWS."""

CBOR = "smithy-rpc-v2-cbor"
S3 = "s3"
"""S3 speaks rest-xml with errors of its own."""

_CODES = {
    "query": (403, "AccessDenied"),
    "ec2": (403, "UnauthorizedOperation"),
    "json": (400, "AccessDeniedException"),
    "rest-json": (403, "AccessDeniedException"),
    "rest-xml": (403, "AccessDenied"),
    S3: (403, "AccessDenied"),
    CBOR: (400, "AccessDeniedException"),
}
_SPEAKS_XML = {
    "cloudfront": "rest-xml",
    "route53": "rest-xml",
    "s3": S3,
    "s3-object-lambda": S3,
    "s3-outposts": S3,
    "s3express": S3,
}
"""Signing names whose errors are XML and whose requests have no telling content type."""
_SIGNING_NAME = re.compile(r"Credential=[^/]*/[^/]*/[^/]*/([^/,]*)/aws4_request")
_NOT_XML = re.compile(r"[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")


def denial(reason: str, headers: Sequence[tuple[str, str]]) -> Response:
    """Return the refusal of the request that had `headers`; its message is `reason`."""
    dialect = dialect_of(headers)
    status, code = _CODES[dialect]
    answer = error(dialect, status, code, reason)
    return Response(answer.status, {**answer.headers, DENIED: "1"}, answer.body)


def dialect_of(headers: Sequence[tuple[str, str]]) -> str:
    """Return how to answer a request, whatever is wrong with it: botocore's protocol, or S3."""
    named = {name.lower(): value for name, value in headers}
    if named.get("smithy-protocol") == "rpc-v2-cbor":
        return CBOR
    match = _SIGNING_NAME.search(named.get("authorization", ""))
    signing_name = match[1] if match else ""
    if signing_name == "ec2":
        return "ec2"
    if signing_name in _SPEAKS_XML:
        return _SPEAKS_XML[signing_name]
    if "x-www-form-urlencoded" in named.get("content-type", ""):
        return "query"
    return "json" if "x-amz-target" in named else "rest-json"


def error(dialect: str, status: int, code: str, message: str) -> Response:
    """Return an error of a service as AWS would write it, with a new request id.

    `dialect` is the service's protocol as botocore calls it, or S3.
    """
    from uuid import uuid4  # takes its time, and most runs are denied nothing

    request_id = str(uuid4())
    if dialect == CBOR:
        members = ("__type", code, "message", message)
        body = b"\xa2" + b"".join(_cbor_text(each) for each in members)
        headers = {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
    elif dialect in ("json", "rest-json"):
        body = json.dumps({"__type": code, "message": message}).encode("ascii")
        kind = "application/json" if dialect == "rest-json" else "application/x-amz-json-1.1"
        headers = {"content-type": kind, "x-amzn-errortype": code}
    else:
        body = _xml_error(dialect, code, message, request_id)
        headers = {"content-type": "text/xml;charset=UTF-8"}
    named = "x-amz-request-id" if dialect == S3 else "x-amzn-requestid"
    return Response(status, {named: request_id, **headers}, body)


def _xml_error(dialect: str, code: str, message: str, request_id: str) -> bytes:
    code = escape(code, quote=False)
    message = escape(_NOT_XML.sub("\ufffd", message), quote=False)
    detail = f"<Code>{code}</Code><Message>{message}</Message>"
    if dialect == "ec2":
        text = (
            f"<Response><Errors><Error>{detail}</Error></Errors>"
            f"<RequestID>{request_id}</RequestID></Response>"
        )
    elif dialect == S3:
        text = f"<Error>{detail}<RequestId>{request_id}</RequestId></Error>"
    else:
        text = (
            f"<ErrorResponse><Error><Type>Sender</Type>{detail}</Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    return f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode()


def _cbor_text(text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    return b"\x7a" + len(data).to_bytes(4, "big") + data

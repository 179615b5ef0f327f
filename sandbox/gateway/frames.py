"""Frames on the channel between the gateway and whoever attached a run to it.

A frame is four bytes of length, big-endian, and as many bytes. The first is the run's
specification; the answer and every event after it are JSON objects. Parameters arrive as `plain`
made them: times and bytes as texts. The other way go acknowledgements only: the number of a call
whose intent is on disk, in four bytes.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable, Mapping
from functools import partial
from socket import socket
from typing import Any

from sandbox.gateway.plain import plain
from sandbox.job import AwsCall, Called, GatewayEvent, Intended, Response, Verdict

HEADER = struct.Struct(">I")
ACKNOWLEDGEMENT = struct.Struct(">I")
"""The number of a call that may be sent now."""
MOST_BYTES = 256 * 1024 * 1024
"""No frame is larger; whoever announces one is not to be believed."""
_WRITER = json.JSONEncoder(allow_nan=False)


# ------------------------------------------------------------------ events
def write_called(called: Called) -> bytes:
    """Return the frame payload of a call; what is streamed of its answer is not in it."""
    document = {
        "number": called.number,
        "call": None if called.call is None else _plain_call(called.call),
        "verdict": _plain_verdict(called.verdict),
        "status": called.status,
        "request_id": called.request_id,
        "ms": called.ms,
        "response": None if called.response is None else _plain_response(called.response),
        "sensitive": called.sensitive,
        "cost": called.cost,
    }
    return _WRITER.encode(document).encode("ascii")


def write_intended(
    number: int, call: AwsCall, verdict: Verdict, sensitive: tuple[str, ...]
) -> bytes:
    """Return the frame payload of a call that waits until its intent is on disk."""
    document = {
        "intended": number,
        "call": _plain_call(call),
        "verdict": _plain_verdict(verdict),
        "sensitive": sensitive,
    }
    return _WRITER.encode(document).encode("ascii")


def read_event(payload: bytes, go: Callable[[int], None]) -> GatewayEvent:
    """Return the event of a frame payload; raises ValueError when it is none.

    `go` lets the call of a number be sent.
    """
    try:
        document: dict[str, Any] = json.loads(payload)
        if "intended" not in document:
            return _called(document)
        number = document["intended"]
        call, verdict = AwsCall(**document["call"]), Verdict(**document["verdict"])
        sensitive = tuple(document["sensitive"])
        return Intended(number, call, verdict, partial(go, number), sensitive)
    except (KeyError, TypeError) as error:
        raise ValueError(f"not the frame of an event: {error!r}") from error


def read_called(payload: bytes) -> Called:
    """Return the call of a frame payload; raises ValueError when it is none."""
    event = read_event(payload, lambda _: None)
    if not isinstance(event, Called):
        raise ValueError("the frame of an intent, and not of a call")  # noqa: TRY004 - what is wrong is the frame
    return event


def _called(document: Mapping[str, Any]) -> Called:
    call, response = document["call"], document["response"]
    return Called(
        number=document["number"],
        call=None if call is None else AwsCall(**call),
        verdict=Verdict(**document["verdict"]),
        status=document["status"],
        request_id=document["request_id"],
        ms=document["ms"],
        response=None if response is None else _response(response),
        sensitive=tuple(document["sensitive"]),
        cost=document["cost"],
    )


def _plain_call(call: AwsCall) -> dict[str, Any]:
    return {
        "service": call.service,
        "operation": call.operation,
        "region": call.region,
        "parameters": plain(call.parameters),
        "principal": call.principal,
    }


def _plain_verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "allowed": verdict.allowed,
        "reason": verdict.reason,
        "tier": verdict.tier,
        "action": verdict.action,
        "durable_first": verdict.durable_first,
    }


def _plain_response(response: Response) -> dict[str, Any]:
    return {
        "status": response.status,
        "headers": dict(response.headers),
        "body": base64.b64encode(response.body).decode("ascii"),
        "dropped": response.dropped,
        "age_ms": response.age_ms,
        "cost": response.cost,
        "sensitive": response.sensitive,
    }


def _response(document: dict[str, Any]) -> Response:
    body = base64.b64decode(document["body"], validate=True)
    sensitive = tuple(document["sensitive"])
    return Response(**{**document, "body": body, "sensitive": sensitive})


# ------------------------------------------------------------------ bytes
def send_frame(channel: socket, payload: bytes) -> None:
    """Send one frame; raises OSError."""
    channel.sendall(HEADER.pack(len(payload)) + payload)


def receive_frame(channel: socket, most: int = MOST_BYTES) -> bytes | None:
    """Return the next frame's payload, None at the end; raises OSError, ValueError if too large."""
    header = receive_exactly(channel, HEADER.size)
    if header is None:
        return None
    (length,) = HEADER.unpack(header)
    if length > most:
        raise ValueError(f"a frame of {length} bytes")
    return receive_exactly(channel, length)


def receive_exactly(channel: socket, length: int) -> bytes | None:
    """Return the next `length` bytes, None when the end comes before; raises OSError."""
    parts = bytearray()
    while len(parts) < length:
        part = channel.recv(min(length - len(parts), 1024 * 1024))
        if not part:
            return None
        parts += part
    return bytes(parts)

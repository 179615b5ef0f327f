"""Which texts in a call and its answer are secret by their shape: what nobody may keep or show.

Secret is what botocore's models mark as sensitive, and, where they leave it out, what the name of a
member says (`NAMES`: session tokens, passwords, ...) and the user data of instances. Environment
variables of tasks, builds and functions are often marked as a whole and mostly harmless; of these
only what looks like a secret counts, or a region would be taken out of everything that is stored.

A secret that is JSON counts with each of its texts, one in base64 with what it decodes to. Texts of
fewer than SHORTEST characters, truth values, regions, ARNs and words of an enumeration never count.
What holds more secrets than MOST_VALUES is refused: some would be kept.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

from sandbox.gateway.documents import FORMATS, read_document
from sandbox.gateway.shapes import answer_of, operation_model, parts_of, plain_name
from sandbox.job import AwsCall, Response

if TYPE_CHECKING:
    from botocore.model import OperationModel, Shape

SHORTEST = 6
"""Characters; shorter texts would tear everything apart that is shown."""
MOST_VALUES = 2000
MOST_CHARACTERS = 256 * 1024

NAMES = (
    "accesstoken",
    "authorizationtoken",
    "authtoken",
    "clientsecret",
    "masterpassword",
    "masteruserpassword",
    "passworddata",
    "password",
    "plaintext",
    "privatekey",
    "refreshtoken",
    "secretaccesskey",
    "secretbinary",
    "secretkey",
    "secretstring",
    "sessiontoken",
    "webhooksecret",
)
"""What the end of a member's name says of its texts, where the models say nothing."""
ENVIRONMENTS = (
    "environment",
    "environmentvariables",
    "environmentvariablesoverride",
    "runtimeenvironmentvariables",
    "variables",
)
"""Names of lists and maps with environment variables."""

Kind = Literal["", "secret", "environment", "userdata"]

_NEVER = re.compile(
    r"true|false|null|none|[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}[a-z]?|arn:aws[a-z-]*:\S+", re.IGNORECASE
)
_ORDINARY = re.compile(
    r"[0-9.:/ -]+|[a-z][a-z0-9+]*://[^@\s?]*|([a-z0-9_-]+\.)+[a-z]{2,}(:[0-9]+)?(/\S*)?",
    re.IGNORECASE,
)
"""Values of environment variables that are no secrets: numbers, addresses, host names."""
_PASSWORD_IN_ADDRESS = re.compile(r"://[^/\s]{0,200}:[^/\s]{0,200}@")
_SHORTEST_MIXED = 8
_SHORTEST_WORD = 20
_BROKEN = (
    *(ArithmeticError, AttributeError, LookupError, NameError),
    *(RecursionError, TypeError, ValueError),
)
"""What botocore's parsers raise over answers that are not what their shapes say."""
_SUCCESS = range(200, 300)


def sensitive_parameters(call: AwsCall) -> tuple[str, ...]:
    """Return the secret texts of a call, each once.

    Raises ValueError when there are more than can be handled.
    """
    if not holds_secrets(call.service, call.operation)[0]:
        return ()
    shape = operation_model(call.service, call.operation).input_shape
    return _bounded(call, _secrets(shape, call.parameters))


def sensitive_values(call: AwsCall, response: Response) -> tuple[str, ...]:
    """Return the secret texts of a call and its answer, each once.

    Raises ValueError when there are more than can be handled, or the answer can't be read.
    """
    found = sensitive_parameters(call)
    answered = response.status in _SUCCESS and response.stream is None
    if not answered or not holds_secrets(call.service, call.operation)[1]:
        return found
    model = operation_model(call.service, call.operation)
    answer = _secrets(model.output_shape, _parsed(call, model, response))
    return _bounded(call, chain(found, answer))


@lru_cache(maxsize=4096)
def holds_secrets(service: str, operation: str) -> tuple[bool, bool]:
    """Whether parameters and answers of an operation can hold anything that is secret."""
    model = operation_model(service, operation)
    return _can_hold(model.input_shape), _can_hold(model.output_shape)


def _bounded(call: AwsCall, texts: Iterable[str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(texts))
    if len(found) > MOST_VALUES or sum(map(len, found)) > MOST_CHARACTERS:
        raise ValueError(
            f"{call.service}.{call.operation} holds more than {MOST_VALUES} sensitive texts, "
            "which can't all be kept out of the record; ask for fewer items at a time"
        )
    return found


def _can_hold(shape: Shape | None) -> bool:
    waiting: list[tuple[str, Shape]] = [("", shape)] if shape else []
    seen = set[str]()
    while waiting:
        name, each = waiting.pop()
        if _kind(name, each, ""):
            return True
        if each.name not in seen:
            seen.add(each.name)
            waiting.extend(parts_of(each))
    return False


def _kind(name: str, shape: Shape, above: Kind) -> Kind:
    """Return what a member is, below one that is `above`."""
    if above:
        return above
    plain = plain_name(name)
    if plain in ENVIRONMENTS and shape.type_name in ("list", "map"):
        return "environment"
    if plain.endswith("userdata"):
        return "userdata"
    if shape.metadata.get("sensitive"):
        return "secret"
    return "secret" if plain.endswith(NAMES) else ""


def _secrets(shape: Shape | None, value: Any) -> Iterator[str]:
    if shape is not None:
        for kind, text in _texts("", shape, value, ""):
            if _counts(kind, text):
                yield text


def _texts(name: str, shape: Shape, value: Any, above: Kind) -> Iterator[tuple[Kind, str]]:
    """Yield the texts below a value that are secret, whatever they are like."""
    kind = _kind(name, shape, above)
    if shape.type_name == "structure" and isinstance(value, Mapping):
        paired = kind and {plain_name(each) for each in shape.members} >= {"name", "value"}
        for member, item in value.items():
            inner = shape.members.get(member)
            if inner is not None and not (paired and plain_name(member) != "value"):
                yield from _texts(member, inner, item, kind)
    elif shape.type_name == "list" and isinstance(value, list | tuple):
        for item in value:
            yield from _texts("", shape.member, item, kind)
    elif shape.type_name == "map" and isinstance(value, Mapping):
        for item in value.values():
            yield from _texts("", shape.value, item, kind)
    elif kind and not getattr(shape, "enum", None) and isinstance(value, str | bytes):
        yield from ((kind, text) for text in _readings(kind, value))


def _readings(kind: Kind, value: str | bytes) -> Iterator[str]:
    """Yield a secret as it is and as it may be shown: its parts, or what it is the base64 of."""
    if isinstance(value, bytes):
        yield base64.b64encode(value).decode("ascii")
        text = value.decode("utf-8", "replace")
        value = "" if "\ufffd" in text else text
    yield value
    if kind == "userdata":
        try:
            yield base64.b64decode(value, validate=True).decode("utf-8")
        except ValueError:
            return
    if value.lstrip().startswith(("{", "[")):
        try:
            yield from _strings(json.loads(value))
        except (ValueError, RecursionError):
            return


def _strings(document: Any) -> Iterator[str]:
    if isinstance(document, str):
        yield document
    elif isinstance(document, dict | list):
        for item in document.values() if isinstance(document, dict) else document:
            yield from _strings(item)


def _counts(kind: Kind, text: str) -> bool:
    if len(text) < SHORTEST or _NEVER.fullmatch(text):
        return False
    if kind != "environment":
        return True
    return _ORDINARY.fullmatch(text) is None and _looks_secret(text)


def _looks_secret(text: str) -> bool:
    mixed = re.search("[0-9]", text) and re.search("[A-Za-z]", text)
    return bool(
        (mixed and len(text) >= _SHORTEST_MIXED)
        or (len(text) >= _SHORTEST_WORD and not re.search(r"\s", text))
        or _PASSWORD_IN_ADDRESS.search(text)
    )


def _parsed(call: AwsCall, model: OperationModel, response: Response) -> Any:
    from botocore.awsrequest import HeadersDict
    from botocore.parsers import ResponseParserError, create_parser

    if model.has_event_stream_output:
        return {}
    answer = {
        "status_code": response.status,
        "headers": HeadersDict(response.headers),
        "body": response.body,
    }
    known = answer_of(call.service, call.operation)
    parser = create_parser(known.protocol)
    try:
        if known.document and known.protocol in FORMATS and response.body:
            read_document(known.protocol, response.body)  # botocore makes do with broken JSON
        return parser.parse(answer, model.output_shape)
    except (ResponseParserError, *_BROKEN) as error:
        raise ValueError(
            f"what is secret in the answer of {call.service}.{call.operation} can't be told, as "
            f"it can't be read ({type(error).__name__})"  # its message may quote the answer
        ) from error

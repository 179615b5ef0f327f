"""URLs that clients sign and put into a call: copying a snapshot from another region needs one.

ec2.CopySnapshot and nine operations of rds, docdb and neptune carry a request of their own, meant
for the source's region and signed with the same keys. What a script's client has signed is of no
use (its keys are a dummy), so it is dropped once it says nothing but what the call says, and the
gateway's own client signs another. A URL that says anything else is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from sandbox.errors import Unidentified
from sandbox.gateway.bodies import read_pairs

if TYPE_CHECKING:
    from botocore.model import OperationModel

_URL = re.compile(r"https?://[a-z0-9.-]+/\?([^#]*)")
_SCOPE = re.compile(r"([A-Za-z0-9_]+)/[0-9]{8}/([a-z0-9-]+)/[a-z0-9-]+/aws4_request")
_OF_THE_SIGNATURE = frozenset(
    {
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-Security-Token",
        "X-Amz-Signature",
        "X-Amz-SignedHeaders",
    }
)
_NAMES = ("PresignedUrl", "PreSignedUrl")


def url_in(operation: OperationModel) -> str:
    """Return the name of the parameter that holds such a URL, "" for most operations."""
    shape = operation.input_shape
    return next((name for name in _NAMES if shape is not None and name in shape.members), "")


def without_url(
    name: str, parameters: dict[str, Any], fields: Mapping[str, str], signed: tuple[str, str]
) -> dict[str, Any]:
    """Return parameters without the URL in `name`, and with the region that it is for.

    `fields` is the whole form of the call, `signed` its access key and region. Raises Unidentified
    for a URL that the call's own client did not make.
    """
    match = _URL.fullmatch(str(parameters[name]))
    inside = read_pairs(match[1]) if match else []
    said = dict(inside)
    scope = _SCOPE.fullmatch(said.get("X-Amz-Credential", ""))
    if scope is None or len(said) != len(inside) or scope[1] != signed[0]:
        raise Unidentified(f"{name} is a request of its own, and not signed by this client")
    if said.pop("DestinationRegion", None) != signed[1]:
        raise Unidentified(f"{name} is a request for another region than the call's")
    rest = {key: text for key, text in said.items() if key not in _OF_THE_SIGNATURE}
    outside = {key: text for key, text in fields.items() if key not in (name, "DestinationRegion")}
    if rest != outside:
        raise Unidentified(f"{name} is a request of its own, and says something else than the call")
    left = {key: value for key, value in parameters.items() if key != name}
    return {"SourceRegion": scope[2], **left}


def same_but_for_url(stated: bytes, built: bytes) -> bool:
    """Tell whether a form that was built says what is stated, besides a URL signed for it."""
    wanted, found = (
        dict(parse_qsl(body.decode(), keep_blank_values=True)) for body in (stated, built)
    )
    for name in _NAMES:
        found.pop(name, None)
    source = wanted.pop("SourceRegion", None)
    wanted.pop("DestinationRegion", None)
    found.pop("DestinationRegion", None)
    return found.pop("SourceRegion", source) == source and wanted == found

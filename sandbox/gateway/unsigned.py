"""Names what is refused because it is not signed as the gateway needs it.

Some operations are never signed with SigV4 (those of a user's own token in cognito-idp, bearer
tokens of codecatalyst and sso, the old signatures of sdb and importexport), and some requests are
signed in their URL. Nothing of them is proved here: the name is for the reason alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sandbox.errors import Unidentified
from sandbox.gateway.arrived import Arrived
from sandbox.gateway.candidates import could_be
from sandbox.gateway.routes import Routes, services_like

PRESIGNED = (
    "its URL is presigned in a way that is not followed here (SigV4 with the key of this run is); "
    "make the call itself instead of a link to it (the request is not signed in its headers)"
)
_MOST_NAMES = 3
_OTHERWISE = {"IngestionService": "importexport"}
"""Names that services are signed for which have another one in their models."""


def not_signed(request: Arrived, reason: str) -> Unidentified:
    """Return the refusal of a request that `reason` says is not signed, with what it looks like."""
    names: dict[str, None] = {}
    for routes in services_like(lambda name, service: _fits(name, service, request)):
        names |= dict.fromkeys(_operations(routes, request))
    if any(name.lower() in ("x-amz-signature", "signature") for name, _ in request.query):
        reason = PRESIGNED
    if not names or len(names) > _MOST_NAMES:
        return Unidentified(reason)
    return Unidentified(f"{' or '.join(names)}: {reason}", tuple(names))


def not_modelled(request: Arrived, signing_name: str) -> Unidentified:
    """Return the refusal of a request that is signed for a name that no service has."""
    reason = f"it is signed for {signing_name!r}, which is the name of no service"
    if signing_name not in _OTHERWISE:
        return Unidentified(reason)
    return not_signed(replace(request, service=_OTHERWISE[signing_name]), reason)


def _operations(routes: Routes, request: Arrived) -> list[str]:
    try:
        found = list(could_be(routes, request))
    except Unidentified:
        return []
    best = [
        each
        for each in found
        if not any(
            other.route and each.route and other.route.overrides(each.route) for other in found
        )
    ]
    return [f"{routes.service}.{each.operation}" for each in best]


def _fits(name: str, service: Mapping[str, Any], request: Arrived) -> bool:
    """Tell whether a request may be for a service of the table."""
    if request.service:
        return name == request.service
    target = request.headers.get("x-amz-target", "").rpartition(".")[0]
    if target:
        return bool(service["marker"] == target)
    return f".{service['host']}." in f".{request.host}."

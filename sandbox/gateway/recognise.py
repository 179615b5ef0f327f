"""Reads a request of any service of the table of routes as exactly one call, or refuses it.

Recognised by proof: every operation that the request could be (by signing name, marker, method,
path, query) is read, written again by `restate` and compared, byte for byte and header for header.
What is left over must be one operation; if it is two, the more literal route is meant, as AWS does
it, or they are the same operation under two names of one service; otherwise nobody can tell them
apart and the request is refused with all of them named.

Headers that an operation does not know are refused, too, but for those that belong to the
transport.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from sandbox.errors import Unidentified
from sandbox.gateway.arrived import Arrived
from sandbox.gateway.bodies import same_json
from sandbox.gateway.candidates import Candidate, could_be
from sandbox.gateway.endpoints import Style, styles
from sandbox.gateway.presigned import url_in, without_url
from sandbox.gateway.reading import read
from sandbox.gateway.restate import Stated, restate, same_url
from sandbox.gateway.routes import Routes, services_signing_as
from sandbox.gateway.services import Service, service_named
from sandbox.job import AwsCall

if TYPE_CHECKING:
    from botocore.model import OperationModel

OF_THE_TRANSPORT = frozenset(
    {
        "accept",
        "accept-encoding",
        "amz-sdk-invocation-id",
        "amz-sdk-request",
        "authorization",
        "connection",
        "content-length",
        "content-md5",
        "content-type",
        "expect",
        "host",
        "proxy-connection",
        "transfer-encoding",
        "user-agent",
        "x-amz-api-version",
        "x-amz-checksum-crc32",
        "x-amz-content-sha256",
        "x-amz-date",
        "x-amz-glacier-version",
        "x-amz-s3session-token",
        "x-amz-sdk-checksum-algorithm",
        "x-amz-security-token",
        "x-amz-sha256-tree-hash",
        "x-amz-user-agent",
        "x-amzn-query-mode",
        "x-amzn-trace-id",
    }
)
"""Headers that say nothing about what a call does; the sending client makes its own."""
_MAY_BE_MISSING = frozenset({"x-amzn-query-mode"})
"""Only asks for errors in words that older clients know."""
_REASONS_SHOWN = 3
_NEWER = frozenset({"greengrassv2"})
"""Has operations that are one request with those of its elder, under other parameter names."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a request was signed for."""

    access_key: str
    region: str
    signing_name: str


@dataclass(frozen=True, slots=True)
class _Reading:
    """One operation that a request could be, and what it says then."""

    candidate: Candidate
    operation: OperationModel
    parameters: dict[str, Any]


def recognise(scope: Scope, arrived: Arrived) -> AwsCall:
    """Return the one call that a request means; raises Unidentified(reason, candidates)."""
    readings: list[_Reading] = []
    reasons: dict[str, str] = {}
    for routes in _services(scope.signing_name, arrived):
        try:
            for candidate in could_be(routes, arrived, scope.region):
                _try(candidate, scope, arrived, readings, reasons)
        except Unidentified as error:
            reasons.setdefault(routes.service, error.reason)
        if readings and not routes.rest:
            break  # one marker: what another service has under it is the same operation
    if not readings:
        raise _nothing(reasons)
    meant = _the_one(readings)
    return AwsCall(meant.candidate.service, meant.operation.name, scope.region, meant.parameters)


def _services(signing_name: str, arrived: Arrived) -> list[Routes]:
    """Return the services that a request can be for, the one of the signing name first."""
    services = services_signing_as(signing_name)
    named = [routes for routes in services if arrived.service in ("", routes.service)]
    if not named:
        raise Unidentified(
            f"its path says that it is for {arrived.service!r}, "
            f"and it is signed for {signing_name!r}"
        )
    return sorted(named, key=lambda routes: routes.service != signing_name)


def _try(
    candidate: Candidate,
    scope: Scope,
    arrived: Arrived,
    readings: list[_Reading],
    reasons: dict[str, str],
) -> None:
    service = service_named(candidate.service)
    operation = service.operation(candidate.operation)
    try:
        _check_supported(operation)
        parameters = read(candidate, operation, arrived)
        _prove(service, operation, scope, parameters, arrived)
        if (name := url_in(operation)) in parameters:
            form = dict(parse_qsl(arrived.body.decode("ascii"), keep_blank_values=True))
            parameters = without_url(name, parameters, form, (scope.access_key, scope.region))
    except Unidentified as error:
        reasons[f"{candidate.service}.{candidate.operation}"] = error.reason
    else:
        readings.append(_Reading(candidate, operation, parameters))


def _nothing(reasons: Mapping[str, str]) -> Unidentified:
    if not reasons:
        return Unidentified("it is no request that botocore makes: no operation fits")
    named: dict[str, str] = {}
    for name in reasons:
        if "." in name:  # under the first of the services that have it
            named.setdefault(name.partition(".")[2], name)
    said = [f"{name}: {reasons[name]}" for name in named.values() or reasons]
    return Unidentified("; ".join(said[:_REASONS_SHOWN]), tuple(named.values()))


def _check_supported(operation: OperationModel) -> None:
    if operation.has_event_stream_input:
        raise Unidentified(
            f"{operation.name} sends an event stream, both ways over HTTP/2, "
            "which boto3 can't and the gateway does not support"
        )
    if operation.auth_type == "none":
        raise Unidentified(f"{operation.name} is never signed, and only signed calls are supported")


# ------------------------------------------------------------------ that it is that
def _prove(
    service: Service,
    operation: OperationModel,
    scope: Scope,
    parameters: dict[str, Any],
    arrived: Arrived,
) -> None:
    """Refuse a reading that, written again, is not what arrived."""
    first: Stated | None = None
    ways = _styles(service, scope.region, arrived)
    for stated in restate(service, operation, scope.region, parameters, ways):
        if same_url(stated.url, arrived.url):
            if stated.signs_as not in ("", scope.signing_name):
                raise Unidentified(f"it would be signed for {stated.signs_as!r}")
            if stated.signs_in not in ("", scope.region):
                # An ARN names a region too, which is not the one that would be judged.
                raise Unidentified(f"it would be signed for {stated.signs_in}")
            _compare(stated, service, arrived)
            return
        first = first or stated
    raise Unidentified(_elsewhere(service, scope.region, first, arrived))


def _styles(service: Service, region: str, arrived: Arrived) -> Iterator[Style]:
    if not arrived.endpoint:
        yield from styles(service, region, arrived.host)
        return
    for prefixed in (True, False):
        yield Style(endpoint=arrived.endpoint, prefixed=prefixed)
        yield Style(endpoint=arrived.endpoint, prefixed=prefixed, path=True)


def _elsewhere(service: Service, region: str, stated: Stated | None, arrived: Arrived) -> str:
    if stated is None:
        return "it has no endpoint"
    host = stated.url.split("/")[2]
    if host == arrived.host:
        return f"the URL would be {stated.url}"
    return (
        f"the request is signed for {service.name} in {region} and goes to {arrived.host!r}; "
        f"that service is at {host}"
    )


def _compare(stated: Stated, service: Service, arrived: Arrived) -> None:
    if stated.method != arrived.method:
        raise Unidentified(f"the method would be {stated.method}")
    for name, text in stated.headers.items():
        found = arrived.headers.get(name)
        if found != text and not (found is None and name in _MAY_BE_MISSING):
            raise Unidentified(f"the header {name} is {found!r}, and would be {text!r}")
    unknown = arrived.headers.keys() - stated.headers.keys() - OF_THE_TRANSPORT
    if unknown:
        raise Unidentified(f"the header {min(unknown)!r} says something that it does not know")
    if stated.body != arrived.body and not (
        service.protocol in ("json", "rest-json") and same_json(stated.body, arrived.body)
    ):
        raise Unidentified("the body would be written in another way")


def _the_one(readings: list[_Reading]) -> _Reading:
    """Return what is meant of several readings that are the same on the wire."""
    left = [each for each in readings if not any(_overrides(other, each) for other in readings)]
    current = [each for each in left if not each.operation.deprecated] or left
    if len({each.operation.name for each in current}) == 1:
        newer = [each for each in current if each.candidate.service in _NEWER]
        if newer or all(each.parameters == current[0].parameters for each in current):
            return min(newer or current, key=lambda each: each.candidate.service)
    names = tuple(f"{each.candidate.service}.{each.operation.name}" for each in current)
    raise Unidentified(f"it could be each of {', '.join(names)}", names)


def _overrides(reading: _Reading, other: _Reading) -> bool:
    mine, theirs = reading.candidate.route, other.candidate.route
    return mine is not None and theirs is not None and mine.overrides(theirs)

"""What a request could be: the operations that its marker, or its method and path, can mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from sandbox.errors import Unidentified
from sandbox.gateway.arrived import Arrived
from sandbox.gateway.bodies import FORM, read_form
from sandbox.gateway.routes import Route, Routes

_BUCKET_HOST = re.compile(
    r"(.+)\.(s3(?:express)?[.-](?!object-lambda)[a-z0-9.-]*amazonaws\.com[.a-z]*)"
)
_ACCESS_POINT_HOST = re.compile(
    r"([a-z0-9-]+)-([0-9]{12})\.s3-accesspoint(?:-fips)?(?:\.dualstack)?"
    r"\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?"
)
_ACCESS_POINT_LABEL = re.compile(r"([a-z0-9-]+)-([0-9]{12})")
_OTHER_ACCESS_POINT = re.compile(
    r".+-[0-9]{12}\.(?:s3-object-lambda|op-[a-z0-9]+\.s3-outposts)\..+"
)
_CBOR_PATH = re.compile(r"/service/([A-Za-z0-9_]+)/operation/([A-Za-z0-9_]+)")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One operation that a request could be."""

    service: str
    protocol: str
    operation: str
    route: Route | None = None
    """Of REST services only."""
    labels: Sequence[str] = ()
    """What stands in the path for the labels of `route`, as written."""
    fields: Mapping[str, str] | None = None
    """Of forms only: what the body says, without Action and Version."""


def could_be(routes: Routes, arrived: Arrived, region: str = "") -> Iterator[Candidate]:
    """Yield each operation of a service that a request may be, which is signed for `region`.

    Raises Unidentified, with what is wrong, when its protocol has a marker and names none.
    """
    if routes.rest:
        yield from _by_path(routes, arrived, region)
    elif routes.protocol == "smithy-rpc-v2-cbor":
        yield from _by_cbor_path(routes, arrived)
    else:
        by = _by_target if routes.protocol == "json" else _by_form
        candidate = by(routes, arrived)
        _check_said(candidate.operation, arrived)
        yield candidate


def _by_path(routes: Routes, arrived: Arrived, region: str) -> Iterator[Candidate]:
    if routes.service in ("s3", "s3control") and _OTHER_ACCESS_POINT.fullmatch(arrived.host):
        raise Unidentified(OTHER_ACCESS_POINT)
    buckets = _buckets(arrived, region) if routes.service == "s3" else [""]
    for bucket in buckets:
        path = f"/{bucket}{arrived.path}" if bucket else arrived.path
        for route, labels in routes.matching(arrived.method, path, arrived.query):
            if arrived.said_to_be in ("", route.operation):
                yield Candidate(routes.service, routes.protocol, route.operation, route, labels)


def _buckets(arrived: Arrived, region: str) -> list[str]:
    """Return what may stand in a host for a bucket, as a part of a path: its name, or an ARN."""
    if not arrived.label:
        return [_bucket(arrived.host)]
    point = _ACCESS_POINT_LABEL.fullmatch(arrived.label) if region else None
    return [arrived.label, _access_point(point[1], point[2], region)] if point else [arrived.label]


def _bucket(host: str) -> str:
    point = _ACCESS_POINT_HOST.fullmatch(host)
    if point is not None:
        return _access_point(point[1], point[2], point[3])
    bucket = _BUCKET_HOST.fullmatch(host)
    return bucket[1] if bucket else ""


def _access_point(name: str, account: str, region: str) -> str:
    china, gov = region.startswith("cn-"), region.startswith("us-gov-")
    partition = "aws-cn" if china else "aws-us-gov" if gov else "aws"
    return quote(f"arn:{partition}:s3:{region}:{account}:accesspoint/{name}", safe="")


def _by_cbor_path(routes: Routes, arrived: Arrived) -> Iterator[Candidate]:
    match = _CBOR_PATH.fullmatch(arrived.path)
    if match is None or match[1] != routes.marker or match[2] not in routes.operations:
        raise Unidentified(f"the path does not name an operation of {routes.service}")
    _check_said(match[2], arrived)
    yield Candidate(routes.service, routes.protocol, match[2])


def _by_target(routes: Routes, arrived: Arrived) -> Candidate:
    _check_plain(arrived)
    prefix, _, name = arrived.headers.get("x-amz-target", "").rpartition(".")
    if prefix != routes.marker:
        raise Unidentified(f"X-Amz-Target does not name an operation of {routes.service}")
    return Candidate(routes.service, routes.protocol, _known(name, routes))


def _by_form(routes: Routes, arrived: Arrived) -> Candidate:
    _check_plain(arrived)
    if arrived.headers.get("content-type") != FORM:
        raise Unidentified(
            f"the content type is {arrived.headers.get('content-type')!r}, "
            f"and this service takes {FORM!r}"
        )
    fields = read_form(arrived.body)
    name, version = fields.pop("Action", ""), fields.pop("Version", "")
    if version != routes.marker:
        raise Unidentified(
            f"the body is for version {version!r} of {routes.service}, "
            f"and only {routes.marker} is known"
        )
    return Candidate(routes.service, routes.protocol, _known(name, routes), fields=fields)


def _known(name: str, routes: Routes) -> str:
    if name not in routes.operations:
        raise Unidentified(f"{routes.service} has no operation {name!r}")
    return name


def _check_said(name: str, arrived: Arrived) -> None:
    if arrived.said_to_be not in ("", name):
        raise Unidentified(f"it is {name}, and its x-id says {arrived.said_to_be!r}")


def _check_plain(arrived: Arrived) -> None:
    """Refuse what no protocol that has a marker ever sends."""
    if arrived.method != "POST":
        raise Unidentified(
            f"the method is {arrived.method!r}; the protocol of this service uses POST"
        )
    if "content-encoding" in arrived.headers:
        raise Unidentified(COMPRESSED)
    if "?" in arrived.url:
        raise Unidentified("the URL has a query string; the protocol of this service has none")
    if arrived.path != "/":
        raise Unidentified("the path is not '/'; the protocol of this service has no other")


COMPRESSED = (
    "its body is compressed, so its parameters can't be read "
    "(set AWS_DISABLE_REQUEST_COMPRESSION=true) (content-encoding)"
)
OTHER_ACCESS_POINT = (
    "access points of S3 Object Lambda and of Outposts are not supported: AWS asks for permissions "
    "of their own (s3-object-lambda:..., s3-outposts:...), and the call would be judged by those "
    "of S3; name the bucket, or an ordinary access point"
)

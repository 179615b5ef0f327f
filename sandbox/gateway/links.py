"""Links that a script presigned and follows itself: taken back to the ordinary call that they are.

A link says in its query what a header says otherwise: with which key, when, for which region and
service it was signed. That is checked as AWS checks it (signature, time, host, headers), taken out
of the query, and said in a header. What is left is read, judged, recorded and made anew like every
other call, so a link can do nothing that its call could not do.

Only SigV4, and only the run's own key, whose secret is no secret: the signature shows that a link
was not changed or mixed up, not who made it. No link is made here that would work elsewhere.
"""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Mapping
from hmac import compare_digest
from time import strptime
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from sandbox.errors import Unidentified
from sandbox.gateway.arrived import Headers
from sandbox.job import SCRIPT_SECRET

_ALGORITHM = "AWS4-HMAC-SHA256"
_NEEDED = {
    "X-Amz-Algorithm": re.compile(_ALGORITHM),
    "X-Amz-Credential": re.compile(
        r"[A-Za-z0-9_]{1,128}/[0-9]{8}/[a-z0-9-]{1,63}/[A-Za-z0-9-]{1,63}/aws4_request"
    ),
    "X-Amz-Date": re.compile(r"[0-9]{8}T[0-9]{6}Z"),
    "X-Amz-Expires": re.compile(r"[1-9][0-9]{0,5}"),
    "X-Amz-Signature": re.compile(r"[0-9a-f]{64}"),
    "X-Amz-SignedHeaders": re.compile(r"[a-z0-9-]+(?:;[a-z0-9-]+)*"),
}
_OF_SOME = {"X-Amz-Content-Sha256": re.compile("UNSIGNED-PAYLOAD")}
"""What the JavaScript SDK says in so many words, and boto3 only means."""
_FORM = re.compile(r"https?://[A-Za-z0-9._:-]+/.*")
"""A host without brackets: botocore's signer breaks on those."""
_MOST_SECONDS = 7 * 24 * 60 * 60
_SKEW_SECONDS = 15 * 60
_TIME = "%Y%m%dT%H%M%SZ"
_EVERYWHERE = "s3.amazonaws.com"
"""The host, or its end, to which boto3 has links of S3 lead, whatever their region."""


class _Link(NamedTuple):
    """A link taken apart; all that its signature says, by the names in the query."""

    url: str
    """Without the query parameters of the signature."""
    said: Mapping[str, str]


def is_link(url: str) -> bool:
    """Tell whether a URL is signed itself."""
    return "X-Amz-Signature=" in url


def without_link(
    method: str, url: str, headers: Headers, body: bytes, now: float
) -> tuple[str, Headers]:
    """Return URL and headers of the ordinary call that a link is; `now` in seconds since 1970.

    Raises Unidentified, with the reason, for a link that AWS would not take from the run's key.
    """
    named = {name.lower(): value for name, value in headers}
    if _FORM.fullmatch(url) is None:
        raise _refused("it is no http URL with the name of a host")
    if "authorization" in named:
        raise _refused("the request is signed in its headers, too")
    link = _taken_apart(url)
    said = link.said
    _check_time(said, now)
    signed = _signed_headers(said["X-Amz-SignedHeaders"], named)
    wanted = _signature(method, url, signed, body, said)
    if not compare_digest(wanted, said["X-Amz-Signature"]):
        raise _refused("it is not what was signed, or not with the key of this run")
    authorization = (
        f"{_ALGORITHM} Credential={said['X-Amz-Credential']}, "
        f"SignedHeaders={said['X-Amz-SignedHeaders']}, Signature={wanted}"
    )
    _, _, region, service, _ = said["X-Amz-Credential"].split("/")
    host = urlsplit(url).netloc
    if named.get("host") != host:
        raise _refused("the Host header names another host")
    if service == "s3" and f".{host}".endswith(f".{_EVERYWHERE}"):
        at_home = host.removesuffix("amazonaws.com") + f"{region}.amazonaws.com"
        link = link._replace(url=link.url.replace(f"//{host}", f"//{at_home}", 1))
        headers = [(name, at_home if name.lower() == "host" else text) for name, text in headers]
    return link.url, [*headers, ("Authorization", authorization)]


def _taken_apart(url: str) -> _Link:
    address, _, query = url.partition("?")
    said: dict[str, str] = {}
    left = []
    for part in query.split("&"):
        name, _, text = part.partition("=")
        form = _NEEDED.get(name) or _OF_SOME.get(name)
        if form is None:
            left.append(part)
        elif name in said:
            raise _refused(f"{name} is there more than once")
        elif form.fullmatch(unquote(text)) is None:
            raise _refused(f"its {name} is not one of SigV4 as boto3 writes it")
        else:
            said[name] = unquote(text)
    missing = _NEEDED.keys() - said.keys()
    if missing:
        raise _refused(f"{min(missing)} is missing")
    return _Link("?".join([address, "&".join(left)] if left else [address]), said)


def _check_time(said: Mapping[str, str], now: float) -> None:
    try:
        begins = timegm(strptime(said["X-Amz-Date"], _TIME))
    except ValueError as error:
        raise _refused("its X-Amz-Date is no time") from error
    seconds = int(said["X-Amz-Expires"])
    if said["X-Amz-Credential"].split("/")[1] != said["X-Amz-Date"][:8]:
        raise _refused("its X-Amz-Date is of another day than its X-Amz-Credential")
    if seconds > _MOST_SECONDS:
        raise _refused("it is made for more than seven days")
    if now < begins - _SKEW_SECONDS:
        raise _refused("its time has not come yet")
    if now > begins + seconds:
        raise _refused("it has expired")


def _signed_headers(names: str, sent: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that a link is signed with; all of AWS's own have to be among them."""
    signed = names.split(";")
    missing = [name for name in signed if name not in sent]
    if missing or "host" not in signed:
        raise _refused(f"it is signed with the header {(missing or ['host'])[0]}, which is missing")
    unsigned = [name for name in sent if name.startswith("x-amz-") and name not in signed]
    if unsigned:
        raise _refused(f"the header {unsigned[0]} is not signed with it")
    return {name: sent[name] for name in signed}


def _signature(
    method: str, url: str, headers: Mapping[str, str], body: bytes, said: Mapping[str, str]
) -> str:
    """Return what botocore signs a request with that has `headers`, at the time and place said."""
    from botocore.auth import S3SigV4QueryAuth, SigV4QueryAuth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import ReadOnlyCredentials

    access_key, _, region, service, _ = said["X-Amz-Credential"].split("/")
    signer = S3SigV4QueryAuth if service.startswith("s3") else SigV4QueryAuth
    auth = signer(ReadOnlyCredentials(access_key, SCRIPT_SECRET, None), service, region)
    unsigned = url.replace(f"&X-Amz-Signature={said['X-Amz-Signature']}", "", 1)
    request = AWSRequest(method=method, url=unsigned, headers=headers, data=body)
    request.context["timestamp"] = said["X-Amz-Date"]
    if auth.signed_headers(auth.headers_to_sign(request)) != said["X-Amz-SignedHeaders"]:
        raise _refused("its X-Amz-SignedHeaders is not one of SigV4 as boto3 writes it")
    text = auth.string_to_sign(request, auth.canonical_request(request))
    return str(auth.signature(text, request))


def _refused(why: str) -> Unidentified:
    return Unidentified(f"the link (a presigned URL) is refused: {why}; make the call itself")

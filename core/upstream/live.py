"""The upstream that is AWS: judged calls go out with the operator's credentials.

One call is one request, built new from the call and signed here; the script's own client decides
about another. There are no retries, and no redirects but one: S3 says in which region a bucket
lies, and the call is made there when the approved policy allows it in that region.

Answers come back as they are, throttling and its headers included. Those of operations that stream
are handed on as they arrive; all others are held in memory, up to a bound.

It does not know what an approval says: it is made with the keys of the approved caller
(`core.credentials.Operator`) and with the judge of the approved policy.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

from core.credentials import Operator
from core.upstream.cells import Cells
from core.upstream.clock import clock_offset, skew_told
from core.upstream.wire import Wire
from sandbox.gateway.rebuild import Rebuilder
from sandbox.gateway.services import streams
from sandbox.job import OPERATOR, AwsCall, Credentials, Response, Verdict

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest

_MOVED = (301, 302, 307, 400)
_BUCKET_REGION = "x-amz-bucket-region"
_REGION_TOLD = re.compile(rb"<Region>([a-z0-9-]{5,32})</Region>")
_PLAIN_BUCKET = re.compile(r"[A-Za-z0-9._-]{3,255}")
_MOST_BUCKETS = 1000
_REFUSED = (400, 401, 403)
_ABOUT_KEYS = frozenset(
    {
        *("ExpiredToken", "ExpiredTokenException", "RequestExpired", "RequestTimeTooSkewed"),
        *("IncompleteSignature", "IncompleteSignatureException", "InvalidSignatureException"),
        *("InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException"),
        *("SignatureDoesNotMatch", "TokenRefreshRequired"),
    }
)
"""Errors about how a request was signed. S3's quote the request with its session token, so they
stop here."""
_CODE = re.compile(
    rb"""<Code>([A-Za-z.]+)</Code> | "(?:__type|code)"\s*:\s*"(?:[^"#]*\#)?([A-Za-z.]+)""",
    re.VERBOSE,
)

Judge = Callable[[AwsCall], Verdict]
"""Judges a call by the approved policy: an `Authorize`."""
Principals = Callable[[str], Credentials]
"""Returns the keys of an identity that a run got credentials of; raises ValueError."""


class Live:
    """Sends calls to AWS; threads may share it."""

    def __init__(
        self,
        operator: Operator,
        wire: Wire,
        judge: Judge,
        principals: Principals | None = None,
    ) -> None:
        """Several may share one `wire`, which outlives them.

        `principals` knows the keys of everybody but the operator; None = there is nobody.
        """
        found = operator.found
        self._operator = operator
        self._judge = judge
        self._principals = principals
        self._wire = wire
        self._rebuilder = Rebuilder(
            self._credentials_of, dualstack=found.dualstack, fips=found.fips
        )
        self._homes = _Homes()
        self._cells = Cells()
        self.told = found.told
        """What the operator should know of how AWS itself holds to the approved policy."""

    def send(self, call: AwsCall) -> Response:
        """Return AWS's answer; raises ValueError when nothing was sent or no answer came."""
        known = self._moved(call, self._homes.get(call))
        response = self._once(known or call)
        home = home_of(call, response)
        if home is None:
            return response
        moved = self._moved(known or call, home)
        if moved is None:
            return response
        self._homes.put(call, home)
        return self._once(moved)

    def _moved(self, call: AwsCall, region: str | None) -> AwsCall | None:
        """Return the call in another region, None when there is none or it is not allowed there."""
        if region is None or region == call.region:
            return None
        moved = replace(call, region=region)
        return moved if self._judge(moved).allowed else None

    def _once(self, call: AwsCall) -> Response:
        def transport(request: AWSPreparedRequest) -> Response:
            return self._wire.send(request, streams=streams(call.service, call.operation))

        response = self._rebuilder.send(call, transport, self._cells.host_for(call))
        if response.status in _REFUSED:
            self._check_error(call, response)
        return self._cells.told(call, response)

    def _check_error(self, call: AwsCall, response: Response) -> None:
        """Raise ValueError for an error about our signature, or one that quotes our keys."""
        code = code_of(response)
        keys = self._credentials_of(call.principal)
        quoted = (keys.access_key, keys.secret_key, keys.token)
        if code in _ABOUT_KEYS:
            told = skew_told(clock_offset(response.headers))
            why = f"{told}; set the clock (timedatectl set-ntp true)" if told else "renew them"
            raise ValueError(f"AWS does not accept how it was signed, or the keys ({code}): {why}")
        if any(each and each.encode() in response.body for each in quoted):
            raise ValueError(f"AWS refused it ({code}), and its answer quotes the keys")

    def _credentials_of(self, principal: str) -> Credentials:
        if principal == OPERATOR:
            return self._operator.credentials()
        if self._principals is None:
            raise ValueError(f"there are no credentials of {principal}")
        return self._principals(principal)


def code_of(response: Response) -> str:
    """Return the code of an error in any of AWS's shapes, empty where there is none."""
    named = {name.lower(): value for name, value in response.headers.items()}
    if "x-amzn-errortype" in named:
        return named["x-amzn-errortype"].partition(":")[0]
    found = _CODE.search(response.body)
    return "" if found is None else (found.group(1) or found.group(2)).decode("ascii")


def home_of(call: AwsCall, response: Response) -> str | None:
    """Return the region that S3 says the call's bucket lies in, None when it does not say."""
    if call.service != "s3" or _bucket(call) is None or response.status not in _MOVED:
        return None
    named = {name.lower(): value for name, value in response.headers.items()}
    told = _REGION_TOLD.search(response.body)
    return named.get(_BUCKET_REGION) or (told.group(1).decode("ascii") if told else None)


def _bucket(call: AwsCall) -> str | None:
    """Return the plain name of the bucket in a call; one behind an ARN is where the ARN says."""
    name = call.parameters.get("Bucket")
    return name if isinstance(name, str) and _PLAIN_BUCKET.fullmatch(name) else None


class _Homes:
    """Where buckets lie, as S3 said; bounded, the longest unused one is forgotten first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._regions: OrderedDict[str, str] = OrderedDict()

    def get(self, call: AwsCall) -> str | None:
        """Return the region of a call's bucket, None when it is not known."""
        bucket = _bucket(call) if call.service == "s3" else None
        with self._lock:
            if bucket is None or bucket not in self._regions:
                return None
            self._regions.move_to_end(bucket)
            return self._regions[bucket]

    def put(self, call: AwsCall, region: str) -> None:
        """Remember the region of a call's bucket."""
        bucket = _bucket(call)
        if bucket is None:
            return
        with self._lock:
            self._regions[bucket] = region
            self._regions.move_to_end(bucket)
            if len(self._regions) > _MOST_BUCKETS:
                self._regions.popitem(last=False)

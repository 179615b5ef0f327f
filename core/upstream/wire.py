"""Takes a finished request to AWS over TLS and brings the answer back, byte by byte as it is.

botocore's HTTP session does it: verified TLS, the proxies of the environment, kept connections; or
`direct`, where there is no proxy and the answer is no stream. No
host is contacted that is not AWS's in the partition that was approved, whatever a request says.

Bodies are neither unpacked nor decoded. An answer that is shorter than it said it would be is no
answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from socket import IPPROTO_TCP, TCP_NODELAY, gaierror
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from core.upstream.answers import MOST_BODY
from core.upstream.direct import (
    CONNECT_SECONDS,
    MOST_CONNECTIONS,
    READ_SECONDS,
    Direct,
    trusting,
)
from sandbox.job import Response

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest
    from botocore.httpsession import URLLib3Session

SUFFIXES: Mapping[str, tuple[str, ...]] = {
    "aws": (".amazonaws.com", ".api.aws"),
    "aws-cn": (".amazonaws.com.cn", ".api.amazonwebservices.com.cn"),
    "aws-us-gov": (".amazonaws.com", ".api.aws"),
    "aws-iso": (".c2s.ic.gov", ".api.aws.ic.gov"),
    "aws-iso-b": (".sc2s.sgov.gov", ".api.aws.scloud"),
    "aws-iso-e": (".cloud.adc-e.uk", ".api.cloud-aws.adc-e.uk"),
    "aws-iso-f": (".csp.hci.ic.gov", ".api.aws.hci.ic.gov"),
    "aws-eusc": (".amazonaws.eu", ".api.amazonwebservices.eu"),
}
"""How the names of a partition's hosts end; as botocore's partitions.json has it."""

_PIECE = 64 * 1024
_OK = 300
_NO_BODY = (204, 304)


class Wire:
    """Connections to the hosts of one partition; threads may share it."""

    def __init__(self, partition: str, ca_bundle: str) -> None:
        """`ca_bundle` names a file of trusted authorities; empty: those of botocore.

        The proxies are those of the environment now. Raises ValueError for a partition that is not
        known.
        """
        from urllib.request import getproxies

        if partition not in SUFFIXES:
            raise ValueError(f"the partition {partition!r} is not known")
        self._suffixes = SUFFIXES[partition]
        proxies = getproxies()
        self._proxies = bool(proxies)
        self._through, self._streaming = (_session(ca_bundle, each) for each in (proxies, {}))
        self._direct = Direct(trusting(ca_bundle))

    def send(self, request: AWSPreparedRequest, *, streams: bool) -> Response:
        """Return the answer; with `streams`, one that succeeds is handed on as it arrives.

        Raises ValueError when nothing was sent or no whole answer came.
        """
        from botocore.exceptions import BotoCoreError
        from botocore.utils import get_environ_proxies

        host = self._checked(request.url)
        proxied = self._proxies and get_environ_proxies(request.url)  # NO_PROXY has a say
        if not (proxied or streams or "expect" in request.headers):
            return self._direct.send(request)
        request.stream_output = True  # what is not a stream is read below, and bounded
        try:
            answer = (self._through if proxied else self._streaming).send(request)
        except BotoCoreError as error:
            raise ValueError(_explained(error, host)) from error
        headers = dict(answer.headers)
        if streams and answer.status_code < _OK:
            body = Download(answer.raw, host, _length(request, answer.status_code, headers))
            return Response(answer.status_code, headers, b"", stream=body)
        return Response(answer.status_code, headers, _whole(request, answer, headers, host))

    def close(self) -> None:
        """Close the connections that are kept; those in use close when they are let go of."""
        self._through.close()
        self._streaming.close()
        self._direct.close()

    def _checked(self, url: str) -> str:
        """Return the host of a URL that may be contacted; raises ValueError."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme != "https" or parts.port not in (None, 443):
            raise ValueError(f"{host} would not be reached by HTTPS")
        if not host.endswith(self._suffixes):
            raise ValueError(f"{host} is not a host of AWS in this partition")
        return host


class Download(Iterator[bytes]):
    """The body of an answer as it arrives. Raises OSError when it breaks off; close it."""

    def __init__(self, raw: Any, host: str, length: int | None) -> None:
        """`length` is how many bytes were announced; None = that was left open."""
        self._raw = raw
        self._host = host
        self._left = length
        self._over = False

    def __next__(self) -> bytes:
        """Return what has arrived, at most 64 KiB at a time."""
        # urllib3's errors, by the names that botocore's session has for them
        from botocore.httpsession import ProtocolError, URLLib3ReadTimeoutError, URLLib3SSLError

        if self._over:
            raise StopIteration
        try:
            piece: bytes = self._raw.read1(_PIECE, decode_content=False)
        except (ProtocolError, URLLib3ReadTimeoutError, URLLib3SSLError) as error:
            self.close()
            raise OSError(f"{self._host} broke off: {type(error).__name__}") from error
        if self._left is not None:
            self._left -= len(piece)
        if piece:
            return piece
        if self._left:
            self.close()
            raise OSError(f"{self._host} broke off {self._left} bytes before the end")
        self._over = True
        self._raw.release_conn()
        raise StopIteration

    def close(self) -> None:
        """Let go of the connection; what was not read is lost. May be called again."""
        if not self._over:
            self._over = True
            with suppress(OSError):
                self._raw.close()
            self._raw.release_conn()


def _session(ca_bundle: str, proxies: Mapping[str, str]) -> URLLib3Session:
    """Return what sends through proxies, or directly where there are none."""
    from botocore.httpsession import URLLib3Session

    return URLLib3Session(
        verify=ca_bundle or True,
        proxies=dict(proxies),
        timeout=(CONNECT_SECONDS, READ_SECONDS),
        max_pool_connections=MOST_CONNECTIONS,
        # Head and body leave in two writes; with delayed acknowledgements that costs 40 ms.
        socket_options=[(IPPROTO_TCP, TCP_NODELAY, 1)],
    )


def _length(request: AWSPreparedRequest, status: int, headers: Mapping[str, str]) -> int | None:
    """Return how many bytes of body an answer announces, None when it leaves that open."""
    if request.method == "HEAD" or status in _NO_BODY:
        return 0
    named = {name.lower(): value for name, value in headers.items()}
    told = named.get("content-length", "")
    return int(told) if told.isdecimal() and "transfer-encoding" not in named else None


def _whole(
    request: AWSPreparedRequest, answer: Any, headers: Mapping[str, str], host: str
) -> bytes:
    """Return a whole body; raises ValueError when it breaks off or is too long."""
    download = Download(answer.raw, host, _length(request, answer.status_code, headers))
    body = bytearray()
    try:
        for piece in download:
            body += piece
            if len(body) > MOST_BODY:
                raise ValueError(f"the answer of {host} is larger than {MOST_BODY} bytes")
    except OSError as error:
        raise ValueError(f"{error}; whether the call was carried out is not known") from error
    finally:
        download.close()
    return bytes(body)


def _explained(error: Exception, host: str) -> str:
    """Return what went wrong on the way, in a sentence without what others said."""
    from botocore import exceptions as kinds

    cause = getattr(error, "kwargs", {}).get("error")
    hung_up = isinstance(getattr(cause, "original_error", None), ConnectionError)
    match error:
        case kinds.ProxyConnectionError() if not hung_up:
            return f"the proxy did not let us through to {host} (HTTPS_PROXY)"
        case kinds.SSLError():
            return (
                f"the TLS certificate of {host} is not signed by an authority that is trusted "
                "(AWS_CA_BUNDLE)"
            )
        case kinds.EndpointConnectionError():
            if isinstance(getattr(cause, "__cause__", None), gaierror):
                return f"the name {host} can't be resolved (DNS)"
            return f"{host} can't be reached: the connection was refused"
        case kinds.ConnectTimeoutError():
            return f"{host} did not take the connection within {CONNECT_SECONDS} s"
        case kinds.ReadTimeoutError():
            return (
                f"{host} did not answer within {READ_SECONDS} s; "
                "whether the call was carried out is not known"
            )
        case kinds.ConnectionClosedError() | kinds.ProxyConnectionError():
            return (
                f"{host} closed the connection before it answered; "
                "whether the call was carried out is not known"
            )
        case _:
            return f"{host} could not be asked ({type(error).__name__})"

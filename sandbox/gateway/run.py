"""Answers the requests of one run: identify, judge, put on record, send, tell, answer.

`Run` knows no sockets: it turns a request into a response and hands each `Called` to `tell`, which
must have passed it on before the script gets its answer. An answer that is streamed is told when it
has ended. A call whose intent must be on disk first waits in `intend`. When telling fails the run
is over, since nothing may be forwarded that nobody records.

Requests are numbered as they arrive, refused ones included; calls in flight at the same time may be
told out of order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from threading import Condition, Lock
from time import monotonic, time

from sandbox.errors import Unanswered, Unidentified
from sandbox.gateway.deny import denial
from sandbox.gateway.identify import Headers, identify, scope_of
from sandbox.gateway.links import is_link, without_link
from sandbox.gateway.passing import Passing
from sandbox.job import AwsCall, Called, Response, Tier, Upstream, Verdict

UNKNOWN_TIER: Tier = 4
"""An operation that nobody could identify counts as a change."""

_MOST_REASON = 1000
_REFUSALS_TOLD = 100
_REQUEST_IDS = ("x-amzn-requestid", "x-amz-request-id")

Intend = Callable[[int, AwsCall, Verdict], None]
"""Returns when the intent of a call is on disk; raises OSError or ValueError when it is not."""


@dataclass(frozen=True, slots=True)
class RunPorts:
    """What the gateway needs to answer the calls of one run."""

    authorize: Callable[[AwsCall], Verdict]
    """An `Authorize`: synchronous, pure, never raises."""
    upstream: Upstream
    principal_of: Callable[[str], str | None]
    """In whose name a request is made, by the access key id it is signed with; None = refused."""
    aws_calls: int
    """Requests that are answered; later ones are denied."""
    aws_bytes: int
    """Bytes of responses that are handed over; what goes beyond is denied, or cut off."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, read but not understood. `problem` says why it is not even proper HTTP."""

    method: str
    url: str
    headers: Headers
    body: bytes | None
    """None = not asked for yet: such a request can only be denied."""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a request came to; `cost` is that of a call without an answer."""

    call: AwsCall | None
    verdict: Verdict
    response: Response | None = None
    cost: int = 0


class RunOver(Exception):
    """The run takes no more requests: they can't be recorded, or there were far too many."""


class Run:
    """The calls of one run; threads may share it."""

    def __init__(self, ports: RunPorts, tell: Callable[[Called], None], intend: Intend) -> None:
        """`tell` raises OSError when nobody listens any more."""
        self._ports = ports
        self._tell = tell
        self._intend = intend
        self._lock = Lock()
        self._settled = Condition(self._lock)
        self._arrived = 0
        self._untold: set[int] = set()
        self._handed_over = 0
        self._over = False
        self._passing: dict[Passing, Called] = {}

    def denies(self, request: Request) -> bool:
        """Tell whether the call is denied already, before its body is asked for."""
        try:
            return not self._ports.authorize(self._identify(request)).allowed
        except Unidentified:
            return False

    @contextmanager
    def answer(self, request: Request) -> Iterator[Response]:
        """Give what the script gets; raises RunOver when it gets nothing.

        A stream is to be read within the block, whose end is the end of the call.
        """
        started = monotonic()
        number = self._arrival()
        try:
            request = _ordinary(request)
            outcome = self._judge_and_send(number, request)
            verdict, response = outcome.verdict, outcome.response
            sent = response if verdict.allowed else None
            answer = sent or denial(verdict.reason, request.headers)
            called = Called(
                number=number,
                call=outcome.call,
                verdict=verdict,
                status=answer.status,
                request_id=_request_id(answer),
                ms=round((monotonic() - started) * 1000),
                response=response,
                cost=outcome.cost,
            )
            if answer.stream is None:
                self._record(called)
                yield answer
            else:
                with self._following(called, answer) as passing:
                    yield replace(answer, stream=passing)
        finally:
            self._settle(number)

    def end(self, seconds: float) -> None:
        """Send nothing any more; return when every call is told, after so many seconds at most.

        What is still being streamed ends here: nobody waits until AWS says its next word.
        """
        with self._lock:
            self._over = True
            passing = list(self._passing)
        for each in passing:
            each.end("the run ended before the answer did")
            with suppress(RunOver):
                self._tell_of(each)
        with self._settled:
            self._settled.wait_for(lambda: not self._untold, seconds)

    # -------------------------------------------------------------- telling
    @contextmanager
    def _following(self, called: Called, answer: Response) -> Iterator[Passing]:
        passing = Passing(answer, self._fits, self._bytes_used_up())
        with self._lock:
            self._passing[passing] = called
        try:
            with closing(passing):
                yield passing
        finally:
            self._tell_of(passing)

    def _tell_of(self, passing: Passing) -> None:
        """Record an answer that was streamed, once."""
        with self._lock:
            called = self._passing.pop(passing, None)
        if called is not None:
            verdict = _ended(called.verdict, passing)
            self._record(replace(called, verdict=verdict, response=passing.told()))

    def _record(self, called: Called) -> None:
        try:
            self._tell(called)
        except OSError as error:
            with self._lock:
                self._over = True
            raise RunOver from error
        finally:
            self._settle(called.number)

    def _arrival(self) -> int:
        with self._lock:
            if self._over or self._arrived >= self._ports.aws_calls + _REFUSALS_TOLD:
                raise RunOver
            self._arrived += 1
            self._untold.add(self._arrived)
            return self._arrived

    def _settle(self, number: int) -> None:
        with self._settled:
            self._untold.discard(number)
            self._settled.notify_all()

    # -------------------------------------------------------------- deciding
    def _judge_and_send(self, number: int, request: Request) -> _Outcome:
        try:
            call = self._identify(request)
        except Unidentified as error:
            return _Outcome(None, _refusal(error.reason))
        verdict = self._judge(number, call, request)
        if not verdict.allowed:
            return _Outcome(call, verdict)
        try:
            response = self._ports.upstream.send(call)
        except ValueError as error:
            cost = error.cost if isinstance(error, Unanswered) else 0
            return _Outcome(call, _but(verdict, f"not sent: {error}"), cost=cost)
        if not self._fits(len(response.body)):
            return _Outcome(call, self._withheld(verdict), _held_back(response))
        return _Outcome(call, verdict, response)

    def _identify(self, request: Request) -> AwsCall:
        if request.problem:
            raise Unidentified(request.problem)
        call = identify(request.method, request.url, request.headers, request.body or b"")
        principal = self._ports.principal_of(scope_of(request.headers).access_key)
        if principal is None:
            raise Unidentified("the request is signed with another key than the one of this run")
        return replace(call, principal=principal)

    def _judge(self, number: int, call: AwsCall, request: Request) -> Verdict:
        verdict = self._ports.authorize(call)
        if not verdict.allowed:
            return _but(verdict, verdict.reason)
        if request.body is None:
            return _but(verdict, "the body of the request was not read")
        if number > self._ports.aws_calls:
            return _but(verdict, f"the run's limit aws_calls ({self._ports.aws_calls}) is used up")
        if self._handed_over >= self._ports.aws_bytes:
            return _but(verdict, self._bytes_used_up())
        return self._on_record(number, call, verdict)

    def _on_record(self, number: int, call: AwsCall, verdict: Verdict) -> Verdict:
        """Return the verdict once the call may be sent, or else as a denial."""
        if verdict.durable_first:
            try:
                self._intend(number, call, verdict)
            except (OSError, ValueError) as error:
                return _but(verdict, f"not sent: its intent is not on disk: {error}")
        with self._lock:
            return _but(verdict, "not sent: the run has ended") if self._over else verdict

    def _fits(self, size: int) -> bool:
        with self._lock:
            self._handed_over += size
            return self._handed_over <= self._ports.aws_bytes

    def _withheld(self, verdict: Verdict) -> Verdict:
        return _but(verdict, f"the answer is withheld: {self._bytes_used_up()}")

    def _bytes_used_up(self) -> str:
        return f"the run's limit aws_bytes ({self._ports.aws_bytes}) is used up"


def _ordinary(request: Request) -> Request:
    """Return the request that a link stands for, and any other as it is."""
    if request.problem or not is_link(request.url):
        return request
    try:
        url, headers = without_link(
            request.method, request.url, request.headers, request.body or b"", time()
        )
    except Unidentified as error:
        return replace(request, problem=error.reason)
    return replace(request, url=url, headers=headers)


def _refusal(reason: str) -> Verdict:
    return Verdict(allowed=False, reason=reason[:_MOST_REASON], tier=UNKNOWN_TIER, action="")


def _but(verdict: Verdict, reason: str) -> Verdict:
    """Return the same verdict as a denial."""
    return replace(verdict, allowed=False, reason=reason[:_MOST_REASON])


def _ended(verdict: Verdict, passing: Passing) -> Verdict:
    """Return the verdict of a call whose answer was streamed, and did not reach its end perhaps."""
    if passing.cut_off:
        return _but(verdict, passing.problem)
    if passing.problem:
        return replace(verdict, reason=f"{verdict.reason}; {passing.problem}"[:_MOST_REASON])
    return verdict


def _held_back(response: Response) -> Response:
    """Return what is recorded of an answer that is not handed over; a stream is let go."""
    close = getattr(response.stream, "close", None)
    if close is not None:
        with suppress(OSError):
            close()
    return replace(response, stream=None)


def _request_id(response: Response) -> str:
    named = {name.lower(): value for name, value in response.headers.items()}
    return next((named[name] for name in _REQUEST_IDS if name in named), "")

"""What a script prints, cut at line ends so that a secret is never torn apart before redaction.

Of a stream that is too long the middle is missing (see `sandbox.engines.output`). Such a gap is an
event of its own, without text, so that whoever shows events has nothing to remember: `dropped` of
any other event says how much is missing before it, and stays the same until the next gap.

A line longer than `MOST_HELD` is passed on in pieces; a secret that spans such a cut, a gap or
several lines, is only found in parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from core.events import RunOutput
from sandbox.job import Output

MOST_HELD = 64 * 1024


@dataclass(slots=True)
class _Held:
    """The unfinished last line of a stream."""

    data: bytes = b""
    offset: int = 0
    dropped: int = 0


@dataclass(slots=True)
class Lines:
    """Turns the stretches of one run's output into redacted `run.output` events."""

    run: str
    redact: Callable[[str], str]
    _held: dict[Literal["stdout", "stderr"], _Held] = field(default_factory=dict)

    def add(self, output: Output) -> Iterator[RunOutput]:
        """Yield the gap before `output`, if there is one, and the whole lines it completes."""
        held = self._held.setdefault(output.stream, _Held(offset=output.offset))
        if output.dropped > held.dropped:
            yield from self._rest(output.stream)
            held.offset, held.dropped = output.offset, output.dropped
            yield RunOutput(self.run, output.stream, output.offset, "", output.dropped)
        held.data += output.data
        cut = held.data.rfind(b"\n") + 1
        if not cut and len(held.data) > MOST_HELD:
            cut = len(held.data)
        if cut:
            yield self._event(output.stream, held, cut)

    def rest(self) -> Iterator[RunOutput]:
        """Yield what is left when the run has ended."""
        for stream in self._held:
            yield from self._rest(stream)

    def _rest(self, stream: Literal["stdout", "stderr"]) -> Iterator[RunOutput]:
        held = self._held[stream]
        if held.data:
            yield self._event(stream, held, len(held.data))

    def _event(self, stream: Literal["stdout", "stderr"], held: _Held, cut: int) -> RunOutput:
        text = self.redact(held.data[:cut].decode("utf-8", errors="replace"))
        event = RunOutput(self.run, stream, held.offset, text, held.dropped)
        held.data, held.offset = held.data[cut:], held.offset + cut
        return event

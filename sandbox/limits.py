"""What one run may use. Integers only (milliseconds, bytes), since limits are part of a digest."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one run; each that is hit is named by its field name where we can know of it.

    Three end the run and are its result's `limit`: `wall_ms`, `cpu_ms` and `run_memory_bytes`. A
    work folder that was left full is named in `problems`, a refused call in its reason, dropped
    output by its count. Of the others only the script learns, by an error of its own: MemoryError
    for `memory_bytes`, EAGAIN for `processes`, EMFILE for `descriptors`.
    """

    wall_ms: int = 30_000
    """From start to forced end."""
    cpu_ms: int = 30_000
    """Processor time of one process; the kernel counts whole seconds, so it is rounded up."""
    memory_bytes: int = 1024 * MEBIBYTE
    """Address space of one process."""
    run_memory_bytes: int = 1536 * MEBIBYTE
    """Memory of all processes together; looked at every 100 ms (see `sandbox.engines.memory`)."""
    processes: int = 32
    """Processes and threads of the run."""
    descriptors: int = 128
    """Open files and sockets of one process."""
    work_bytes: int = 64 * MEBIBYTE
    """Everything in /job together; also the largest single file, and all that is taken out."""
    files: int = 1000
    """Files and folders in /job together, what we put there included."""
    output_bytes: int = MEBIBYTE
    """Kept of stdout and stderr, each: half at the beginning, half at the end. What lies between
    is dropped and counted, never a kill."""
    result_bytes: int = 4 * MEBIBYTE
    """The largest result.json that is taken out."""
    aws_calls: int = 200
    """AWS calls that the gateway answers; later ones are refused."""
    aws_bytes: int = 32 * MEBIBYTE
    """Bytes of AWS responses that the gateway hands over; later calls are refused."""

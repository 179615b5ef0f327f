"""How long `countersign --help` takes, in starts of an empty Python.

Both are started in turn, so that whatever else the machine does slows both down; the medians are
compared. Fails when the ratio is over the bar: something heavy is then imported at the start.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from benchmarks.page import Bar, Found, arguments, report, rows

ROUNDS = 21
EMPTY = [sys.executable, "-c", "pass"]
HELP = [str(Path(sys.executable).parent / "countersign"), "--help"]

START = Bar("`countersign --help`, in starts of an empty Python", 5.0, digits=1)
START_EMPTY = Bar("an empty Python", None, "ms", 0)
BARS = (START, START_EMPTY)


def main() -> int:
    """Measure, tell, and return 1 when the bar is missed."""
    options = arguments(__doc__)
    for argv in (EMPTY, HELP):
        _milliseconds(argv)  # once unmeasured: files into the cache, bytecode onto the disk
    pairs = [(_milliseconds(EMPTY), _milliseconds(HELP)) for _ in range(ROUNDS)]
    empty, help_ = (median(column) for column in zip(*pairs, strict=True))
    values = {START.what: help_ / empty, START_EMPTY.what: empty}
    found = Found("bench_start", "start", rows(BARS, values))
    return int(report(found, BARS, values, options) > 0)


def _milliseconds(argv: list[str]) -> float:
    environment = {key: value for key, value in os.environ.items() if key[:6] != "PYTHON"}
    begin = time.perf_counter()
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, env=environment)
    return (time.perf_counter() - begin) * 1000


if __name__ == "__main__":
    sys.exit(main())

"""Looks at processes while they work, and sums up what several rounds have shown."""

import contextlib
import math
import os
import statistics
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psutil
from msgspec import Struct

SAMPLE_SECONDS: Final = 0.02
FAMILY_SECONDS: Final = 0.2
MB: Final = 1e6


class Memory(Struct):
    """Peaks in bytes: what a process and its children hold together (PSS), what it maps (RSS)."""

    pss: int = 0
    rss: int = 0


class MemoryWatch:
    """Samples the memory of a process and all its children, in a thread, for its peak.

    PSS counts a page that several processes share in parts, so that a sum over them is true.
    """

    def __init__(self, pid: int) -> None:
        self.peak = Memory()
        self._process = psutil.Process(pid)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        own, family, next_look = self._process.pid, [self._process.pid], 0.0
        while not self._stop.wait(SAMPLE_SECONDS):
            if (now := time.monotonic()) > next_look:
                family = [own, *self._children()]
                next_look = now + FAMILY_SECONDS
            shares = {pid: memory_of(pid) for pid in family}
            self.peak.pss = max(self.peak.pss, sum(share.pss for share in shares.values()))
            self.peak.rss = max(self.peak.rss, shares[own].rss)

    def _children(self) -> list[int]:
        with contextlib.suppress(psutil.Error):
            return [child.pid for child in self._process.children(recursive=True)]
        return []


def memory_of(pid: int) -> Memory:
    """What the process holds now (proc(5), smaps_rollup); nothing when it is gone."""
    found = Memory()
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_bytes().splitlines():
            if line.startswith((b"Rss:", b"Pss:")):
                name, kilobytes, *_ = line.split()
                setattr(found, name[:-1].lower().decode(), int(kilobytes) * 1024)
    return found


def cpu_seconds(pid: int) -> float:
    """The processor time that the process itself has used so far."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def load_into_cache(folder: Path) -> int:
    """Read every log once, so that no round waits for the disk; how many bytes there are."""
    size = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            size += len(Path(parent, name).read_bytes())
    return size


def spread(values: Sequence[float], unit: str, digits: int = 2) -> str:
    """The median of the rounds, and the least and the most of them."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} {unit} ({low:.{digits}f} to {high:.{digits}f})"


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The least of these, in order, that so many percent do not exceed."""
    return ordered[max(math.ceil(len(ordered) * percent / 100) - 1, 0)]

"""What the dashboard costs while many agents work, and how soon it answers a key.

    python benchmarks/top.py [--agents 50] [--a-second 20] [--seconds 30]

A real daemon follows agents that only sleep; their logs get so many replies a second in all, each of
which is an update. ``toll top`` runs on a terminal of 200 columns and 60 rows. Keys are pressed in turn: each is
answered when what it brings is on the terminal.
"""

import argparse
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Final

from agents import Agents
from measure import MB, cpu_seconds, memory_of, percentile
from tolld import Daemon

ROWS: Final = 60
COLUMNS: Final = 200
SETTLE_SECONDS: Final = 8.0
# Keys in turn, and what each brings to the screen that was not there, nor comes with an update: the frame
# of the chosen card, a field and its going, a page with wider bars than beside the cards, the cards.
KEYS: Final[tuple[Mapping[bytes, str], ...]] = (
    {b"right": "┏", b"left": "┏"},
    {b"/": "▊", b"escape": "Add"},
    {b"/": "▊", b"lone escape": "Add"},
    {b"2": "[█░]{40}", b"1": "┏"},
)
# An Escape as terminals send it that tell it apart from the beginning of other keys, and as others do.
NAMED: Final = {
    b"right": b"\x1b[C",
    b"left": b"\x1b[D",
    b"escape": b"\x1b[27u",
    b"lone escape": b"\x1b",
}
# Nobody waits at one of them, and each has a bar.
FAR_LIMITS: Final = "\n[limits]\nper_agent = 1000\nper_run = 100000\ndaily = 100000\n"
PRESSES: Final = 40
KEY_EVERY_SECONDS: Final = 0.5
PATIENCE_SECONDS: Final = 5.0
CHUNK: Final = 1 << 16


def main() -> None:
    """Measure a span of rest, and one of updates."""
    options = _parse()
    with Daemon() as daemon:
        home = daemon.root / "claude"
        (home / "projects").mkdir(parents=True)
        daemon.follow(home)
        with daemon.paths.settings.open("a") as settings:
            settings.write(FAR_LIMITS)
        with Agents(home, options.agents) as agents:
            daemon.start()
            daemon.seconds_until_answer()
            with _dashboard(daemon) as (pid, terminal):
                _read_for(terminal, SETTLE_SECONDS)
                _measure("at rest", pid, terminal, options)
                with agents.replying(options.a_second):
                    _measure("updating", pid, terminal, options)
                print(f"memory       {memory_of(pid).rss / MB:.0f} MB")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the dashboard under updates.")
    parser.add_argument("--agents", type=int, default=50)
    parser.add_argument("--a-second", type=float, default=20)
    parser.add_argument("--seconds", type=float, default=30)
    return parser.parse_args()


@contextmanager
def _dashboard(daemon: Daemon) -> Generator[tuple[int, int]]:
    """``toll top`` on a terminal of its own: its pid, and the terminal's other end."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("toll")), "top"],
        env={**daemon.environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield process.pid, ours
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _measure(name: str, pid: int, terminal: int, options: argparse.Namespace) -> None:
    """The share of a core while nobody touches it, and then how long each key takes (ms)."""
    before, started = cpu_seconds(pid), time.monotonic()
    _read_for(terminal, options.seconds)
    share = (cpu_seconds(pid) - before) / (time.monotonic() - started)
    print(f"{name:12} {share:.1%} of a core")
    for keys in KEYS:
        took = _answers(terminal, keys)
        for key, times in took.items():
            print(
                f"             {key.decode():11} {percentile(sorted(times), 50):.0f} ms (p50), "
                f"{percentile(sorted(times), 95):.0f} ms (p95), {max(times):.0f} ms (max)"
            )


def _answers(terminal: int, keys: Mapping[bytes, str]) -> dict[bytes, list[float]]:
    """How long it took until what each key brings was on the terminal, again and again."""
    took: dict[bytes, list[float]] = {key: [] for key in keys}
    for key, mark in islice(cycle(keys.items()), PRESSES):
        _read_for(terminal, KEY_EVERY_SECONDS)
        pressed = time.monotonic()
        os.write(terminal, NAMED.get(key, key))
        _read_until(terminal, mark)
        took[key].append((time.monotonic() - pressed) * 1000)
    return took


def _read_for(terminal: int, seconds: float) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        _read(terminal, left)


def _read_until(terminal: int, mark: str) -> None:
    seen, until = b"", time.monotonic() + PATIENCE_SECONDS
    while not re.search(mark, seen.decode(errors="replace")):
        if time.monotonic() > until:
            raise TimeoutError(f"{mark!r} was not shown within {PATIENCE_SECONDS:g} s")
        seen += _read(terminal, PATIENCE_SECONDS)


def _read(terminal: int, seconds: float) -> bytes:
    return os.read(terminal, CHUNK) if select.select([terminal], [], [], seconds)[0] else b""


if __name__ == "__main__":
    main()

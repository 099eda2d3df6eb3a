"""What the tray icon costs while agents work, and how soon it shows a change of state.

    PYTHONPATH=tests:benchmarks python -P benchmarks/tray_icon.py [--agents 20] [--a-second 20] [--seconds 30] [--changes 30]

A real daemon follows agents that only sleep; their logs get so many replies a second in all. The icon is in
a real panel on a virtual display (xfce4-panel; what tests/tray/panel.py needs). Then an agent begins to
wait for a person, and ends it, again and again: from the daemon's update to the other colour on the screen.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Final

from agents import Agents
from measure import MB, cpu_seconds, memory_of, percentile
from tolld import Daemon
from tollkeeper.feed import Feed
from tray.panel import Panel, missing, panel

SETTLE_SECONDS: Final = 5.0
# Between two changes: longer than the tray waits after one, and of another length.
BETWEEN_SECONDS: Final = 0.73
# So many replies reach any limit, and then the icon has its own colour.
NO_LIMITS: Final = "\n[limits]\nper_agent = 0\nper_run = 0\ndaily = 0\n"
PATIENCE_SECONDS: Final = 10.0
LOOK_SECONDS: Final = 0.005


def main() -> None:
    """Measure a span of rest, one of updates, and the changes."""
    options = _parse()
    if lacking := missing():
        raise SystemExit(lacking)
    with tempfile.TemporaryDirectory(prefix="tb-", dir="/tmp") as folder, Daemon() as daemon:
        home = daemon.root / "claude"
        (home / "projects").mkdir(parents=True)
        daemon.follow(home)
        with open(daemon.paths.settings, "a") as settings:
            settings.write(NO_LIMITS)
        with Agents(home, options.agents) as agents, panel(Path(folder)) as shown:
            daemon.start()
            daemon.seconds_until_answer()
            with _tray(daemon, shown) as pid:
                time.sleep(SETTLE_SECONDS)
                _measure("at rest", pid, options.seconds)
                with agents.replying(options.a_second):
                    _measure("updating", pid, options.seconds)
                    _changes("updating", daemon, agents, shown, options.changes)
                _changes("at rest", daemon, agents, shown, options.changes)
                print(f"memory       {memory_of(pid).rss / MB:.0f} MB")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the tray under updates.")
    parser.add_argument("--agents", type=int, default=20)
    parser.add_argument("--a-second", type=float, default=20)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--changes", type=int, default=30)
    return parser.parse_args()


@contextmanager
def _tray(daemon: Daemon, shown: Panel) -> Generator[int]:
    """``toll-tray`` in this panel; its pid."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tollkeeper_tray"],
        env={**daemon.environment, **shown.environment},
        stdin=subprocess.DEVNULL,
    )
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def _measure(name: str, pid: int, seconds: float) -> None:
    """The share of a core over this span."""
    before, started = cpu_seconds(pid), time.monotonic()
    time.sleep(seconds)
    share = (cpu_seconds(pid) - before) / (time.monotonic() - started)
    print(f"{name:12} {share:.2%} of a core", flush=True)


def _changes(name: str, daemon: Daemon, agents: Agents, shown: Panel, count: int) -> None:
    """How long it is from the daemon's update to the icon's other colour, again and again."""
    agent = agents.all[0]
    took: list[float] = []
    with Feed(daemon.paths) as feed:
        for says, state, mood in cycle(
            (("waiting", "waiting", "warned"), ("busy", "working", "calm"))
        ):
            if len(took) == count:
                break
            agent.say(says)
            _until_state(feed, agent.pid, state)
            started = time.monotonic()
            while shown.mood() != mood:
                if time.monotonic() - started > PATIENCE_SECONDS:
                    raise TimeoutError(f"the icon is not {mood}, but {shown.mood()}")
                time.sleep(LOOK_SECONDS)
            took.append((time.monotonic() - started) * 1000)
            time.sleep(BETWEEN_SECONDS)
    took.sort()
    print(
        f"{name:12} change to icon {percentile(took, 50):.0f} ms (p50), "
        f"{percentile(took, 95):.0f} ms (p95), {took[-1]:.0f} ms (max) of {count}",
        flush=True,
    )


def _until_state(feed: Feed, pid: int, state: str) -> None:
    """Wait until the daemon says that this agent is in this state."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        change = feed.next_change(1)
        agents = change.status.agents if change else ()
        if any(each.pid == pid and each.state == state for each in agents):
            return
    raise TimeoutError(f"the agent is not {state}")


if __name__ == "__main__":
    main()

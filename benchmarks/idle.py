"""What the daemon costs while nothing happens: agents that live and do nothing.

    python benchmarks/idle.py [--agents 20] [--seconds 60] [--corpus DIR | --megabytes 100]

The span begins a few seconds after an import, in the daemon that did it; a second span follows
a restart, which is how a daemon spends most of its life.
"""

import argparse
import time
from typing import Final

from agents import Agents
from corpora import add_options, chosen
from measure import MB, cpu_seconds, memory_of
from tolld import Daemon
from tollkeeper.model import Status

SETTLE_SECONDS: Final = 5.0


def main() -> None:
    """Measure both spans."""
    options = _parse()
    history = chosen(options)
    with Daemon(history) as daemon:
        home = daemon.root / "claude"
        daemon.follow(history, home)
        with Agents(home, options.agents):
            for name in ("after an import", "after a restart"):
                daemon.start()
                _, status = daemon.seconds_until_answer()
                _check(status, options.agents)
                _measure(name, daemon.pid, options.seconds)
                daemon.stop()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the daemon at rest.")
    add_options(parser, megabytes=100)
    parser.add_argument("--agents", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60)
    return parser.parse_args()


def _check(status: Status, agents: int) -> None:
    alive = sum(agent.state != "exited" for agent in status.agents)
    if alive != agents:
        raise SystemExit(f"wrong: {alive} agents, should be {agents}")


def _measure(name: str, pid: int, seconds: float) -> None:
    time.sleep(SETTLE_SECONDS)
    before = cpu_seconds(pid)
    time.sleep(seconds)
    used = cpu_seconds(pid) - before
    memory = memory_of(pid)
    print(
        f"{name:16} {used / seconds:.2%} of a core, "
        f"{memory.rss / MB:.0f} MB resident, {memory.pss / MB:.0f} MB its own share (PSS)",
        flush=True,
    )


if __name__ == "__main__":
    main()

"""How long after the line that crosses its limit an agent is frozen.

    python benchmarks/bar.py [--rounds 200]

The benchmark is the parent of the agents, which only sleep: the kernel tells it of each that is
stopped (waitid, WSTOPPED). A round appends the crossing line, waits for the state T, and resumes
the agents with a new budget. Three ways: one agent alone, one of twenty, and all twenty at once.
"""

import argparse
import os
import threading
import time
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from agents import Agent, Agents, append
from measure import percentile
from tolld import Daemon
from tollkeeper.control import Toll

TWENTY: Final = 20
WITHIN_MS: Final = 100.0
# Every reply crosses it.
BOUND_USD: Final = 0.0001
SETTINGS: Final = f"""[sources]
processes = false

[limits]
per_agent = {BOUND_USD}
per_run = 0
daily = 0
"""
PATIENCE_SECONDS: Final = 20.0
LOOK_SECONDS: Final = 0.02


def main() -> None:
    """Measure the three ways, each with a daemon of its own."""
    rounds = _parse().rounds
    _report("one agent", _measure(1, rounds, _one))
    _report(f"one of {TWENTY}", _measure(TWENTY, rounds, _one))
    _report(f"{TWENTY} at once", _measure(TWENTY, max(rounds // TWENTY, 10), _all))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure from the crossing line to the state T.")
    parser.add_argument("--rounds", type=int, default=200, help="how many crossings of each way")
    return parser.parse_args()


def _one(agents: Sequence[Agent], rng: Random) -> Sequence[Agent]:
    return [rng.choice(agents)]


def _all(agents: Sequence[Agent], rng: Random) -> Sequence[Agent]:
    return agents


def _measure(
    count: int, rounds: int, choose: Callable[[Sequence[Agent], Random], Sequence[Agent]]
) -> list[float]:
    """Milliseconds from each crossing to its state T, in order of size."""
    rng = Random(4)
    waits: list[float] = []
    with Daemon() as daemon:
        home = daemon.root / "claude"
        daemon.follow(home)
        daemon.paths.settings.write_text(SETTINGS)
        with Agents(home, count) as agents, Toll(daemon.paths, PATIENCE_SECONDS) as toll:
            daemon.start().seconds_until_imported()
            _await(lambda: len(toll.agents()) == count)
            for _ in range(rounds):
                crossing = choose(agents.all, rng)
                waits += _cross(crossing)
                _resume(toll, crossing)
    return sorted(waits)


def _cross(agents: Sequence[Agent]) -> list[float]:
    """Let each of these cross its limit, and wait until all are frozen."""
    frozen: dict[int, int] = {}
    watchers = [threading.Thread(target=_watch, args=(each.pid, frozen)) for each in agents]
    for watcher in watchers:
        watcher.start()
    written = {each.pid: append(each.log, each.reply(100)) for each in agents}
    for watcher in watchers:
        watcher.join(PATIENCE_SECONDS)
    if missing := written.keys() - frozen.keys():
        raise SystemExit(f"wrong: {len(missing)} agents were not frozen")
    return [(frozen[pid] - since) / 1e6 for pid, since in written.items()]


def _watch(pid: int, frozen: dict[int, int]) -> None:
    """Note when the child is stopped (ns)."""
    os.waitid(os.P_PID, pid, os.WSTOPPED)
    frozen[pid] = time.monotonic_ns()


def _resume(toll: Toll, agents: Sequence[Agent]) -> None:
    """Let them go on, with a limit that they have not reached."""
    pids = [str(each.pid) for each in agents]
    # The action's record follows the signal by a moment.
    _await(lambda: {a.state for a in toll.agents() if str(a.pid) in pids} == {"paused"})
    toll.call("resume", dict[str, object], agents=pids, add_usd=BOUND_USD)
    for each in agents:
        os.waitid(os.P_PID, each.pid, os.WCONTINUED)


def _await(seen: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not seen():
        if time.monotonic() > deadline:
            raise SystemExit("wrong: the daemon did not come so far")
        time.sleep(LOOK_SECONDS)


def _report(what: str, waits: list[float]) -> None:
    within = sum(wait < WITHIN_MS for wait in waits)
    figures = "  ".join(f"p{percent} {percentile(waits, percent):6.1f} ms" for percent in (50, 99))
    print(
        f"{what:<12} {figures}  max {waits[-1]:6.1f} ms"
        f"  under {WITHIN_MS:.0f} ms: {100 * within / len(waits):.1f} of 100 ({len(waits)})"
    )


if __name__ == "__main__":
    main()

"""How long until an agent that asks its person for permission is told to wait.

    python benchmarks/waiting.py [--rounds 50] [--agents 20]

Measured from the change of the client's session file to the update that a subscriber gets, and to
the segment of everything, which then shows that one is pending.
"""

import argparse
import time
from pathlib import Path
from typing import Final

from agents import Agent, Agents
from measure import spread
from tolld import Daemon
from tollkeeper.feed import Feed

PATIENCE_SECONDS: Final = 5.0
LOOK_SECONDS: Final = 0.001


def main() -> None:
    """Let one of the agents wait and work in turns."""
    options = _parse()
    told: list[float] = []
    shown: list[float] = []
    with Daemon() as daemon:
        home = daemon.root / "claude"
        (home / "projects").mkdir(parents=True)
        daemon.follow(home)
        with Agents(home, options.agents) as agents:
            daemon.start()
            daemon.seconds_until_answer()
            segment = daemon.paths.segments / "all"
            with Feed(daemon.paths) as feed:
                for number in range(options.rounds):
                    agent = agents.all[number % len(agents.all)]
                    started = time.monotonic()
                    agent.say("waiting", waitingFor="permission prompt")
                    _await_state(feed, agent, "waiting")
                    told.append(time.monotonic() - started)
                    _await_segment(segment, "1 pending")
                    shown.append(time.monotonic() - started)
                    agent.say("busy")
                    _await_state(feed, agent, "working")
                    _await_segment(segment, "pending", is_there=False)
    for name, seconds in (("to the update", told), ("to the segment", shown)):
        within = sum(each < 0.1 for each in seconds)
        ms = spread([each * 1000 for each in seconds], "ms", 1)
        print(f"{name:15} {ms}; {within} of {len(seconds)} within 100 ms")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure how soon a waiting agent is shown.")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--agents", type=int, default=20)
    return parser.parse_args()


def _await_state(feed: Feed, agent: Agent, state: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        change = feed.next_change()
        found = (
            [each.state for each in change.status.agents if each.pid == agent.pid] if change else []
        )
        if found == [state]:
            return
    raise SystemExit(f"wrong: the agent is not told to be {state}")


def _await_segment(file: Path, text: str, *, is_there: bool = True) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (text in file.read_text()) is not is_there:
        if time.monotonic() > deadline:
            raise SystemExit("wrong: the segment does not show it")
        time.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    main()

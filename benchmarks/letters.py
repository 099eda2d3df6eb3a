"""What the daemon costs while many conversations refresh their status lines.

    python benchmarks/letters.py [--agents 100] [--a-second 3] [--seconds 30]

Each refresh leaves a letter in the inbox, as the installed command does, and says what the real client
says to it: every third one comes after a reply, which tells anew how full the plan's windows are. The
context of each agent is another one each time, so that its segment is written anew once a second. In the end each agent must
show what its own last letter said. The run directory is in memory, as XDG_RUNTIME_DIR is, where there is
such a place; ``--below /tmp`` measures on a disk.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from typing import Final, TypeVar

from agents import VERSION, Agent, Agents
from measure import cpu_seconds
from tolld import Daemon
from tollkeeper.control import Toll
from tollkeeper.letters import leave_status

SETTLE_SECONDS: Final = 5.0
WINDOW_SECONDS: Final = 3600
PERCENTAGES: Final = 100
REFRESHES_A_REPLY: Final = 3
ACCOUNT: Final = {"oauthAccount": {"accountUuid": "0b7e0a4c-6f0c-4a53-9d0e-000000000001"}}
PATIENCE_SECONDS: Final = 5.0
LOOK_SECONDS: Final = 0.1
MEMORY: Final = "/dev/shm"
WINDOWS: Final = ("five_hour", "seven_day")

T = TypeVar("T")


def main() -> None:
    """Measure a span of rest, and one of refreshes."""
    options = _parse()
    with Daemon(below=options.below) as daemon:
        home = daemon.root / "claude"
        (home / "projects").mkdir(parents=True)
        # Only a subscription has windows to show.
        (home / ".claude.json").write_text(json.dumps(ACCOUNT))
        daemon.follow(home)
        with Agents(home, options.agents) as agents:
            daemon.start()
            daemon.seconds_until_answer()
            time.sleep(SETTLE_SECONDS)
            with Toll(daemon.paths, 10) as toll:
                _measure("at rest", daemon, lambda: time.sleep(options.seconds))
                told = _measure("refreshing", daemon, lambda: _refresh(daemon, agents, options))
                _check(toll, told)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the daemon under status lines.")
    parser.add_argument("--agents", type=int, default=100)
    parser.add_argument("--a-second", type=float, default=3)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--below", default=MEMORY if os.access(MEMORY, os.W_OK) else "/tmp")
    return parser.parse_args()


def _measure(name: str, daemon: Daemon, during: Callable[[], T]) -> T:
    before, started = cpu_seconds(daemon.pid), time.monotonic()
    result = during()
    seconds = time.monotonic() - started
    print(f"{name:12} {(cpu_seconds(daemon.pid) - before) / seconds:.1%} of a core")
    return result


def _refresh(daemon: Daemon, agents: Agents, options: argparse.Namespace) -> dict[str, int]:
    """Refresh every status line at this rate; the percentage that each told last."""
    run, last = str(daemon.paths.run), dict[str, int]()
    pause = 1 / (options.a_second * len(agents.all))
    started = due = time.monotonic()
    sent = 0
    while due < started + options.seconds:
        for number, agent in enumerate(agents.all):
            percent = (sent + number) % PERCENTAGES
            leave_status(run, agent.conversation, _handed(agent, percent))
            last[agent.conversation] = percent
            due += pause
            time.sleep(max(0.0, due - time.monotonic()))
        sent += 1
    print(f"{sent * len(agents.all) / (time.monotonic() - started):.0f} letters a second")
    return last


def _handed(agent: Agent, percent: int) -> bytes:
    """What the client hands to its status line."""
    resets_at = int(time.time()) // WINDOW_SECONDS * WINDOW_SECONDS + 2 * WINDOW_SECONDS
    windows = {name: {"used_percentage": 42, "resets_at": resets_at} for name in WINDOWS}
    content: dict[str, object] = {
        "session_id": agent.conversation,
        "transcript_path": str(agent.log),
        "cwd": agent.cwd,
        "model": {"id": "claude-opus-5-5", "display_name": "Opus 5.5"},
        "workspace": {"current_dir": agent.cwd, "project_dir": agent.cwd, "added_dirs": []},
        "cost": {
            "total_cost_usd": percent / 7,
            "total_duration_ms": 1000 * percent,
            "total_api_duration_ms": 1000 * (percent // REFRESHES_A_REPLY),
        },
        "context_window": {"used_percentage": percent, "context_window_size": 1_000_000},
        "rate_limits": windows,
        "version": VERSION,
    }
    return json.dumps(content).encode()


def _check(toll: Toll, told: dict[str, int]) -> None:
    """Stop with an error unless each agent shows what was told of it last."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = {each.conversation: each.context_used_percent for each in toll.status().agents}
        if found == told:
            print(f"right: {len(told)} agents show what they told last")
            return
        if time.monotonic() > deadline:
            raise SystemExit("wrong: agents show what others told, or what they told before")
        time.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    main()

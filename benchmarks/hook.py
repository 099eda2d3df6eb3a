"""How long Claude Code waits for `toll hook` before each tool call, beside Python itself and `cat`.

    python benchmarks/hook.py [--rounds 30]

A round runs each command once, one right after the other, as a whole process with an event on its
stdin. No daemon runs: the hook asks none. What is refused is refused by a file, as in life.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from measure import spread
from tollkeeper.paths import find_paths
from tollkeeper_daemon.outlets.denials import Denials, answer

TOLL = str(Path(sys.executable).with_name("toll"))
BARE: Final = "python -c pass"
DENIED: Final = "295f9608-a58c-4d3d-9aad-667f1e4744a1"
ALLOWED: Final = "8774b0d2-f62b-4c94-a674-62fe0552b9cb"
REASON: Final = "the budget of $5 is spent"


def main() -> None:
    """Measure so many rounds, and print what each command took."""
    rounds = _parse().rounds
    with tempfile.TemporaryDirectory(prefix="tb-") as home:
        environment = {**os.environ, "TOLL_HOME": home}
        paths = find_paths(environment)
        paths.run.mkdir()
        assert Denials(paths.deny).deny(DENIED, REASON)
        commands: dict[str, tuple[list[str], str, bytes]] = {
            "cat, of the answer": (["cat", str(paths.deny / DENIED)], DENIED, answer(REASON)),
            BARE: ([sys.executable, "-c", "pass"], DENIED, b""),
            "toll hook, allowed": ([TOLL, "hook"], ALLOWED, b""),
            "toll hook, refused": ([TOLL, "hook"], DENIED, answer(REASON)),
        }
        seen: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, (command, conversation, expected) in commands.items():
                seen[name].append(_seconds(command, environment, conversation, expected))
    for name, took in seen.items():
        times = [mine / bare for mine, bare in zip(took, seen[BARE], strict=True)]
        milliseconds = spread([each * 1000 for each in took], "ms", 1)
        print(f"{name:20} {milliseconds}; {spread(times, 'times', 2)} {BARE}")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the hook.")
    parser.add_argument("--rounds", type=int, default=30)
    return parser.parse_args()


def _seconds(
    command: list[str], environment: dict[str, str], conversation: str, expected: bytes
) -> float:
    """Wall time of the command, which must print what is expected of it."""
    event = {
        "session_id": conversation,
        "hook_event_name": "PreToolUse",
        "tool_name": "Bash",
        "tool_input": {"command": "echo hi", "description": "say hi"},
    }
    started = time.monotonic()
    done = subprocess.run(
        command,
        env=environment,
        input=json.dumps(event).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    took = time.monotonic() - started
    assert done.stdout == expected, done.stdout
    return took


if __name__ == "__main__":
    main()

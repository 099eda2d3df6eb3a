"""How long Claude Code's status line takes, beside `cat` on a file and ccusage's on a cache hit.

    python benchmarks/statusline.py [--rounds 200] [--ccusage PROGRAM]

A round runs each command once, one right after the other, by `/bin/sh -c` as Claude Code does, with
what it hands in on stdin. No daemon runs: none is asked. A file says that one lives, and a line lies
ready, as in life; ccusage finds its own line in its cache.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import ccusage
from measure import spread
from tollkeeper.paths import Paths, find_paths
from tollkeeper.status_script import command, script

TOLL: Final = str(Path(sys.executable).with_name("toll"))
CAT: Final = "cat, of the line"
CONVERSATION: Final = "473839a4-2603-4c7c-95bb-3f253017e44a"
LINE: Final = "\x1b[32m🤖 3 agents\x1b[0m | Plan: 67% | API: $2.47\n"
# ccusage looks again after a second unless it is told otherwise.
CACHED: Final = ["statusline", "--offline", "--refresh-interval", "3600"]


def main() -> None:
    """Measure so many rounds, and print what each command took."""
    options = _parse()
    with tempfile.TemporaryDirectory(prefix="tb-") as folder:
        top = Path(folder)
        paths = find_paths({"TOLL_HOME": folder})
        _lay_out(paths)
        given = top / "given.json"
        given.write_text(json.dumps(_given(top)))
        programs = {
            CAT: shlex.join(["cat", str(paths.segments / CONVERSATION)]),
            "toll-statusline": command(str(paths.status_script), None),
            "the same, with `true`": command(str(paths.status_script), "true"),
            "ccusage, cached": shlex.join([str(ccusage.find(options.ccusage)), *CACHED]),
            "toll statusline": shlex.join([TOLL, "statusline"]),
            "python -c pass": shlex.join([sys.executable, "-c", "pass"]),
        }
        environment = {
            **os.environ,
            "TOLL_HOME": folder,
            "CLAUDE_CONFIG_DIR": folder,
            "CLAUDE_CODE_SESSION_ID": CONVERSATION,
        }
        seen: dict[str, list[float]] = {name: [] for name in programs}
        for number in range(options.rounds + 1):
            for name, program in programs.items():
                took, line = _run(program, environment, given)
                assert name == "python -c pass" or line, name
                assert "toll" not in name or line == LINE.encode(), line
                if number:  # The first round fills caches.
                    seen[name].append(took)
        assert [path.name for path in paths.status_inbox.iterdir()] == [CONVERSATION]
    for name, took in seen.items():
        times = [mine / cat for mine, cat in zip(took, seen[CAT], strict=True)]
        milliseconds = spread([each * 1000 for each in took], "ms", 2)
        print(f"{name:22} {milliseconds}; {spread(times, 'times', 2)} {CAT}")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the status line.")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--ccusage", help="the program to compare with (default: the pinned one)")
    return parser.parse_args()


def _lay_out(paths: Paths) -> None:
    """The script, and the run directory as a living daemon keeps it."""
    for folder in (paths.data, paths.status_inbox, paths.segments):
        folder.mkdir(parents=True)
    paths.status_script.write_text(script(str(paths.run)))
    paths.status_script.chmod(0o700)
    (paths.segments / CONVERSATION).write_text(LINE)
    paths.alive.touch()
    ahead = time.time() + 3600
    os.utime(paths.alive, (ahead, ahead))


def _given(top: Path) -> dict[str, Any]:
    """What Claude Code hands in, with a log that is there."""
    log = top / "projects" / "-src-shop" / f"{CONVERSATION}.jsonl"
    log.parent.mkdir(parents=True)
    usage = {"input_tokens": 20, "output_tokens": 300, "cache_read_input_tokens": 15000}
    message = {"id": "msg_1", "model": "claude-opus-5-5", "role": "assistant", "usage": usage}
    line = {
        "type": "assistant",
        "sessionId": CONVERSATION,
        "requestId": "req_1",
        "message": message,
    }
    log.write_text(json.dumps({**line, "timestamp": "2026-11-22T09:30:00.000Z"}) + "\n")
    window = {"used_percentage": 23, "resets_at": 1795342827}
    return {
        "session_id": CONVERSATION,
        "transcript_path": str(log),
        "cwd": "/src/shop",
        "model": {"id": "claude-opus-5-5", "display_name": "Opus 5.5"},
        "workspace": {"current_dir": "/src/shop", "project_dir": "/src/shop", "added_dirs": []},
        "version": "2.1.330",
        "cost": {"total_cost_usd": 0.07, "total_duration_ms": 26501, "total_api_duration_ms": 407},
        "context_window": {
            "total_input_tokens": 17021,
            "total_output_tokens": 311,
            "context_window_size": 1_000_000,
            "used_percentage": 2,
        },
        "rate_limits": {"five_hour": window, "seven_day": window},
    }


def _run(program: str, environment: dict[str, str], given: Path) -> tuple[float, bytes]:
    """Wall time of the program, which must end well, and what it printed."""
    with given.open("rb") as stdin:
        started = time.monotonic()
        done = subprocess.run(
            ["/bin/sh", "-c", program],
            env=environment,
            stdin=stdin,
            stdout=subprocess.PIPE,
            check=True,
        )
        return time.monotonic() - started, done.stdout


if __name__ == "__main__":
    main()

"""A program that plays ccusage: it notes how it is called, and answers, fails or hangs as it is told."""

import json
from pathlib import Path
from typing import Any

SCRIPT = """#!/bin/sh
here=$(dirname "$0")
echo "$CLAUDE_CONFIG_DIR|$npm_config_offline|$*" >> "$here/calls"
if [ "$1" = --version ]; then cat "$here/version"; exit 0; fi
if [ -e "$here/hangs" ]; then
    sleep 600 &
    echo $$ $! > "$here/pids.new"
    mv "$here/pids.new" "$here/pids"
    wait
fi
if [ -e "$here/fails" ]; then echo "Error: it rains" >&2; exit 3; fi
cat "$here/answer"
"""
TOKENS = ("inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens", "totalTokens")
NOTHING: dict[str, Any] = {"daily": [], "totals": {**dict.fromkeys(TOKENS, 0), "totalCost": 0}}


class CcusageStandIn:
    """The program in a folder of its own."""

    def __init__(self, folder: Path, version: str = "ccusage 20.0.24") -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.program = folder / "ccusage"
        self.program.write_text(SCRIPT)
        self.program.chmod(0o755)
        (folder / "version").write_text(version)
        self.answers(NOTHING)

    def answers(self, report: Any) -> None:
        """Answer this from now on."""
        (self._folder / "answer").write_text(json.dumps(report))

    def behaves(self, how: str) -> None:
        """Let it hang, or fail."""
        (self._folder / how).touch()

    @property
    def calls(self) -> list[tuple[str, str, str]]:
        """The homes, the word to npx about the network, and the arguments of each call."""
        try:
            lines = (self._folder / "calls").read_text().splitlines()
        except FileNotFoundError:
            return []
        found = [line.split("|", 2) for line in lines]
        return [(homes, offline, words) for homes, offline, words in found]

    @property
    def pids(self) -> list[int]:
        """The hanging one, and what it started; empty until it hangs."""
        try:
            return list(map(int, (self._folder / "pids").read_text().split()))
        except FileNotFoundError:
            return []

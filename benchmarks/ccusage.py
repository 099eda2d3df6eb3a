"""Finds, or installs, the ccusage to measure and test against, and runs its reports.

Run as `python benchmarks/ccusage.py` it installs the pinned one, unless it is there already.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

VERSION: Final = "20.0.24"
CACHE: Final = Path(__file__).resolve().parent.parent / ".cache"
# A folder of its own: npm removes what an earlier `--no-save` brought into the same one.
PREFIX: Final = CACHE / "ccusage"
MANIFEST: Final = PREFIX / "node_modules" / "ccusage" / "package.json"
LAUNCHER: Final = PREFIX / "node_modules" / ".bin" / "ccusage"


class Run(Struct, frozen=True):
    """One run: seconds of wall and processor time, peak memory in bytes, and what it printed."""

    seconds: float
    cpu: float
    rss: int
    totals: dict[str, Any]


def find(named: str | None) -> Path:
    """The program: the one named, else the pinned one, which is installed when it is missing."""
    if named:
        return Path(named).resolve()
    if not installed():
        _install()
    return _native()


def installed() -> bool:
    """Whether ccusage is there, in the pinned version."""
    return MANIFEST.is_file() and json.loads(MANIFEST.read_bytes())["version"] == VERSION


def report(program: Path, claude_home: Path, verb: str, *options: str) -> dict[str, Any]:
    """What a report says in JSON over this home, without the network."""
    command = [str(program), "claude", verb, "--json", "--offline", *options]
    environment = {**os.environ, "CLAUDE_CONFIG_DIR": str(claude_home)}
    return json.loads(
        subprocess.run(command, env=environment, check=True, capture_output=True).stdout
    )


def _install() -> None:
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm is not on the PATH: install Node.js, or name a ccusage with --ccusage")
    command = [npm, "install", "--no-save", "--prefix", str(PREFIX), f"ccusage@{VERSION}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _native() -> Path:
    """The binary itself where there is one: its launcher adds the time to start Node.js.

    npm leaves it without its execute bit, which the launcher sets at its first run.
    """
    found = next(PREFIX.glob("node_modules/@ccusage/*/bin/ccusage"), None)
    if found is None:
        return LAUNCHER
    if not os.access(found, os.X_OK):
        found.chmod(found.stat().st_mode | 0o755)
    return found


def run_report(program: Path, claude_home: Path, *arguments: str) -> Run:
    """Run this report of `ccusage claude` over this home, without the network; --json if asked."""
    command = [str(program), "claude", *arguments, "--offline"]
    environment = {**os.environ, "CLAUDE_CONFIG_DIR": str(claude_home)}
    started = time.monotonic()
    child = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert child.stdout is not None
    with child.stdout as stdout:
        output = stdout.read()
    _, status, used = os.wait4(child.pid, 0)
    seconds = time.monotonic() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{program} ended with status {child.returncode}")
    totals: dict[str, Any] = json.loads(output).get("totals", {}) if "--json" in arguments else {}
    return Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, totals)


if __name__ == "__main__":
    print(f"ccusage {VERSION}: {find(None)}")

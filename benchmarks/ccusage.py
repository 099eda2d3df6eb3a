"""Finds, or installs, the ccusage to measure against, and runs its daily report."""

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
LAUNCHER: Final = Path("node_modules", ".bin", "ccusage")


class Run(Struct, frozen=True):
    """One run: seconds of wall and processor time, peak memory in bytes, and what it printed."""

    seconds: float
    cpu: float
    rss: int
    totals: dict[str, Any]


def find(named: str | None) -> Path:
    """The program: the one named, else one installed before, else one installed now."""
    if named:
        return Path(named).resolve()
    for prefix in (PREFIX, CACHE / "npm"):
        if (prefix / LAUNCHER).exists():
            return _native(prefix)
    return _install()


def _install() -> Path:
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm is not on the PATH: install Node.js, or name a ccusage with --ccusage")
    command = [npm, "install", "--no-save", "--prefix", str(PREFIX), f"ccusage@{VERSION}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return _native(PREFIX)


def _native(prefix: Path) -> Path:
    """The binary itself where there is one: its launcher adds the time to start Node.js."""
    found = prefix.glob("node_modules/@ccusage/*/bin/ccusage")
    return next(found, prefix / LAUNCHER)


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

"""Put the pinned Claude Code client into `.cache/npm`, where the end-to-end tests look for it.

Run as `python tests/e2e/install_client.py`; it does nothing when the client is there already.
"""

import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "2.1.330"
PREFIX = Path(__file__).resolve().parents[2] / ".cache" / "npm"


def package() -> str:
    """Name the npm package that brings the native client for this machine."""
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}
    arch = platform.machine().lower()
    return f"@anthropic-ai/claude-code-{sys.platform}-{machine.get(arch, arch)}"


def binary() -> Path:
    return PREFIX / "node_modules" / package() / "claude"


def installed() -> bool:
    """Whether the client is there, in the pinned version."""
    manifest = binary().with_name("package.json")
    if not (binary().is_file() and manifest.is_file()):
        return False
    return json.loads(manifest.read_text())["version"] == VERSION


def install() -> str | None:
    """Install the client; return in one line what went wrong, or None."""
    npm = shutil.which("npm")
    if npm is None:
        return "npm is not on the PATH: install Node.js, or set TOLL_E2E_CLIENT to a client"
    PREFIX.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--prefix", str(PREFIX), "--no-save", "--no-audit", "--no-fund"]
    done = subprocess.run(
        [*command, f"{package()}@{VERSION}"], capture_output=True, text=True, check=False
    )
    if not installed():
        reason = (done.stderr.strip() or done.stdout.strip()).splitlines()
        return f"npm brought no working {package()}@{VERSION}: {' / '.join(reason[:3])}"
    return None


def main() -> int:
    wrong = None if installed() else install()
    print(wrong or f"Claude Code {VERSION}: {binary()}", file=sys.stderr if wrong else sys.stdout)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""The real better-ccflare: finding it, and running it over accounts that are servers of the tests' own.

Run as `python tests/e2e/ccflare.py` it installs the pinned one, unless it is there already.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

VERSION: Final = "3.5.4"
# A folder of its own: npm removes what an earlier `--no-save` brought into the same one.
PREFIX: Final = Path(__file__).resolve().parents[2] / ".cache" / "ccflare"
PACKAGE: Final = PREFIX / "node_modules" / "better-ccflare"


def binary() -> Path:
    return PACKAGE / "dist" / "better-ccflare"


def installed() -> bool:
    """Whether better-ccflare is there, in the pinned version."""
    manifest = PACKAGE / "package.json"
    return binary().is_file() and json.loads(manifest.read_bytes())["version"] == VERSION


def install() -> None:
    """Install it; SystemExit with what went wrong."""
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm is not on the PATH: install Node.js")
    PREFIX.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--prefix", str(PREFIX), "--no-save", "--no-audit", "--no-fund"]
    done = subprocess.run(
        [*command, f"better-ccflare@{VERSION}"], capture_output=True, text=True, check=False
    )
    if not installed():
        sys.exit(f"npm brought no better-ccflare {VERSION}: {done.stderr.strip()[-300:]}")


class Ccflare:
    """A proxy in a home of its own, on a port that stays the same when it is started again."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="ccflare-"))
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Start it, and wait until it answers."""
        from waiting import wait_until

        environment = {
            "HOME": str(self.root),
            "PATH": os.environ["PATH"],
            "BETTER_CCFLARE_HOST": "127.0.0.1",
            "BETTER_CCFLARE_MODELS_OFFLINE": "1",
            "CF_PRICING_OFFLINE": "1",
        }
        with open(self.root / "output", "ab") as output:
            self._process = subprocess.Popen(
                [binary(), "--serve", "--port", str(self.port)],
                cwd=self.root,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        wait_until(self._answers, 30, "better-ccflare")
        return self

    def stop(self) -> None:
        """End it, whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def add(self, name: str, url: str, priority: int) -> None:
        """Give it an account that is the Messages API at this url."""
        account = {"name": name, "apiKey": "sk-made-up", "priority": priority}
        self.call("/api/accounts/anthropic-compatible", {**account, "customEndpoint": url})

    def call(self, path: str, body: Any = None) -> Any:
        """What it answers."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def _answers(self) -> bool:
        try:
            self.call("/health")
        except urllib.error.HTTPError:
            return True  # Without an account it is unwell.
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


if __name__ == "__main__":
    if not installed():
        install()
    print(f"better-ccflare {VERSION}: {binary()}")

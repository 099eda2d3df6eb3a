"""A daemon of the benchmark's own: a child process in a home of its own, ended with the block."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Final, Self, TypeVar

from tollkeeper.control import Toll
from tollkeeper.errors import NoDaemonError
from tollkeeper.feed import Feed
from tollkeeper.model import Status
from tollkeeper.paths import Paths, find_paths

# A socket's path holds about a hundred bytes, which a longer temporary folder may take.
SHORT_TEMP: Final = "/tmp"
PATIENCE_SECONDS: Final = 120.0
LOOK_SECONDS: Final = 0.002

T = TypeVar("T")


class Daemon:
    """A Tollkeeper that follows these Claude homes and looks at nothing else of the machine.

    All that it writes is in a folder of its own below ``below``.
    """

    def __init__(self, *claude_homes: Path, below: str = SHORT_TEMP) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="tb-", dir=below)).resolve()
        self.environment = {
            **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
            "HOME": str(self.root),
            "TOLL_HOME": str(self.root),
        }
        self.follow(*claude_homes)
        self.paths: Paths = find_paths(self.environment)
        self.paths.config.mkdir(parents=True, mode=0o700)
        self.paths.settings.write_text("[sources]\nprocesses = false\n")
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0

    def __enter__(self) -> Self:
        signal.signal(signal.SIGTERM, _leave)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.stop()
        finally:
            shutil.rmtree(self.root, ignore_errors=True)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def follow(self, *claude_homes: Path) -> None:
        """Name the homes to follow, from the next start on."""
        self.environment["CLAUDE_CONFIG_DIR"] = ",".join(map(str, claude_homes))

    def start(self) -> Self:
        """Start the daemon, and do not wait."""
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tollkeeper_daemon"],
            env=self.environment,
            cwd=self.root,
            stdin=subprocess.DEVNULL,
        )
        return self

    def stop(self) -> None:
        """End the daemon, by force when it does not heed the first word."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def seconds_until_imported(self) -> float:
        """Wall time from the start until a subscriber hears that the history is read."""
        feed = self._until_it_answers(lambda: Feed(self.paths))
        with feed:
            change = self._until_it_answers(feed.next_change)
            while change is None or change.status.daemon.importing is not None:
                change = feed.next_change()
            return time.monotonic() - self._started

    def seconds_until_answer(self) -> tuple[float, Status]:
        """Wall time from the start until a snapshot comes with nothing left to import; and that."""
        with Toll(self.paths, PATIENCE_SECONDS) as toll:
            status = self._until_it_answers(toll.status)
            while status.daemon.importing is not None:
                time.sleep(LOOK_SECONDS)
                status = toll.status()
            return time.monotonic() - self._started, status

    def daily(self) -> dict[str, Any]:
        """The report by day, of all time."""
        with Toll(self.paths, PATIENCE_SECONDS) as toll:
            return toll.call("daily", dict[str, Any], timezone="UTC")

    def _until_it_answers(self, ask: Callable[[], T]) -> T:
        deadline = self._started + PATIENCE_SECONDS
        while True:
            try:
                return ask()
            except NoDaemonError:
                assert self._process is not None
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(LOOK_SECONDS)


def _leave(number: int, frame: FrameType | None) -> None:
    """Go out through every `with`, so that nothing is left running."""
    sys.exit(128 + number)

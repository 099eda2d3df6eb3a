"""A terminal that is looked at: tmux, with a server and settings of its own."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from waiting import wait_until

PATH = os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"])


class Terminal:
    """A command in a terminal of 110 columns; what it shows is read as a person would."""

    def __init__(
        self, home: Path, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self._socket = home / f"tmux-{os.urandom(3).hex()}"
        self.environment = {
            "HOME": str(home),
            "PATH": PATH,
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "TOLL_HOME": str(home / "toll"),
            **(environment or {}),
        }
        self._command = command

    def __enter__(self) -> Self:
        size = ("-x", "110", "-y", "20")
        self._tmux("new-session", "-d", *size, f"exec {shlex.join(self._command)}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tmux("kill-server", check=False)

    def type(self, line: str) -> None:
        """Type a line."""
        self._tmux("send-keys", "-l", line)
        self._tmux("send-keys", "Enter")

    def screen(self) -> str:
        """What is on the screen."""
        return self._tmux("capture-pane", "-p", check=False)

    def wait_for(self, seen: Callable[[str], bool], what: str) -> str:
        """The screen once this is seen on it."""
        last: list[str] = []

        def look() -> str:
            last[:] = [self.screen()]
            return last[0] if seen(last[0]) else ""

        try:
            return wait_until(look, 15)
        except AssertionError:
            raise AssertionError(f"no {what} in:\n{last[0]}") from None

    def wait_for_line(self, line: str) -> str:
        """The screen once its last line that is not empty is this one."""
        return self.wait_for(lambda screen: last_line(screen) == line, f"last line {line!r}")

    def _tmux(self, *arguments: str, check: bool = True) -> str:
        return subprocess.run(
            ["tmux", "-u", "-S", str(self._socket), "-f", "/dev/null", *arguments],
            env=self.environment,
            check=check,
            capture_output=True,
            text=True,
            timeout=20,
        ).stdout


def last_line(screen: str) -> str:
    """The last line that is not empty."""
    lines = [line for line in screen.splitlines() if line.strip()]
    return lines[-1].rstrip() if lines else ""

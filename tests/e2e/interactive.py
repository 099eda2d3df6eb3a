"""An interactive session of the client, typed into through tmux."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

import psutil

from ending import end_all
from waiting import wait_until

from .client import Client

_PROMPT = "❯"
_COLUMNS, _ROWS = "140", "50"


class Interactive:
    """A session in a tmux server of its own, for use in a `with`, which ends both."""

    def __init__(
        self,
        client: Client,
        *,
        args: Sequence[str] = (),
        extra_env: Mapping[str, str] | None = None,
    ) -> None:
        self._command = [str(client.binary), *args]
        self._cwd = str(client.cwd)
        self._environment = {"TERM": "xterm-256color", **client.environment, **(extra_env or {})}
        self._tmux_environment = {**client.environment, "TMUX_TMPDIR": str(client.home.tmp)}
        self._socket = f"s{id(self)}"
        self._process: psutil.Process | None = None

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    @property
    def pid(self) -> int:
        """The client's own process id."""
        assert self._process, "not started"
        return self._process.pid

    def send(self, text: str) -> None:
        """Type a prompt, see it stand in the input line, and press Enter."""
        self._tmux("send-keys", "-l", text)
        wait_until(lambda: text[:60] in (self._input_line() or ""), what=f"{text!r} typed")
        self.press("Enter")

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names for them: Enter, Escape, C-c, Down."""
        self._tmux("send-keys", *keys)

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p", "-J")

    def wait_for(self, text: str, timeout: float = 20.0) -> str:
        """Wait until the text is on the screen, and return the screen."""
        wait_until(lambda: text in self.screen(), timeout, f"{text!r} on the screen")
        return self.screen()

    def kill(self) -> None:
        """Kill the client outright, so that it can put nothing in order."""
        assert self._process, "not started"
        self._process.kill()
        wait_until(lambda: not _alive(self._process), what="the killed client's end")

    def _start(self) -> None:
        self._open()
        self._process = psutil.Process(int(self._tmux("display-message", "-p", "#{pane_pid}")))
        wait_until(self._input_line, what="the client's prompt")

    def _open(self) -> None:
        """Start the command in a terminal."""
        words = [f"{name}={value}" for name, value in self._environment.items()]
        pane = ["-d", "-x", _COLUMNS, "-y", _ROWS, "-c", self._cwd]
        keep = ["start-server", ";", "set-option", "-g", "remain-on-exit", "on", ";"]
        self._tmux(*keep, "new-session", *pane, "--", "env", "-i", *words, *self._command)

    def _end(self) -> None:
        """Take the terminal away, and wait: the client still writes to its home as it goes."""
        if self._process and _is_frozen(self._process):
            end_all([*self._process.children(recursive=True), self._process])
        self._tmux("kill-server", check=False)
        wait_until(lambda: not _alive(self._process), what="the client's end")

    def _input_line(self) -> str | None:
        lines = [line for line in self.screen().splitlines() if line.startswith(_PROMPT)]
        return lines[-1] if lines else None

    def _tmux(self, *words: str, check: bool = True) -> str:
        tmux = shutil.which("tmux")
        assert tmux, "tmux is not on the PATH"
        done = subprocess.run(
            [tmux, "-u", "-L", self._socket, "-f", "/dev/null", *words],
            env=self._tmux_environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not (check and done.returncode), f"tmux {words[0]}: {done.stderr}"
        return done.stdout


def _is_frozen(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_STOPPED
    except psutil.NoSuchProcess:
        return False


def _alive(process: psutil.Process | None) -> bool:
    """Whether it runs still; tmux may be slow to bury a killed one."""
    try:
        return process is not None and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

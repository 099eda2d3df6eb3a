"""A process that plays an agent: started here, signalled here, and ended with the test."""

import os
import signal
import subprocess
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from ending import end
from waiting import wait_until

from .claude_home import ClaudeHome, Log


class AgentProcess:
    """A child, which sleeps unless told otherwise, with a session file that names its true pid and start."""

    def __init__(
        self,
        home: ClaudeHome,
        project: str = "shop",
        labels: dict[str, str] | None = None,
        command: Sequence[str] = ("sleep", "600"),
    ) -> None:
        self.home = home
        self.project = project
        self.cwd = home.cwd(project)
        self.started_ms = int(time.time() * 1000)
        self.process = subprocess.Popen(
            command,
            cwd=self.cwd,
            env={"PATH": os.environ["PATH"], "HOME": str(home.path), **(labels or {})},
            stdin=subprocess.DEVNULL,
        )
        # It may be running for a moment before the system shows its environment.
        wait_until(psutil.Process(self.pid).environ, what="the environment of an agent")
        self.conversation = str(uuid.uuid4())

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def log(self) -> Log:
        """The log of the conversation that it is in now."""
        return self.home.log(self.project, self.conversation)

    def says(self, status: str, **more: Any) -> Path:
        """Write the session file: ``busy``, ``idle`` or ``waiting``."""
        note = {
            "pid": self.pid,
            "sessionId": self.conversation,
            "cwd": str(self.cwd),
            "startedAt": self.started_ms,
            "procStart": start_ticks(self.pid),
            "version": "2.1.330",
            "kind": "interactive",
            "entrypoint": "cli",
            "status": status,
            **more,
        }
        return self.home.write_session(self.pid, note)

    def clear(self) -> None:
        """Begin a new conversation, as ``/clear`` does."""
        self.conversation = str(uuid.uuid4())
        self.says("idle")

    def stop(self) -> None:
        """Freeze it."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Thaw it."""
        self.process.send_signal(signal.SIGCONT)

    def exit(self) -> None:
        """End it and what it started, without tidying up its session file."""
        end(self.process)


def start_ticks(pid: int) -> str | None:
    """When the process started, as the client notes it (proc(5): field 22 of the stat file)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    return stat.rpartition(b") ")[2].split()[19].decode()

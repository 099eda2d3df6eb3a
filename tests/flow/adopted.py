"""Plays an agent with a process that the test started itself."""

import subprocess
import time
import uuid

from .agent_process import AgentProcess
from .claude_home import ClaudeHome


class Adopted(AgentProcess):
    """The agent that this process plays; whoever started it ends it."""

    def __init__(self, home: ClaudeHome, pid: int, project: str = "shop") -> None:
        self.home = home
        self.project = project
        self.cwd = home.cwd(project)
        self.started_ms = int(time.time() * 1000)
        self.conversation = str(uuid.uuid4())
        self._pid = pid

    @property
    def pid(self) -> int:
        return self._pid


def deaf_to_sigterm() -> "subprocess.Popen[bytes]":
    """A process that does not end by SIGTERM, and leaves nothing behind when it is killed."""
    return subprocess.Popen(["sh", "-c", "trap '' TERM; exec sleep 600"], stdin=subprocess.DEVNULL)


def state_of(pid: int) -> str:
    """The state of a process as ps tells it: T is frozen, nothing is gone."""
    told = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return told.stdout[:1]

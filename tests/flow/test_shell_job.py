"""An agent that is a job of an interactive shell: paused, and taken up again with fg."""

import os
import re
import select
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tollkeeper.frozen import FOREGROUND
from waiting import wait_until

from .adopted import Adopted, state_of
from .keeper import Keeper
from .test_words import said

# The shell must own the terminal: it is the leader of its session, and takes it for its own.
BASH = """
import fcntl, os, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp("bash", ["bash", "--noprofile", "--norc", "-i"])
"""


class Shell:
    """bash in a pseudo-terminal of its own; ``shown`` is what stands on it."""

    def __init__(self, folder: Path) -> None:
        self._mine, its = os.openpty()
        self.shown = ""
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", BASH],
            stdin=its,
            stdout=its,
            stderr=its,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "PS1": "ready> ", "TERM": "dumb"},
            start_new_session=True,
        )
        os.close(its)

    def __enter__(self) -> Self:
        self.wait_for("ready> ")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait(10)
        os.close(self._mine)  # Hangs up on the job as well.

    def type(self, line: str) -> None:
        """Type this line; what was shown before is forgotten."""
        self.press(line + "\n")

    def press(self, keys: str) -> None:
        """Press these keys; what was shown before is forgotten."""
        self.read()
        self.shown = ""
        os.write(self._mine, keys.encode())

    def wait_for(self, pattern: str) -> None:
        """Return when this is shown."""
        wait_until(lambda: re.search(pattern, self.read()), what=f"{pattern!r} in {self.shown!r}")

    def read(self) -> str:
        """All that is shown by now."""
        while select.select([self._mine], [], [], 0)[0]:
            self.shown += os.read(self._mine, 1 << 16).decode("utf-8", "replace")
        return self.shown

    def run(self, command: str) -> int:
        """Run this in the foreground; the pid of it, which is a job of the shell."""
        self.type(f"sh -c 'echo $$ > pid; exec {command}'")
        note = self.folder / "pid"
        wait_until(lambda: note.is_file() and note.read_text().endswith("\n"))
        return int(note.read_text())


@pytest.mark.skipif(not os.path.exists("/bin/bash"), reason="there is no bash")
def test_job_of_a_shell(daemon: Keeper, tmp_path: Path) -> None:
    """Paused, its terminal goes back to the shell; resumed, it runs, and fg brings it back there."""
    with Shell(tmp_path) as shell:
        agent = Adopted(daemon.home, shell.run("cat"))
        agent.says("busy")
        daemon.wait_for(lambda status: len(status.agents) == 1)
        name = daemon.agent(agent).name
        assert said(daemon, "pause", name) == (
            f"{name} is paused. "
            "Its terminal goes back to the shell: after toll resume, type  "
            "stty raw opost -echo; fg  there.\n"
        )
        shell.wait_for(r"(?s)Stopped .*ready> $")
        assert said(daemon, "resume", name) == (
            f"{name} goes on. {FOREGROUND[0].upper()}{FOREGROUND[1:]}.\n"
        )
        shell.type("fg")
        shell.wait_for("exec cat")
        shell.type("echo of the agent")
        shell.wait_for("echo of the agent\r\necho of the agent\r\n")
        assert state_of(agent.pid) in "SR"
        wait_until(lambda: daemon.agent(agent).state == "working")


@pytest.mark.skipif(not os.path.exists("/bin/bash"), reason="there is no bash")
def test_job_resumed_without_a_daemon(daemon: Keeper, tmp_path: Path) -> None:
    """The list of paused agents remembers that it is a job, and so the note says fg as well."""
    with Shell(tmp_path) as shell:
        agent = Adopted(daemon.home, shell.run("cat"))
        agent.says("busy")
        daemon.wait_for(lambda status: len(status.agents) == 1)
        name = daemon.agent(agent).name
        said(daemon, "pause", name)
        shell.wait_for(r"(?s)Stopped .*ready> $")
        assert daemon.stop() == 0
        assert said(daemon, "resume", "--all", "--no-start") == (
            f"{name} goes on. {FOREGROUND[0].upper()}{FOREGROUND[1:]}.\n"
        )
        shell.type("fg")
        shell.wait_for("exec cat")
        shell.type("echo of the agent")
        shell.wait_for("echo of the agent\r\necho of the agent\r\n")

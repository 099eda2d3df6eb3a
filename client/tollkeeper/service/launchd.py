"""An agent of launchd, in the session of this user's desktop."""

import os
import re
import time
from pathlib import Path

from tollkeeper.service.manager import RunCommand, State, run_command

# What launchctl answers of a service that it does not know: asked for it, and told to end it.
UNKNOWN, NO_PROCESS = 113, 3
# A service ends some time after it was told to, and can't be loaded anew before.
ENDING_SECONDS = 15.0
SAID = re.compile(r"^\t(state|pid|last exit code|path) = (.*)$", re.MULTILINE)


class Launchd:
    """Asked and told by ``launchctl``; an agent is loaded as long as launchd knows it."""

    name = "launchd"
    logs = "tail ~/Library/Logs/tollkeeper.log"

    def __init__(self, label: str, file: Path, run: RunCommand = run_command) -> None:
        self._domain = f"gui/{os.getuid()}"
        self._target = f"{self._domain}/{label}"
        self._file = file
        self._run = run

    def unreachable(self) -> str | None:
        return self._run("launchctl", "print", self._domain).failure

    def state(self) -> State:
        told = self._run("launchctl", "print", self._target)
        if told.status == UNKNOWN:
            return State()
        return State(problem=told.failure) if told.failure else read_state(told.output)

    def reload(self) -> None:
        """It reads the file when it is told to start it."""

    def start(self) -> str | None:
        self.stop()
        return self._run("launchctl", "bootstrap", self._domain, str(self._file)).failure

    def resume(self) -> str | None:
        return self._run("launchctl", "kickstart", self._target).failure

    def stop(self) -> str | None:
        told = self._run("launchctl", "bootout", self._target)
        if told.status in (UNKNOWN, NO_PROCESS):
            return None
        deadline = time.monotonic() + ENDING_SECONDS
        while told.status == 0 and self._is_known() and time.monotonic() < deadline:
            time.sleep(0.1)
        return told.failure

    def forget(self) -> None:
        """What is not loaded is not known."""

    def _is_known(self) -> bool:
        return self._run("launchctl", "print", self._target).status == 0


def read_state(output: str) -> State:
    """The state, of what ``launchctl print`` printed. Pure."""
    said = {found[1]: found[2] for found in reversed(list(SAID.finditer(output)))}
    running, code = said.get("state") == "running", said.get("last exit code", "")
    failed = code.partition(":")[0] not in ("", "0", "(never exited)")
    return State(
        file=said.get("path"),
        at_login=True,
        running=running,
        pid=int(said["pid"]) if said.get("pid", "").isdecimal() else None,
        problem=None if running or not failed else f"it failed (exit code {code})",
    )

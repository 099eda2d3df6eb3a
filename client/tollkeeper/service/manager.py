"""Who keeps a service running, as systemd and launchd both do it; and how their commands are run."""

import subprocess
from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

PATIENCE_SECONDS = 60.0
NOT_THERE, TOO_SLOW = 127, 124


class State(Struct, frozen=True):
    """What the manager says of the service now.

    ``file`` is the one that it goes by, ``problem`` why it does not run, in its own words. ``stale``
    says that the file was changed since it was read, ``at_login`` that the next login starts it.
    """

    file: str | None = None
    at_login: bool = False
    running: bool = False
    pid: int | None = None
    problem: str | None = None
    stale: bool = False


class Manager(Protocol):
    """The service, by its manager. Who changes something is told what went wrong, or None."""

    name: str
    logs: str

    def unreachable(self) -> str | None:
        """Why the manager can't be asked; None when it can."""
        ...

    def state(self) -> State:
        """How the service is."""
        ...

    def reload(self) -> None:
        """Read its file, where that is apart from starting it."""
        ...

    def start(self) -> str | None:
        """Start it anew by its file."""
        ...

    def resume(self) -> str | None:
        """Start it by the file that was read, unless it runs."""
        ...

    def stop(self) -> str | None:
        """Stop it, for now."""
        ...

    def forget(self) -> None:
        """Its file is gone, and how it last ended does not matter any more."""
        ...


def no_session(manager: str) -> str:
    """What is said where the manager of this name can't be asked."""
    return f"no {manager} user session here"


class Result(Struct, frozen=True):
    """What came of a command: its exit status, and all that it wrote."""

    status: int
    output: str

    @property
    def failure(self) -> str | None:
        """What went wrong, in one line; None when nothing did."""
        if self.status == 0:
            return None
        lines = self.output.strip().splitlines()
        return lines[0] if lines else f"exit status {self.status}"


RunCommand = Callable[..., Result]


def run_command(*words: str) -> Result:
    """Run it to its end; a failure is a result as well."""
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except OSError as error:
        return Result(NOT_THERE, f"{words[0]}: {error.strerror}")
    except subprocess.TimeoutExpired:
        return Result(TOO_SLOW, f"{words[0]} did not end within {PATIENCE_SECONDS:g} s")
    return Result(done.returncode, done.stdout)

"""The installation of the service, step by step, each told in a line."""

import getpass
import sys
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from tollkeeper.cli import words
from tollkeeper.cli.leaving import end_daemon
from tollkeeper.control import Toll, is_listening
from tollkeeper.errors import TollError
from tollkeeper.paths import Paths
from tollkeeper.service.manager import Manager, no_session
from tollkeeper.service.parts import Part
from tollkeeper.service.placing import Standing, goes_by, is_linked, place
from tollkeeper.start import answers_in_time, ensure_daemon

LINGERING = Path("/var/lib/systemd/linger")

Say = Callable[[str], None]


class Step(Struct, frozen=True):
    """A file of the service, as it stands and as it is to be."""

    part: Part
    before: Standing
    text: str

    @property
    def is_news(self) -> bool:
        return self.text != self.before.text or not is_linked(self.part)


class Present(Struct, frozen=True):
    """What of the answer to a ping is told."""

    pid: int


def teller(as_json: bool) -> Say:
    """Says lines to a person; to a program, which gets JSON, none."""
    return (lambda text: None) if as_json else (lambda text: print(words.plain(text)))


def check(step: Step) -> None:
    """TollError when the file is not ours to replace unasked."""
    file, before = step.part.file, step.before
    if before.kind == "edited":
        raise TollError(
            f"{file} was edited by hand, or is not ours",
            "to replace it, and keep it beside: --force; toll service install --dry-run shows the change",
        )
    check_account(step.part, before, "replace")


def check_account(part: Part, before: Standing, doing: str) -> None:
    """TollError when the file is for another account; ``doing`` is what would be done to it."""
    if before.kind == "another":
        raise TollError(
            f"{part.file} is there for the account in {before.data}", f"to {doing} it: --force"
        )


def check_manager(part: Part) -> None:
    """TollError when the manager goes by another file, which this one would not replace."""
    if part.manager is not None:
        state = part.manager.state()
        if state.file and not goes_by(state, part.file):
            raise TollError(
                f"{part.manager.name} goes by {state.file}, which is of another home", "see HOME"
            )


def write(step: Step, say: Say) -> Path | None:
    """Write the file; the backup of one that was edited."""
    file, is_news = step.part.file, step.is_news
    backup = place(step.part, step.text, step.before)
    kept = f"; as it was: {backup}" if backup else ""
    say(f"Written: {file}{kept}" if is_news else f"As it is to be: {file}")
    return backup


def start(part: Part, is_news: bool, paths: Paths, say: Say) -> int | None:
    """Let the manager start the daemon; its pid, or None where the manager can't be asked.

    TollError when it does not start; a daemon that had to make place for it is started again.
    """
    manager = _manager_of(part)
    if why := manager.unreachable():
        say(f"There is {no_session(manager.name)} ({why})")
        say("The daemon starts with the next one; until then: toll up")
        return None
    manager.reload()
    state, pid = manager.state(), present(paths)
    if state.running and not is_news and pid == state.pid:
        say(f"The service runs already, with pid {pid}.")
        return pid
    is_outside = pid is not None and pid != state.pid
    if is_outside and (ended := end_daemon(paths)):
        say(f"The daemon that ran outside the service (pid {ended.pid}) was stopped.")
    if failure := manager.start():
        back = "; the daemon runs again without it" if is_outside and _is_back(paths) else ""
        raise TollError(f"{manager.name} did not start it: {failure}{back}", f"see {manager.logs}")
    if not answers_in_time(paths):
        raise TollError(
            f"{manager.name} has started it, but it does not answer in {paths.run}",
            f"see {manager.logs}",
        )
    pid = present(paths)
    say(f"The service runs, with pid {pid}; its log: {manager.logs}")
    return pid


def start_tray(part: Part, say: Say) -> None:
    """Start the icon now where something keeps it; else say when it starts."""
    if part.manager is None:
        say("The tray icon starts with your next login; to have it now: toll-tray")
    elif failure := part.manager.unreachable() or part.manager.start():
        say(f"The tray icon starts with your next login, but did not now: {failure}")
    else:
        say("The tray icon is started.")


def say_how_long(say: Say) -> None:
    """On Linux a user's services end with the last session, unless the user lingers."""
    if sys.platform == "linux" and not _lingers():
        say("It ends when you have logged out everywhere; for it to stay: loginctl enable-linger")


def _lingers() -> bool:
    """Whether the user's services go on without a session; not for one that has no name."""
    try:
        return (LINGERING / getpass.getuser()).exists()
    except (KeyError, OSError):
        return False


def _manager_of(part: Part) -> Manager:
    assert part.manager is not None, part.name
    return part.manager


def present(paths: Paths) -> int | None:
    """The pid of the daemon that answers."""
    if not is_listening(paths):
        return None
    with Toll(paths) as toll:
        return toll.call("ping", Present).pid


def _is_back(paths: Paths) -> bool:
    try:
        return ensure_daemon(paths)
    except TollError:
        return False

"""The removal of a service's files, each told in a line."""

from pathlib import Path

from tollkeeper.cli.service_installing import Say
from tollkeeper.errors import TollError
from tollkeeper.service.manager import Manager, State
from tollkeeper.service.parts import Part
from tollkeeper.service.placing import Standing, goes_by, remove


def remove_part(part: Part, before: Standing, home: Path, say: Say) -> Path | None:
    """Stop what the file starts, and remove it; the backup of one that was edited.

    TollError when it can't be stopped; then the file stays.
    """
    manager = part.manager
    state = manager.state() if manager is not None else State()
    if manager is not None and goes_by(state, part.file):
        _stop(manager, state, part.name, say)
    backup = remove(part, before, home)
    if manager is not None:
        manager.forget()
    kept = f"; as it was edited: {backup}" if backup else ""
    say(f"Removed: {part.file}{kept}")
    return backup


def _stop(manager: Manager, state: State, name: str, say: Say) -> None:
    if failure := manager.stop():
        raise TollError(f"{manager.name} did not stop the {name}: {failure}", f"see {manager.logs}")
    if state.running:
        say(f"Stopped: the {name}, which ran with pid {state.pid}")

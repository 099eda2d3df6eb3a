"""What ``toll doctor`` and ``toll service status`` say of the service."""

import sys
from pathlib import Path

from msgspec import Struct

from tollkeeper.cli.doctor_tray import HOW_TO_INSTALL, is_installed
from tollkeeper.cli.facts import Facts
from tollkeeper.cli.finding import Finding
from tollkeeper.errors import TollError
from tollkeeper.service.manager import State, no_session
from tollkeeper.service.parts import daemon_part, tray_part
from tollkeeper.service.placing import Standing, goes_by, is_linked, standing
from tollkeeper.service.wanted import wanted

INSTALL, INSTALL_TRAY = "toll service install", "toll service install --tray"


class ServiceFacts(Struct, frozen=True):
    """The service's file, what its manager says, and the pid of the daemon that answers.

    ``unreachable`` is why the manager can't be asked; then ``state`` says nothing.
    """

    file: str
    standing: Standing
    linked: bool
    manager: str
    logs: str
    unreachable: str | None
    state: State
    present: int | None


class TrayFacts(Struct, frozen=True):
    """The file that starts the tray icon at login, and whether the icon is there to be started."""

    file: str
    standing: Standing
    installed: bool = True


def look_at_service(present: int | None) -> ServiceFacts:
    """The facts, as they are now. TollError where there is neither systemd nor launchd."""
    part = daemon_part()
    manager = part.manager
    assert manager is not None
    stands = standing(part, wanted())
    unreachable = manager.unreachable()
    state = State() if unreachable or stands.text is None else manager.state()
    return ServiceFacts(
        str(part.file),
        stands,
        is_linked(part),
        manager.name,
        manager.logs,
        unreachable,
        state,
        present,
    )


def look_at_tray() -> TrayFacts:
    """The facts, as they are now."""
    part = tray_part()
    return TrayFacts(str(part.file), standing(part, wanted()), is_installed())


def service_findings(facts: Facts) -> list[Finding]:
    """The service, and the start of the tray icon, where such a thing can be."""
    try:
        return [*judge_service(look_at_service(facts.pid)), *judge_tray(look_at_tray())]
    except TollError as error:
        return [
            Finding(
                sys.platform not in ("linux", "darwin"), f"service: {error.message}", error.hint
            )
        ]


def judge_service(facts: ServiceFacts) -> list[Finding]:
    """What the facts mean. Pure."""
    if facts.standing.text is None:
        how = no_session(facts.manager) if facts.unreachable else INSTALL
        return [Finding(True, f"service: not installed: {how}")]
    found = [_of_file("service", facts.file, facts.standing, INSTALL)]
    if not facts.linked:
        found.append(Finding(False, "service: it does not start at login", _install(facts)))
    if facts.unreachable:
        why = f"{no_session(facts.manager)} ({facts.unreachable})"
        text = f"service: whether it runs can't be told: {why}"
        return [*found, Finding(True, text)]
    return [*found, _of_state(facts)]


def judge_tray(facts: TrayFacts) -> list[Finding]:
    """What the facts mean; where the icon is not installed nothing has to start it. Pure."""
    if facts.standing.text is None:
        text = f"tray icon: not started at login: {INSTALL_TRAY}"
        return [Finding(True, text)] if facts.installed else []
    if not facts.installed:
        text = f"tray icon: {facts.file} starts it, and it is not installed"
        return [Finding(False, text, f"{HOW_TO_INSTALL}; or: toll service uninstall --tray")]
    return [_of_file("tray icon at login", facts.file, facts.standing, INSTALL_TRAY)]


def _of_file(what: str, file: str, stands: Standing, install: str) -> Finding:
    match stands.kind:
        case "another":
            return Finding(
                False,
                f"{what}: {file} is for the account in {stands.data}",
                f"{install} --force, to have it for this one",
            )
        case "outdated":
            text = f"{what}: {file} is for another version, Python or environment than this one"
            return Finding(False, text, install)
        case "edited":
            text = f"{what}: {file}, edited by hand: {install} --dry-run shows the difference"
            return Finding(True, text)
        case _:
            return Finding(True, f"{what}: {file}")


def _install(facts: ServiceFacts) -> str:
    """The command that mends what stands in the way of the service: an edited file is replaced by force only."""
    match facts.standing.kind:
        case "edited":
            return f"{INSTALL} --force (it keeps the edited file beside)"
        case "another":
            return f"{INSTALL} --force"
        case _:
            return INSTALL


def _of_state(facts: ServiceFacts) -> Finding:
    state, present, name = facts.state, facts.present, facts.manager
    install = _install(facts)
    if state.problem:
        mend = f"{facts.logs} says why; then: {install}"
        return Finding(False, f"service: {name} says: {state.problem}", mend)
    if state.file and not goes_by(state, Path(facts.file)):
        return Finding(False, f"service: {name} goes by {state.file}, of another home", "see HOME")
    if state.file is None:
        return Finding(False, f"service: {name} does not know of it", install)
    if state.stale:
        return Finding(False, f"service: the file was changed since {name} read it", install)
    if present is not None and present != state.pid:
        text = f"service: the daemon that answers (pid {present}) is not the service's"
        return Finding(False, text, f"{install}, which hands over to it")
    if not state.running:
        return Finding(False, "service: it does not run", "toll up")
    return Finding(True, f"service: runs by {name}, with pid {state.pid}")

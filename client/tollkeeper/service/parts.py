"""The files of a service: which there are on this system, where each goes, and what is written into it."""

import os
import re
import sys
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path

from msgspec import Struct

from tollkeeper.errors import TollError
from tollkeeper.service.launchd import Launchd
from tollkeeper.service.manager import Manager
from tollkeeper.service.quoting import (
    in_desktop,
    in_xml,
    plist_environment,
    unit_environment,
    unit_program,
)
from tollkeeper.service.seal import PLACE, sealed
from tollkeeper.service.systemd import UNIT, Systemd
from tollkeeper.service.wanted import Wanted

AUTOSTART = "io.tollkeeper.tray.desktop"
DAEMON_AGENT = "io.tollkeeper.tolld"
TRAY_AGENT = "io.tollkeeper.tray"
BLANK = re.compile("@([A-Z]+)@")

Fill = Callable[[Wanted], dict[str, str]]


class Part(Struct, frozen=True):
    """One file of the service; ``name`` is what people call it.

    ``link`` is what makes systemd start it at login, ``manager`` who keeps it running; None where
    there is no such thing.
    """

    name: str
    file: Path
    fill: Fill
    link: Path | None = None
    manager: Manager | None = None

    def text(self, wanted: Wanted) -> str:
        """What is to be in the file."""
        template = files("tollkeeper.service").joinpath("files", self.file.name).read_text("utf-8")
        blanks = {**self.fill(wanted), "SEAL": PLACE}
        body = BLANK.sub(lambda blank: blanks[blank[1]], template)
        return sealed(body, wanted.data, wanted.path)


def daemon_part(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Part:
    """The service itself. TollError on a system that has neither systemd nor launchd."""
    home = Path(environment.get("HOME") or Path.home()).absolute()
    if platform == "darwin":
        return _launch_agent("service", home, DAEMON_AGENT)
    if platform != "linux":
        raise TollError("services are for systemd and launchd", "start it at login by: toll up")
    folder = _config(environment, home) / "systemd" / "user"
    link = folder / "default.target.wants" / UNIT
    return Part("service", folder / UNIT, _unit, link, Systemd())


def tray_part(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Part:
    """The tray icon at login: on Linux by the desktop's autostart, which all desktops read."""
    home = Path(environment.get("HOME") or Path.home()).absolute()
    if platform == "darwin":
        return _launch_agent("tray icon", home, TRAY_AGENT)
    file = _config(environment, home) / "autostart" / AUTOSTART
    return Part("tray icon", file, _desktop)


def _launch_agent(name: str, home: Path, label: str) -> Part:
    file = home / "Library" / "LaunchAgents" / f"{label}.plist"
    return Part(name, file, _agent, manager=Launchd(label, file))


def _config(environment: Mapping[str, str], home: Path) -> Path:
    named = environment.get("XDG_CONFIG_HOME") or ""
    return Path(named) if os.path.isabs(named) else home / ".config"


def _unit(wanted: Wanted) -> dict[str, str]:
    environment = {**wanted.environment, "PATH": wanted.path}
    return {"PYTHON": unit_program(wanted.python), "ENVIRONMENT": unit_environment(environment)}


def _agent(wanted: Wanted) -> dict[str, str]:
    environment = {**wanted.environment, "PATH": wanted.path}
    return {
        "PYTHON": in_xml(wanted.python),
        "ENVIRONMENT": plist_environment(environment),
        "HOME": in_xml(wanted.home),
    }


def _desktop(wanted: Wanted) -> dict[str, str]:
    """The icon has the desktop's own PATH, in which its terminals are."""
    settings = [f"{name}={value}" for name, value in wanted.environment.items()]
    command = [wanted.python, "-m", "tollkeeper_tray"]
    if settings and "=" in wanted.python:
        raise TollError(
            f"env starts no program with = in its path: {wanted.python}",
            "install the package elsewhere",
        )
    return {"COMMAND": in_desktop(["env", *settings, *command] if settings else command)}

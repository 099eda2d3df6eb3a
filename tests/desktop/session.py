"""A desktop session of its own: a display, a bus, and a notification service when one is wanted."""

import json
import os
import shutil
import subprocess
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tray.screen import display as virtual_display
from tray.screen import running
from waiting import wait_until

PROGRAMS = ("Xvfb", "dbus-daemon", "dunst", "dunstctl")
# Nothing is started by the bus itself.
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/></policy></busconfig>
"""
# Its menu of buttons is a program that is given their labels, and says which one is chosen.
DUNST = """[global]
markup = full
dmenu = {chooser}
[urgency_normal]
timeout = 0
"""


def missing() -> str | None:
    """What this machine lacks for a desktop of our own; None when it has everything."""
    lacking = [program for program in PROGRAMS if shutil.which(program) is None]
    return f"{', '.join(lacking)} not installed" if lacking else None


class Session:
    """A display and a bus; programs are part of it by their environment."""

    def __init__(self, folder: Path, display: str) -> None:
        self._folder = folder
        self._socket = folder / "bus"
        self._bus = ExitStack()
        bus = f"unix:path={self._socket}"
        self.environment = {"DISPLAY": display, "DBUS_SESSION_BUS_ADDRESS": bus}

    def start_bus(self) -> None:
        """Start the bus, at the same address as any before it."""
        settings = self._folder / "bus.conf"
        settings.write_text(BUS.format(socket=self._socket))
        bus = ["dbus-daemon", f"--config-file={settings}", "--nofork", "--nopidfile"]
        self._bus.enter_context(running(bus))
        wait_until(self._socket.exists, what="a bus")

    def end_bus(self) -> None:
        """End the bus."""
        self._bus.close()
        self._socket.unlink(missing_ok=True)

    @contextmanager
    def dunst(self, chosen: str = "") -> Generator[None]:
        """A notification service, for as long as this lasts, whose menu answers with this label."""
        chooser, settings = self._folder / "chooser", self._folder / "dunstrc"
        chooser.write_text(f"#!/bin/sh\ngrep -F -m 1 -- '{chosen}'\n")
        chooser.chmod(0o700)
        settings.write_text(DUNST.format(chooser=chooser))
        display, bus = self.environment.values()
        with running(
            ["dunst", "-conf", str(settings)], DISPLAY=display, DBUS_SESSION_BUS_ADDRESS=bus
        ):
            wait_until(lambda: self._dunstctl("count", check=False), what="dunst")
            yield

    def shown(self) -> int:
        """How many notifications are on the screen."""
        return int(self._dunstctl("count", "displayed"))

    def press(self) -> None:
        """Open the menu of the notification, where the label is chosen."""
        self._dunstctl("context")

    def texts(self) -> list[str]:
        """Close what is shown; what was shown so far, newest first."""
        self._dunstctl("close-all")
        history: dict[str, Any] = json.loads(self._dunstctl("history"))
        return [each["body"]["data"] for each in history["data"][0]]

    def _dunstctl(self, *arguments: str, check: bool = True) -> str:
        return subprocess.run(
            ["dunstctl", *arguments],
            env={**os.environ, **self.environment},
            check=check,
            capture_output=True,
            text=True,
            timeout=20,
        ).stdout


@contextmanager
def session(folder: Path, size: str = "640x240") -> Generator[Session]:
    """A session whose files lie in this folder, which must have a short path."""
    with virtual_display(size) as name:
        opened = Session(folder, name)
        opened.start_bus()
        try:
            yield opened
        finally:
            opened.end_bus()

"""A desktop panel that hosts StatusNotifier icons, on a display and a bus of its own."""

import glob
import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from desktop.session import session
from waiting import wait_until

from .screen import running

PROGRAMS = ("Xvfb", "dbus-daemon", "xfce4-panel", "xdotool")
# The panel reads its settings over the bus; the bus itself starts nothing.
SETTINGS_SERVICES = ("/usr/lib/*/xfce4/xfconf/xfconfd", "/usr/lib*/xfce4/xfconf/xfconfd")
SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="length" type="uint" value="100"/>
      <property name="size" type="uint" value="32"/>
      <property name="plugin-ids" type="array"><value type="int" value="1"/></property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="systray"/>
  </property>
</channel>
"""
# Which Python the distribution's bindings are for, and where they lie.
LOOK = """import sys, gi
gi.require_version("AyatanaAppIndicator3", "0.1")
print("%d.%d" % sys.version_info[:2], gi.__path__[0])"""
# What the icon's menu is for whoever hosts it.
MENU = """from gi.repository import Gio, GLib
bus = Gio.bus_get_sync(Gio.BusType.SESSION, None)
def ask(*where, arguments):
    return bus.call_sync(*where, arguments, None, 0, 10000, None).unpack()
watcher = "org.kde.StatusNotifierWatcher"
names = GLib.Variant("(ss)", (watcher, "RegisteredStatusNotifierItems"))
properties = "org.freedesktop.DBus.Properties"
[[item]] = ask(watcher, "/StatusNotifierWatcher", properties, "Get", arguments=names)
name, _, path = item.partition("/")
everything = GLib.Variant("(iias)", (0, -1, []))
print(ask(name, "/" + path + "/Menu", "com.canonical.dbusmenu", "GetLayout", arguments=everything))"""
# There is nothing for screen readers, which GTK complains of.
QUIET = {"NO_AT_BRIDGE": "1"}
PANEL_HEIGHT = 32
# The icon is the only one, and the first.
ICON = (12, 16)
EACH = 4
# Pixels of an icon's ground, and how far one may be off.
ENOUGH, FAR = 40, 12


def bindings() -> Path | None:
    """The distribution's ``gi`` with AppIndicator, if it is for this Python."""
    look = subprocess.run(
        ["/usr/bin/python3", "-c", LOOK], capture_output=True, text=True, check=False
    )
    version, _, path = look.stdout.strip().partition(" ")
    return Path(path) if version == f"{sys.version_info[0]}.{sys.version_info[1]}" else None


def missing() -> str | None:
    """What this machine lacks for a panel of our own; None when it has everything."""
    for package in ("PIL", "pystray", "Xlib"):
        if importlib.util.find_spec(package) is None:
            return f"{package} is not installed"
    lacking = [program for program in PROGRAMS if shutil.which(program) is None]
    if lacking:
        return f"{', '.join(lacking)} not installed"
    if not _settings_service():
        return "xfconf is not installed"
    if bindings() is None:
        return "python3-gi and gir1.2-ayatanaappindicator3-0.1 are not installed for this Python"
    return None


class Panel:
    """A panel at the upper edge of a virtual display, with one icon in it at most."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        library: Any = importlib.import_module("Xlib.display")
        self._display: Any = library.Display(environment["DISPLAY"])

    def close(self) -> None:
        """End the connection."""
        self._display.close()

    def mood(self) -> str | None:
        """The mood whose ground most of the icon has; None while there is no icon."""
        grounds: dict[str, Any] = importlib.import_module("tollkeeper_tray.icon").GROUNDS
        pixels = self._pixels(0, 0, 2 * ICON[0], PANEL_HEIGHT)
        counts = {
            mood: sum(_is_near(each, ground) for each in pixels) for mood, ground in grounds.items()
        }
        most = max(counts, key=lambda mood: counts[mood])
        return most if counts[most] > ENOUGH else None

    def menu(self) -> str:
        """The icon's menu as its host is told of it; empty while there is none."""
        look = subprocess.run(
            ["/usr/bin/python3", "-c", MENU],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        return look.stdout

    def choose(self, *keys: str) -> None:
        """Open the menu of the icon with a click, and choose with these keys."""
        self._xdotool("mousemove", *map(str, ICON), "click", "3")
        below = PANEL_HEIGHT + EACH
        wait_until(lambda: self.is_lit(ICON[0], below), what="a menu")
        for key in keys:
            self._xdotool("key", key)

    def is_lit(self, x: int, y: int) -> bool:
        """Whether anything is shown at this place."""
        return self._pixels(x, y, 1, 1) != [(0, 0, 0)]

    def _pixels(self, x: int, y: int, width: int, height: int) -> list[tuple[int, ...]]:
        zpixmap = 2
        image = self._display.screen().root.get_image(x, y, width, height, zpixmap, 0xFFFFFFFF)
        data = image.data
        return [(data[at + 2], data[at + 1], data[at]) for at in range(0, len(data), 4)]

    def _xdotool(self, *arguments: str) -> None:
        environment = {**os.environ, **self.environment}
        subprocess.run(["xdotool", *arguments], env=environment, check=True, timeout=20)


@contextmanager
def panel(folder: Path) -> Generator[Panel]:
    """A panel whose files lie in this folder, which must have a short path.

    Programs started with its environment are on its display and see the distribution's ``gi``.
    """
    settings = folder / "config/xfce4/xfconf/xfce-perchannel-xml/xfce4-panel.xml"
    settings.parent.mkdir(parents=True)
    settings.write_text(SETTINGS)
    packages, found = folder / "packages", bindings()
    packages.mkdir()
    assert found is not None
    (packages / "gi").symlink_to(found)
    with session(folder) as desktop:
        theirs = {
            **desktop.environment,
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_RUNTIME_DIR": str(folder),
            **QUIET,
        }
        with (
            running([_settings_service()], None, **theirs),
            running(["xfce4-panel", "--disable-wm-check"], None, **theirs),
        ):
            opened = Panel({**desktop.environment, **QUIET, "PYTHONPATH": str(packages)})
            try:
                wait_until(lambda: opened.is_lit(600, 16), what="a panel")
                yield opened
            finally:
                opened.close()


def _is_near(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return all(abs(a - b) < FAR for a, b in zip(one, other, strict=True))


def _settings_service() -> str:
    found = [path for pattern in SETTINGS_SERVICES for path in glob.glob(pattern)]
    return found[0] if found else ""

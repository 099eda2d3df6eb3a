"""A display of its own with a tray in it: nothing shows up on the display of whoever runs the tests."""

import importlib
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from waiting import wait_until

TRAY_HOSTS = {
    "trayer": ["trayer", "--widthtype", "request", "--height", "32"],
    "stalonetray": ["stalonetray", "--icon-size", "32"],
}


def missing() -> str | None:
    """What this machine lacks for a tray of our own; None when it has everything."""
    for package in ("PIL", "pystray", "Xlib"):
        if importlib.util.find_spec(package) is None:
            return f"{package} is not installed"
    if shutil.which("Xvfb") is None:
        return "Xvfb is not installed"
    if not any(shutil.which(host) for host in TRAY_HOSTS):
        return "neither trayer nor stalonetray is installed"
    return None


class Screen:
    """A virtual display, looked at through a connection of our own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._xlib: Any = importlib.import_module("Xlib.display")
        self._display: Any = self._xlib.Display(name)

    def close(self) -> None:
        """End the connection."""
        self._display.close()

    @contextmanager
    def tray(self) -> Generator[None]:
        """A tray, for as long as this lasts."""
        host = next(host for host in TRAY_HOSTS if shutil.which(host))
        with running(TRAY_HOSTS[host], DISPLAY=self.name):
            wait_until(self._has_tray, what="a tray")
            yield
        wait_until(lambda: not self._has_tray(), what="no tray")

    def icon(self) -> "tuple[str, tuple[int, int, int]] | None":
        """The title and the ground of the icon in the tray; None while there is none."""
        errors: Any = importlib.import_module("Xlib.error")
        try:
            return self._seen(window) if (window := self._icon_window()) else None
        except (errors.BadWindow, errors.BadDrawable, errors.BadMatch):
            pass  # It went while it was looked at, or is not on the screen yet.
        return None

    def click_icon(self) -> None:
        """Click on the icon, which is there."""
        window = self._icon_window()
        place = window.translate_coords(self._display.screen().root, 0, 0)
        # Where the root lies as seen from the icon.
        x, y = str(5 - place.x), str(5 - place.y)
        subprocess.run(
            ["xdotool", "mousemove", x, y, "click", "1"],
            env={**os.environ, "DISPLAY": self.name},
            check=True,
            timeout=20,
        )

    def _icon_window(self) -> Any:
        for window in self._windows(self._display.screen().root):
            if window.get_wm_class() == ("tollkeeperSystemTrayIcon", "tollkeeper"):
                return window
        return None

    def _seen(self, window: Any) -> "tuple[str, tuple[int, int, int]] | None":
        root = self._display.screen().root
        if window.query_tree().parent == root:
            return None
        zpixmap = 2
        image = window.get_image(2, 2, 1, 1, zpixmap, 0xFFFFFFFF)
        blue, green, red = image.data[:3]
        return window.get_wm_name(), (red, green, blue)

    def _windows(self, above: Any) -> Iterator[Any]:
        for window in above.query_tree().children:
            yield window
            yield from self._windows(window)

    def _has_tray(self) -> bool:
        atom = self._display.intern_atom("_NET_SYSTEM_TRAY_S0")
        return bool(self._display.get_selection_owner(atom))


@contextmanager
def display(size: str) -> Generator[str]:
    """The name of a virtual display of this size, under a number that nobody has."""
    reading, writing = os.pipe()
    with ExitStack() as stack:
        stack.callback(os.close, reading)
        arguments = ["-displayfd", str(writing), "-screen", "0", f"{size}x24", "-nolisten", "tcp"]
        # Else it begins anew when the last connection ends, and throws out whoever just comes.
        arguments.append("-noreset")
        stack.enter_context(running(["Xvfb", *arguments], pass_fd=writing))
        os.close(writing)
        number = os.read(reading, 16).decode().strip()
        assert number, "Xvfb did not start"
        yield f":{number}"


@contextmanager
def screen() -> Generator[Screen]:
    """A virtual display with room for a tray."""
    with display("200x64") as name:
        opened = Screen(name)
        try:
            yield opened
        finally:
            opened.close()


@contextmanager
def running(
    command: list[str], pass_fd: int | None = None, **environment: str
) -> Generator["subprocess.Popen[bytes]"]:
    """A silent process, for as long as this lasts."""
    process = subprocess.Popen(
        command,
        env={**os.environ, **environment},
        pass_fds=() if pass_fd is None else (pass_fd,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)

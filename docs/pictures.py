"""Makes the pictures of the README, over ``toll demo``: ``make pictures``.

    python docs/pictures.py [top] [tray]

``top`` is the dashboard, as Textual draws it. ``tray`` is a desktop on a virtual display, with the tray icon, its menu
and a notification: for that Xvfb, dbus-daemon, dunst, trayer, xdotool, xsetroot and ImageMagick's ``import`` are needed.
"""

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from tollkeeper.control import Toll
from tollkeeper.demo.place import Place
from tollkeeper.model import Status
from tollkeeper.top.app import Dashboard

IMAGES: Final = Path(__file__).parent / "images"
TOLL: Final = Path(sys.executable).with_name("toll")
SIZE: Final = (132, 36)
# Fonts of others are not loaded by a picture in a README, and would tell them who looks.
FOREIGN_FONT: Final = re.compile(r"@font-face\s*\{.*?\}\s*", re.DOTALL)
# A text of the picture with its place and length, and the spaces that it begins with.
INDENTED: Final = re.compile(
    r'x="([\d.]+)"( y="[\d.]+") textLength="([\d.]+)"([^>]*)>((?:&#160;)+)'
)
CELL: Final = 12.2

DESKTOP: Final = "800x440"
TRAY: Final = ["trayer", "--edge", "top", "--align", "left", "--width", "100", "--height", "32"]
# The icon is the only one, and the first.
ICON: Final = (16, 16)
TRIMMED: Final = ("-trim", "+repage", "-colors", "128", "-depth", "8")
GROUND: Final = "#3b4252"
# The menu is changed once a second at most, and not while it is open.
MENU_SECONDS: Final = 2.0
# Toolkits name a menu after the program that shows it.
MENU: Final = r"^__main__\.py$"
DRAWN_SECONDS: Final = 0.5
PATIENCE_SECONDS: Final = 40.0


def main() -> None:
    """Make the pictures that are asked for, all unless some are named."""
    parser = argparse.ArgumentParser(description="Make the pictures of the README.")
    parser.add_argument("pictures", nargs="*", metavar="top|tray", default=["top", "tray"])
    for name in parser.parse_args().pictures:
        {"top": picture_top, "tray": picture_tray}[name]()


def picture_top() -> None:
    """``top.svg``: the dashboard, when every state is in it."""
    with demo({"DBUS_SESSION_BUS_ADDRESS": "none:"}) as place:
        svg = asyncio.run(_screenshot(place))
    svg = INDENTED.sub(_without_indent, FOREIGN_FONT.sub("", svg))
    _write("top.svg", svg.encode())


def _without_indent(text: re.Match[str]) -> str:
    """The text moved to where its first letter is: not all that draws SVG keeps spaces."""
    x, y, length, more, spaces = text.groups()
    indent = CELL * spaces.count(";")
    left, right = float(x) + indent, float(length) - indent
    return f'x="{left:.1f}"{y} textLength="{right:.1f}"{more}>'


async def _screenshot(place: Place) -> str:
    top = Dashboard(place.paths, {"COLORTERM": "truecolor"})
    async with top.run_test(size=SIZE) as pilot:
        await asyncio.to_thread(await_everything, place)
        await pilot.press("enter")
        await pilot.pause(1.0)
        return top.export_screenshot(title="toll top")


def picture_tray() -> None:
    """``tray.png``: the tray with its menu, and the notifications of what happened."""
    from desktop.session import session
    from tray.screen import running

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="toll-", dir="/tmp")))
        desktop = stack.enter_context(session(folder, DESKTOP))
        environment = {**desktop.environment, **_with_menus(folder)}
        stack.enter_context(desktop.dunst())
        stack.enter_context(running(TRAY, None, **environment))
        place = stack.enter_context(demo(environment, "--tray"))
        _run(environment, "xsetroot", "-solid", GROUND)
        await_everything(place)
        time.sleep(MENU_SECONDS)
        _open_menu(environment)
        picture = _run(environment, "import", "-window", "root", *TRIMMED, "png:-")
    _write("tray.png", picture)


def _with_menus(folder: Path) -> dict[str, str]:
    """What lets pystray show an icon with a menu: the distribution's ``gi``, which is in no virtual environment."""
    where = "import gi; print(gi.__path__[0])"
    found = _run({}, "/usr/bin/python3", "-c", where).decode().strip()
    packages = folder / "packages"
    packages.mkdir()
    (packages / "gi").symlink_to(found)
    return {"PYTHONPATH": str(packages), "PYSTRAY_BACKEND": "gtk", "NO_AT_BRIDGE": "1"}


def _open_menu(environment: Mapping[str, str]) -> None:
    """Click on the icon, and return when its menu is there."""
    _run(environment, "xdotool", "mousemove", *map(str, ICON), "click", "3")
    _run(environment, "xdotool", "search", "--sync", "--onlyvisible", "--name", MENU)
    time.sleep(DRAWN_SECONDS)


def _run(environment: Mapping[str, str], *command: str) -> bytes:
    """What the command prints; CalledProcessError when it fails."""
    return subprocess.run(
        command, env={**os.environ, **environment}, stdout=subprocess.PIPE, check=True, timeout=20
    ).stdout


@contextmanager
def demo(environment: Mapping[str, str], *options: str) -> Generator[Place]:
    """A demo that plays; its folder."""
    process = subprocess.Popen(
        [TOLL, "demo", "--json", *options],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout
        yield Place(Path(json.loads(process.stdout.readline())["folder"]))
    finally:
        process.terminate()
        process.wait()


def await_everything(place: Place) -> None:
    """Return when an agent waits, one is paused, and a workflow is at its third stage."""

    def all_there(status: Status) -> bool:
        stages = {agent.stage for agent in status.agents}
        return {"waiting", "paused"} <= {
            agent.state for agent in status.agents
        } and "implement" in stages

    with Toll(place.paths) as toll:
        wait_until(lambda: all_there(toll.status()))


def wait_until(condition: Callable[[], object]) -> None:
    """Return when this is so; TimeoutError when it is not in time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the demo does not come to what the picture shows")
        time.sleep(0.05)


def _write(name: str, picture: bytes) -> None:
    (IMAGES / name).write_bytes(picture)
    print(f"{IMAGES / name}: {len(picture) / 1024:.0f} KB")


if __name__ == "__main__":
    main()

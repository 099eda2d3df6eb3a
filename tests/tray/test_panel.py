"""The command toll-tray in a real panel that hosts StatusNotifier icons, with its menu."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flow.keeper import Keeper
from waiting import wait_until

from .panel import Panel, missing, panel

LACKING = missing()
pytestmark = pytest.mark.skipif(LACKING is not None, reason=str(LACKING))


@pytest.fixture
def shown() -> Iterator[Panel]:
    """A panel of the test's own."""
    with (
        tempfile.TemporaryDirectory(prefix="toll-", dir="/tmp") as folder,
        panel(Path(folder)) as opened,
    ):
        yield opened


@contextmanager
def tray_in(panel: Panel, keeper: Keeper, errors: Path) -> Generator["subprocess.Popen[bytes]"]:
    """The command in this panel, with the backend that it chooses itself."""
    with open(errors, "wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "tollkeeper_tray"],
            env={**keeper.environment, **panel.environment},
            stdin=subprocess.DEVNULL,
            stdout=stderr,
            stderr=stderr,
        )
    try:
        yield process
        assert b"" == errors.read_bytes()
    finally:
        process.kill()
        process.wait(20)


def test_colours_change_with_the_state(shown: Panel, keeper: Keeper, tmp_path: Path) -> None:
    """The icon's colour follows the daemon: gone, calm, warned while an agent waits, and gone again."""
    with tray_in(shown, keeper, tmp_path / "errors") as process:
        wait_until(lambda: shown.mood() == "gone")
        keeper.start()
        agent = keeper.start_agent()
        agent.says("busy")
        wait_until(lambda: shown.mood() == "calm")
        agent.says("waiting", waitingFor="permission prompt")
        wait_until(lambda: shown.mood() == "warned")
        keeper.stop()
        wait_until(lambda: shown.mood() == "gone")
        process.terminate()
        assert 0 == process.wait(20)


def test_menu_acts(shown: Panel, keeper: Keeper, tmp_path: Path) -> None:
    """The menu pauses the agent, lets it go on, and ends it, which takes a second step; and quits."""
    keeper.start()
    agent = keeper.start_agent()
    agent.says("busy")
    keeper.wait_for(lambda status: len(status.agents) == 1)
    with tray_in(shown, keeper, tmp_path / "errors") as process:
        wait_until(lambda: shown.mood() == "calm")
        shown.choose("Down", "Right", "Return")
        keeper.wait_for(lambda status: status.agents[0].state == "paused")
        wait_until(lambda: "‖ shop-1" in shown.menu())
        shown.choose("Down", "Right", "Return")
        keeper.wait_for(lambda status: status.agents[0].state != "paused")
        wait_until(lambda: "● shop-1" in shown.menu())
        shown.choose("Down", "Right", "Up", "Right", "Return")
        assert agent.process.wait(20) is not None
        wait_until(lambda: "No agent is running" in shown.menu())
        shown.choose("Up", "Return")
        assert 0 == process.wait(20)


def test_open_menu_stays(shown: Panel, keeper: Keeper, tmp_path: Path) -> None:
    """While only words change, the menu's entries stay the same ones, so that none closes or flickers."""
    keeper.start()
    agent = keeper.start_agent(labels={"TOLL_AGENT": "shop_1"})
    agent.says("busy")
    keeper.wait_for(lambda status: len(status.agents) == 1)
    with tray_in(shown, keeper, tmp_path / "errors"):
        wait_until(lambda: "● shop__1 – working" in shown.menu())
        before = entries(shown)
        agent.says("waiting", waitingFor="permission prompt")
        wait_until(lambda: "⚠ shop__1 – waiting: permission prompt" in shown.menu())
        assert before == entries(shown)
        keeper.start_agent("web").says("busy")
        wait_until(lambda: "● web-1" in shown.menu())
        assert before != entries(shown)


def entries(panel: Panel) -> list[str]:
    """The numbers of the menu's entries; an entry that is made anew has another."""
    return re.findall(r"\((\d+), {", panel.menu())


def test_no_bus(shown: Panel, keeper: Keeper) -> None:
    """In a session without a bus the icon is a plain one, and no bus is started for it."""
    environment = {**keeper.environment, **shown.environment}
    del environment["DBUS_SESSION_BUS_ADDRESS"]
    look = "from tollkeeper_tray import desktop; print(desktop._pystray().Icon.__module__)"
    plain = subprocess.run(
        [sys.executable, "-c", look], env=environment, capture_output=True, text=True, check=False
    )
    assert "pystray._xorg\n" == plain.stdout

"""The command toll-tray: on a display of its own, and where there is none."""

import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from flow.keeper import Keeper
from tollkeeper import __version__
from waiting import wait_until

from .screen import Screen, missing, screen

LACKING = missing()
needs_screen = pytest.mark.skipif(LACKING is not None, reason=str(LACKING))
GONE = "Tollkeeper: no daemon answers"
GREY, GREEN, AMBER = (112, 118, 126), (31, 136, 84), (190, 104, 8)


def command(
    *arguments: str, environment: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """The command, run to its end where there is no display."""
    environment = {**os.environ, "DISPLAY": "", "WAYLAND_DISPLAY": "", **(environment or {})}
    return subprocess.run(
        [sys.executable, "-m", "tollkeeper_tray", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@contextmanager
def tray_command(
    keeper: Keeper, on: Screen, errors: Path, **more: str
) -> Generator["subprocess.Popen[bytes]"]:
    """The command, running on this display; it ends well when it is told to."""
    with open(errors, "wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "tollkeeper_tray"],
            env={**keeper.environment, "DISPLAY": on.name, "PYSTRAY_BACKEND": "xorg", **more},
            stdin=subprocess.DEVNULL,
            stdout=stderr,
            stderr=stderr,
        )
    try:
        yield process
        process.terminate()
        assert 0 == process.wait(20)
    finally:
        process.kill()
        process.wait(20)


@needs_screen
def test_tray_follows_the_daemon(keeper: Keeper, tmp_path: Path) -> None:
    """The icon shows that there is no daemon, then one, then who waits, then none again."""
    with screen() as on, on.tray(), tray_command(keeper, on, tmp_path / "errors"):
        wait_until(lambda: on.icon() == (GONE, GREY))
        keeper.start()
        wait_until(lambda: on.icon() == ("Tollkeeper: no agent is running", GREEN))
        keeper.start_agent().says("waiting", waitingFor="permission prompt")
        wait_until(lambda: on.icon() == ("[1 agent | ! 1 pending]", AMBER))
        keeper.stop()
        wait_until(lambda: on.icon() == (GONE, GREY))


@needs_screen
@pytest.mark.skipif(shutil.which("xdotool") is None, reason="xdotool is not installed")
def test_click_opens_the_dashboard(keeper: Keeper, tmp_path: Path) -> None:
    """On plain X, which has no menus, a click on the icon opens the dashboard in a terminal."""
    said, terminal = tmp_path / "said", tmp_path / "terminal"
    terminal.write_text(f'#!/bin/sh\necho "$@" > {said}\n')
    terminal.chmod(0o700)
    errors = tmp_path / "errors"
    with screen() as on, on.tray(), tray_command(keeper, on, errors, TERMINAL=str(terminal)):
        wait_until(lambda: on.icon() == (GONE, GREY))
        on.click_icon()
        wait_until(lambda: said.exists() and said.read_text().endswith("toll top\n"))


@needs_screen
def test_tray_comes_late_and_again(keeper: Keeper, tmp_path: Path) -> None:
    """The icon finds its place when the desktop's tray starts after it, and when it starts anew."""
    errors = tmp_path / "errors"
    with screen() as on, tray_command(keeper, on, errors):
        wait_until(lambda: b"panel" in errors.read_bytes())
        for _ in range(2):
            with on.tray():
                wait_until(lambda: on.icon() == (GONE, GREY))
    complaints = [line for line in errors.read_text().splitlines() if "xauth" not in line]
    assert {"toll-tray: no panel shows tray icons here; waiting for one"} == set(complaints)
    assert len(complaints) <= 2


@pytest.mark.skipif(sys.platform == "darwin", reason="there is always a display")
def test_no_display() -> None:
    """Without a display, or without its packages, it fails with one line."""
    result = command()
    assert (1, "") == (result.returncode, result.stdout)
    assert result.stderr.startswith("toll-tray: ")
    assert 1 == len(result.stderr.splitlines())


def test_packages_missing(tmp_path: Path) -> None:
    """Without the packages of the extra it fails with one line that says how to install them."""
    (tmp_path / "pystray.py").write_text("raise ModuleNotFoundError('no', name='pystray')\n")
    (tmp_path / "PIL.py").touch()
    result = command(environment={"PYTHONPATH": str(tmp_path)})
    expected = "toll-tray: the tray needs pystray; install Tollkeeper with its extra [tray], as the README says\n"
    assert (1, expected) == (result.returncode, result.stderr)


@pytest.mark.parametrize(
    ("backend", "error", "said"),
    [
        ("foo", "", "there is no PYSTRAY_BACKEND 'foo'; unset it, or choose appindicator, gtk or"),
        ("gtk", "ModuleNotFoundError(\"No module named 'gi'\")", "'gi'); it needs python3-gi and"),
        (
            "appindicator",
            "ValueError('Namespace AyatanaAppIndicator3 not available')",
            "(Namespace AyatanaAppIndicator3 not available); it needs python3-gi and gir1.2-ayat",
        ),
    ],
)
def test_backend_that_is_not_to_be_had(tmp_path: Path, backend: str, error: str, said: str) -> None:
    """What is asked for and can't be had is named in one line, with what it takes."""
    (tmp_path / "gi.py").write_text(f"raise {error}\n")
    result = command(environment={"PYTHONPATH": str(tmp_path), "PYSTRAY_BACKEND": backend})
    assert (1, 1) == (result.returncode, len(result.stderr.splitlines()))
    assert said in result.stderr
    assert "no desktop" not in result.stderr


def test_version_needs_nothing() -> None:
    """Help and version are told without a display."""
    assert f"toll-tray, version {__version__}\n" == command("--version").stdout
    assert command("--help").stdout.startswith("usage: toll-tray")

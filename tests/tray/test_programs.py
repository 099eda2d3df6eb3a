"""What the tray opens: the dashboard in a terminal, the settings in whatever opens them."""

import signal
import sys
from pathlib import Path

import pytest

from tollkeeper.paths import Paths
from tollkeeper_tray.deeds import do
from tollkeeper_tray.menu import Choice
from tollkeeper_tray.programs import OpenError, open_dashboard, open_settings, terminal_of

pytestmark = pytest.mark.skipif(sys.platform == "darwin", reason="other programs open things there")

# A terminal that says what it is given, and which signals are blocked; shells would unblock them.
SAYING = """#!{python}
import pathlib, signal, sys
blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
pathlib.Path("{said}").write_text(f"{{sys.argv[1:]}} {{blocked}}")
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which programs are looked for."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("TERMINAL", raising=False)
    return folder


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """Where things live."""
    return Paths(*(tmp_path / name for name in ("config", "data", "run")))


def install(folder: Path, name: str, script: str = "") -> None:
    """Put a program there."""
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o700)


@pytest.mark.parametrize(
    ("installed", "chosen", "expected"),
    [
        (("xterm",), "", ["xterm", "-e"]),
        (("xterm", "x-terminal-emulator"), "", ["x-terminal-emulator", "-e"]),
        (("xterm", "gnome-terminal"), "gnome-terminal", ["gnome-terminal", "--"]),
        (("xterm", "mine"), "mine", ["mine", "-e"]),
        (("xterm",), "not-installed", ["xterm", "-e"]),
        ((), "", None),
    ],
)
def test_terminal(
    programs: Path, installed: tuple[str, ...], chosen: str, expected: list[str] | None
) -> None:
    """$TERMINAL comes first, then the desktop's own, then whichever is there, each with its word."""
    for name in installed:
        install(programs, name)
    assert expected == terminal_of({"PATH": str(programs), "TERMINAL": chosen})


def test_dashboard(programs: Path, tmp_path: Path) -> None:
    """The dashboard is ``toll top`` in a terminal, which no signal of the tray's is blocked for."""
    said = tmp_path / "said"
    terminal = programs / "xterm"
    terminal.write_text(SAYING.format(python=sys.executable, said=said))
    terminal.chmod(0o700)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        open_dashboard()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    toll = Path(sys.executable).with_name("toll")
    assert f"['-e', '{toll}', 'top'] set()" == said.read_text()


def test_no_terminal(programs: Path) -> None:
    """Without a terminal it says so."""
    with pytest.raises(OpenError, match="no terminal"):
        open_dashboard()


def test_settings(programs: Path, paths: Paths, tmp_path: Path) -> None:
    """The settings are opened, or their folder while there are none."""
    said = tmp_path / "said"
    install(programs, "xdg-open", f'echo "$@" > {said}')
    paths.config.mkdir()
    open_settings(paths)
    assert f"{paths.config}\n" == said.read_text()
    paths.settings.touch()
    open_settings(paths)
    assert f"{paths.settings}\n" == said.read_text()


def test_failures_are_told(programs: Path, paths: Paths) -> None:
    """What does not open, and a daemon that is not there, is told in a line."""
    told = do(Choice("settings"), paths)
    assert told and told.is_error
    assert f"no xdg-open is installed; the settings are {paths.settings}" == told.text
    install(programs, "xdg-open", "exit 3")
    told = do(Choice("settings"), paths)
    assert told and told.text == f"xdg-open {paths.config} failed with exit status 3"
    told = do(Choice("pause", "1-2"), paths)
    assert told and told.text == "no daemon is running; start it with: toll up"

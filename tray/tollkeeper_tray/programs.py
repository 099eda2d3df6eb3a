"""Opens what the tray does not show itself: the dashboard in a terminal, the settings in an editor."""

import importlib.util
import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from tollkeeper.errors import TollError
from tollkeeper.paths import Paths

# What stands between a terminal and the command in it, in the order in which they are looked for.
# Whatever is x-terminal-emulator takes -e (Debian policy 11.8.3), as does most of what is $TERMINAL.
TERMINALS: Mapping[str, tuple[str, ...]] = {
    "xdg-terminal-exec": (),
    "x-terminal-emulator": ("-e",),
    "gnome-terminal": ("--",),
    "konsole": ("-e",),
    "xfce4-terminal": ("-x",),
    "kitty": (),
    "alacritty": ("-e",),
    "foot": (),
    "xterm": ("-e",),
}


class OpenError(TollError):
    """A program that was to show something did not."""

    code = "not-opened"


def open_dashboard() -> None:
    """Show the dashboard in a terminal, or the live table where there is none. OpenError without one."""
    has_top = importlib.util.find_spec("textual") is not None
    dashboard = [_toll(), *(("top",) if has_top else ("status", "--live"))]
    if sys.platform == "darwin":
        quoted = shlex.join(dashboard).replace("\\", "\\\\").replace('"', '\\"')
        script = f'tell application "Terminal"\ndo script "{quoted}"\nactivate\nend tell'
        return _run(["osascript", "-e", script])
    terminal = terminal_of(os.environ)
    if terminal is None:
        raise OpenError("no terminal is installed to show the dashboard in", "set TERMINAL to one")
    return _run([*terminal, *dashboard])


def open_settings(paths: Paths) -> None:
    """Show the settings in whatever opens such files; their folder where there are none yet."""
    place = paths.settings if paths.settings.exists() else paths.config
    opener = "open" if sys.platform == "darwin" else "xdg-open"
    if shutil.which(opener) is None:
        raise OpenError(f"no {opener} is installed", f"the settings are {paths.settings}")
    _run([opener, str(place)])


def terminal_of(environment: Mapping[str, str]) -> list[str] | None:
    """The terminal to run a command in, with what stands before the command; None without one."""
    path = environment.get("PATH")
    chosen = environment.get("TERMINAL", "")
    if chosen and shutil.which(chosen, path=path):
        return [chosen, *TERMINALS.get(os.path.basename(chosen), ("-e",))]
    for name, before in TERMINALS.items():
        if shutil.which(name, path=path):
            return [name, *before]
    return None


def _toll() -> str:
    beside = Path(sys.executable).with_name("toll")
    return str(beside) if beside.exists() else shutil.which("toll") or "toll"


def _run(command: list[str]) -> None:
    """Run it to its end, in a session of its own; OpenError when it fails.

    It is spawned with no signal blocked: those that end the tray are, and a child takes that over.
    """
    try:
        pid = os.posix_spawnp(
            command[0],
            command,
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, descriptor, os.devnull, os.O_RDWR, 0)
                for descriptor in range(3)
            ],
            setsigmask=(),
            setsid=True,
        )
    except OSError as error:
        raise OpenError(f"can't run {command[0]}: {error.strerror}") from None
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status > 0:
        raise OpenError(f"{shlex.join(command)} failed with exit status {status}")

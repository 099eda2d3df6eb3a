"""The demo's folder: what lies where in it, the environment that leads there and nowhere else, the settings."""

import fcntl
import json
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from tollkeeper.errors import PlaceError
from tollkeeper.managed import VARIABLE as MANAGED
from tollkeeper.paths import Paths, find_paths

PREFIX = "toll-demo-"
HELD = "held"
# What leads to somebody's own agents, homes, labels or secrets is not handed on.
OWN_PREFIXES = ("TOLL_", "CLAUDE", "ANTHROPIC_")
OWN_NAMES = frozenset({"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"})
SETTINGS = """\
# The settings of a demo. Only its own made-up agents are looked at.
[sources]
processes = false

[notify]
waiting_after_seconds = 3

[plan]
name = "max"

[limits]
per_run = 0

[accounts.homes]
{keyed} = "api"
"""
SCRIPT = """\
#!/bin/sh
# Looks at the demo in this folder.
exec env {settings} {python} -m {module} "$@"
"""


class Place(Struct, frozen=True):
    """The folder; ``toll`` and ``tray`` in it are commands that look at nothing but the demo."""

    folder: Path

    def claude(self, by_key: bool) -> Path:
        """The Claude home of those that an API key pays for, or that of the subscription."""
        return self.folder / ("claude-key" if by_key else "claude")

    @property
    def toll(self) -> Path:
        return self.folder / "toll"

    @property
    def tray(self) -> Path:
        return self.folder / "toll-tray"

    def cwd(self, project: str) -> Path:
        """Where the agents of a project work."""
        return self.folder / "src" / project

    @property
    def paths(self) -> Paths:
        """Where its daemon lives; PlaceError when the folder's path is too long for a socket."""
        return find_paths(self.variables())

    def variables(self) -> dict[str, str]:
        """What leads here instead of to anybody's own."""
        return {
            "TOLL_HOME": str(self.folder),
            "CLAUDE_CONFIG_DIR": f"{self.claude(False)},{self.claude(True)}",
            "HOME": str(self.folder / "home"),
            MANAGED: str(self.folder / "managed"),
        }

    def environment(self, inherited: Mapping[str, str] = os.environ) -> dict[str, str]:
        """The environment for whatever belongs to the demo: it knows the desktop, and nobody's own."""
        kept = {name: value for name, value in inherited.items() if not _is_own(name)}
        if "XAUTHORITY" not in kept and (home := inherited.get("HOME")):
            kept["XAUTHORITY"] = os.path.join(home, ".Xauthority")  # Else it is looked for in HOME.
        return kept | self.variables()


def make() -> Place:
    """Make the folder with all that is to be there before anything starts; PlaceError where that fails."""
    try:
        place = Place(Path(tempfile.mkdtemp(prefix=PREFIX)).resolve())
    except OSError as error:
        raise PlaceError(f"no temporary folder: {error.strerror}", "set TMPDIR") from None
    try:
        paths = place.paths
    except PlaceError as error:
        shutil.rmtree(place.folder)
        raise PlaceError(error.message, "set TMPDIR to a shorter one, such as /tmp") from None
    homes = (place.claude(by_key) / "projects" for by_key in (False, True))
    for folder in (paths.config, place.folder / "home", *homes):
        folder.mkdir(parents=True, mode=0o700)
    paths.settings.write_text(SETTINGS.format(keyed=json.dumps(str(place.claude(True)))))
    for path, module in ((place.toll, "tollkeeper.cli.main"), (place.tray, "tollkeeper_tray")):
        path.write_text(_script(place, module))
        path.chmod(0o700)
    return place


def hold(place: Place) -> int:
    """Mark the folder as one in use for as long as this process, or one that is given the descriptor, lives."""
    aside = place.folder / f"{HELD}.new"
    descriptor = os.open(aside, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    aside.rename(place.folder / HELD)
    return descriptor


def left() -> Iterator[Place]:
    """The folders of demos that were killed, with nobody left to remove them."""
    for folder in Path(tempfile.gettempdir()).resolve().glob(f"{PREFIX}*"):
        with suppress(OSError):
            if folder.lstat().st_uid == os.getuid() and not _is_held(folder / HELD):
                yield Place(folder)


def _is_held(mark: Path) -> bool:
    """Whether a process has it; OSError where there is none, as in a folder that is being made."""
    descriptor = os.open(mark, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _script(place: Place, module: str) -> str:
    variables = (f"{name}={shlex.quote(value)}" for name, value in place.variables().items())
    return SCRIPT.format(
        settings=" ".join(variables), python=shlex.quote(sys.executable), module=module
    )


def _is_own(name: str) -> bool:
    return name.startswith(OWN_PREFIXES) or name in OWN_NAMES

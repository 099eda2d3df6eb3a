"""Which Claude homes are followed, and what lies where in one."""

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct


class Home(Struct, frozen=True):
    """One directory of the client's configuration, as ``~/.claude``."""

    path: Path

    @property
    def projects(self) -> Path:
        """The session logs."""
        return self.path / "projects"

    @property
    def sessions(self) -> Path:
        """A file for each running client, named after its pid."""
        return self.path / "sessions"

    def has_log(self, path: str) -> bool:
        """Whether a log of this path is one of this home; asked of every refresh of a status line."""
        return path.startswith(f"{self.path}{os.sep}projects{os.sep}")


class Homes(Struct, frozen=True):
    """The homes to follow. ``bounded``: these alone, nothing outside them is looked at."""

    homes: tuple[Home, ...]
    bounded: bool


def find_homes(environment: Mapping[str, str] = os.environ) -> Homes:
    """The homes that this environment names.

    With ``CLAUDE_CONFIG_DIR`` (a comma list) those, and nothing else; without it the client's
    defaults, whether they exist yet or not.
    """
    if named := environment.get("CLAUDE_CONFIG_DIR"):
        paths = [Path(part.strip()).expanduser() for part in named.split(",") if part.strip()]
        return Homes(_homes(paths), bounded=True)
    user = Path(environment.get("HOME") or Path.home())
    return Homes(_homes([user / ".claude", user / ".config" / "claude"]), bounded=False)


def _homes(paths: list[Path]) -> tuple[Home, ...]:
    """A home for each path, links followed, so that one directory is one home."""
    return tuple(Home(path) for path in dict.fromkeys(Path(os.path.realpath(p)) for p in paths))


def settings_files(home: Home) -> list[str]:
    """Where the client keeps its settings of this home: in it, or beside it in the default one."""
    files = [f"{home.path}/.claude.json"]
    if home.path.name == ".claude":
        files.append(f"{home.path}.json")
    return files

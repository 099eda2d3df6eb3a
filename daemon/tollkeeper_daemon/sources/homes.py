"""Which Claude homes are followed, and what lies where in one."""

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from tollkeeper_daemon.sources.files import read_small

LARGEST_SETTINGS = 64 << 20


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


def has_subscription(home: Home) -> bool:
    """Whether the client's own settings name the account of a subscription."""
    import msgspec

    class Settings(Struct):
        oauthAccount: dict[str, object] | None = None

    beside = home.path.parent / ".claude.json"
    for path in (home.path / ".claude.json", beside if home.path.name == ".claude" else None):
        try:
            if (
                path
                and msgspec.json.decode(
                    read_small(str(path), LARGEST_SETTINGS), type=Settings
                ).oauthAccount
            ):
                return True
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
    return False

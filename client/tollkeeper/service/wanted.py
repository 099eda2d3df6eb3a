"""What a service is written for: the Python that runs it, and what of this environment it is to keep."""

import os
import sys
from collections.abc import Mapping

from msgspec import Struct

from tollkeeper.errors import TollError
from tollkeeper.paths import Paths, absolute_homes, find_paths
from tollkeeper.service.quoting import checked, is_writable

# Where things lie, and when days begin. No secrets: units can be read by others.
KEPT = ("TOLL_MANAGED_SETTINGS", "TZ")
BASES = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")


class Wanted(Struct, frozen=True):
    """``path`` is the PATH on which the daemon is to find what it runs; it may change as it likes.

    ``environment`` is the rest that it needs, without which it would keep another account.
    """

    python: str
    home: str
    data: str
    path: str
    environment: dict[str, str]


def wanted(environment: Mapping[str, str] = os.environ, python: str = sys.executable) -> Wanted:
    """What a service would be written for now. TollError when there is no telling."""
    if not python:
        raise TollError("this Python does not know its own path", "call it by its whole path")
    paths = find_paths(environment)
    return Wanted(
        python=os.path.abspath(python),
        home=os.path.abspath(environment.get("HOME") or os.path.expanduser("~")),
        data=checked(str(paths.data)),
        path=_path(environment.get("PATH", os.defpath)),
        environment=_kept(environment, paths),
    )


def _kept(environment: Mapping[str, str], paths: Paths) -> dict[str, str]:
    kept = {name: environment[name] for name in KEPT if environment.get(name)}
    kept |= {name: environment[name] for name in BASES if os.path.isabs(environment.get(name, ""))}
    if homes := environment.get("CLAUDE_CONFIG_DIR"):
        kept["CLAUDE_CONFIG_DIR"] = absolute_homes(homes)
    if environment.get("TOLL_HOME"):
        kept["TOLL_HOME"] = str(paths.own_home)
    if sys.platform == "darwin" and os.path.isabs(environment.get("XDG_RUNTIME_DIR", "")):
        kept["XDG_RUNTIME_DIR"] = environment["XDG_RUNTIME_DIR"]  # systemd sets it by itself.
    return dict(sorted(kept.items()))


def _path(path: str) -> str:
    """Its absolute folders that can be written down, once each."""
    folders = (each for each in path.split(os.pathsep) if os.path.isabs(each) and is_writable(each))
    return os.pathsep.join(dict.fromkeys(folders))

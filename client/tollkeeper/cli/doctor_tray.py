"""What ``toll doctor`` says of the tray icon: whether it can have a menu, and what is to be installed."""

import importlib
import sys
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

from tollkeeper.cli.facts import Facts
from tollkeeper.cli.finding import Finding
from tollkeeper.extras import install_with

HOW_TO_INSTALL = install_with("tray")
NOT_INSTALLED = f"tray icon: not installed: {HOW_TO_INSTALL}"
NO_MENU = (
    "tray icon: without a menu, a click opens the dashboard; for one: apt install python3-gi "
    "gir1.2-ayatanaappindicator3-0.1, and docs/tray.md says how a virtual environment sees them"
)


def tray_findings(facts: Facts) -> list[Finding]:
    """A line; the tray is an extra, so that nothing has to be mended where it is not there."""
    if not is_installed():
        return [Finding(True, NOT_INSTALLED)]
    if sys.platform == "darwin" or has_menu():
        return [Finding(True, "tray icon: toll-tray, with its menu")]
    return [Finding(True, NO_MENU)]


def is_installed() -> bool:
    """Whether the extra ``tray`` is there."""
    return find_spec("pystray") is not None and find_spec("PIL") is not None


def has_menu() -> bool:
    """Whether this Python sees what shows icons with menus on Linux."""
    try:
        gi: Any = importlib.import_module("gi")
    except ImportError:
        return False
    for name in ("AppIndicator3", "AyatanaAppIndicator3"):
        with suppress(ValueError):
            gi.require_version(name, "0.1")
            return True
    return False

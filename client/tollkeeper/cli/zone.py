"""The time zone of whoever calls, by the name that the daemon, with another environment, knows it by."""

from __future__ import annotations

import os
from collections.abc import Mapping
from zoneinfo import ZoneInfo

LOCALTIME = "/etc/localtime"
DATABASE = "/zoneinfo/"


def local_zone(
    environment: Mapping[str, str] = os.environ, localtime: str = LOCALTIME
) -> str | None:
    """The IANA name of the local zone, by ``TZ`` or else by what the system links to.

    None where neither tells one, such as with a ``TZ`` that holds a rule instead of a name.
    """
    told = environment.get("TZ")
    if told is None:
        name = os.path.realpath(localtime).rpartition(DATABASE)[2]
    elif told.startswith(("/", ":/")):
        name = os.path.realpath(told.removeprefix(":")).rpartition(DATABASE)[2]
    else:
        name = told.removeprefix(":") or "UTC"  # An empty one means UTC: see tzset(3).
    return name if zone_named(name) else None


def zone_named(name: str) -> ZoneInfo | None:
    """The zone of this name, None when this machine knows none."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return None

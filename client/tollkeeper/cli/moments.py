"""A time as people type it: of today, of a day, or so long ago."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta

AGO = re.compile(r"(\d{1,6})([smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
START = datetime(1970, 1, 1, tzinfo=UTC)


def moment(text: str, now: datetime | None = None) -> datetime:
    """The time that is meant, with a zone: ``30m`` ago, ``14:05`` of today, an ISO date or time, ``start``.

    ArgumentTypeError when it is none, or is yet to come.
    """
    now = (now or datetime.now()).astimezone()
    if text == "start":
        return START
    if (found := _moment(text, now)) > now:
        raise ArgumentTypeError(
            f"{text!r} is yet to come: say a time that has passed, with its day if that was not today"
        )
    return found


def _moment(text: str, now: datetime) -> datetime:
    try:
        if ago := AGO.fullmatch(text):
            return now - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        if clock := CLOCK.fullmatch(text):
            hour, minute, second = (int(part or 0) for part in clock.groups())
            return now.replace(hour=hour, minute=minute, second=second, microsecond=0)
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise ArgumentTypeError(
            f"{text!r} is no time: say 30m, 2h, 14:05, 2026-11-30, 2026-11-30T14:05 or start"
        ) from None

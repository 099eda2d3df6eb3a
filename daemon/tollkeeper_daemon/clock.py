"""The time of day: the one place that asks for it, and where local days begin."""

import time
from datetime import UTC, date, datetime, timedelta, tzinfo

# Later than any time (ms).
FAR = 2**63 - 1


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def local_time(time: int) -> str:
    """A time (ms) as people here read it: hours and minutes."""
    return datetime.fromtimestamp(time / 1000).strftime("%H:%M")


def local_day(now: int) -> tuple[int, int]:
    """The local midnights (ms) before and after this time; a day may have 23 or 25 hours."""
    here = datetime.fromtimestamp(now / 1000)
    # fold=0: where the clocks go back over midnight, the day begins at the first of the two.
    today = here.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    tomorrow = (today + timedelta(hours=36)).replace(hour=0)
    return int(today.timestamp() * 1000), int(tomorrow.timestamp() * 1000)


def day_of(time: int) -> str:
    """The local day (an ISO date) that a time (ms) falls into."""
    return datetime.fromtimestamp(time / 1000).date().isoformat()


def start_of(day: date, zone: tzinfo | None = None) -> int:
    """The time (ms) at which this day begins, the local one without a zone.

    Where its midnight is skipped, right after it; never before 1970.
    """
    try:
        # fold=0: where the clocks go back over midnight, the first of the two.
        start = datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()
    except (ValueError, OverflowError):  # At the calendar's ends the local zone has no such time.
        return 0 if day.year < 1970 else FAR
    return max(int(start * 1000), 0)


def iso(time: int) -> str:
    """A time in ms as ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="milliseconds")


def ms_of(stamp: str) -> int:
    """The time (ms) of an ISO 8601 stamp; without a zone it is UTC. ValueError, OverflowError for none."""
    moment = datetime.fromisoformat(stamp)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(int(moment.timestamp() * 1000), 0)

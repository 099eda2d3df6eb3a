"""The time of day: the one place that asks for it, and where local days begin."""

import time
from datetime import UTC, datetime, timedelta


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


def iso(time: int) -> str:
    """A time in ms as ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="milliseconds")

"""What is over for good, so that nothing of it need be remembered. Pure."""

from collections.abc import Iterable

# A clock that is set back may come to one of these again.
DAYS_KEPT = 3
UNUSED_DAYS = 90
UNUSED_MS = UNUSED_DAYS * 86_400_000


def days_over(days: Iterable[str], today: str) -> set[str]:
    """Of these days (ISO dates) all but today and the latest few."""
    return set(sorted(set(days) - {today})[:-DAYS_KEPT])


def is_unused(touched: int, spent: int, now: int) -> bool:
    """Whether a limit is on work that is over: when it was set, and last spent under, is long ago (ms)."""
    return now - max(touched, spent) >= UNUSED_MS

"""What is over for good, so that nothing of it need be remembered. Pure."""

from collections.abc import Iterable

# A clock that is set back may come to one of these again.
DAYS_KEPT = 3


def days_over(days: Iterable[str], today: str) -> set[str]:
    """Of these days (ISO dates) all but today and the latest few."""
    return set(sorted(set(days) - {today})[:-DAYS_KEPT])

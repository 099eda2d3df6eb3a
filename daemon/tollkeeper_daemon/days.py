"""Begins the local days as they come, and again when the clock is set back to one."""

from collections.abc import Callable

from tollkeeper_daemon.clock import local_day


class Days:
    """``begin`` is called with a day's local midnights, before and after (ms).

    ``must_wait`` says that no day may begin now; it begins with the next look.
    """

    def __init__(self, begin: Callable[[int, int], None], must_wait: Callable[[], bool]) -> None:
        self._begin = begin
        self._must_wait = must_wait
        self._midnights = (0, 0)

    def check(self, now: int) -> None:
        """Begin the day of this time (ms), if it is another one."""
        before, after = self._midnights
        if before <= now < after or self._must_wait():
            return
        self._midnights = local_day(now)
        self._begin(*self._midnights)

"""How far a proxy's clock is off, told by the `Date` of its answers. Pure."""

from datetime import UTC
from email.utils import parsedate_to_datetime

# A stamp is of a whole second and an answer takes its time: so far apart they may be by that alone.
OFF_MS = 60_000


class ProxyClock:
    """A proxy's clock beside ours.

    ``ahead`` (ms) is 0 unless they are clearly apart, and stays the same as long as the answers agree
    with it within as much: so a row has the same time at each look.
    """

    def __init__(self) -> None:
        self.ahead = 0

    def hear(self, stamp: str | None, now: int) -> None:
        """An answer came now (ms) that bears this `Date`; one without tells nothing."""
        told = _ms_of(stamp or "")
        if told is not None and abs(told - now - self.ahead) > OFF_MS:
            ahead = told - now
            self.ahead = ahead if abs(ahead) > OFF_MS else 0


def _ms_of(stamp: str) -> int | None:
    """The time of an HTTP date (RFC 9110, 5.6.7); None for what is none."""
    try:
        moment = parsedate_to_datetime(stamp)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)

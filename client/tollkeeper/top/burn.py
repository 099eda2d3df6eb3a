"""How fast money goes: what was spent in each of the last minutes. Pure: it is told the time."""

from collections import deque
from collections.abc import Sequence

from tollkeeper.model import Status

MINUTES = 240
MINUTE_SECONDS = 60.0


class Burn:
    """List-price dollars by minute: those before the dashboard was opened from the daemon's books, where it was
    asked, and those since from the day's sum, which a new day begins at zero.
    """

    def __init__(self) -> None:
        self._minutes: deque[float] = deque([0.0], maxlen=MINUTES)
        self._minute: int | None = None
        self._spent = 0.0

    def note(self, status: Status, now: float) -> None:
        """What the status says was spent by this time (s)."""
        spent, minute = status.today.total.value_usd, int(now // MINUTE_SECONDS)
        if self._minute is None:
            self._minute, self._spent = minute, spent
        for _ in range(min(max(minute - self._minute, 0), MINUTES)):
            self._minutes.append(0.0)
        self._minute = max(minute, self._minute)
        self._minutes[-1] += max(spent - self._spent, 0.0)
        self._spent = spent

    def fill(self, begins: float, minutes: Sequence[float]) -> None:
        """Take these minutes, the first of which begins at this time (s), for what was noted so far."""
        last = int(begins // MINUTE_SECONDS) + len(minutes) - 1
        since = max(self._minute - last, 0) if self._minute is not None else 0
        newer = list(self._minutes)[-since:] if since else []
        self._minute = last + since
        self._minutes = deque([*minutes, *newer], maxlen=MINUTES)

    @property
    def minutes(self) -> list[float]:
        """Dollars of each minute, the current one last."""
        return list(self._minutes)

    @property
    def per_hour(self) -> float:
        """Dollars an hour, by the last ten minutes."""
        last = self.minutes[-10:]
        return sum(last) / len(last) * 60

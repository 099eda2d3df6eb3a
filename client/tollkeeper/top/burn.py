"""How fast money goes: what was spent in each of the last minutes. Pure: it is told the time."""

from collections import deque

from tollkeeper.model import Status

MINUTES = 240
MINUTE_SECONDS = 60.0


class Burn:
    """List-price dollars by minute, since the dashboard was opened; a new day goes on from zero."""

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

    @property
    def minutes(self) -> list[float]:
        """Dollars of each minute, the current one last."""
        return list(self._minutes)

    @property
    def per_hour(self) -> float:
        """Dollars an hour, by the last ten minutes."""
        last = self.minutes[-10:]
        return sum(last) / len(last) * 60

"""The plan's windows: how much of each was used when it was last seen, and whether it refuses."""

from collections.abc import Callable

from msgspec import Struct

from tollkeeper.model import AlertKind, Plan, Window
from tollkeeper_daemon.clock import iso, local_time
from tollkeeper_daemon.config import PlanSettings
from tollkeeper_daemon.rules.judge import judge_window
from tollkeeper_daemon.store.schema import GaugeRecord
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.transcript.letters import WindowKind

NAMES: dict[str, str] = {"five_hour": "five-hour window", "seven_day": "seven-day window"}
LIMITED_UNTIL = "limited_until"
# The longest window of a plan is seven days: what names a later reset is broken.
LONGEST_WINDOW_MS = 8 * 86_400_000
SPENT = 100.0
# The API names a reset to the second, and not always the same one.
SAME_RESET_MS = 60_000


class News(Struct, frozen=True):
    """Something about the plan that a person should know."""

    kind: AlertKind
    text: str


class PlanGauge:
    """What is known of the plan, saved as it is seen. ``settings`` are those of ``[plan]`` now.

    All times are in ms. What it is told it answers with the news in it; None is for no change.
    """

    def __init__(self, store: Store, settings: Callable[[], PlanSettings], now: int) -> None:
        self._store = store
        self._settings = settings
        # What was over before the daemon came up is no news any more.
        known = store.read(lambda transaction: transaction.bar.gauges())
        self._windows = {each.kind: each for each in known if each.resets_at > now}
        limited = store.read(lambda transaction: transaction.meta(LIMITED_UNTIL)) or 0
        self._limited_until = limited if limited > now else 0

    def refused(self, window: str, resets_at: int, now: int) -> list[News] | None:
        """The plan refused a request because this window is spent."""
        if not max(now, self._limited_until) < resets_at < now + LONGEST_WINDOW_MS:
            return None
        self._store.write(lambda transaction: transaction.set_meta(LIMITED_UNTIL, resets_at))
        self._limited_until = resets_at
        if window in NAMES:
            self._keep(GaugeRecord(window, SPENT, resets_at, now, SPENT))
        return [News("limited", f"the plan refuses requests until {local_time(resets_at)}")]

    def observed(
        self, window: WindowKind, used_percent: float, resets_at: int, now: int
    ) -> list[News] | None:
        """So much of the window is used. What is over already, or ends too late, is passed over."""
        if not now < resets_at < now + LONGEST_WINDOW_MS:
            return None
        known = self._windows.get(window)
        is_same = known is not None and abs(known.resets_at - resets_at) < SAME_RESET_MS
        told = known.told if known and is_same else 0.0
        if known and is_same and known.used_percent == used_percent:
            return None
        passed = judge_window(used_percent, self._settings().warn_at, told)
        self._keep(GaugeRecord(window, used_percent, resets_at, now, passed or told))
        if passed is None:
            return []
        text = f"{used_percent:.0f} % of the plan's {NAMES[window]} is used"
        return [News("warned", f"{text}; it begins anew at {local_time(resets_at)}")]

    def look(self, now: int) -> list[News] | None:
        """See whether the refusal, or a window, is over."""
        news: list[News] = []
        over = [window for window in self._windows.values() if window.resets_at <= now]
        if self._limited_until and now >= self._limited_until:
            self._limited_until = 0
            news.append(News("reset", "the plan takes requests again"))
        elif not over:
            return None
        for window in over:
            self._drop(window.kind)
            if window.told and not news:
                news.append(News("reset", f"the plan's {NAMES[window.kind]} began anew"))
        return news

    def view(self) -> Plan:
        """The plan as the wire shows it."""
        return Plan(
            name=self._settings().name or None,
            five_hour=self._view_of("five_hour"),
            seven_day=self._view_of("seven_day"),
            limited_until=iso(self._limited_until) if self._limited_until else None,
        )

    def _view_of(self, kind: WindowKind) -> Window | None:
        window = self._windows.get(kind)
        return window and Window(
            used_percent=window.used_percent,
            resets_at=iso(window.resets_at),
            observed_at=iso(window.seen),
        )

    def _keep(self, window: GaugeRecord) -> None:
        self._windows[window.kind] = window
        self._store.write(lambda transaction: transaction.bar.save_gauge(window))

    def _drop(self, kind: str) -> None:
        del self._windows[kind]
        self._store.write(lambda transaction: transaction.bar.drop_gauge(kind))

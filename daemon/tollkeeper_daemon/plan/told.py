"""Which plan figures were told last: estimates move all the time, and are told now and then."""

from tollkeeper.model import Plan, Window

TOLD_EVERY_MS = 4_000


class PlanTold:
    """Remembers what was told of the plans, and when (ms)."""

    def __init__(self) -> None:
        self._figures: list[object] = []
        self._time = 0

    def is_due(self, plans: tuple[Plan, ...], now: int) -> bool:
        """Whether anybody would see a difference, and the last was told a moment ago."""
        recent = 0 <= now - self._time < TOLD_EVERY_MS
        return not recent and list(map(_figures, plans)) != self._figures

    def note(self, plans: tuple[Plan, ...], now: int) -> None:
        """These are told now."""
        self._figures = list(map(_figures, plans))
        self._time = now


def _figures(plan: Plan) -> tuple[object, ...]:
    """What of the plan people see, in whole percents and cents."""
    return (
        (plan.name, plan.title, plan.account, plan.home, plan.limited_until),
        (plan.messages_today, plan.opus_messages, plan.approximate_messages, plan.opus_limit),
        *map(_figures_of, (plan.five_hour, plan.seven_day)),
    )


def _figures_of(window: Window | None) -> tuple[object, ...]:
    if window is None:
        return ()
    return (
        window.resets_at,
        round(window.used_percent),
        round(window.value_since_usd, 2),
        None if window.estimated_percent is None else round(window.estimated_percent),
        None if window.percent_per_hour is None else round(window.percent_per_hour),
        window.runs_out_at is None,
    )

"""Judges what was used by the limits in force; it remembers nothing, the limits say what was told."""

from collections.abc import Iterable, Mapping

from tollkeeper_daemon.rules.limits import REACHED, Limit, Scope, Used, Verdict


def judge(totals: Mapping[Scope, Used], limits: Iterable[Limit], now: int) -> list[Verdict]:
    """What is news: each limit that passed a fraction of its bound that was not told of yet.

    One verdict for each at most, of the highest fraction. ``now`` in ms.
    """
    verdicts: list[Verdict] = []
    for limit in limits:
        used = totals.get(limit.scope, Used()).of(limit.measure)
        passed = highest_passed(limit, used)
        if passed > limit.told:
            verdicts.append(Verdict(limit, used, passed, now))
    return verdicts


def highest_passed(limit: Limit, used: int) -> float:
    """The highest fraction to tell of that this amount has come to; 0 for none."""
    if used >= limit.bound:
        return REACHED
    # Divided, since a product of the fraction may come to a little more than it should.
    return max((at for at in limit.warn_at if used / limit.bound >= at), default=0.0)


def judge_window(used_percent: float, warn_at: Iterable[float], told: float) -> float | None:
    """The highest of these percentages that a plan's window passed, unless that was told already."""
    passed = max((at for at in warn_at if used_percent >= at), default=0.0)
    return passed if passed > told else None

"""The rules: when a limit is news, which limits are in force, and which action wins."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkeeper.model import LimitAction
from tollkeeper_daemon.rules.judge import highest_passed, judge, judge_window
from tollkeeper_daemon.rules.limits import (
    ACTIONS,
    Limit,
    Measure,
    Scope,
    Unit,
    Used,
    Verdict,
    strictest,
)
from tollkeeper_daemon.rules.settings import NANO, Limits, nano_of
from tollkeeper_daemon.rules.terms import EVERY, Memory, Own, Terms

from .lines import NOW

AGENT, RUN, DAY = Scope("agent", "100-1"), Scope("run", "run-1"), Scope("daily", "2026-11-22")
TASK = Scope("task", "t1")
OFF = Limits(per_agent=0, per_run=0, daily=0)
Key = tuple[Scope, Unit]

bounds = st.integers(1, 10**18)
shares = st.integers(1, 99).map(lambda hundredths: hundredths / 100)


def limit(bound: int = 100, measure: Measure = "cost", **more: object) -> Limit:
    """A limit on an agent that warns at half and at nine tenths."""
    fields: dict[str, object] = {"warn_at": (0.5, 0.9), **more}
    return Limit(AGENT, measure, bound, "pause", **fields)  # pyright: ignore[reportArgumentType]


def news(used: Used, *limits: Limit) -> list[tuple[float, bool]]:
    """What is news when so much was used: how high, and whether that is the bound."""
    found = judge({AGENT: used}, limits, NOW)
    assert all(NOW == verdict.time for verdict in found)
    return [(verdict.threshold, verdict.is_reached) for verdict in found]


def terms(
    settings: Limits = OFF,
    own: dict[Key, Own] | None = None,
    memories: dict[Key, Memory] | None = None,
) -> Terms:
    """These terms."""
    return Terms(settings, own or {}, memories or {})


# Judging.


@pytest.mark.parametrize(
    ("used", "told", "expected"),
    [
        (0, 0, []),
        (49, 0, []),
        (50, 0, [(0.5, False)]),
        (89, 0.5, []),
        (90, 0.5, [(0.9, False)]),
        (95, 0, [(0.9, False)]),
        (99, 0.9, []),
        (100, 0.9, [(1.0, True)]),
        (500, 0, [(1.0, True)]),
        (500, 1.0, []),
        (60, 0.9, []),
    ],
)
def test_each_fraction_is_news_once(
    used: int, told: float, expected: list[tuple[float, bool]]
) -> None:
    """The highest fraction that was passed is news, unless it or a higher one was told already."""
    assert expected == news(Used(cost=used), limit(told=told))


def test_verdicts_say_what_was_judged() -> None:
    """A verdict has its limit, what was used in the limit's measure, and the time."""
    bound = limit(10, "tokens")
    assert [Verdict(bound, 7, 0.5, NOW)] == judge({AGENT: Used(99, 99, 7)}, [bound], NOW)


def test_limits_of_nobody_are_quiet() -> None:
    """Of a scope that used nothing there is no news, nor where there is no limit."""
    assert [] == judge({}, [limit()], NOW)
    assert [] == judge({AGENT: Used(10**18, 10**18, 10**18)}, [], NOW)


@pytest.mark.parametrize("measure", ["cost", "value", "tokens"])
def test_measures_are_kept_apart(measure: Measure) -> None:
    """A limit counts what is billed, the list price, or tokens, and nothing else."""
    others = {"cost": Used(0, 9, 9), "value": Used(9, 0, 9), "tokens": Used(9, 9, 0)}
    assert [] == news(others[measure], limit(5, measure))
    assert [(1.0, True)] == news(Used(5, 5, 5), limit(5, measure))


def test_less_than_nothing_is_nothing() -> None:
    """What moved away to another agent makes no sum negative."""
    assert 0 == Used(cost=-5).of("cost")
    assert 0.0 == highest_passed(limit(), Used(cost=-5).of("cost"))


@given(bounds, shares)
def test_thresholds_are_exact(bound: int, share: float) -> None:
    """A bound is passed at its very nano-dollar, a fraction at the first that is not below it."""
    bound_alone = limit(bound, warn_at=(share,))
    assert 1.0 == highest_passed(bound_alone, bound)
    assert 1.0 > highest_passed(bound_alone, bound - 1)
    exact = Fraction(round(share * 100), 100) * bound
    at = -(-exact.numerator // exact.denominator)
    if at < bound <= 10**12:
        assert share == highest_passed(bound_alone, at)
        assert 0.0 == highest_passed(bound_alone, at - 1)


@given(st.lists(st.integers(0, 200), max_size=20).map(sorted), st.lists(shares, max_size=4))
def test_no_fraction_is_told_twice(amounts: list[int], warn_at: list[float]) -> None:
    """As more and more is used, each fraction is told once at most, in rising order."""
    told: list[float] = [0.0]
    for used in amounts:
        now = limit(warn_at=tuple(warn_at), told=told[-1])
        told += [passed for passed, _ in news(Used(cost=used), now)]
    assert told == sorted(set(told))
    assert (told[-1] == 1.0) == bool(amounts and amounts[-1] >= 100)


@pytest.mark.parametrize(
    ("percent", "told", "expected"),
    [(79.9, 0, None), (80, 0, 80), (95, 80, 95), (94, 80, None), (100, 0, 95), (81, 95, None)],
)
def test_windows_of_a_plan(percent: float, told: float, expected: float | None) -> None:
    """The highest percentage of a window that was passed is news once."""
    assert expected == judge_window(percent, (80, 95), told)


@given(st.lists(st.sampled_from(ACTIONS), max_size=5))
def test_the_strictest_action_wins(actions: list[LimitAction]) -> None:
    """Of several actions the strictest is carried out; none is to warn."""
    order: list[LimitAction] = ["warn", "block", "pause", "stop"]
    assert order[max(map(order.index, actions), default=0)] == strictest(actions)


# The limits in force.


def test_usual_limits() -> None:
    """Agents, run and day are limited by the settings; what else there is only by hand."""
    found = terms(Limits()).in_force([AGENT, RUN, DAY, TASK], {})
    assert [
        (AGENT, "cost", 5 * NANO, "pause", (0.8,)),
        (RUN, "cost", 20 * NANO, "pause", (0.8,)),
        (DAY, "cost", 50 * NANO, "pause", (0.8,)),
    ] == [(each.scope, each.measure, each.bound, each.action, each.warn_at) for each in found]


def test_nothing_is_no_limit() -> None:
    """0 is no limit: in the settings, and set by hand over a limit of the settings or a label."""
    assert [] == terms().in_force([AGENT, RUN, DAY], {})
    by_hand: dict[Key, Own] = {(AGENT, "usd"): Own(0), (RUN, "usd"): Own(0)}
    found = terms(Limits(), by_hand).in_force([AGENT, RUN], {AGENT: 7})
    assert [] == found


def test_hand_goes_before_label_before_settings() -> None:
    """What a person set counts, else what the agent brought along, else the settings."""
    settings = Limits(per_agent=3)
    labels = {AGENT: 7}
    [usual] = terms(settings).in_force([AGENT], {})
    [brought] = terms(settings).in_force([AGENT], labels)
    [by_hand] = terms(settings, {(AGENT, "usd"): Own(9, "stop")}).in_force([AGENT], labels)
    assert [3 * NANO, 7, 9] == [usual.bound, brought.bound, by_hand.bound]
    assert ["pause", "pause", "stop"] == [usual.action, brought.action, by_hand.action]


def test_one_run_goes_before_every_run() -> None:
    """A limit on this run or day goes before one on every run or day, and that before the settings."""
    every: dict[Key, Own] = {
        (Scope("run", EVERY), "usd"): Own(5),
        (Scope("daily", EVERY), "usd"): Own(6),
    }
    found = terms(Limits(), every).in_force([RUN, DAY], {})
    assert [5, 6] == [each.bound for each in found]
    found = terms(Limits(), {**every, (RUN, "usd"): Own(1)}).in_force([RUN, DAY], {})
    assert [1, 6] == [each.bound for each in found]
    assert [RUN, DAY] == [each.scope for each in found]


def test_dollars_and_tokens_beside_each_other() -> None:
    """A scope may have a limit in each unit; the settings' one stays when tokens are limited."""
    own: dict[Key, Own] = {(AGENT, "tokens"): Own(1_000, "warn")}
    found = terms(Limits(counts="value"), own).in_force([AGENT], {})
    assert [("value", 5 * NANO, "usd"), ("tokens", 1_000, "tokens")] == [
        (each.measure, each.bound, each.unit) for each in found
    ]


def test_grants_are_on_top() -> None:
    """What was granted raises whatever limit there is, but makes none where there is none."""
    memories: dict[Key, Memory] = {(AGENT, "usd"): Memory(told=0.8, granted=4)}
    [found] = terms(own={(AGENT, "usd"): Own(3)}, memories=memories).in_force([AGENT], {})
    assert (7, 0.8) == (found.bound, found.told)
    assert [] == terms(memories=memories).in_force([AGENT], {})


def test_as_if() -> None:
    """A limit that is only weighed is as if it were new: nothing granted, nothing told."""
    memories: dict[Key, Memory] = {(AGENT, "usd"): Memory(told=1.0, granted=4)}
    of = terms(Limits(action="block"), memories=memories)
    found = of.as_if(AGENT, "usd", Own(3))
    assert found
    assert (3, 0.0, "block") == (found.bound, found.told, found.action)
    assert of.as_if(AGENT, "usd", Own(0)) is None


@pytest.mark.parametrize(
    ("dollars", "nano"),
    [(0, 0), (-0.0, 0), (5, 5 * NANO), (0.1, 10**8), (1e-9, 1), (1e-12, 1), (0.29, 290_000_000)],
)
def test_dollars_become_whole_nano_dollars(dollars: float, nano: int) -> None:
    """However small a limit is, it is not rounded to none."""
    assert nano == nano_of(dollars)

"""Refused requests: what hooks report waits for the log, and is believed where that says nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from tollkeeper_daemon.clock import iso
from tollkeeper_daemon.config import PlanSettings
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.intake.refusals import Refusals
from tollkeeper_daemon.intake.whose import Whose
from tollkeeper_daemon.own.plans import load_plans
from tollkeeper_daemon.plan.accounts import Owner
from tollkeeper_daemon.plan.gauge import News, PlanGauge
from tollkeeper_daemon.plan.sums import PlanSums
from tollkeeper_daemon.records import Refusal
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.transcript.letters import HookReport

NOW = 1_795_340_000_000
HOUR = 3_600_000
RESET = NOW + 2 * HOUR


class Bench:
    """One account, of which a window is known; every conversation is that account's."""

    def __init__(self, store: Store) -> None:
        self.told: list[str] = []
        self.plan = PlanGauge(store, PlanSettings, NOW, PlanSums(), load_plans().get)
        self.plan.observed("five_hour", 40, RESET, NOW - 1, Owner("account-a"))
        self.refusals = Refusals(self.plan, cast(Whose, self), cast(Herald, self))

    def of(self, conversation: str, log: str, time: int) -> Owner:
        """Stands in for whoever knows whose plan it is."""
        return Owner("account-a")

    def plan_changed(self, news: list[News] | None) -> None:
        """Stands in for the herald."""
        self.told += [each.kind for each in news or []]

    def report(self, time: int = NOW, now: int = NOW) -> None:
        """A hook reports that conv-1 was refused."""
        self.refusals.reported(HookReport("StopFailure", "conv-1", time), now)

    def log(self, refusal: Refusal, now: int = NOW) -> None:
        """The log of a conversation has a line about it."""
        self.refusals.logged(refusal, "/log", now)

    @property
    def limited_until(self) -> str | None:
        """Until when the plan refuses."""
        return self.plan.view(NOW).limited_until


BY_PLAN = Refusal("conv-1", NOW - 100, "seven_day", NOW + 50 * HOUR)
FOR_THE_MOMENT = Refusal("conv-1", NOW - 100)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Store(tmp_path / "ledger") as store:
        yield Bench(store)


def test_a_log_that_says_nothing(bench: Bench) -> None:
    """After two seconds without a word of the log the hook is believed, however often it was run."""
    bench.report()
    bench.report(now=NOW + 500)
    bench.refusals.look(NOW + 1_999)
    assert bench.limited_until is None
    bench.refusals.look(NOW + 2_000)
    assert bench.limited_until == iso(RESET)
    bench.report(NOW + 30_000, NOW + 30_000)
    bench.refusals.look(NOW + 40_000)
    assert bench.told == ["limited"]


@pytest.mark.parametrize("is_first", [True, False])
def test_the_log_is_believed(bench: Bench, is_first: bool) -> None:
    """The log's line, whether it comes before the report or behind it, is told, and the report is not."""
    if is_first:
        bench.log(BY_PLAN)
    bench.report()
    if not is_first:
        bench.log(BY_PLAN, NOW + 100)
    bench.refusals.look(NOW + 5_000)
    assert bench.limited_until == iso(BY_PLAN.resets_at)
    assert bench.told == ["limited"]


@pytest.mark.parametrize("is_first", [True, False])
def test_refused_for_the_moment(bench: Bench, is_first: bool) -> None:
    """A rate limit that is none of a plan's, by the log, changes no plan and is not told."""
    if is_first:
        bench.log(FOR_THE_MOMENT)
    bench.report()
    if not is_first:
        bench.log(FOR_THE_MOMENT)
    bench.refusals.look(NOW + 5_000)
    assert bench.limited_until is None
    assert bench.told == []


def test_a_late_line(bench: Bench) -> None:
    """A line that comes after the report was believed corrects it, and nobody is told again."""
    bench.report()
    bench.refusals.look(NOW + 2_000)
    bench.log(BY_PLAN, NOW + 60_000)
    assert bench.limited_until == iso(BY_PLAN.resets_at)
    assert bench.told == ["limited"]


def test_a_late_line_of_no_plan(bench: Bench) -> None:
    """A late line that knows of no plan takes back what was told."""
    bench.report()
    bench.refusals.look(NOW + 2_000)
    bench.log(FOR_THE_MOMENT, NOW + 60_000)
    assert bench.limited_until is None
    assert bench.told == ["limited", "reset"]


def test_lines_of_other_refusals(bench: Bench) -> None:
    """A line of another conversation, or of an earlier time, is about another refusal."""
    bench.log(Refusal("conv-2", NOW - 100))
    bench.log(Refusal("conv-1", NOW - 60_000))
    bench.report()
    bench.log(Refusal("conv-2", NOW))
    bench.refusals.look(NOW + 2_000)
    assert bench.told == ["limited"]


def test_an_old_report(bench: Bench) -> None:
    """A report that lay there while no daemon ran is not believed: much may have changed since."""
    bench.report(NOW - 10_001)
    bench.refusals.look(NOW + 5_000)
    assert bench.told == []

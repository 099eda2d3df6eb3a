"""The bar over midnight: each day has a budget of its own, and what held yesterday lets nobody go."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tollkeeper import wire
from tollkeeper.paths import Paths
from tollkeeper_daemon.bar.build import Budgets
from tollkeeper_daemon.budgets.board import Board
from tollkeeper_daemon.budgets.memories import Memories
from tollkeeper_daemon.config import Notify, PlanSettings
from tollkeeper_daemon.herald import Herald
from tollkeeper_daemon.outlets.commands import Commands
from tollkeeper_daemon.outlets.notifier import Notifier
from tollkeeper_daemon.outlets.publisher import Publisher
from tollkeeper_daemon.outlets.signals import Signals
from tollkeeper_daemon.pipeline import Pipeline
from tollkeeper_daemon.plan_gauge import PlanGauge
from tollkeeper_daemon.reading import scan
from tollkeeper_daemon.records import FileMark
from tollkeeper_daemon.roster import LiveAgent, Roster
from tollkeeper_daemon.rules.limits import Scope, Used
from tollkeeper_daemon.rules.settings import Limits
from tollkeeper_daemon.sources.tail import Reading
from tollkeeper_daemon.store.store import Store

from .kernel import FakeKernel
from .lines import NOW, as_block, assistant, usage
from .machine import process, session
from .shelf import PRICES

DAY = 24 * 3_600_000
MIDNIGHT = NOW - 12 * 3_600_000
HOUR = 3_600_000
LOG = "/h/projects/-home-dev-src-shop/conv-1.jsonl"
# A thousand tokens of Opus' output.
REPLY_USD = 0.02
LIMITS = Limits(0, 0, 2 * REPLY_USD)


class Silent(Publisher):
    """Publishes to nobody."""

    def __init__(self) -> None:
        self.sequence = 0

    def publish(self, topic: wire.Topic, kind: type[Any], time: str, **content: Any) -> None:
        self.sequence += 1


class Desk:
    """A bar on a made-up machine, with one agent; the test says what time it is."""

    def __init__(self, store: Store, folder: Path, limits: Limits) -> None:
        self.kernel = FakeKernel()
        self.roster = Roster()
        self.pipeline = Pipeline(store, self.roster, PRICES, lambda path: "api")
        self.memories = Memories(store)
        board = Board(self.memories, self.pipeline, self.roster, lambda: limits)
        notifier = Notifier(Notify(desktop=False), Commands(30))
        plan = PlanGauge(store, PlanSettings, MIDNIGHT)
        self.budgets = Budgets(
            store,
            self.memories,
            board,
            self.pipeline,
            self.roster,
            Herald(Silent(), notifier, self.roster, self.pipeline, board, plan),
            Paths(folder, folder, folder),
            lambda: limits,
            self._look_at,
            Signals(self.kernel, self.kernel.sleep),
        )
        self.process = self.kernel.start()
        seen = process(self.process.pid, started=self.process.stat.start)
        said = session(self.process.pid, "conv-1")
        self.begin_day(MIDNIGHT)
        self.agent = self.roster.appear(seen, said, False, MIDNIGHT)
        self._replies = 0

    def _look_at(self, agent: LiveAgent) -> None:
        agent.stopped = self.process.stopped

    def begin(self) -> "Desk":
        """All history is read."""
        self.budgets.begin(MIDNIGHT)
        return self

    def begin_day(self, midnight: int) -> None:
        """This is the day now."""
        self.pipeline.begin_day(midnight, midnight + DAY)
        self.budgets.begin_day(midnight)

    def reply(self, time: int) -> None:
        """The agent gets a reply."""
        self._replies += 1
        line = assistant(
            usage(output=1000),
            message=f"msg_{self._replies}",
            request=f"req_{self._replies}",
            timestamp=datetime.fromtimestamp(time / 1000, UTC).isoformat(),
        )
        block = as_block([line])
        reading = Reading((1, 1), block, FileMark(LOG, len(block)), len(block))
        outcome = self.pipeline.post([scan(reading, time)], time)
        self.budgets.bar.charged(outcome, time)

    def resume(self, now: int, more: int = 0) -> None:
        """A person lets it go on."""
        self.budgets.agents.resume([self.agent], "usd" if more else None, more, now)

    def kinds(self) -> list[str]:
        return [entry.kind for entry in self.budgets.journal.read(0, 100)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "ledger") as store:
        yield store


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    """The day's budget is worth two replies, and there is no other limit."""
    return Desk(store, tmp_path, LIMITS).begin()


def test_each_day_has_its_own_budget(desk: Desk) -> None:
    """What was spent before midnight counts no more, and the new day's limit acts again."""
    desk.reply(NOW)
    desk.reply(NOW + 1)
    assert desk.process.stopped
    desk.resume(NOW + 2)
    desk.reply(NOW + 3)
    assert not desk.process.stopped
    tomorrow = MIDNIGHT + DAY
    desk.begin_day(tomorrow)
    desk.budgets.bar.look(tomorrow)
    desk.reply(tomorrow + HOUR)
    assert not desk.process.stopped
    desk.reply(tomorrow + HOUR + 1)
    assert desk.process.stopped
    again = ["reached", "paused"]
    assert desk.kinds() == [*again, "resumed", *again]


def test_midnight_lets_nobody_go_and_offers(desk: Desk) -> None:
    """Who was paused yesterday stays so today, and is named as one that has room again."""
    desk.reply(NOW)
    desk.reply(NOW + 1)
    assert desk.budgets.offered() == []
    desk.begin_day(MIDNIGHT + DAY)
    desk.budgets.bar.look(MIDNIGHT + DAY)
    assert desk.process.stopped
    assert desk.budgets.offered() == [desk.agent.record.name]


def test_what_was_granted_is_for_its_day(desk: Desk) -> None:
    """More budget for a day is no more budget for the next one."""
    desk.reply(NOW)
    desk.reply(NOW + 1)
    desk.resume(NOW + 2, more=10**9)
    assert [each.bound_usd for each in desk.budgets.limits.all()] == [2 * REPLY_USD + 1]
    desk.begin_day(MIDNIGHT + DAY)
    assert [each.bound_usd for each in desk.budgets.limits.all()] == [2 * REPLY_USD]


def test_late_line_of_yesterday(desk: Desk) -> None:
    """A reply of yesterday that is read today is yesterday's."""
    desk.begin_day(MIDNIGHT + DAY)
    for number in range(3):
        desk.reply(MIDNIGHT + DAY - HOUR + number)
    assert not desk.process.stopped
    assert [each.used for each in desk.budgets.limits.all()] == [0.0]


def test_what_is_over_is_forgotten(desk: Desk) -> None:
    """Nothing is remembered of the limit of a day that is over."""
    desk.reply(NOW)
    desk.reply(NOW + 1)
    yesterday = Scope("daily", desk.pipeline.day)
    desk.memories.excuse({yesterday: Used()}, NOW)
    assert yesterday in desk.memories.scopes()
    desk.begin_day(MIDNIGHT + DAY)
    assert yesterday not in desk.memories.scopes()


def test_daemon_that_died_in_the_first_import(store: Store, tmp_path: Path) -> None:
    """What it booked and could not excuse any more is history to the next daemon."""
    first = Desk(store, tmp_path, LIMITS)
    for number in range(3):
        first.reply(NOW + number)
    second = Desk(store, tmp_path, LIMITS)
    second.budgets.bar.take_up(NOW)
    second.begin()
    assert (second.kinds(), second.process.stopped) == ([], False)
    assert [each.used for each in second.budgets.limits.all()] == [0.0]
    third = Desk(store, tmp_path, LIMITS)
    third.budgets.bar.take_up(NOW)
    third.begin()
    assert [each.used for each in third.budgets.limits.all()] == [0.0]


def test_history_that_fails_in_its_midst(store: Store, tmp_path: Path) -> None:
    """What was booked until then is history all the same, and a new ledger's limits wait for the rest."""
    desk = Desk(store, tmp_path, LIMITS)
    with pytest.raises(OSError, match="no room"), desk.budgets.bar.history(NOW):
        for number in range(3):
            desk.reply(NOW + number)
        raise OSError("no room")
    assert not desk.budgets.begin_if_known(NOW)
    desk.begin()
    assert [each.used for each in desk.budgets.limits.all()] == [0.0]
    assert (desk.kinds(), desk.process.stopped) == ([], False)
    assert Desk(store, tmp_path, LIMITS).budgets.begin_if_known(NOW)

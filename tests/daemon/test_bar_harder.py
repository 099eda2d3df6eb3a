"""A blocked agent that is given a reply all the same, and a paused one that somebody else resumes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tollkeeper_daemon.bar.buttons import ADD, RESUME, STOP
from tollkeeper_daemon.outlets.notices import Notice
from tollkeeper_daemon.rules.settings import Limits
from tollkeeper_daemon.store.proxy_shelf import ProxyRow
from tollkeeper_daemon.store.store import Store

from .bar_world import HOOKS, Crash
from .desk import REPLY_USD, Desk
from .kernel import OTHER
from .lines import NOW

PAUSE = Limits(0, 0, REPLY_USD)
BLOCK = replace(PAUSE, action="block")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "ledger") as store:
        yield store


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Notice]:
    """Every notice, as it is handed over to be shown."""
    notices: list[Notice] = []
    monkeypatch.setattr(
        "tollkeeper_daemon.outlets.notifier.Notifier.show",
        lambda self, notice: notices.append(notice),  # pyright: ignore
    )
    return notices


def blocked(store: Store, folder: Path) -> Desk:
    """An agent whose tool calls are refused, since the day's budget is spent."""
    (folder / ".claude").mkdir()
    (folder / ".claude" / "settings.json").write_text(json.dumps(HOOKS))
    desk = Desk(store, folder, BLOCK).begin()
    desk.agent.record = replace(desk.agent.record, cwd=str(folder))
    desk.reply(NOW)
    assert ["reached", "blocked"] == desk.kinds()
    return desk


def test_went_on(store: Store, tmp_path: Path, shown: list[Notice]) -> None:
    """Whom the hook did not hold is paused, and the notice of that can be answered."""
    desk = blocked(store, tmp_path)
    desk.reply(NOW + 1)
    assert desk.process.stopped
    assert "paused" == desk.kinds()[-1]
    notice = shown[-1]
    assert ("paused", (RESUME, ADD, STOP)) == (notice.kind, notice.buttons)
    assert desk.agent.record.id == notice.agent
    assert "shop-1 is paused. It went on while its tool calls were refused." == notice.text
    desk.budgets.press(notice, "resume")
    assert not desk.process.stopped


def test_daemon_dies_as_a_refusal_becomes_a_pause(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next daemon knows that the agent is paused, and does not take it for one that was let go."""
    desk = blocked(store, tmp_path)
    denials = desk.budgets.bar.hands.holds._denials  # pyright: ignore[reportPrivateUsage]
    allow = denials.allow

    def allow_and_die(conversation: str) -> None:
        allow(conversation)
        raise Crash

    monkeypatch.setattr(denials, "allow", allow_and_die)
    with pytest.raises(Crash):
        desk.reply(NOW + 1)
    second = Desk(store, tmp_path, BLOCK, after=desk)
    second.budgets.bar.take_up(NOW + 2)
    second.begin()
    assert desk.process.stopped
    assert "paused" == second.budgets.bar.hands.holds.records[desk.agent.record.id].kind


def test_went_on_under_a_limit_that_was_raised(
    store: Store, tmp_path: Path, shown: list[Notice]
) -> None:
    """Who is still refused tools under a limit that has room again may be resumed, or stopped."""
    desk = blocked(store, tmp_path)
    desk.limits = replace(BLOCK, daily=1)
    desk.reply(NOW + 1)
    assert desk.process.stopped
    assert (RESUME, STOP) == shown[-1].buttons


def test_went_on_and_is_refused(store: Store, tmp_path: Path) -> None:
    """That it can't be paused is told once, however many replies it gets; it is tried each time."""
    desk = blocked(store, tmp_path)
    desk.process.user, own = OTHER, desk.process.user
    for number in range(1, 4):
        desk.reply(NOW + number)
    assert ["reached", "blocked", "failed"] == desk.kinds()
    assert ["reached", "failed"] == desk.alerts()
    desk.process.user = own
    desk.reply(NOW + 4)
    assert desk.process.stopped
    assert "paused" == desk.kinds()[-1]


def test_went_on_and_it_fails(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What goes wrong with one that went on is told, and keeps no limit from acting."""
    desk = blocked(store, tmp_path)

    def fail(*_: object) -> None:
        raise OSError("something is wrong")

    monkeypatch.setattr(desk.budgets.bar.hands.holds, "pause", fail)
    desk.limits = replace(BLOCK, per_run=2 * REPLY_USD, action="warn")
    desk.reply(NOW + 1)
    assert ["failed", "reached"] == desk.kinds()[2:]
    assert ["reached", "failed", "reached"] == desk.alerts()


def test_resumed_by_somebody_else(store: Store, tmp_path: Path, shown: list[Notice]) -> None:
    """That somebody else let a paused agent go on is told, once."""
    desk = Desk(store, tmp_path, PAUSE).begin()
    desk.reply(NOW)
    desk.kernel.thaw(desk.process)
    for number in range(3):
        desk.budgets.bar.look(NOW + 5_000 + number)
    assert ["reached", "paused", "resumed"] == desk.kinds()
    assert ["reached", "paused"] == desk.alerts()
    notice = shown[-1]
    assert ("paused", desk.agent.record.id) == (notice.kind, notice.agent)
    assert "shop-1 goes on. It was resumed by somebody else." == notice.text


def test_row_of_a_proxy(store: Store, tmp_path: Path) -> None:
    """Who is blocked got no reply when the one that blocked it is booked to another account."""
    desk = blocked(store, tmp_path)
    row = ProxyRow(
        proxy="127.0.0.1:8080",
        id="row-1",
        source="api",
        account="proxy 127.0.0.1:8080/work",
        time=NOW,
        seen=NOW,
        model="claude-opus-5-5",
        output=1000,
        request="req_1",
    )
    outcome = desk.pipeline.take_rows([row])
    assert [-1, 1] == sorted(totals.requests for _, totals in outcome.charged)
    desk.budgets.bar.charged(outcome, NOW + 3_000)
    assert ["reached", "blocked"] == desk.kinds()
    assert not desk.process.stopped

"""What a followed proxy tells: what of it is history, what is kept over restarts and a full disk, what is announced."""

import asyncio
import errno
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import pytest
from msgspec.structs import replace

from tollkeeper_daemon.clock import iso
from tollkeeper_daemon.config import CcflareSettings
from tollkeeper_daemon.places import Place
from tollkeeper_daemon.proxies.accounts import MOST_GONE
from tollkeeper_daemon.proxies.answers import Account, Row
from tollkeeper_daemon.proxies.notes import SINCE, TOLD
from tollkeeper_daemon.proxies.proxies import Proxies
from tollkeeper_daemon.proxies.told import Told
from tollkeeper_daemon.store.proxy_shelf import ProxyRow
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction

from .lines import NOW

SERVER = "127.0.0.1:9"
# When a proxy is heard.
HEARD = NOW + 60_000
PLAN = Account(id="1", name="a", provider="anthropic")
PAUSED = Account(id="2", name="b", provider="anthropic", paused=True)
LIMITED = Account(id="3", name="c", provider="anthropic", rateLimitStatus="rate_limited")
T = TypeVar("T")


class FullStore(Store):
    """A store that takes nothing while ``is_full``."""

    is_full = False

    def write(self, work: Callable[[Transaction], T]) -> T:
        if self.is_full:
            raise OSError(errno.ENOSPC, "no room")
        return super().write(work)


class FakeFollower:
    """Asks nobody: the test tells what the proxy would."""

    tell: Callable[[Told], None]
    known: Callable[[list[str]], set[str]]

    def __init__(
        self,
        place: Place,
        key: Callable[[], str],
        tell: Callable[[Told], None],
        known: Callable[[list[str]], set[str]],
        is_named: bool,
    ) -> None:
        FakeFollower.tell = staticmethod(tell)
        FakeFollower.known = staticmethod(known)

    def start(self) -> None:
        """Nothing begins."""

    def stop(self) -> None:
        """Nothing ends."""


class Around:
    """All that proxies need of a daemon: ``rows`` are those taken in, ``announced`` how often something was."""

    importing = None

    def __init__(self, store: Store, is_named: bool = True) -> None:
        self.rows: list[ProxyRow] = []
        self.announced = 0
        self.alerts: list[str] = []
        anything = cast("Any", self)
        self.agents = {"a": SimpleNamespace(record=SimpleNamespace(ended=0))}
        self.roster = SimpleNamespace(agents=self.agents, alive=self.alive)
        named = CcflareSettings(url=f"http://{SERVER}", find=False)
        self.proxies = Proxies(
            store,
            cast("Any", self.roster),
            anything,
            anything,
            anything,
            anything,
            lambda: named if is_named else CcflareSettings(),
            0,
            lambda outcome, now: None,
            attempt,
        )

    def alive(self) -> list[object]:
        """The agents that have not exited."""
        return [agent for agent in self.agents.values() if not agent.record.ended]

    def server_of(self, record: object) -> str:
        """Which server every agent asks."""
        return SERVER

    def take_rows(self, rows: list[ProxyRow]) -> None:
        """They are booked."""
        self.rows += rows

    def history(self, now: int) -> AbstractContextManager[None]:
        """What is booked inside is history."""
        return nullcontext()

    def proxies_changed(self) -> None:
        """It is announced."""
        self.announced += 1

    def tell(self, *anything: object) -> None:
        """Something was booked."""

    def alert_once(self, kind: str, text: str) -> None:
        """A person is told."""
        self.alerts.append(text)

    alert = alert_once

    async def hear(self, **told: Any) -> None:
        """The proxy tells this."""
        FakeFollower.tell(Told(generation=told.pop("generation", "B"), **told))
        for _ in range(3):
            await asyncio.sleep(0)


def attempt(work: Callable[..., object], *of: object) -> bool:
    try:
        work(*of)
    except OSError:
        return False
    return True


def row(name: str, time: int, account: str = "work", **more: Any) -> Row:
    """A request that was served."""
    return Row(id=name, timestamp=iso(time), accountUsed=account, model="m", outputTokens=1, **more)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FullStore]:
    monkeypatch.setattr("tollkeeper_daemon.proxies.follower.Follower", FakeFollower)
    with FullStore(tmp_path) as store:
        yield store


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a minute past ``NOW``."""
    monkeypatch.setattr("tollkeeper_daemon.proxies.proxies.now_ms", lambda: HEARD)


def test_history_ends_where_it_is_followed(store: FullStore) -> None:
    """What was asked before the proxy was first followed is history, all later is none, after a restart too."""

    async def story() -> None:
        Around(store).proxies.look(NOW)
        assert {SERVER: NOW} == store.read(lambda t: t.meta(SINCE))
        around = Around(store)
        around.proxies.look(NOW + 10_000)
        await around.hear(rows=(row("later", NOW + 5_000), row("before", NOW - 5_000)))
        assert [(each.id, each.history) for each in around.rows] == [
            ("before", True),
            ("later", False),
        ]

    asyncio.run(story())


@pytest.mark.parametrize("stamp", [iso(HEARD + 1), "9999-12-31T23:59:59-23:00"])
def test_no_request_of_the_future(store: FullStore, stamp: str) -> None:
    """A request that bears a time still to come began when it was told of."""

    async def story() -> list[ProxyRow]:
        around = Around(store)
        around.proxies.look(NOW)
        await around.hear(rows=(replace(row("a", NOW), timestamp=stamp),))
        return around.rows

    [found] = asyncio.run(story())
    assert (found.time, found.history) == (HEARD, False)


def test_no_room_for_notes(store: FullStore) -> None:
    """Rows are taken in whatever can't be saved beside them, and that is saved when there is room."""

    async def story() -> None:
        around = Around(store)
        store.is_full = True
        around.proxies.look(NOW)
        limited = Account(id="1", name="work", rateLimitStatus="rate_limited")
        await around.hear(rows=(row("a", NOW),), accounts=(limited,))
        assert [each.id for each in around.rows] == ["a"]
        store.is_full = False
        around.proxies.look(NOW)
        assert {SERVER: NOW} == store.read(lambda t: t.meta(SINCE))
        assert [f"proxy {SERVER}/work"] == [*store.read(lambda t: t.meta(TOLD))]

    asyncio.run(story())


def test_removed_account(store: FullStore) -> None:
    """Who pays by an account that is listed no more: what the row says, else what was known, else nothing."""

    async def story() -> list[str]:
        around = Around(store)
        around.proxies.look(NOW)
        plan = Account(id="1", name="was-plan", provider="anthropic")
        await around.hear(accounts=(plan, Account(id="2", name="was-key", provider="x")))
        rows = (
            row("d", NOW, "never-seen"),
            row("c", NOW, "never-seen", billingType="plan"),
            row("b", NOW, "was-key"),
            row("a", NOW, "was-plan"),
        )
        await around.hear(accounts=(), rows=rows)
        return [each.source for each in around.rows]

    assert asyncio.run(story()) == ["subscription", "api", "subscription", ""]


def test_accounts_without_end(store: FullStore) -> None:
    """Of accounts that are listed no more the latest are remembered, and none that is listed is forgotten."""

    async def story() -> list[str]:
        around = Around(store)
        around.proxies.look(NOW)
        lot = [Account(id=f"{n}", name=f"{n}", provider="anthropic") for n in range(MOST_GONE + 2)]
        await around.hear(accounts=tuple(lot))
        await around.hear(accounts=())
        await around.hear()
        rows = (row("c", NOW, "2"), row("b", NOW, "1"), row("a", NOW, f"{MOST_GONE + 1}"))
        await around.hear(rows=rows)
        return [each.source for each in around.rows]

    assert asyncio.run(story()) == ["subscription", "", "subscription"]


def test_becomes_another(store: FullStore) -> None:
    """That a proxy answers as none any more is announced; of what never was one nothing is kept."""

    async def story() -> None:
        never = Around(store, is_named=False)
        never.proxies.look(NOW)
        await never.hear(generation="", is_other=True)
        never.proxies.look(NOW)
        assert store.read(lambda t: t.meta(SINCE)) == {}
        around = Around(store, is_named=False)
        around.proxies.look(NOW)
        await around.hear()
        assert len(around.proxies.views()) == 1
        before = around.announced
        await around.hear(is_other=True)
        assert around.proxies.views() == ()
        assert around.announced == before + 1

    asyncio.run(story())


def test_another_after_a_restart(store: FullStore) -> None:
    """When a proxy was first followed is kept, though something else answers in its place to the next daemon."""

    async def story() -> None:
        before = Around(store, is_named=False)
        before.proxies.look(NOW)
        await before.hear()
        after = Around(store, is_named=False)
        after.proxies.look(NOW + 5_000)
        await after.hear(generation="", is_other=True)
        after.proxies.look(NOW + 10_000)
        assert {SERVER: NOW} == store.read(lambda t: t.meta(SINCE))

    asyncio.run(story())


def test_gone_with_its_agents(store: FullStore) -> None:
    """Of a proxy that no living agent asks any more nobody is told that it went; one that is asked is missed."""

    async def story() -> None:
        around = Around(store, is_named=False)
        around.proxies.look(NOW)
        await around.hear()
        around.agents["a"].record.ended = NOW
        await around.hear(trouble="it does not answer")
        assert around.alerts == []
        [told] = around.proxies.health()
        assert (told["asked_by"], told["trouble"]) == (None, "it does not answer")
        around.agents["b"] = SimpleNamespace(record=SimpleNamespace(ended=0))
        await around.hear(trouble="it does not answer")
        assert len(around.alerts) == 1
        assert [each["asked_by"] for each in around.proxies.health()] == ["agents"]

    asyncio.run(story())


def test_serves_plans(store: FullStore) -> None:
    """A proxy serves plans when all accounts that it lists are subscriptions, however its server is written."""

    async def story() -> None:
        around = Around(store)
        around.proxies.look(NOW)
        serves = around.proxies.serves_plans
        assert not serves(f"proxy {SERVER}")
        await around.hear(accounts=(PLAN,))
        assert serves(f"proxy {SERVER}")
        assert serves("proxy localhost:9")
        assert not any(map(serves, ("", "proxy 127.0.0.1:10", "proxy 127.0.0.1", "acc-1")))
        await around.hear(accounts=(PLAN, Account(id="2", name="b", provider="x")))
        assert not serves(f"proxy {SERVER}")

    asyncio.run(story())


@pytest.mark.parametrize(
    ("told", "later", "serves"),
    [
        ({}, 0, True),
        ({}, 300_000, False),
        ({}, -1_000, False),
        ({"bad": 1}, 0, True),
        ({"bad": 1, "bad_accounts": 1}, 0, False),
        ({"generation": "H"}, 0, True),
        ({"generation": "C"}, 0, False),
        ({"accounts": (PLAN, PAUSED, LIMITED)}, 0, True),
        ({"accounts": (PAUSED, LIMITED)}, 0, False),
        ({"accounts": (PAUSED,)}, 0, False),
        ({"accounts": (LIMITED,)}, 0, False),
        ({"accounts": ()}, 0, False),
    ],
)
def test_serves_plans_when_sure(
    store: FullStore,
    monkeypatch: pytest.MonkeyPatch,
    told: dict[str, Any],
    later: int,
    serves: bool,
) -> None:
    """A proxy serves plans only while one is ready, all accounts were read a moment ago, and keys would show."""

    async def story() -> None:
        around = Around(store)
        around.proxies.look(NOW)
        await around.hear(**{"accounts": (PLAN,), **told})
        monkeypatch.setattr("tollkeeper_daemon.proxies.proxies.now_ms", lambda: HEARD + later)
        assert serves == around.proxies.serves_plans(f"proxy {SERVER}")

    asyncio.run(story())


def test_serves_no_plans_in_trouble(store: FullStore) -> None:
    """A proxy in trouble serves no plans, until it answers again."""

    async def story() -> None:
        around = Around(store)
        around.proxies.look(NOW)
        await around.hear(accounts=(PLAN,))
        await around.hear(trouble="it is away")
        assert not around.proxies.serves_plans(f"proxy {SERVER}")
        await around.hear()
        assert around.proxies.serves_plans(f"proxy {SERVER}")

    asyncio.run(story())


def test_known_rows(store: FullStore) -> None:
    """A row is known by the id that it was saved with, as long as that may be."""

    async def story() -> set[str]:
        around = Around(store)
        around.proxies.look(NOW)
        await around.hear(rows=(row("r" * 200, NOW), row("s", NOW)))
        store.write(lambda t: [t.proxied.save(each) for each in around.rows])
        return FakeFollower.known(["r" * 200, "s", "t"])

    assert asyncio.run(story()) == {"r" * 200, "s"}

"""A proxy's follower beside a ccflare written by hand, without a daemon: what it asks, and what it tells."""

import time
from collections.abc import Callable, Iterator
from threading import Event
from threading import enumerate as enumerate_threads
from typing import get_args

import pytest
from msgspec import Struct, field

from tollkeeper_daemon.places import Place, place_of
from tollkeeper_daemon.proxies import follower, looks
from tollkeeper_daemon.proxies.follower import Follower
from tollkeeper_daemon.proxies.told import Told
from waiting import wait_until

from .fake_ccflare import FakeCcflare, Generation

Follow = Callable[..., "Heard"]


class Heard(Struct):
    """What a follower told."""

    told: list[Told] = []
    known: set[str] = set()
    follower: list[Follower] = field(default_factory=list[Follower])

    @property
    def rows(self) -> list[str]:
        """The ids of the paid rows, as they were told."""
        return [row.id for told in list(self.told) for row in told.rows if row.is_paid]

    def wait_for_looks(self, count: int) -> None:
        """Wait for so many more looks."""
        before = len(self.told)
        wait_until(lambda: len(self.told) >= before + count)


@pytest.fixture
def follow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Follow]:
    """Follows a place, with little patience."""
    for name in ("LISTENING_SECONDS", "ASKING_SECONDS", "AGAIN_SECONDS", "APART_SECONDS"):
        monkeypatch.setattr(follower, name, 0.02)
    for name in ("FIRST_BACK_OFF", "LAST_BACK_OFF"):
        monkeypatch.setattr(follower, name, 0.05)
    monkeypatch.setattr(looks, "DEEP_MS", 100)
    followed: list[Follower] = []

    def follow(place: Place, key: Callable[[], str] = str, is_named: bool = False) -> Heard:
        heard = Heard()
        new = Follower(place, key, heard.told.append, heard.known.intersection, is_named)
        followed.append(new)
        heard.follower.append(new)
        new.start()
        return heard

    yield follow
    for each in followed:
        each.stop()


@pytest.mark.parametrize("generation", get_args(Generation))
def test_filled_in_later(follow: Follow, generation: Generation) -> None:
    """A row that begins empty is told when it has its tokens, once, with its headers."""
    with FakeCcflare(generation) as fake:
        fake.began(1)
        heard = follow(place_of(fake.url))
        heard.wait_for_looks(5)
        assert heard.rows == []
        fake.served(1, "work", "req_1", "conv-1")
        wait_until(lambda: heard.rows == ["row-1"])
        heard.wait_for_looks(5)
        assert heard.rows == ["row-1"]
        [names] = [told.names for told in heard.told if told.names]
        assert names == {"row-1": ("req_1", "conv-1")}


def test_shown_deeper(follow: Follow) -> None:
    """A long reply whose row shows below a page of later ones is told."""
    with FakeCcflare("H") as fake:
        for number in range(60):
            fake.served(number, "work", f"req_{number}", "conv-1")
        heard = follow(place_of(fake.url))
        wait_until(lambda: len(heard.rows) == 60)
        fake.served(100, "home", "req_100", "conv-2", when=time.time() - 600)
        for kept in (fake.rows, fake.details):
            kept.append(kept.pop(0))
        wait_until(lambda: heard.rows[60:] == ["row-100"])


@pytest.mark.parametrize("status", [302, 401, 403, 404, 500, 503])
def test_other_server(follow: Follow, status: int) -> None:
    """A server that was only found and answers otherwise is asked once; one that is named again and again."""
    with FakeCcflare() as fake:
        fake.statuses["/health"] = status
        heard = follow(place_of(fake.url))
        wait_until(lambda: bool(heard.told))
        assert [told.is_other for told in heard.told] == [True]
        named = follow(place_of(fake.url), is_named=True)
        named.wait_for_looks(3)
        assert len(heard.told) == 1
        assert len(fake.asked) <= 1 + len(named.told) + 1
        del fake.statuses["/health"]
        wait_until(lambda: named.told[-1].generation == "B")


def test_nobody_there(follow: Follow) -> None:
    """Where nobody is, a server that was only found is waited for, and followed when it comes."""
    with FakeCcflare() as fake:
        port = fake.port
    heard = follow(Place("127.0.0.1", port))
    heard.wait_for_looks(3)
    assert not any(told.is_other for told in heard.told)
    with FakeCcflare(port=port):
        wait_until(lambda: heard.told[-1].generation == "B")


def test_proxy_in_trouble(follow: Follow) -> None:
    """A server that was such a proxy is asked again when its health fails."""
    with FakeCcflare() as fake:
        heard = follow(place_of(fake.url))
        wait_until(lambda: bool(heard.told))
        fake.statuses["/"] = 500
        wait_until(lambda: "500" in heard.told[-1].trouble)
        before = fake.asked.count("/health")
        wait_until(lambda: fake.asked.count("/health") > before + 2)
        fake.statuses.clear()
        wait_until(lambda: not heard.told[-1].trouble)
        assert not any(told.is_other for told in heard.told)


def test_look_that_failed(follow: Follow) -> None:
    """The rows of a look that failed halfway are told by the next one."""
    with FakeCcflare() as fake:
        fake.statuses["/api/stats"] = 500
        fake.served(1, "work", "req_1", "conv-1")
        heard = follow(place_of(fake.url))
        wait_until(lambda: "500" in heard.told[-1].trouble if heard.told else False)
        assert heard.rows == []
        fake.statuses.clear()
        wait_until(lambda: heard.rows == ["row-1"])


def test_bad_entries_of_a_look(follow: Follow) -> None:
    """What can't be read counts once, however often it is seen."""
    with FakeCcflare() as fake:
        fake.rows += [{"id": 7}, None, {"id": "x", "timestamp": "never"}]
        fake.accounts.append({"id": "nameless"})
        heard = follow(place_of(fake.url))
        heard.wait_for_looks(5)
        assert {(told.bad, told.bad_accounts) for told in heard.told} == {(4, 1)}


def test_stopped_meanwhile(follow: Follow) -> None:
    """A follower that is stopped while it gets its key asks nothing with it."""
    waits, goes_on = Event(), Event()

    def key() -> str:
        waits.set()
        goes_on.wait(10)
        return "btr-secret"

    with FakeCcflare() as fake:
        heard = follow(place_of(fake.url), key, is_named=True)
        assert waits.wait(10)
        [stopped] = heard.follower
        stopped.stop()
        goes_on.set()
        wait_until(lambda: not any(each.name.startswith("proxy") for each in enumerate_threads()))
        assert fake.asked == ["/health"]
        assert fake.keys == set()
        assert heard.told == []

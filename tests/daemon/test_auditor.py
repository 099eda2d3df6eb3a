"""Audits in the background: when they are due, and what people are told of them."""

import asyncio
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import lmdb
import pytest
from msgspec.structs import replace

from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.audit.auditor import GATHER_MS, RETRY_MS, ROUND_MS, SETTLE_MS, Auditor
from tollkeeper_daemon.audit.audits import Audits
from tollkeeper_daemon.clock import iso
from tollkeeper_daemon.pipeline import Pipeline
from tollkeeper_daemon.store.store import Store

from .lines import NOW, as_line, assistant
from .shelf import PRICES
from .statements import after, cut_log

HOUR_MS = 3_600_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "ledger") as opened:
        yield opened


class Watched:
    """An auditor of a store, and what it told."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.alerts: list[str] = []
        self.busy = False
        self.auditor = Auditor(store, self._alert, lambda: self.busy, NOW)
        self._pipeline = Pipeline(store, Roster(), PRICES, lambda path: ("api", ""))

    def _alert(self, kind: str, text: str) -> None:
        assert kind == "audit"
        self.alerts.append(text)

    def read(
        self, conversation: str, logged: int, totals: int, live: bool = True, more: bool = False
    ) -> None:
        """A log came in, with so many replies in it, and totals of so many; or a part of it."""
        lines = [
            as_line({"type": "custom-title", "sessionId": conversation, "customTitle": "Agent-1"}),
            *(
                assistant(
                    message=f"{conversation}-{n}",
                    request=f"r-{conversation}-{n}",
                    sessionId=conversation,
                )
                for n in range(logged)
            ),
            after(totals, conversation),
        ]
        scans = cut_log(f"/h/projects/-p/{conversation}.jsonl", lines)
        scans = [replace(scan, more=more) for scan in scans]
        self._pipeline.post(scans, NOW, live=False)
        if live:
            self.auditor.heard(scans, NOW)

    async def at(self, now: int) -> list[str]:
        """What is told when the clock shows this time."""
        before = len(self.alerts)
        self.auditor.look(now)
        await self.auditor.stop()
        return self.alerts[before:]


@pytest.fixture
def watched(store: Store) -> Watched:
    return Watched(store)


def run(story: Coroutine[Any, Any, None]) -> None:
    """Let a story happen."""
    asyncio.run(story)


def test_agreement_is_no_news(watched: Watched) -> None:
    """What agrees is counted, and not told."""

    async def story() -> None:
        watched.read("conv-1", logged=5, totals=5)
        assert [] == await watched.at(NOW + SETTLE_MS)
        assert {"audited": 1, "agree": 1, "differ": 0}.items() <= watched.auditor.counts().items()

    run(story())


def test_nothing_is_audited_before_it_has_settled(watched: Watched) -> None:
    """The lines of subagents may come a little later than the totals."""

    async def story() -> None:
        watched.read("conv-1", logged=5, totals=5)
        await watched.at(NOW + SETTLE_MS - 1)
        assert 0 == watched.auditor.counts()["audited"]

    run(story())


def test_difference_is_told_once(watched: Watched) -> None:
    """A difference without an ordinary cause is told once, in words."""

    async def story() -> None:
        watched.read("conv-1", logged=9, totals=5)
        [told] = await watched.at(NOW + SETTLE_MS)
        assert told.startswith("the client counts $0.0018 less than the ledger in Agent-1: unknown")
        assert told.endswith("See toll audit")
        watched.read("conv-1", logged=9, totals=5)
        assert [] == await watched.at(NOW + SETTLE_MS)
        assert [] == await watched.at(NOW + ROUND_MS)

    run(story())


def test_difference_is_told_once_over_restarts(watched: Watched) -> None:
    """The next daemon remembers what was told."""

    async def story() -> None:
        watched.read("conv-1", logged=9, totals=5)
        assert 1 == len(await watched.at(NOW + SETTLE_MS))
        assert [] == await Watched(watched.store).at(NOW + HOUR_MS)

    run(story())


def test_less_than_a_tenth_of_a_cent_is_no_news(watched: Watched) -> None:
    """It is counted as a difference, and nobody is bothered with it."""

    async def story() -> None:
        watched.read("conv-1", logged=7, totals=5)
        assert [] == await watched.at(NOW + SETTLE_MS)
        assert {"audited": 1, "agree": 0, "differ": 1}.items() <= watched.auditor.counts().items()

    run(story())


def test_ordinary_causes_are_gathered(watched: Watched) -> None:
    """Requests that no log holds are told all in one, at most once an hour."""

    async def story() -> None:
        watched.read("conv-1", logged=1, totals=5)
        watched.read("conv-2", logged=1, totals=5)
        [told] = await watched.at(NOW + SETTLE_MS)
        assert told.startswith("2 conversations differ from the client's own totals by $0.0035: ")
        assert told.count("requests that no log holds") == 1
        watched.read("conv-3", logged=1, totals=5)
        assert [] == await watched.at(NOW + SETTLE_MS + 1)
        [told] = await watched.at(NOW + SETTLE_MS + GATHER_MS)
        assert "Agent-1: requests that no log holds" in told

    run(story())


def test_history_is_told_in_one_alert(watched: Watched) -> None:
    """A round over the whole ledger tells what is odd in it all in one; what is ordinary, never."""

    async def story() -> None:
        watched.auditor.review(NOW)
        watched.read("conv-1", logged=9, totals=5, live=False)
        watched.read("conv-2", logged=9, totals=5, live=False)
        watched.read("conv-3", logged=1, totals=5, live=False)
        watched.read("conv-4", logged=1, totals=1, live=False)
        assert [] == await watched.at(NOW + SETTLE_MS - 1)
        [told] = await watched.at(NOW + SETTLE_MS)
        assert told.startswith("2 of 4 conversations differ")
        assert [] == await watched.at(NOW + SETTLE_MS + GATHER_MS)
        assert {"audited": 4, "agree": 1, "differ": 3}.items() <= watched.auditor.counts().items()

    run(story())


def test_round_leaves_alone_what_is_yet_to_settle(watched: Watched) -> None:
    """A conversation whose subagents' lines may still come is told of when they have."""

    async def story() -> None:
        watched.auditor.review(NOW - SETTLE_MS)
        watched.read("conv-1", logged=9, totals=5)
        assert [] == await watched.at(NOW)
        assert 1 == len(await watched.at(NOW + SETTLE_MS))

    run(story())


def test_round_waits_for_the_history(watched: Watched) -> None:
    """Nothing is audited while the history is read: a fork's parent may still be to come."""

    async def story() -> None:
        watched.read("conv-1", logged=1, totals=1)
        watched.busy = True
        await watched.at(NOW + HOUR_MS)
        assert 0 == watched.auditor.counts()["audited"]
        watched.busy = False
        await watched.at(NOW + HOUR_MS)
        assert 1 == watched.auditor.counts()["audited"]

    run(story())


def test_history_is_no_news_one_by_one(watched: Watched) -> None:
    """What was written while no daemon ran is told in one alert, its ordinary differences never."""

    async def story() -> None:
        with watched.auditor.history():
            watched.read("conv-1", logged=9, totals=5)
            watched.read("conv-2", logged=9, totals=5)
            watched.read("conv-3", logged=1, totals=5)
        [told] = await watched.at(NOW + SETTLE_MS)
        assert told.startswith("2 of 3 conversations differ")
        assert [] == await watched.at(NOW + SETTLE_MS + GATHER_MS)
        watched.read("conv-4", logged=1, totals=5)
        assert 1 == len(await watched.at(NOW + SETTLE_MS + GATHER_MS))

    run(story())


def test_rest_of_a_long_log_is_history_as_well(watched: Watched) -> None:
    """A log that is read in pieces is history to its end, and what is appended then is news."""

    async def story() -> None:
        with watched.auditor.history():
            watched.read("conv-1", logged=1, totals=5, more=True)
        watched.read("conv-1", logged=1, totals=5)
        assert [] == await watched.at(NOW + SETTLE_MS)
        watched.read("conv-1", logged=1, totals=6)
        assert 1 == len(await watched.at(NOW + SETTLE_MS))

    run(story())


def test_what_is_gathered_outlives_a_restart(watched: Watched) -> None:
    """What waits to be told is told by the next daemon, once."""

    async def story() -> None:
        watched.read("conv-1", logged=1, totals=5)
        assert 1 == len(await watched.at(NOW + SETTLE_MS))
        watched.read("conv-2", logged=1, totals=5)
        watched.read("conv-3", logged=1, totals=5)
        assert [] == await watched.at(NOW + SETTLE_MS)
        later = NOW + SETTLE_MS + GATHER_MS
        assert [] == await Watched(watched.store).at(later - 1)
        following = Watched(watched.store)
        assert [] == await following.at(later)  # the round
        [told] = await following.at(later)
        assert told.startswith("2 conversations differ")
        last = Watched(watched.store)
        assert [[], []] == [await last.at(later + GATHER_MS) for _ in range(2)]

    run(story())


def test_gathered_difference_that_is_gone(watched: Watched) -> None:
    """What agrees by the time that it would be told is no news."""

    async def story() -> None:
        watched.read("conv-1", logged=1, totals=5)
        assert 1 == len(await watched.at(NOW + SETTLE_MS))
        watched.read("conv-2", logged=1, totals=5)
        assert [] == await watched.at(NOW + SETTLE_MS)
        watched.read("conv-2", logged=5, totals=5)
        assert [] == await watched.at(NOW + SETTLE_MS)
        assert [] == await watched.at(NOW + SETTLE_MS + GATHER_MS)

    run(story())


def test_review_of_everything(watched: Watched) -> None:
    """The counts say when all conversations were last looked at, by a round or by a person."""

    async def story() -> None:
        watched.read("conv-1", logged=9, totals=5)
        await watched.at(NOW + SETTLE_MS)
        assert (1, None) == (
            watched.auditor.counts()["unexplained"],
            watched.auditor.counts()["time"],
        )
        watched.read("conv-1", logged=9, totals=9, live=False)
        found = watched.store.read(lambda t: list(Audits().audit_all(t)))
        watched.auditor.reviewed(found, NOW)
        expected = {"audited": 1, "agree": 1, "differ": 0, "unexplained": 0, "time": iso(NOW)}
        assert expected == watched.auditor.counts()
        await watched.at(NOW + ROUND_MS)
        assert iso(NOW + ROUND_MS) == watched.auditor.counts()["time"]

    run(story())


@pytest.mark.parametrize("live", [True, False])
def test_failing_audit(watched: Watched, monkeypatch: pytest.MonkeyPatch, live: bool) -> None:
    """An audit that fails is tried again: nothing has to be heard of it once more."""

    def fail(work: object) -> None:
        raise OSError("no disk")

    async def story() -> None:
        watched.read("conv-1", logged=9, totals=5, live=live)
        now = NOW + SETTLE_MS if live else NOW + ROUND_MS
        with monkeypatch.context() as broken:
            broken.setattr(watched.store, "read", fail)
            assert [] == await watched.at(now)
        assert [] == await watched.at(now + RETRY_MS - 1)
        assert 1 == len(await watched.at(now + RETRY_MS))

    run(story())


def test_told_though_it_cannot_be_saved(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk costs no alert, and brings none twice; it is saved with the next."""

    def fail(work: object) -> None:
        raise lmdb.DiskError("no room")

    async def story() -> None:
        watched.read("conv-1", logged=9, totals=5)
        with monkeypatch.context() as broken:
            broken.setattr(watched.store, "write", fail)
            assert 1 == len(await watched.at(NOW + SETTLE_MS))
        watched.read("conv-1", logged=9, totals=5)
        watched.read("conv-2", logged=9, totals=5)
        assert 1 == len(await watched.at(NOW + SETTLE_MS))
        assert [] == await Watched(watched.store).at(NOW + ROUND_MS)

    run(story())


def test_alert_that_fails(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be told is told later, and does not keep the daemon from stopping."""

    def fail(kind: str, text: str) -> None:
        raise OSError("nobody listens")

    async def story() -> None:
        watched.read("conv-1", logged=9, totals=5)
        with monkeypatch.context() as broken:
            broken.setattr(watched.auditor, "_alert", fail)
            assert [] == await watched.at(NOW + SETTLE_MS)
        later = NOW + SETTLE_MS + RETRY_MS
        assert [[], 1] == [await watched.at(later), len(await watched.at(later))]

    run(story())


def test_audit_that_is_broken_off(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever became of the audit under way, stopping goes on."""

    def fail(work: object) -> None:
        raise asyncio.CancelledError

    async def story() -> None:
        watched.read("conv-1", logged=9, totals=5)
        monkeypatch.setattr(watched.store, "read", fail)
        assert [] == await watched.at(NOW + SETTLE_MS)

    run(story())

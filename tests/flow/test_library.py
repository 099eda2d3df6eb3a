"""The client library: blocking and for asyncio, and the errors that it raises."""

import asyncio
import signal
from collections.abc import Callable

import pytest

from tollkeeper.control import AsyncToll, Toll
from tollkeeper.errors import CallError, NoAnswerError, NoDaemonError, PlaceError, ProtocolError
from tollkeeper.feed import AsyncFeed, Change, Feed
from tollkeeper.model import Status
from tollkeeper.paths import find_paths

from .claude_home import ClaudeHome
from .keeper import Keeper


def test_async_client(daemon: Keeper, home: ClaudeHome) -> None:
    """AsyncToll answers as Toll does."""
    agent = daemon.start_agent()
    agent.says("idle")
    home.log().reply()
    daemon.wait_for(lambda status: len(status.agents) == 1 and status.today.total.requests == 1)

    async def ask() -> None:
        async with AsyncToll(daemon.paths) as toll:
            status = await toll.status()
            assert status.today.total.requests == 1
            assert await toll.agents() == status.agents
            assert (await toll.call("daily", dict[str, object])).keys() == {"daily", "totals"}

    asyncio.run(ask())


def test_async_clients_at_once(daemon: Keeper) -> None:
    """Many clients in one loop are answered side by side, while the loop goes on."""

    async def ask() -> Status:
        async with AsyncToll(daemon.paths) as toll:
            return await toll.status()

    async def ask_all() -> list[Status]:
        return await asyncio.gather(*(ask() for _ in range(30)))

    assert len(asyncio.run(ask_all())) == 30


def test_async_call_can_be_cancelled(daemon: Keeper) -> None:
    """A call that is cancelled leaves a client that can be used again."""

    async def ask() -> None:
        async with AsyncToll(daemon.paths) as toll:
            _freeze(daemon)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await toll.status()
            _thaw(daemon)
            assert (await toll.status()).protocol == 1

    asyncio.run(ask())


def test_no_daemon(keeper: Keeper) -> None:
    """Without a daemon every client raises NoDaemonError, with the way out."""

    async def ask() -> None:
        async with AsyncToll(keeper.paths) as toll:
            await toll.status()

    with pytest.raises(NoDaemonError) as blocking, Toll(keeper.paths) as toll:
        toll.status()
    assert blocking.value.hint == "start it with: toll up"
    with pytest.raises(NoDaemonError):
        asyncio.run(ask())
    with pytest.raises(NoDaemonError), Feed(keeper.paths) as feed:
        feed.next_change()


def test_killed_daemon(daemon: Keeper) -> None:
    """A client of a daemon that was killed raises NoDaemonError, and serves with the next one."""
    with Toll(daemon.paths) as toll:
        first = toll.status().daemon.pid
        daemon.kill()
        with pytest.raises(NoDaemonError):
            toll.status()
        daemon.start()
        assert toll.status().daemon.pid != first


def test_silent_daemon(daemon: Keeper) -> None:
    """A daemon that does not answer in time raises NoAnswerError; later answers are right again."""

    async def ask() -> None:
        async with AsyncToll(daemon.paths, timeout=0.2) as toll:
            await toll.status()

    with Toll(daemon.paths, timeout=0.2) as toll:
        _freeze(daemon)
        with pytest.raises(NoAnswerError):
            toll.status()
        with pytest.raises(NoAnswerError):
            asyncio.run(ask())
        _thaw(daemon)
        toll.timeout = 10
        assert toll.status().daemon.pid == toll.call("ping", dict[str, object])["pid"]


def test_refusals(daemon: Keeper) -> None:
    """What the daemon refuses is a CallError with its code; an answer of another shape is told."""
    with Toll(daemon.paths) as toll:
        with pytest.raises(CallError) as unknown:
            toll.call("fly", dict[str, object])
        assert unknown.value.code == "unknown-method"
        with pytest.raises(CallError) as bad:
            toll.call("daily", dict[str, object], timezone="Mars/Olympus")
        assert bad.value.code == "bad-params"
        assert bad.value.hint
        with pytest.raises(ProtocolError):
            toll.call("ping", Status)


def test_too_long_a_place() -> None:
    """A home too deep for a socket is a PlaceError before anything is asked."""
    with pytest.raises(PlaceError):
        find_paths({"TOLL_HOME": "/tmp/" + "x" * 100})


def test_feed_follows(daemon: Keeper, home: ClaudeHome) -> None:
    """A Feed's status is, after every update, what a snapshot says at that moment."""
    agent = daemon.start_agent()
    with Feed(daemon.paths) as feed:
        feed.next_change()
        agent.says("busy")
        agent.log.reply()
        agent.log.subagent("analyst", "look at it").reply()
        daemon.wait_for(lambda status: [each.usage.requests for each in status.agents] == [2])
        agent.says("waiting", waitingFor="permission prompt")
        asked = daemon.wait_for(lambda status: status.agents[0].state == "waiting")
        while (followed := feed.latest(5)).sequence < asked.sequence:
            pass
    assert (followed.agents, followed.today, followed.run) == (
        asked.agents,
        asked.today,
        asked.run,
    )


def test_async_feed(daemon: Keeper, home: ClaudeHome) -> None:
    """AsyncFeed begins with a snapshot, tells of what follows, and lives through a restart."""
    log = home.log()

    async def follow(feed: AsyncFeed, seen: Callable[[Change], bool]) -> Change:
        async for change in feed:
            if seen(change):
                return change
        raise AssertionError("the feed ended")

    async def work() -> None:
        async with asyncio.timeout(40), AsyncFeed(daemon.paths) as feed:
            first = await feed.next_change()
            assert first and (first.topic, first.update) == ("snapshot", None)
            await follow(feed, lambda change: change.topic == "heartbeat")
            log.reply()
            change = await follow(feed, lambda change: change.topic == "usage")
            assert change.status.today == daemon.toll.status().today
            await asyncio.to_thread(daemon.stop)
            log.reply()
            await asyncio.to_thread(daemon.start)
            log.reply()
            await follow(feed, lambda change: change.status.today.total.requests == 3)

    asyncio.run(work())


def test_async_feed_without_a_daemon(keeper: Keeper) -> None:
    """An AsyncFeed says that no daemon runs, and that nothing came in time."""

    async def work() -> None:
        async with asyncio.timeout(40), AsyncFeed(keeper.paths) as feed:
            with pytest.raises(NoDaemonError):
                await feed.next_change()
            await asyncio.to_thread(keeper.start)
            assert await feed.next_change()
            while await feed.next_change(0.5):
                pass

    asyncio.run(work())


def _freeze(keeper: Keeper) -> None:
    assert keeper.process
    keeper.process.send_signal(signal.SIGSTOP)


def _thaw(keeper: Keeper) -> None:
    assert keeper.process
    keeper.process.send_signal(signal.SIGCONT)

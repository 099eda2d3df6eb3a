"""The feed: a status that stays right by its updates, and is asked for anew on a gap."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from msgspec.structs import replace

from tollkeeper import wire
from tollkeeper.errors import NoDaemonError
from tollkeeper.feed import ALERTS_KEPT, AsyncFeed, Change, Feed, apply
from tollkeeper.model import Action, Agent, Alert, DaemonInfo, Importing, Limit, Plan, Status, Usage
from tollkeeper.paths import Paths
from waiting import wait_until

from .fake_daemon import FakeDaemon, reply
from .making import agent, status, today

LATER = "2026-11-22T09:31:00.000+00:00"
USAGE = Usage(requests=9)
LIMIT = Limit(scope="run", used=1, fraction=0.5, action="warn", state="under")


def applied(before: Status, topic: str, update: wire.Update) -> Status:
    """The status after this update; sequence and time always follow."""
    after = apply(before, topic, update)
    assert (update.sequence, update.time) == (after.sequence, after.time)
    return replace(after, sequence=before.sequence, time=before.time)


def test_agents() -> None:
    """An agent that starts is added at the end, and one that changes keeps its place."""
    first, second, third = agent("a"), agent("b"), agent("c")
    before = status(first, second)
    update = wire.AgentUpdate(sequence=8, time=LATER, agent=third)
    assert replace(before, agents=(first, second, third)) == applied(
        before, "agent.started", update
    )
    exited = replace(first, state="exited")
    update = wire.AgentUpdate(sequence=8, time=LATER, agent=exited)
    assert replace(before, agents=(exited, second)) == applied(before, "agent.exited", update)


def test_usage() -> None:
    """Usage brings agents, day and run as they are after it."""
    before = status(agent("a"), agent("b"))
    changed = agent("b", usage=USAGE)
    update = wire.UsageUpdate(
        sequence=8, time=LATER, charged=(), agents=(changed,), today=today(api=USAGE), run=None
    )
    assert replace(
        before, agents=(agent("a"), changed), today=today(api=USAGE), run=None
    ) == applied(before, "usage", update)


def test_heartbeat() -> None:
    """A heartbeat brings progress, day and run, and lets go of agents that exited long ago."""
    daemon = DaemonInfo(pid=2, started_at=LATER, importing=Importing(done_bytes=1, total_bytes=2))
    update = wire.Heartbeat(
        sequence=8, time=LATER, daemon=daemon, agents=("id-b",), today=today(), run=None
    )
    before = status(agent("a"), agent("b"))
    assert replace(before, daemon=daemon, agents=(agent("b"),), today=today(), run=None) == applied(
        before, "heartbeat", update
    )


def test_plan_and_limits() -> None:
    """Plan and limits are replaced whole."""
    plan = Plan(limited_until=LATER)
    update = wire.PlanUpdate(sequence=8, time=LATER, plan=plan)
    assert replace(status(), plan=plan) == applied(status(), "plan", update)
    limits = wire.LimitUpdate(sequence=8, time=LATER, limits=(LIMIT,))
    assert replace(status(), limits=(LIMIT,)) == applied(status(), "limit", limits)


def test_limits_come_with_usage_and_beats() -> None:
    """What is charged brings the limits after it, and so does each heartbeat; none is none."""
    more = replace(LIMIT, used=LIMIT.used * 2, state="reached")
    before = status(limits=(LIMIT,))
    charged = wire.UsageUpdate(
        sequence=8, time=LATER, charged=(), agents=(), today=today(), run=None, limits=(more,)
    )
    assert (more,) == apply(before, "usage", charged).limits
    beat = wire.Heartbeat(
        sequence=8, time=LATER, daemon=before.daemon, agents=(), today=today(), run=None
    )
    assert () == apply(before, "heartbeat", beat).limits


def test_actions_move_nothing() -> None:
    """An entry of the journal is news by itself; agents and limits come in updates of their own."""
    action = Action(number=1, time=LATER, kind="paused", text="t", cause="limit", id="id-a")
    update = wire.ActionUpdate(sequence=8, time=LATER, action=action)
    before = status(agent("a"), limits=(LIMIT,))
    assert before == applied(before, "action", update)


def test_alerts_are_kept_to_a_number() -> None:
    """Alerts are added behind the others, and the oldest go."""
    after = status()
    for number in range(ALERTS_KEPT + 5):
        alert = Alert(time=LATER, kind="k", text=str(number))
        update = wire.AlertUpdate(sequence=8 + number, time=LATER, alert=alert)
        after = apply(after, "alert", update)
    assert [str(number) for number in range(5, ALERTS_KEPT + 5)] == [a.text for a in after.alerts]


def test_unknown_update() -> None:
    """An update of a later protocol moves sequence and time, and nothing else."""
    before = status(agent())
    assert before == applied(before, "brand.new", wire.Update(sequence=8, time=LATER))


def beat(sequence: int) -> wire.Heartbeat:
    """A heartbeat with this number."""
    return wire.Heartbeat(
        sequence=sequence,
        time=LATER,
        daemon=status().daemon,
        agents=tuple(each.id for each in status().agents),
        today=today(api=Usage(requests=sequence)),
        run=None,
    )


@pytest.fixture
def snapshots() -> list[Status]:
    """What the daemon answers to one snapshot after the other; the last one stays."""
    return [status(agent("a")), status(agent("b"), sequence=20)]


@pytest.fixture
def daemon(home: Paths, snapshots: list[Status]) -> Iterator[FakeDaemon]:
    left = list(snapshots)

    def answer(call: wire.Request) -> list[wire.Reply]:
        return [reply(call, left.pop(0) if len(left) > 1 else left[0])]

    with FakeDaemon(home, answer) as fake:
        yield fake


def test_feed_begins_with_a_snapshot(home: Paths, daemon: FakeDaemon) -> None:
    """The first change is the whole status, and updates go on top of it; old ones are passed."""
    with Feed(home) as feed:
        daemon.wait_for_subscriber()
        first = feed.next_change()
        assert first
        assert ("snapshot", None, status(agent("a"))) == (first.topic, first.update, first.status)
        for sequence in (6, 7, 8, 9):
            daemon.publish("heartbeat", beat(sequence))
        for sequence in (8, 9):
            change = feed.next_change()
            assert change
            assert ("heartbeat", beat(sequence)) == (change.topic, change.update)
            assert (sequence, sequence) == (
                change.status.sequence,
                change.status.today.api.requests,
            )
    assert ["snapshot"] == [call.method for call in daemon.calls]


def test_gap_asks_again(home: Paths, daemon: FakeDaemon) -> None:
    """When an update was missed the status is asked for anew, and what it holds is passed over."""
    with Feed(home) as feed:
        daemon.wait_for_subscriber()
        feed.next_change()
        for sequence in (9, 20, 21):
            daemon.publish("heartbeat", beat(sequence))
        changes = [feed.next_change() for _ in range(2)]
    assert [("snapshot", 20), ("heartbeat", 21)] == [
        (change.topic, change.status.sequence) for change in changes if change
    ]
    assert 2 == len(daemon.calls)


def test_restarted_daemon_is_a_gap(home: Paths, daemon: FakeDaemon) -> None:
    """A daemon that counts from far above is asked for its status, agents and all."""
    with Feed(home) as feed:
        daemon.wait_for_subscriber()
        feed.next_change()
        daemon.publish("heartbeat", beat(1_000_000))
        change = feed.next_change()
    assert change
    assert ("snapshot", ("b",)) == (change.topic, names(change.status.agents))


def names(agents: tuple[Agent, ...]) -> tuple[str, ...]:
    """What the agents are called."""
    return tuple(each.name for each in agents)


def test_nothing_came(home: Paths, daemon: FakeDaemon) -> None:
    """When nothing comes in time there is no change, and the status stays."""
    with Feed(home) as feed:
        daemon.wait_for_subscriber()
        feed.next_change()
        assert feed.next_change(0.01) is None
        assert status(agent("a")) == feed.latest(0.01)


def test_latest_takes_all_that_came(home: Paths, daemon: FakeDaemon) -> None:
    """The latest status is the one after every update that is there."""
    with Feed(home) as feed:
        daemon.wait_for_subscriber()
        feed.next_change()
        for sequence in (8, 9, 10):
            daemon.publish("heartbeat", beat(sequence))
        while feed.latest(5).sequence < 10:
            pass
        assert 10 == feed.latest(0.01).today.api.requests


def test_feed_without_a_daemon(home: Paths) -> None:
    """Without a daemon there is no first change, and iterating ends."""
    with Feed(home) as feed:
        with pytest.raises(NoDaemonError):
            feed.next_change()
        with pytest.raises(NoDaemonError):
            list(feed)
        assert not feed.wait_for_daemon(0)


def test_patient_feeds(home: Paths, snapshots: list[Status]) -> None:
    """Patient feeds begin when a daemon comes up."""

    async def first() -> Change | None:
        async with AsyncFeed(home, patience=10) as feed:
            return await feed.next_change()

    with Feed(home, patience=10) as feed, ThreadPoolExecutor() as pool:
        begun = [pool.submit(feed.next_change), pool.submit(asyncio.run, first())]
        assert not wait(begun, 0.05).done
        with FakeDaemon(home, lambda call: [reply(call, snapshots[0])]):
            assert [Change("snapshot", None, snapshots[0])] * 2 == [
                each.result(10) for each in begun
            ]


def test_daemon_that_goes(home: Paths, snapshots: list[Status]) -> None:
    """When the daemon goes, the latest status is not to be had."""
    with Feed(home) as feed:
        with FakeDaemon(home, lambda call: [reply(call, snapshots[0])]) as daemon:
            daemon.wait_for_subscriber()
            assert snapshots[0] == feed.latest(5)
        with pytest.raises(NoDaemonError):
            feed.latest(0.01)
        with FakeDaemon(home, lambda call: [reply(call, snapshots[1])]):
            assert feed.wait_for_daemon(10)
            assert snapshots[1] == feed.latest(0.01)


def wait_here(home: Paths) -> None:
    """Wait for a change that does not come."""
    with Feed(home) as feed:
        feed.next_change()
        feed.next_change(15)


def wait_in_asyncio(home: Paths) -> None:
    """The same for asyncio."""

    async def work() -> None:
        async with AsyncFeed(home) as feed:
            await feed.next_change()
            await feed.next_change(15)

    asyncio.run(work())


@pytest.mark.parametrize("waiting", [wait_here, wait_in_asyncio])
def test_daemon_that_hangs_up(
    home: Paths, snapshots: list[Status], waiting: Callable[[Paths], None]
) -> None:
    """A feed that waits for a change is told when the daemon goes, and not only when its time is over."""
    with ThreadPoolExecutor() as pool:
        with FakeDaemon(home, lambda call: [reply(call, snapshots[0])]) as daemon:
            waits = pool.submit(waiting, home)
            daemon.wait_for_subscriber()
            wait_until(lambda: daemon.calls)
        with pytest.raises(NoDaemonError):
            waits.result()


def test_feed_for_asyncio(home: Paths, daemon: FakeDaemon) -> None:
    """The feed for asyncio takes the same steps: snapshot, update, old news, gap."""

    async def work() -> list[tuple[str, int]]:
        seen: list[tuple[str, int]] = []
        async with AsyncFeed(home) as feed:
            daemon.wait_for_subscriber()
            async for change in feed:
                seen.append((change.topic, change.status.sequence))
                if len(seen) == 1:
                    for sequence in (7, 8, 10, 20, 21):
                        daemon.publish("heartbeat", beat(sequence))
                if change.status.sequence == 21:
                    break
            assert await feed.next_change(0.01) is None
        return seen

    assert [("snapshot", 7), ("heartbeat", 8), ("snapshot", 20), ("heartbeat", 21)] == asyncio.run(
        work()
    )


def test_feed_for_asyncio_without_a_daemon(home: Paths) -> None:
    """Without a daemon there is no first change for asyncio either."""

    async def work() -> None:
        async with AsyncFeed(home) as feed:
            await feed.next_change()

    with pytest.raises(NoDaemonError):
        asyncio.run(work())


def test_plans() -> None:
    """The plans of all accounts are replaced whole, with the one that was seen last."""
    plans = (Plan(account="a"), Plan(account="b"))
    update = wire.PlanUpdate(sequence=8, time=LATER, plan=plans[1], plans=plans)
    before = status(plans=(Plan(account="c"),))
    assert replace(before, plan=plans[1], plans=plans) == applied(before, "plan", update)

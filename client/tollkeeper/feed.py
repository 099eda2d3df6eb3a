"""Follow the daemon: a status that stays right, kept by a snapshot and the updates after it."""

import time
from collections.abc import AsyncIterator, Iterator
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from tollkeeper import wire
from tollkeeper.control import AsyncToll, Toll, is_listening
from tollkeeper.errors import NoAnswerError, NoDaemonError
from tollkeeper.model import Agent, Status
from tollkeeper.paths import Paths, find_paths

ALERTS_KEPT = 50


class Change(Struct, frozen=True):
    """One step of the feed: the update that came, and the status after it.

    ``topic`` is ``snapshot`` and ``update`` None when the status was asked for anew.
    """

    topic: str
    update: wire.Update | None
    status: Status


def apply(status: Status, topic: str, update: wire.Update) -> Status:
    """The status after this update; it must be the one that follows the status."""
    status = replace(status, sequence=update.sequence, time=update.time)
    match update:
        case wire.AgentUpdate():
            return replace(status, agents=_with_agents(status.agents, (update.agent,)))
        case wire.UsageUpdate():
            agents = _with_agents(status.agents, update.agents)
            return replace(
                status,
                agents=agents,
                today=update.today,
                run=update.run,
                limits=update.limits,
                accounts=update.accounts,
            )
        case wire.Heartbeat():
            agents = tuple(agent for agent in status.agents if agent.id in update.agents)
            return replace(
                status,
                daemon=update.daemon,
                today=update.today,
                run=update.run,
                agents=agents,
                limits=update.limits,
                accounts=update.accounts,
            )
        case wire.PlanUpdate():
            return replace(status, plan=update.plan, plans=update.plans)
        case wire.LimitUpdate():
            return replace(status, limits=update.limits)
        case wire.ProxiesUpdate():
            return replace(status, proxies=update.proxies)
        case wire.AlertUpdate():
            return replace(status, alerts=(*status.alerts, update.alert)[-ALERTS_KEPT:])
        case _:
            return status


def _with_agents(agents: tuple[Agent, ...], changed: tuple[Agent, ...]) -> tuple[Agent, ...]:
    byid = {agent.id: agent for agent in agents}
    byid.update((agent.id, agent) for agent in changed)
    return tuple(byid.values())


class _Follower:
    """The status so far, and what the next frames make of it; the same for both feeds."""

    def __init__(self) -> None:
        self.status: Status | None = None

    def begin(self, status: Status) -> Change:
        """Start from this snapshot."""
        self.status = status
        return Change("snapshot", None, status)

    def offer(self, topic: bytes, data: bytes) -> Change | None:
        """The change that an update makes, None for old news; a gap leaves no status behind."""
        name = topic.decode()
        update = wire.decode_update(name, data)
        if self.status is None or update.sequence <= self.status.sequence:
            return None
        if update.sequence > self.status.sequence + 1:
            self.status = None
            return None
        self.status = apply(self.status, name, update)
        return Change(name, update, self.status)


class Feed:
    """The changes of a daemon, one after the other; a gap or a restart asks for a new snapshot.

    Iterate over it (which ends in NoDaemonError when the daemon is gone), or call ``next_change``
    with a timeout of your own. It subscribes before it asks for the snapshot, so that nothing
    falls between the two, and waits ``patience`` seconds for a daemon that is not there, as Toll does.
    """

    def __init__(
        self, paths: Paths | None = None, timeout: float = 5.0, patience: float = 0.0
    ) -> None:
        import zmq

        self.paths = paths or find_paths()
        self._toll = Toll(self.paths, timeout, patience)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.SUB)
        self._socket.linger = 0
        self._socket.subscribe(b"")
        self._hangups = self._socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        self._poller = zmq.Poller()
        self._poller.register(self._socket, zmq.POLLIN)
        self._poller.register(self._hangups, zmq.POLLIN)
        self._socket.connect(f"ipc://{self.paths.updates_socket}")
        self._follower = _Follower()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening."""
        self._toll.close()
        self._context.destroy(linger=0)

    def __iter__(self) -> Iterator[Change]:
        while True:
            yield self.next_change() or self._snapshot()

    def next_change(self, wait: float = 30.0) -> Change | None:
        """The next change, or None when nothing came within ``wait`` seconds.

        The daemon beats at least every ten seconds. NoDaemonError or NoAnswerError when a
        snapshot is due and it is gone: at once when it hangs up, and not only after ``wait``.
        """
        deadline = time.monotonic() + wait
        while self._follower.status:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            if self._update_came(left):
                topic, data = self._socket.recv_multipart()
                if change := self._follower.offer(topic, data):
                    return change
        return self._snapshot()

    def _update_came(self, wait: float) -> bool:
        """Wait so long (s); a daemon that hung up leaves no status behind."""
        came = dict(self._poller.poll(int(wait * 1000) + 1))
        if self._socket not in came and self._hangups in came:
            self._hangups.recv_multipart()
            self._follower.status = None
        return self._socket in came

    def latest(self, wait: float) -> Status:
        """The status after all that has come by now; waits for a change at most so long (s).

        NoDaemonError or NoAnswerError when the daemon is gone.
        """
        change = self.next_change(wait)
        while self._socket.poll(0) and (after := self.next_change(0.001)):
            change = after
        if change is None and not is_listening(self.paths):
            self._follower.status = None
        return self._follower.status or self._snapshot().status

    def wait_for_daemon(self, patience: float) -> bool:
        """Whether a daemon answers again within ``patience`` seconds."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            try:
                self._snapshot()
            except (NoDaemonError, NoAnswerError):
                time.sleep(0.2)
            else:
                return True
        return False

    def _snapshot(self) -> Change:
        self._follower.status = None
        return self._follower.begin(self._toll.status())


class AsyncFeed:
    """The same for asyncio: ``async with AsyncFeed() as feed: async for change in feed``."""

    def __init__(
        self, paths: Paths | None = None, timeout: float = 5.0, patience: float = 0.0
    ) -> None:
        import zmq
        import zmq.asyncio

        self.paths = paths or find_paths()
        self._toll = AsyncToll(self.paths, timeout, patience)
        self._context = zmq.asyncio.Context()
        self._socket = self._context.socket(zmq.SUB)
        self._socket.linger = 0
        self._socket.subscribe(b"")
        self._hangups = self._socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        self._poller = zmq.asyncio.Poller()
        self._poller.register(self._socket, zmq.POLLIN)
        self._poller.register(self._hangups, zmq.POLLIN)
        self._socket.connect(f"ipc://{self.paths.updates_socket}")
        self._follower = _Follower()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening."""
        self._toll.close()
        self._context.destroy(linger=0)

    async def __aiter__(self) -> AsyncIterator[Change]:
        while True:
            yield await self.next_change() or await self._snapshot()

    async def next_change(self, wait: float = 30.0) -> Change | None:
        """The next change, or None when nothing came within ``wait`` seconds (see Feed)."""
        deadline = time.monotonic() + wait
        while self._follower.status:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            if await self._update_came(left):
                topic, data = await self._socket.recv_multipart()
                if change := self._follower.offer(topic, data):
                    return change
        return await self._snapshot()

    async def _update_came(self, wait: float) -> bool:
        """Wait so long (s), as Feed does."""
        came = dict(await self._poller.poll(int(wait * 1000) + 1))
        if self._socket not in came and self._hangups in came:
            await self._hangups.recv_multipart()
            self._follower.status = None
        return self._socket in came

    async def _snapshot(self) -> Change:
        self._follower.status = None
        return self._follower.begin(await self._toll.status())

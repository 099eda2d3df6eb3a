"""Follow the daemon: a status that stays right, kept by a snapshot and the updates after it."""

import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from tollkeeper import wire
from tollkeeper.control import HOW_TO_START, Toll, is_listening
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
            return replace(status, agents=agents, today=update.today, run=update.run)
        case wire.Heartbeat():
            return replace(status, daemon=update.daemon, today=update.today, run=update.run)
        case wire.PlanUpdate():
            return replace(status, plan=update.plan)
        case wire.LimitUpdate():
            return replace(status, limits=update.limits)
        case wire.AlertUpdate():
            return replace(status, alerts=(*status.alerts, update.alert)[-ALERTS_KEPT:])
        case _:
            return status


def follows(status: Status, update: wire.Update) -> bool | None:
    """True when the update is the next one, None when it is old news, False on a gap."""
    if update.sequence <= status.sequence:
        return None
    return update.sequence == status.sequence + 1


def _with_agents(agents: tuple[Agent, ...], changed: tuple[Agent, ...]) -> tuple[Agent, ...]:
    byid = {agent.id: agent for agent in agents}
    byid.update((agent.id, agent) for agent in changed)
    return tuple(byid.values())


class Feed:
    """The changes of a daemon, one after the other; a gap or a restart asks for a new snapshot.

    Iterate over it (which ends in NoDaemonError when the daemon is gone), or call ``next_change``
    with a timeout of your own. It subscribes before it asks for the snapshot, so that nothing
    falls between the two.
    """

    def __init__(self, paths: Paths | None = None, timeout: float = 5.0) -> None:
        import zmq

        self.paths = paths or find_paths()
        self._toll = Toll(self.paths, timeout)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.SUB)
        self._socket.linger = 0
        self._socket.subscribe(b"")
        self._socket.connect(f"ipc://{self.paths.updates_socket}")
        self._status: Status | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
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
        snapshot is due and it is gone.
        """
        if self._status is None:
            return self._snapshot()
        deadline = time.monotonic() + wait
        while (left := deadline - time.monotonic()) > 0 and self._socket.poll(int(left * 1000) + 1):
            topic, data = self._socket.recv_multipart()
            update = wire.decode_update(topic.decode(), data)
            match follows(self._status, update):
                case True:
                    self._status = apply(self._status, topic.decode(), update)
                    return Change(topic.decode(), update, self._status)
                case False:
                    return self._snapshot()
                case None:
                    continue
        return None

    def latest(self, wait: float) -> Status:
        """The status after all that has come by now; waits for a change at most so long (s)."""
        change = self.next_change(wait)
        while self._socket.poll(0) and (after := self.next_change(0.001)):
            change = after
        if change is None and not is_listening(self.paths):
            self._status = None
            raise NoDaemonError("the daemon is gone", HOW_TO_START)
        return self._snapshot().status if self._status is None else self._status

    def _snapshot(self) -> Change:
        self._status = None
        self._status = self._toll.status()
        return Change("snapshot", None, self._status)

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

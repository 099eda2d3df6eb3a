"""Publishes every change on updates.sock, numbered, for whoever listens."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import zmq

from tollkeeper import wire

U = TypeVar("U", bound=wire.Update)

# A subscriber that falls this far behind loses updates, sees the gap, and asks for a snapshot.
MOST_WAITING = 10_000


class Publisher:
    """The PUB socket and the sequence of updates.

    ``first`` starts the sequence above that of any earlier daemon, so that a client that lived
    through a restart sees a gap, never an old number. ``hear``, and who follows, is given every
    update as well.
    """

    def __init__(
        self,
        context: "zmq.Context[Any]",
        path: Path,
        first: int,
        hear: Callable[[wire.Topic, wire.Update], None] = lambda topic, update: None,
    ) -> None:
        self.sequence = first
        self._hearers = [hear]
        self._socket = context.socket(zmq.PUB)
        self._socket.linger = 0
        self._socket.sndhwm = MOST_WAITING
        self._socket.bind(f"ipc://{path}")
        path.chmod(0o600)

    def follow(self, hear: Callable[[wire.Topic, wire.Update], None]) -> None:
        """Give every update from now on to this as well."""
        self._hearers.append(hear)

    def publish(self, topic: wire.Topic, kind: type[U], time: str, **content: Any) -> None:
        """Send one update; never waits for anybody."""
        self.sequence += 1
        update = kind(sequence=self.sequence, time=time, **content)
        self._socket.send_multipart([topic.encode(), wire.encode(update)], zmq.NOBLOCK)
        for hear in self._hearers:
            hear(topic, update)

    def close(self) -> None:
        """Stop publishing."""
        self._socket.close()

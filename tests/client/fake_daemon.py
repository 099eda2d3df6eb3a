"""A daemon that is made up: answers calls as the test says, and publishes what the test hands it."""

import threading
from collections.abc import Callable
from typing import Any, Self

import zmq
from msgspec import Raw

from tollkeeper import wire
from tollkeeper.paths import Paths

Answer = Callable[[wire.Request], list[wire.Reply]]
PATIENCE_MS = 10_000


class FakeDaemon:
    """Both sockets of a daemon; ``answer`` gives the replies to each call, in order."""

    def __init__(self, paths: Paths, answer: Answer) -> None:
        paths.run.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.calls: list[wire.Request] = []
        self._answer = answer
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._calls = self._context.socket(zmq.ROUTER)
        self._calls.linger = 0
        self._calls.bind(f"ipc://{paths.control_socket}")
        self._updates = self._context.socket(zmq.XPUB)
        self._updates.linger = 0
        self._updates.rcvtimeo = PATIENCE_MS
        self._updates.bind(f"ipc://{paths.updates_socket}")
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        self._context.destroy(linger=0)

    def _serve(self) -> None:
        while not self._end.is_set():
            if self._calls.poll(10):
                *route, data = self._calls.recv_multipart()
                call = wire.decode(data, wire.Request)
                self.calls.append(call)
                for reply in self._answer(call):
                    self._calls.send_multipart([*route, wire.encode(reply)])

    def wait_for_subscriber(self) -> None:
        """Return when somebody listens to the updates."""
        assert b"\x01" == self._updates.recv()

    def publish(self, topic: str, update: wire.Update) -> None:
        """Send an update to whoever listens."""
        self._updates.send_multipart([topic.encode(), wire.encode(update)])


def reply(call: wire.Request, result: Any) -> wire.Reply:
    """The reply that bears this result."""
    return wire.Reply(call.id, result=Raw(wire.encode(result)))

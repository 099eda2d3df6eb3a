"""Ask the daemon: Toll for programs that wait, AsyncToll for asyncio; both speak docs/protocol.md."""

import errno
import itertools
import socket
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self, TypeVar

from tollkeeper import wire
from tollkeeper.errors import CallError, NoAnswerError, NoDaemonError
from tollkeeper.model import Agent, Status
from tollkeeper.paths import Paths, find_paths

if TYPE_CHECKING:
    import zmq
    import zmq.asyncio

T = TypeVar("T")

DEFAULT_TIMEOUT = 5.0
LOOKED_EVERY_SECONDS = 0.1
HOW_TO_START = "start it with: toll up"


def is_listening(paths: Paths) -> bool:
    """Whether a daemon holds the control socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(paths.control_socket))
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ECONNREFUSED, errno.ENOTDIR):
                return False
            raise NoDaemonError(
                f"can't reach the daemon: {error.strerror or error}", HOW_TO_START
            ) from None
    return True


class _Calls:
    """What both clients share: numbering requests, and telling a reply's result from its error."""

    def __init__(self, paths: Paths | None, timeout: float, patience: float) -> None:
        self.paths = paths or find_paths()
        self.timeout = timeout
        self.patience = patience
        self._numbers = itertools.count(1)

    @property
    def _address(self) -> str:
        return f"ipc://{self.paths.control_socket}"

    def _looks(self) -> Iterator[float]:
        """Until a daemon is there: how long (s) to wait before the next look for one.

        NoDaemonError when none came in time.
        """
        deadline = time.monotonic() + self.patience
        while not is_listening(self.paths):
            if time.monotonic() >= deadline:
                raise NoDaemonError("no daemon is running", HOW_TO_START)
            yield LOOKED_EVERY_SECONDS

    def _request(self, method: str, params: dict[str, Any]) -> wire.Request:
        return wire.Request(str(next(self._numbers)), method, params)

    def _answers(self, request: wire.Request, data: bytes) -> wire.Reply | None:
        """The reply in these bytes, unless it belongs to a call that was given up before."""
        reply = wire.decode(data, wire.Reply)
        return reply if reply.id == request.id else None

    def _result(self, reply: wire.Reply, kind: type[T]) -> T:
        if reply.error is not None:
            raise CallError(reply.error.code, reply.error.message, reply.error.hint)
        return wire.decode(reply.result, kind)

    def _no_answer(self) -> NoAnswerError:
        return NoAnswerError(
            f"the daemon did not answer within {self.timeout:g} s", "look with: toll doctor"
        )

    def _went_away(self) -> NoAnswerError:
        return NoAnswerError("the daemon went away before it answered", "try again")


class Toll(_Calls):
    """The blocking client. Each call waits ``timeout`` seconds for its answer.

    It waits ``patience`` seconds for a daemon that is not there, such as one that is being restarted, before it
    raises NoDaemonError: nothing was asked then. Who gets a NoAnswerError may have been heard. Raises
    ProtocolError, or CallError for what the daemon refuses.
    """

    def __init__(
        self,
        paths: Paths | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        patience: float = 0.0,
    ) -> None:
        super().__init__(paths, timeout, patience)
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._socket: zmq.Socket[bytes] | None = None
        self._breaks: zmq.Socket[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the socket back; the client may be used again after it."""
        if self._context is not None:
            self._context.destroy(linger=0)
        self._context = self._socket = self._breaks = None

    def status(self) -> Status:
        """The state of everything, now."""
        return self.call("snapshot", Status)

    def agents(self) -> tuple[Agent, ...]:
        """The agents, as in the status."""
        return self.status().agents

    def call(self, method: str, kind: type[T], **params: Any) -> T:
        """Ask for any method of the protocol; the result must be of this kind."""
        for pause in self._looks():
            time.sleep(pause)
        request = self._request(method, params)
        link, poller = self._connected()
        link.send(wire.encode(request))
        deadline = time.monotonic() + self.timeout
        while (left := deadline - time.monotonic()) > 0:
            ready = dict(poller.poll(int(left * 1000) + 1))
            if link in ready:
                if reply := self._answers(request, link.recv()):
                    return self._result(reply, kind)
            elif ready:
                self.close()
                raise self._went_away()
        self.close()
        raise self._no_answer()

    def _connected(self) -> "tuple[zmq.Socket[bytes], zmq.Poller]":
        import zmq

        if self._breaks and self._breaks.get(zmq.EVENTS):  # That was another daemon.
            self.close()
        if not (self._socket and self._breaks):
            self._context = zmq.Context()
            self._socket = self._context.socket(zmq.DEALER)
            self._socket.linger = 0
            self._breaks = self._socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
            self._socket.connect(self._address)
        poller = zmq.Poller()
        for each in (self._socket, self._breaks):
            poller.register(each, zmq.POLLIN)
        return self._socket, poller


class AsyncToll(_Calls):
    """The client for asyncio: the same calls, awaited. Those made at the same time take turns."""

    def __init__(
        self,
        paths: Paths | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        patience: float = 0.0,
    ) -> None:
        import asyncio

        super().__init__(paths, timeout, patience)
        self._turn = asyncio.Lock()
        self._context: zmq.asyncio.Context | None = None
        self._socket: zmq.asyncio.Socket | None = None
        self._breaks: zmq.asyncio.Socket | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the socket back; the client may be used again after it."""
        if self._context is not None:
            self._context.destroy(linger=0)
        self._context = self._socket = self._breaks = None

    async def status(self) -> Status:
        """The state of everything, now."""
        return await self.call("snapshot", Status)

    async def agents(self) -> tuple[Agent, ...]:
        """The agents, as in the status."""
        return (await self.status()).agents

    async def call(self, method: str, kind: type[T], **params: Any) -> T:
        """Ask for any method of the protocol; the result must be of this kind."""
        async with self._turn:
            return self._result(await self._exchange(self._request(method, params)), kind)

    async def _exchange(self, request: wire.Request) -> wire.Reply:
        import asyncio

        for pause in self._looks():
            await asyncio.sleep(pause)
        link, poller = self._connected()
        await link.send(wire.encode(request))
        deadline = time.monotonic() + self.timeout
        while (left := deadline - time.monotonic()) > 0:
            ready = dict(await poller.poll(int(left * 1000) + 1))
            if link in ready:
                if reply := self._answers(request, await link.recv()):
                    return reply
            elif ready:
                self.close()
                raise self._went_away()
        self.close()
        raise self._no_answer()

    def _connected(self) -> "tuple[zmq.asyncio.Socket, zmq.asyncio.Poller]":
        import zmq
        import zmq.asyncio

        if self._breaks and self._breaks.get(zmq.EVENTS):  # That was another daemon.
            self.close()
        if not (self._socket and self._breaks):
            self._context = zmq.asyncio.Context()
            self._socket = self._context.socket(zmq.DEALER)
            self._socket.linger = 0
            self._breaks = self._socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
            self._socket.connect(self._address)
        poller = zmq.asyncio.Poller()
        for each in (self._socket, self._breaks):
            poller.register(each, zmq.POLLIN)
        return self._socket, poller

"""The control socket, spoken to by hand: whatever is sent, the daemon answers and stays up."""

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import zmq

from tollkeeper.control import Toll
from tollkeeper.paths import Paths
from waiting import wait_until

from .claude_home import ClaudeHome
from .keeper import Keeper

PATIENCE_MS = 5_000


class Line:
    """A bare DEALER socket on a daemon's control socket."""

    def __init__(self, socket: "zmq.Socket[bytes]") -> None:
        self.socket = socket

    def send(self, *frames: bytes) -> None:
        """Send these frames as one message."""
        self.socket.send_multipart(list(frames))

    def receive(self) -> dict[str, Any]:
        """The next reply."""
        assert self.socket.poll(PATIENCE_MS), "no reply"
        return json.loads(self.socket.recv_multipart()[-1])

    def ask(self, data: bytes) -> dict[str, Any]:
        """The reply to these bytes."""
        self.send(data)
        return self.receive()


@contextmanager
def connected(paths: Paths, kind: int = zmq.DEALER) -> Generator[Line]:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    try:
        socket = context.socket(kind)
        socket.connect(f"ipc://{paths.control_socket}")
        yield Line(socket)
    finally:
        context.destroy(linger=0)


@pytest.fixture(scope="module")
def running() -> Iterator[Keeper]:
    """A daemon that these tests share, since none of them may change it."""
    with Keeper() as keeper:
        keeper.start()
        keeper.home.log().reply()
        keeper.wait_for_requests(1)
        yield keeper


@pytest.fixture
def line(running: Keeper) -> Iterator[Line]:
    """A bare socket; after the test the daemon must still answer as before."""
    assert running.process
    with connected(running.paths) as socket:
        yield socket
    with Toll(running.paths) as toll:
        assert toll.status().daemon.pid == running.process.pid
    assert running.process.poll() is None


def call(method: str, **params: Any) -> bytes:
    return json.dumps({"id": "7", "method": method, "params": params}).encode()


def test_call_and_answer(line: Line, running: Keeper) -> None:
    """A reply bears the call's id and a result, whatever language asked."""
    assert running.process
    reply = line.ask(b'{"id": "any words", "method": "ping"}')
    assert reply["id"] == "any words"
    assert reply["result"]["pid"] == running.process.pid


def test_req_socket_is_answered(running: Keeper) -> None:
    """A REQ socket, which sends an empty frame first, is answered like a DEALER."""
    with connected(running.paths, zmq.REQ) as socket:
        assert socket.ask(call("ping"))["result"]["protocol"] == 1


def test_call_of_many_frames(line: Line) -> None:
    """A message of more frames than a call has is dropped whole, and the next call is answered."""
    line.send(*[b""] * 100_000, b'{"id": "lost", "method": "ping"}')
    assert line.ask(b'{"id": "next", "method": "ping"}')["id"] == "next"


def test_unknown_fields_are_passed_over(line: Line) -> None:
    """Fields of a later protocol, in call or version, do not keep this one from answering."""
    message = {"id": "1", "method": "ping", "protocol": 99, "version": "9.9", "jsonrpc": "2.0"}
    assert "result" in line.ask(json.dumps(message).encode())


@pytest.mark.parametrize(
    "method", ["", "Ping", "__init__", "ping\n", "\x00", "é" * 1000, "../ping"]
)
def test_unknown_method(line: Line, method: str) -> None:
    """An unknown method is refused by that name, under the call's id."""
    reply = line.ask(call(method))
    assert reply["error"]["code"] == "unknown-method"
    assert reply["id"] == "7"


@pytest.mark.parametrize(
    "params",
    [
        {"since": "yesterday"},
        {"since": 20261122},
        {"since": ["2026-11-22"]},
        {"since": "2026-13-40"},
        {"since": "2026-11-22T00:00:00Z"},
        {"sinse": "2026-11-22"},
        {"timezone": "Mars/Olympus"},
        {"timezone": ""},
        {"timezone": "../../../etc/passwd"},
        {"timezone": "/etc/localtime"},
        {"timezone": "x" * 10_000},
        {"timezone": "a\x00b"},
        {"timezone": 1},
        {"timezone": "Europe"},
    ],
)
@pytest.mark.parametrize("verb", ["daily", "session"])
def test_bad_params(line: Line, verb: str, params: dict[str, Any]) -> None:
    """Parameters that make no sense are refused in words, not with a failure."""
    reply = line.ask(call(verb, **params))
    assert reply["error"]["code"] == "bad-params", reply
    assert "Traceback" not in reply["error"]["message"]


@pytest.mark.parametrize("since", ["0001-01-01", "1900-01-01", "1969-12-31", "9999-12-31"])
@pytest.mark.parametrize("timezone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_days_at_the_end_of_time(line: Line, since: str, timezone: str) -> None:
    """Any day of the calendar can be asked for, in any time zone."""
    for params in ({"since": since}, {"until": since}):
        reply = line.ask(call("daily", **params, timezone=timezone))
        assert "result" in reply, reply


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"ping",
        b"null",
        b"[]",
        b"7",
        b"{}",
        b'{"id": "1"}',
        b'{"method": "ping"}',
        b'{"id": 1, "method": "ping"}',
        b'{"id": null, "method": "ping"}',
        b'{"id": "1", "method": 5}',
        b'{"id": "1", "method": "ping", "params": []}',
        b'{"id": "1", "method": "ping", "params": null}',
        b'{"id": "1", "method": "ping"',
        b"\xff\xfe\x00",
        b'{"id": "\xff", "method": "ping"}',
        b'{"id": "\\ud800", "method": "ping"}',
        b'{"id": "1", "method": "\\ud800"}',
        b'{"id": "1", "method": "daily", "params": {"timezone": "\\ud800"}}',
        b'{"id": "1", "method": "daily", "params": {"\\ud800": 1}}',
        b"[" * 100_000,
        b'{"id":"1","method":"ping","params":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
        b"\x00" * 1000,
    ],
    ids=lambda data: repr(data[:40]),
)
def test_no_call_at_all(line: Line, data: bytes) -> None:
    """What is no call gets an error, never silence, and the next call is answered."""
    reply = line.ask(data)
    assert reply["error"]["code"] in ("bad-call", "bad-params", "unknown-method"), reply
    assert "result" in line.ask(call("ping"))


def test_many_frames(line: Line) -> None:
    """A message of several frames is answered once, by its last."""
    line.send(b"", b"some", b"frames", call("ping"))
    assert "result" in line.receive()


def test_huge_call_harms_nobody_else(line: Line, running: Keeper) -> None:
    """A call of a hundred megabytes is dropped, while others are answered."""
    with connected(running.paths) as other:
        other.send(b'{"id":"1","method":"ping","params":{"a":"' + b"x" * 100_000_000 + b'"}}')
        for _ in range(3):
            assert "result" in line.ask(call("ping"))
        assert not other.socket.poll(100)


def test_thousand_calls_without_waiting(line: Line) -> None:
    """Calls sent in one go are all answered, in their order."""
    for number in range(1000):
        line.send(json.dumps({"id": str(number), "method": "ping"}).encode())
    assert [line.receive()["id"] for _ in range(1000)] == [str(number) for number in range(1000)]


def test_caller_that_does_not_wait(line: Line, running: Keeper) -> None:
    """Callers that hang up before their answer leave nothing behind that others feel."""
    for _ in range(50):
        with connected(running.paths) as other:
            other.send(call("snapshot"))
    assert "result" in line.ask(call("ping"))


def test_bytes_that_are_no_zeromq(running: Keeper, line: Line) -> None:
    """Somebody who does not speak ZeroMQ at all is ignored."""
    import socket

    for data in (b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 4096, b"\xff" * 65):
        with socket.socket(socket.AF_UNIX) as plain:
            plain.connect(str(running.paths.control_socket))
            plain.sendall(data)
    assert "result" in line.ask(call("ping"))


def test_subscriber_that_never_reads(daemon: Keeper, home: ClaudeHome) -> None:
    """A subscriber that takes nothing off its socket does not hold the daemon up."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    try:
        socket = context.socket(zmq.SUB)
        socket.rcvhwm = 1
        socket.subscribe(b"")
        socket.connect(f"ipc://{daemon.paths.updates_socket}")
        log = home.log()
        for _ in range(200):
            log.reply()
        wait_until(lambda: daemon.requests() == 200)
    finally:
        context.destroy(linger=0)


def test_every_method_answers(line: Line) -> None:
    """Each method of the protocol answers a call without parameters."""
    for method in ("ping", "snapshot", "health", "daily", "session"):
        assert "result" in line.ask(call(method)), method

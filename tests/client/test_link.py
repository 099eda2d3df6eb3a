"""The single call: the same wire as every client's, with a daemon, without one, and with liars."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkeeper import wire
from tollkeeper.cli import link
from tollkeeper.errors import CallError, NoAnswerError, NoDaemonError, ProtocolError, TollError
from tollkeeper.paths import Paths

from .fake_daemon import FakeDaemon, reply


@pytest.mark.parametrize("size", [1, 300, 300_000])
def test_call(home: Paths, size: int) -> None:
    """The result comes back as it is, be it longer or shorter than one frame's short form."""
    params = {"text": "x" * size, "when": None}
    with FakeDaemon(home, lambda call: [reply(call, {"told": call.params})]) as daemon:
        result = link.ask(str(home.run), "daily", params, 10)
    assert {"told": params} == json.loads(result)
    assert ["daily"] == [call.method for call in daemon.calls]


def test_refusal(home: Paths) -> None:
    """What the daemon refuses is raised with its code and hint."""
    body = wire.ErrorBody("bad-params", "no such zone", "name one")
    daemon = FakeDaemon(home, lambda call: [wire.Reply(call.id, error=body)])
    with daemon, pytest.raises(CallError) as raised:
        link.ask(str(home.run), "daily", {}, 10)
    assert ("bad-params", "no such zone", "name one") == (
        raised.value.code,
        raised.value.message,
        raised.value.hint,
    )


def test_no_daemon(home: Paths) -> None:
    """Without a socket, or with one that nobody holds, there is no daemon."""
    with pytest.raises(NoDaemonError):
        link.ask(str(home.run), "daily", {}, 10)
    home.run.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(home.control_socket))
    with pytest.raises(NoDaemonError):
        link.ask(str(home.run), "daily", {}, 10)


def test_no_answer(home: Paths) -> None:
    """A daemon that does not answer in time is told from one that is not there."""
    with FakeDaemon(home, lambda call: []), pytest.raises(NoAnswerError):
        link.ask(str(home.run), "daily", {}, 0.1)


@contextmanager
def liar(home: Paths, speak: Callable[[socket.socket], None]) -> Generator[None]:
    """Something that holds the control socket, and is no daemon."""
    home.run.mkdir(parents=True, exist_ok=True)
    home.control_socket.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(home.control_socket))
        server.listen()

        def serve() -> None:
            link, _ = server.accept()
            with link:
                link.recv(64)
                speak(link)

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join()


def says(words: bytes) -> Callable[[socket.socket], None]:
    """Says just this."""
    return lambda held: held.sendall(words)


def greeted(reply: bytes) -> Callable[[socket.socket], None]:
    """Speaks as ZeroMQ does, up to this reply."""

    def speak(held: socket.socket) -> None:
        held.sendall(link.GREETING)
        held.recv(1000)
        held.sendall(b"\x04\x06\x05READY" + reply)

    return speak


@pytest.mark.parametrize(
    ("speak", "error"),
    [
        (says(b"HTTP/1.1 400 Bad Request\r\n" * 9), ProtocolError),
        (says(b""), NoDaemonError),
        (greeted(b"\x02" + b"\x7f" * 8), ProtocolError),
        (greeted(b"\x00\x02{}"), ProtocolError),
        (greeted(b"\x00\x02[]"), ProtocolError),
        (greeted(b"\x00\x04nope"), ProtocolError),
        (greeted(b'\x00\x0e{"error": null}'), ProtocolError),
        (greeted(b"\x02\xff\xff\xff"), NoDaemonError),
    ],
)
def test_liars(home: Paths, speak: Callable[[socket.socket], None], error: type[TollError]) -> None:
    """Who holds the socket and speaks otherwise is found out, in one line."""
    with liar(home, speak), pytest.raises(error):
        link.ask(str(home.run), "daily", {}, 10)


@given(st.binary(max_size=200))
def test_garbage_is_an_error(garbage: bytes) -> None:
    """Whatever stands in a reply, it is a result, or an error that has a name."""
    with pytest.raises((CallError, ProtocolError)):
        link.read_result(garbage)
    assert garbage == link.read_result(link.RESULT + garbage + b"}")


def test_a_report_loads_little() -> None:
    """Asking for a report loads none of the libraries that take longer than the daemon's answer."""
    code = "import sys, tollkeeper.cli.main, tollkeeper.cli.daily, tollkeeper.cli.report; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"zmq", "msgspec", "rich", "typing", "pathlib", "asyncio"} & {*loaded.stdout.split()}

"""The single call: the same wire as every client's, with a daemon, without one, and with liars."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkeeper import wire
from tollkeeper.cli import link
from tollkeeper.control import is_listening
from tollkeeper.errors import (
    CallError,
    NoAnswerError,
    NoDaemonError,
    ProtocolError,
    TextError,
    TollError,
)
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


def test_frozen(home: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that not even greets, as one that is frozen, is given up long before an answer is due."""
    monkeypatch.setattr(link, "GREETING_SECONDS", 0.1)
    home.run.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as frozen:
        frozen.bind(str(home.control_socket))
        frozen.listen()
        with pytest.raises(NoAnswerError, match=r"within 0\.1 s") as raised:
            link.ask(str(home.run), "daily", {}, 10)
    assert raised.value.hint == "look with: toll doctor"


def test_slow(home: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon that greets has all of the time for its answer."""
    monkeypatch.setattr(link, "GREETING_SECONDS", 0.1)

    def speak(held: socket.socket) -> None:
        held.sendall(link.GREETING)
        call = b""
        while b"daily" not in call:
            call += held.recv(1000)
        threading.Event().wait(0.3)
        held.sendall(short(link.RESULT + b"1}"))

    with liar(home, speak):
        assert b"1" == link.ask(str(home.run), "daily", {}, 10)


def test_more_calls_than_wait(home: Paths) -> None:
    """A daemon before which the calls pile up is told from one that is not there."""
    home.run.mkdir(parents=True)
    with ExitStack() as stack:
        frozen = stack.enter_context(socket.socket(socket.AF_UNIX))
        frozen.bind(str(home.control_socket))
        frozen.listen(0)
        waiting = stack.enter_context(socket.socket(socket.AF_UNIX))
        waiting.connect(str(home.control_socket))
        with pytest.raises(NoAnswerError):
            link.ask(str(home.run), "daily", {}, 0.1)


def test_path_too_long(tmp_path: Path) -> None:
    """A path that no socket can have is told as such."""
    with pytest.raises(NoDaemonError, match=r"^can't reach the daemon: (?!None)."):
        link.ask(str(tmp_path / ("x" * 200)), "daily", {}, 10)


def test_path_of_the_other_client_too_long(tmp_path: Path) -> None:
    """So says the other client."""
    with pytest.raises(NoDaemonError, match=r"^can't reach the daemon: (?!None)."):
        is_listening(Paths(tmp_path, tmp_path, tmp_path / ("x" * 200)))


@given(st.text(st.characters(exclude_categories=())))
def test_any_text(text: str) -> None:
    """A text goes over the wire as it is, or is refused: never changed."""
    try:
        text.encode()
    except UnicodeEncodeError:
        with pytest.raises(TextError, match=r"is not UTF-8"):
            link.ask("/none", "daily", {"project": text}, 10)
    else:
        with pytest.raises(NoDaemonError):
            link.ask("/none", "daily", {"project": text}, 10)


def short(reply: bytes) -> bytes:
    """The reply as a short frame."""
    return bytes([0, len(reply)]) + reply


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
        (greeted(short(b'{"error": {"code": 1, "message": "x"}}')), ProtocolError),
        (greeted(short(b'{"error": {"code": "x", "message": [1]}}')), ProtocolError),
        (greeted(short(b'{"error": {"code": "x", "message": "x", "hint": {}}}')), ProtocolError),
        (greeted(short(b'{"error": {"code": "x", "message": "x", "hint": null}}')), CallError),
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


@pytest.mark.parametrize(
    "modules",
    [("daily", "report"), ("workflow", "workflow_top_view"), ("config", "config_view")],
)
def test_a_report_loads_little(modules: tuple[str, ...]) -> None:
    """Asking for a report loads none of the libraries that take longer than the daemon's answer."""
    names = ", ".join(f"tollkeeper.cli.{name}" for name in ("main", *modules))
    code = f"import sys, {names}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"zmq", "msgspec", "rich", "typing", "pathlib", "asyncio"} & {*loaded.stdout.split()}

"""One call to the daemon, made with what Python has loaded already: no report waits for imports.

Loading ZeroMQ and msgspec takes longer than the daemon needs for a whole report. So this speaks the few
bytes of ZMTP 3.0 (https://rfc.zeromq.org/spec/23/) that a single request and its reply take, to the
same socket as every other client. Whoever asks more than once uses ``tollkeeper.control``.
"""

from __future__ import annotations

import json
import os
import socket

from tollkeeper.errors import (
    CallError,
    NoAnswerError,
    NoDaemonError,
    ProtocolError,
    TextError,
)
from tollkeeper.places import CONTROL_SOCKET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any

ID = "1"
# Signature, version 3.0, mechanism, not a server, filler.
GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
READY = b"\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER"
MORE, LONG, COMMAND = 1, 2, 4
LONGEST_REPLY = 1 << 30
# ZeroMQ's own thread greets at once, however long the daemon thinks, unless its process is frozen.
GREETING_SECONDS = 5.0
MOST_NAMED = 40
LOOK = "look with: toll doctor"
# How our daemon writes a reply that bears a result: see docs/protocol.md.
RESULT = b'{"id":"%s","result":' % ID.encode()


def ask(run: str, method: str, params: dict[str, Any], timeout: float) -> bytes:
    """The result of the call, as JSON; ``run`` is the run directory, ``timeout`` in seconds.

    NoDaemonError, NoAnswerError, ProtocolError, TextError, or CallError for what the daemon refuses.
    """
    call = _encode({"id": ID, "method": method, "params": params})
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(min(GREETING_SECONDS, timeout))
        try:
            link.connect(os.path.join(run, CONTROL_SOCKET))
            with link.makefile("rb") as stream:
                _greet(link, stream)
                link.settimeout(timeout)
                reply = _converse(link, stream, call)
        except TimeoutError:
            raise NoAnswerError(
                f"the daemon did not answer within {link.gettimeout():g} s", LOOK
            ) from None
        except BlockingIOError:  # As many calls wait as the system lets wait.
            raise NoAnswerError("the daemon takes no calls", LOOK) from None
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
            raise NoDaemonError("no daemon is running", "start it with: toll up") from None
        except OSError as error:
            raise NoDaemonError(
                f"can't reach the daemon: {error.strerror or error}", "start it with: toll up"
            ) from None
    return read_result(reply)


def _encode(call: dict[str, Any]) -> bytes:
    text = json.dumps(call, ensure_ascii=False)
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        bad = text[text.rfind('"', 0, error.start) + 1 : error.end][-MOST_NAMED:]
        raise TextError(f"{bad!r} is not UTF-8", "write it otherwise") from None


def _frame(body: bytes, flags: int = 0) -> bytes:
    if len(body) > 255:
        return bytes([flags | LONG]) + len(body).to_bytes(8, "big") + body
    return bytes([flags, len(body)]) + body


def _greet(link: socket.socket, stream: IO[bytes]) -> None:
    """Greet, and wait for the greeting, as libzmq wants it before anything else."""
    link.sendall(GREETING)
    if not _read(stream, len(GREETING)).startswith(b"\xff"):
        raise ProtocolError("the control socket speaks no ZeroMQ")


def _converse(link: socket.socket, stream: IO[bytes], call: bytes) -> bytes:
    """Ask, and read the answer."""
    link.sendall(_frame(READY, COMMAND) + _frame(call))
    while True:
        flags = _read(stream, 1)[0]
        length = int.from_bytes(_read(stream, 8 if flags & LONG else 1), "big")
        if length > LONGEST_REPLY:
            raise ProtocolError(f"the daemon's reply has {length} bytes")
        body = _read(stream, length)
        if not flags & (COMMAND | MORE):
            return body


def _read(stream: IO[bytes], count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise NoDaemonError("the daemon went away", "try again")
    return data


def read_result(reply: bytes) -> bytes:
    """The result in a reply of our daemon, as JSON; CallError or ProtocolError where there is none."""
    if reply.startswith(RESULT):
        return reply[len(RESULT) : -1]
    try:
        error = json.loads(reply)["error"]
        code, message, hint = error["code"], error["message"], error.get("hint")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise ProtocolError("the daemon's reply is not of this protocol") from None
    if not all(isinstance(text, str) for text in (code, message, "" if hint is None else hint)):
        raise ProtocolError("the daemon's reply is not of this protocol")
    raise CallError(code, message, hint)

"""A stand-in for the Messages API on loopback: it says what a test scripts, and counts it.

What it counts is a truth of its own, beside the client's figures and the ledger's.
"""

import json
import select
import socket
import uuid
from collections.abc import Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Self

from msgspec import Struct

from .asked import Asked, read_request
from .events import as_events, as_json
from .plays import Plays
from .replies import Advice, Reply, Terms, Tokens


class Served(Struct, frozen=True, kw_only=True):
    """One reply as it went out; a refused request has a status above 200 and no tokens."""

    status: int
    session_id: str
    agent_id: str | None
    requested_model: str
    model: str  # as the reply named it
    message_id: str
    request_id: str
    prompt: str
    tokens: Tokens
    terms: Terms
    advice: tuple[Advice, ...]


class StandIn(Plays):
    """The server, for use in a `with`; `url` is the client's ANTHROPIC_BASE_URL."""

    def __init__(self) -> None:
        super().__init__()
        self.closing = Event()
        self._asked: list[Asked] = []
        self._served: list[Served] = []
        self._strays: list[str] = []
        self._faults: list[Exception] = []
        self._numbers = 0
        self._lock = Lock()
        self._server = _Server(("127.0.0.1", 0), partial(_Handler, self))
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        if self._faults and error is None:
            raise ExceptionGroup("the stand-in failed at a request", self._faults)

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self._server.server_port

    @property
    def url(self) -> str:
        return "http://{}:{}".format(*self.address)

    @property
    def asked(self) -> tuple[Asked, ...]:
        """Every request for a message, answered or not."""
        with self._lock:
            return tuple(self._asked)

    @property
    def served(self) -> tuple[Served, ...]:
        with self._lock:
            return tuple(self._served)

    @property
    def strays(self) -> tuple[str, ...]:
        """Requests that the stand-in does not know, and attempts to reach another host."""
        with self._lock:
            return tuple(self._strays)

    def tokens(self, *session_ids: str) -> dict[str, Tokens]:
        """What was served, of the sessions named or of all, by the model that was asked.

        That is how the client counts: a model that a reply names in its place is only logged.
        """
        sums: dict[str, Tokens] = {}
        for reply in self.served:
            if reply.status == 200 and (not session_ids or reply.session_id in session_ids):
                parts = [(reply.requested_model, reply.tokens)]
                parts += [(advice.model, advice.tokens) for advice in reply.advice]
                for model, tokens in parts:
                    sums[model] = sums.get(model, Tokens()) + tokens
        return sums

    def decide(self, asked: Asked) -> Reply:
        with self._lock:
            self._asked.append(asked)
        return super().decide(asked)

    def enter(self, asked: Asked, reply: Reply) -> Served:
        """Note the reply with ids and numbers of its own; from here on it counts as served."""
        with self._lock:
            self._numbers += 1
            served = _numbered(self._numbers, asked, reply)
            self._served.append(served)
            return served

    def stray(self, request: str) -> None:
        with self._lock:
            self._strays.append(request)

    def fault(self, error: Exception) -> None:
        with self._lock:
            self._faults.append(error)


def _numbered(number: int, asked: Asked, reply: Reply) -> Served:
    unlike = Tokens(
        input=10 + number,
        output=300 + number,
        cache_read=15_000,
        cache_write_5m=500,
        cache_write_1h=1_500,
    )
    refused = reply.refusal is not None
    return Served(
        status=reply.refusal.status if reply.refusal else 200,
        session_id=asked.session_id,
        agent_id=asked.agent_id,
        requested_model=asked.model,
        model=reply.model or asked.model,
        message_id=f"msg_{uuid.uuid4().hex}",
        request_id=f"req_{uuid.uuid4().hex}",
        prompt=asked.prompt,
        tokens=Tokens() if refused else reply.tokens or unlike,
        terms=reply.terms,
        advice=reply.advice,
    )


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that hangs up is no news; the script's faults are kept apart."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(
        self,
        stand_in: StandIn,
        request: socket.socket,
        client_address: tuple[str, int],
        server: _Server,
    ) -> None:
        self._stand_in = stand_in
        super().__init__(request, client_address, server)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output clean."""

    def do_HEAD(self) -> None:
        self._send(200, b"")

    def do_GET(self) -> None:
        self._stray()

    def do_CONNECT(self) -> None:
        self._stray()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        match self.path.partition("?")[0]:
            case "/v1/messages":
                self._message(body)
            case "/v1/messages/count_tokens":
                self._send(200, json.dumps({"input_tokens": len(body) // 4}).encode())
            case _:
                self._stray()

    def _message(self, body: bytes) -> None:
        try:
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = read_request(headers, body)
            reply = self._stand_in.decide(asked)
        except Exception as fault:  # noqa: BLE001 - whatever a script raises fails its test
            self._stand_in.fault(fault)
            self._send(400, _error("invalid_request_error", f"the script failed: {fault}"))
            return
        if self._still_wanted(reply):
            self._answer(asked, reply)

    def _still_wanted(self, reply: Reply) -> bool:
        """Wait as the reply bids; False when the client hung up meanwhile."""
        closing = self._stand_in.closing
        closing.wait(reply.delay)
        while reply.gate and not reply.gate.wait(0.02) and not self._hung_up():
            if closing.is_set():
                return False
        return not self._hung_up()

    def _hung_up(self) -> bool:
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)

    def _answer(self, asked: Asked, reply: Reply) -> None:
        served = self._stand_in.enter(asked, reply)
        headers = {"request-id": served.request_id}
        if reply.quota:
            headers |= reply.quota.headers()
        if reply.refusal:
            headers |= reply.refusal.headers
            error = _error(reply.refusal.kind, reply.refusal.message)
            self._send(reply.refusal.status, error, headers)
        elif asked.stream:
            events = as_events(served.message_id, served.model, served.tokens, reply)
            self._send(200, events, headers, "text/event-stream")
        else:
            whole = as_json(served.message_id, served.model, served.tokens, reply)
            self._send(200, whole, headers)

    def _stray(self) -> None:
        self._stand_in.stray(f"{self.command} {self.path}")
        self._send(404, _error("not_found_error", "the stand-in knows nothing of this"))

    def _send(
        self,
        status: int,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        kind: str = "application/json",
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)


def _error(kind: str, message: str) -> bytes:
    return json.dumps({"type": "error", "error": {"type": kind, "message": message}}).encode()

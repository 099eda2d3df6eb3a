"""A ccflare written by hand: it answers as each generation does, and misbehaves as it is told."""

import json
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Event, Thread
from types import TracebackType
from typing import Any, Literal, Self

from .lines import OPUS, USUAL, Tokens

Generation = Literal["C", "B", "H"]
Json = dict[str, Any]


class FakeCcflare:
    """Two accounts and what was sent by them; ``asked`` are the paths of all calls, ``keys`` the keys.

    ``key`` is what it wants, ``raw`` the bytes that it answers instead, by the beginning of a path,
    ``statuses`` the status that it answers with nothing else, likewise, and
    ``delay`` how long (s) each answer takes. ``ahead`` is how far (s) its clock is. On a ``port`` of before it may be started again.
    """

    def __init__(self, generation: Generation = "B", port: int = 0) -> None:
        self.generation: Generation = generation
        self.accounts: list[Json] = [self.account("work"), self.account("home")]
        self.rows: list[Any] = []
        self.details: list[Json] = []
        self.key = ""
        self.raw: dict[str, bytes] = {}
        self.statuses: dict[str, int] = {}
        self.delay = 0.0
        self.ahead = 0.0
        self.asked: list[str] = []
        self.keys: set[str] = set()
        self.closing = Event()
        self.events: list[bytes] = []
        self.news = Condition()
        fake = self

        class Handler(_Handler):
            server_of_tests = fake

        self._server = _Server(("127.0.0.1", port), Handler)
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Answer no more, and break off the streams."""
        if not self.closing.is_set():
            self.closing.set()
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def server(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.server}"

    @property
    def strays(self) -> set[str]:
        """What no proxy of this generation has, and would have passed on upstream."""
        known = {"/health", "/api/accounts", "/api/stats", "/api/requests", "/api/requests/detail"}
        return {path.partition("?")[0] for path in self.asked} - known - {"/api/requests/stream"}

    def account(self, name: str, **more: Any) -> Json:
        """An account as this generation tells of it."""
        common = {
            "id": f"id-{name}",
            "name": name,
            "provider": "anthropic",
            "paused": False,
            "tokenStatus": "valid",
            "rateLimitStatus": "OK",
            "rateLimitReset": None,
        }
        if self.generation == "C":
            return {**common, "tier": 5, **more}
        windows = {"five_hour": {"utilization": 42, "resets_at": iso(time.time() + 600)}}
        newer = {"rateLimitedUntil": None, "billingType": "plan", "usageData": windows}
        return {**common, **newer, **more}

    def limit(self, name: str, seconds: float) -> None:
        """Refuse the account's requests for so long."""
        until = time.time() + seconds
        for account in self.accounts:
            if account["name"] == name:
                account["rateLimitStatus"] = f"Rate limited ({seconds / 60:.0f}m)"
                account["rateLimitReset"] = iso(until)
                if self.generation != "C":
                    account["rateLimitedUntil"] = int(until * 1000)

    def served(
        self,
        number: int,
        account: str = "work",
        request: str = "",
        conversation: str = "",
        tokens: Tokens = USUAL,
        when: float | None = None,
    ) -> None:
        """A request was answered by this account; with neither id nor conversation its headers are gone."""
        cached = {"cacheReadInputTokens": tokens.cache_read}
        row = {
            "id": f"row-{number}",
            "timestamp": iso(when or time.time() + self.ahead),
            "path": "/v1/messages",
            "accountUsed": account,
            "statusCode": 200,
            "success": True,
            "model": OPUS,
            "inputTokens": tokens.input,
            "outputTokens": tokens.output,
            "cacheCreationInputTokens": tokens.write_5m + tokens.write_1h,
            **cached,
        }
        if self.generation == "H" and conversation:
            row["clientSessionId"] = conversation
        if request or conversation:
            asked = {"x-claude-code-session-id": conversation, "authorization": "Bearer secret"}
            detail = {
                "id": row["id"],
                "request": {"headers": asked, "body": "dGV4dA==" * 1000},
                "response": {"status": 200, "headers": {"request-id": request}, "body": "eA=="},
            }
            self.details.insert(0, detail)
        if begun := next((each for each in self.rows if each and each["id"] == row["id"]), None):
            begun.update(row, timestamp=begun["timestamp"])
        else:
            self.rows.insert(0, row)
        self.push("summary", row)

    def began(self, number: int, account: str = "work", when: float | None = None) -> None:
        """A request is under way: its row has neither model nor tokens, and ``served`` fills it in."""
        row = {"id": f"row-{number}", "timestamp": iso(when or time.time()), "path": "/v1/messages"}
        self.rows.insert(0, {**row, "accountUsed": account, "statusCode": 200})

    def refused(self, number: int, account: str) -> None:
        """A request was refused by this account: it has a row, and no tokens."""
        row = {"id": f"row-{number}", "timestamp": iso(time.time()), "path": "/v1/messages"}
        self.rows.insert(0, {**row, "accountUsed": account, "statusCode": 429, "success": False})

    def push(self, kind: str, payload: Json) -> None:
        """Say it on the stream."""
        data = json.dumps({"type": kind, "payload": payload}).encode()
        with self.news:
            self.events.append(b"data: " + data + b"\n\n")
            self.news.notify_all()

    def health(self) -> Json:
        """What ``/health`` says."""
        common: Json = {"status": "ok", "accounts": len(self.accounts), "strategy": "session"}
        if self.generation == "C":
            return common
        pool = {"configured": 2, "paused": 0, "rate_limited": 0, "routable": 2}
        newer = {"version": "3.5.63"} if self.generation == "H" else {}
        return {**common, "pool": pool, **newer}

    def answer(self, path: str) -> Any:
        """What is answered at this path; None where there is nothing."""
        name, _, query = path.partition("?")
        limit = int(query.rpartition("=")[2] or 0)
        counts = [
            {"name": each.get("name"), "requestCount": self._count(each.get("name"))}
            for each in self.accounts
        ]
        return {
            "/health": self.health(),
            "/api/accounts": self.accounts,
            "/api/stats": {"totalRequests": len(self.rows), "accounts": counts},
            "/api/requests": self.rows[:limit],
            "/api/requests/detail": self.details[:limit],
        }.get(name)

    def _count(self, account: str | None) -> int:
        rows = (row for row in self.rows if row)
        return sum(row.get("accountUsed") == account for row in rows)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    server_of_tests: FakeCcflare

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output clean."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The `Date` of an answer, by the proxy's own clock."""
        return super().date_time_string(time.time() + self.server_of_tests.ahead)

    def do_GET(self) -> None:
        fake = self.server_of_tests
        fake.asked.append(self.path)
        key = self.headers.get("x-api-key", "")
        fake.keys |= {key} - {""}
        fake.closing.wait(fake.delay)
        status = next((each for at, each in fake.statuses.items() if self.path.startswith(at)), 0)
        raw = next((data for path, data in fake.raw.items() if self.path.startswith(path)), None)
        if fake.key and key != fake.key and self.path != "/health":
            self._send(401, b'{"error":"API key required. Include it in the x-api-key header"}')
        elif status:
            self._send(status, b"")
        elif raw is not None:
            self._send(200, raw)
        elif self.path == "/api/requests/stream":
            self._stream()
        elif (found := fake.answer(self.path)) is not None:
            self._send(200, json.dumps(found).encode())
        else:
            self._send(404, b"passed on upstream")

    def _stream(self) -> None:
        fake = self.server_of_tests
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b"event: connected\ndata: ok\n\n")
        place = len(fake.events)
        while not fake.closing.is_set():
            with fake.news:
                fake.news.wait(0.1)
                new, place = fake.events[place:], len(fake.events)
            self.wfile.write(b"".join(new))
            self.wfile.flush()

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def iso(seconds: float) -> str:
    """A time as the proxies write it."""
    stamp = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return stamp.replace("+00:00", "Z")

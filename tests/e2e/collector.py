"""A collector of OpenTelemetry logs on loopback: what the client says each request cost."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Self

import msgspec
from msgspec import Struct

API_REQUEST = "claude_code.api_request"


class _Attribute(Struct):
    key: str
    value: dict[str, Any]


class _Record(Struct):
    body: dict[str, Any] = {}
    attributes: list[_Attribute] = []


class _Scope(Struct, rename="camel"):
    log_records: list[_Record] = []


class _Resource(Struct, rename="camel"):
    scope_logs: list[_Scope] = []


class _Export(Struct, rename="camel"):
    resource_logs: list[_Resource] = []


class Collector:
    """The server, for use in a `with`; `environment` makes a client report to it."""

    def __init__(self) -> None:
        self._costs: dict[str, float] = {}
        self._lock = Lock()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: object) -> None:
                """Keep the tests' output clean."""

            def do_POST(self) -> None:
                collector.take(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
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
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def environment(self) -> dict[str, str]:
        return {
            "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
            "OTEL_LOGS_EXPORTER": "otlp",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self._server.server_port}",
            "OTEL_LOGS_EXPORT_INTERVAL": "500",
        }

    @property
    def costs(self) -> dict[str, float]:
        """Dollars by request id, as the client counted them."""
        with self._lock:
            return dict(self._costs)

    def take(self, body: bytes) -> None:
        """Note the requests in one export."""
        export = msgspec.json.decode(body, type=_Export)
        records = (
            record
            for resource in export.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        )
        for record in records:
            if record.body.get("stringValue") == API_REQUEST:
                said = {each.key: next(iter(each.value.values())) for each in record.attributes}
                with self._lock:
                    self._costs[said["request_id"]] = float(said["cost_usd"])

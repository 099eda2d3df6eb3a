"""Made-up log lines in the client's form, and the made-up conversations of the real client."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tollkeeper_daemon.reading.scan import Scan, scan
from tollkeeper_daemon.records import FileMark, Record
from tollkeeper_daemon.sources.tail import Reading
from tollkeeper_daemon.transcript.parse import Parser

DATA = Path(__file__).parent.parent / "data"
PROJECT = DATA / "claude-home" / "projects" / "-home-dev-src-shop"

# 2026-11-22T12:00:00Z, a little after the sample conversations.
NOW = 1_795_348_800_000
NINE = "2026-11-22T09:00:00.000Z"
NINE_MS = NOW - 3 * 3_600_000
OPUS, HAIKU = "claude-opus-5-5", "claude-haiku-5-5"

Json = dict[str, Any]


def sample_logs() -> list[Path]:
    """The logs of the sample home, subagents' included."""
    return sorted(PROJECT.rglob("*.jsonl"))


def sample_lines() -> Iterator[bytes]:
    """Every line of the sample logs."""
    for path in sample_logs():
        yield from path.read_bytes().splitlines()


def usage(
    input: int = 0, output: int = 0, read: int = 0, w5: int = 0, w1: int = 0, **more: Any
) -> Json:
    """The ``usage`` of a reply, as today's client writes it."""
    return {
        "input_tokens": input,
        "output_tokens": output,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": w5 + w1,
        "cache_creation": {"ephemeral_5m_input_tokens": w5, "ephemeral_1h_input_tokens": w1},
        "server_tool_use": {"web_search_requests": 0, "web_fetch_requests": 0},
        "service_tier": "standard",
        "inference_geo": "",
        "iterations": [],
        "speed": "standard",
        **more,
    }


def as_line(fields: Json) -> bytes:
    """The line, written as tightly as the client does."""
    return json.dumps(fields, separators=(",", ":")).encode()


def assistant(
    used: Json | None = None,
    *,
    message: str | None = "msg_1",
    request: str | None = "req_1",
    model: str | None = OPUS,
    **more: Any,
) -> bytes:
    """One content block of a reply."""
    body = {
        "id": message,
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": "done"}],
        "usage": usage(input=10, output=20) if used is None else used,
    }
    return as_line(
        {
            "parentUuid": None,
            "isSidechain": False,
            "message": body,
            "requestId": request,
            "type": "assistant",
            "uuid": "line-1",
            "timestamp": NINE,
            "cwd": "/home/dev/src/shop",
            "sessionId": "conv-1",
            **more,
        }
    )


def user(content: Any = "list the files", **more: Any) -> bytes:
    """A user's line, as the client writes one for a prompt."""
    return as_line(
        {
            "parentUuid": None,
            "isSidechain": False,
            "promptId": "prompt-1",
            "type": "user",
            "message": {"role": "user", "content": content},
            "uuid": "user-1",
            "timestamp": NINE,
            "promptSource": "typed",
            "turnOrigin": "human",
            "cwd": "/home/dev/src/shop",
            "sessionId": "conv-1",
            **more,
        }
    )


def as_block(lines: Iterable[bytes]) -> bytes:
    """The lines as they stand in a log."""
    return b"".join(line + b"\n" for line in lines)


def parsed(*lines: bytes, now: int = NOW) -> list[Record]:
    """The records in these lines, read one after the other; none may be bad."""
    parser = Parser(now)
    found = list(parser.records(as_block(lines)))
    assert 0 == parser.bad_lines
    return found


def scanned(lines: Iterable[bytes], path: str = "/h/projects/-p/conv-1.jsonl") -> Scan:
    """The scan of a log that holds these lines."""
    block = as_block(lines)
    mark = FileMark(path, len(block))
    return scan(Reading(file=(1, len(path)), block=block, mark=mark, bytes=len(block)), NOW)

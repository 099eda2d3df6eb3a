"""Lines of session logs as Claude Code 2.1.330 writes them, with no words of anybody in them. Pure."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

VERSION = "2.1.330"


class Writer(Struct, frozen=True):
    """Who writes: a conversation in a directory, or a subagent of one."""

    conversation: str
    cwd: str
    subagent: str = ""
    subagent_type: str = ""


class Tokens(Struct, frozen=True):
    """The usage of one reply."""

    output: int
    cache_read: int
    cache_write: int
    input: int = 14


def prompt(writer: Writer, when: datetime) -> bytes:
    """What a person typed."""
    line = {
        "parentUuid": None,
        "promptId": str(uuid.uuid4()),
        "type": "user",
        "message": {"role": "user", "content": "Made up by toll demo."},
        "promptSource": "typed",
        "turnOrigin": "human",
    }
    return _encode(writer, line, when)


def reply(writer: Writer, model: str, tokens: Tokens, when: datetime) -> bytes:
    """One reply of the API."""
    line = {
        "parentUuid": str(uuid.uuid4()),
        "message": {
            "id": f"msg_{uuid.uuid4().hex}",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [{"type": "text", "text": "Made up by toll demo."}],
            "stop_reason": "end_turn",
            "usage": _usage(tokens),
        },
        "requestId": f"req_{uuid.uuid4().hex}",
        "requestedModel": model,
        "type": "assistant",
    }
    return _encode(writer, line, when)


def session_owner(writer: Writer, account: str) -> bytes:
    """The account of the subscription that the conversation runs on."""
    line = {"type": "session-owner", "accountUuid": account, "sessionId": writer.conversation}
    return json.dumps(line).encode() + b"\n"


def _usage(tokens: Tokens) -> dict[str, Any]:
    return {
        "input_tokens": tokens.input,
        "cache_creation_input_tokens": tokens.cache_write,
        "cache_read_input_tokens": tokens.cache_read,
        "output_tokens": tokens.output,
        "service_tier": "standard",
        "cache_creation": {
            "ephemeral_1h_input_tokens": 0,
            "ephemeral_5m_input_tokens": tokens.cache_write,
        },
        "speed": "standard",
    }


def _encode(writer: Writer, line: dict[str, Any], when: datetime) -> bytes:
    """The line with what all lines bear, as it stands in the log."""
    stamp = when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    whole = {
        "isSidechain": bool(writer.subagent),
        **({"agentId": writer.subagent} if writer.subagent else {}),
        **({"attributionAgent": writer.subagent_type} if writer.subagent_type else {}),
        **line,
        "uuid": str(uuid.uuid4()),
        "timestamp": stamp,
        "cwd": writer.cwd,
        "sessionId": writer.conversation,
        "version": VERSION,
        "gitBranch": "main",
    }
    return json.dumps(whole, separators=(",", ":")).encode() + b"\n"

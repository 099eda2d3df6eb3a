"""Lines of session logs as Claude Code 2.1.330 writes them, with made-up words in them."""

import itertools
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

OPUS = "claude-opus-5-5"
HAIKU = "claude-haiku-5-5"
VERSION = "2.1.330"

_process = uuid.uuid4().hex[:8]  # No two processes that write lines write the same reply.
_numbers = itertools.count(1)


class Tokens(Struct, frozen=True):
    """The usage of one reply."""

    input: int = 13
    output: int = 303
    cache_read: int = 15_000
    write_5m: int = 500
    write_1h: int = 1_500

    @property
    def total(self) -> int:
        return self.input + self.output + self.cache_read + self.write_5m + self.write_1h


USUAL = Tokens()
# 13 x $4 + 303 x $20 + 15,000 x $0.20 + 500 x $5 + 1,500 x $8, per million.
USUAL_USD = 0.023612
# The same tokens of Haiku: $0.10, $0.50, $0.01, $0.125, $0.20.
USUAL_HAIKU_USD = 0.00066530


class Writer(Struct, frozen=True):
    """Who writes the lines: a conversation in a directory, or a subagent of one."""

    conversation: str
    cwd: str
    agent: str = ""
    agent_type: str = ""


def now() -> datetime:
    """The time that a line bears unless told otherwise."""
    return datetime.now(UTC)


def ago(**span: float) -> datetime:
    """A time in the past, e.g. ``ago(days=3)``."""
    return now() - timedelta(**span)


def stamp(when: datetime) -> str:
    """The time as the client writes it."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def encode(line: dict[str, Any]) -> bytes:
    """The line as it stands in the log."""
    return json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def prompt(writer: Writer, text: str = "Count the tolls.", when: datetime | None = None) -> bytes:
    """What a person typed."""
    line = {
        "parentUuid": None,
        "isSidechain": bool(writer.agent),
        "promptId": str(uuid.uuid4()),
        "type": "user",
        "message": {"role": "user", "content": text},
        "permissionMode": "default",
        "promptSource": "typed",
        "turnOrigin": "human",
        **_common(writer, when),
    }
    return encode(line)


def tool_result(writer: Writer, text: str = "done") -> bytes:
    """What a tool gave back, which nobody typed."""
    result = {"tool_use_id": "toolu_01made", "type": "tool_result", "content": text}
    line = {
        "parentUuid": None,
        "isSidechain": bool(writer.agent),
        "type": "user",
        "message": {"role": "user", "content": [result]},
        "toolUseResult": {"stdout": text, "stderr": "", "interrupted": False},
        **_common(writer, None),
    }
    return encode(line)


def reply(
    writer: Writer,
    tokens: Tokens = USUAL,
    model: str = OPUS,
    blocks: int = 1,
    outputs: tuple[int, ...] = (),
    when: datetime | None = None,
) -> bytes:
    """One reply of the API: a line per block, all with the same usage.

    ``outputs`` names what each block says of the output instead, as older clients do.
    """
    number = next(_numbers)
    names = f"msg_01{_process}{number:09}", f"req_011{_process}{number:09}"
    counts = outputs or (tokens.output,) * blocks
    return b"".join(
        _block(writer, names, tokens, model, (index, output), when)
        for index, output in enumerate(counts)
    )


def edit(writer: Writer, path: str, old: str, new: str) -> bytes:
    """A reply that asks to change this file."""
    line = json.loads(reply(writer))
    change = {"file_path": path, "old_string": old, "new_string": new}
    call = {"type": "tool_use", "id": f"toolu_{uuid.uuid4().hex}", "name": "Edit", "input": change}
    line["message"]["content"] = [call]
    return encode(line)


def _block(
    writer: Writer,
    names: tuple[str, str],
    tokens: Tokens,
    model: str,
    block: tuple[int, int],
    when: datetime | None,
) -> bytes:
    index, output = block
    message = {
        "id": names[0],
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": f"block {index}"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": _usage(tokens, output),
        "stop_details": None,
    }
    line = {
        "parentUuid": str(uuid.uuid4()),
        "isSidechain": bool(writer.agent),
        **({"agentId": writer.agent} if writer.agent else {}),
        "message": message,
        "apiBlockIndex": index,
        "requestId": names[1],
        "requestedModel": model,
        **({"attributionAgent": writer.agent_type} if writer.agent_type else {}),
        "type": "assistant",
        "effort": "medium",
        **_common(writer, when),
    }
    return encode(line)


def _usage(tokens: Tokens, output: int) -> dict[str, Any]:
    return {
        "input_tokens": tokens.input,
        "cache_creation_input_tokens": tokens.write_5m + tokens.write_1h,
        "cache_read_input_tokens": tokens.cache_read,
        "output_tokens": output,
        "output_tokens_details": {"thinking_tokens": 0},
        "server_tool_use": {"web_search_requests": 0, "web_fetch_requests": 0},
        "service_tier": "standard",
        "cache_creation": {
            "ephemeral_1h_input_tokens": tokens.write_1h,
            "ephemeral_5m_input_tokens": tokens.write_5m,
        },
        "inference_geo": "",
        "iterations": [],
        "speed": "standard",
    }


def cost_state(writer: Writer, added: int, removed: int, dollars: float = 0.0) -> bytes:
    """The client's own totals of the conversation."""
    line: dict[str, Any] = {
        "type": "cost-state",
        "sessionId": writer.conversation,
        "totalCostUSD": dollars,
        "totalLinesAdded": added,
        "totalLinesRemoved": removed,
        "totalDuration": 2333,
        "modelUsage": {},
        "hasUnknownModelCost": False,
    }
    return encode(line)


def totals(
    writer: Writer, dollars: float, model: str = OPUS, count: int = 1, hidden: int = 0
) -> bytes:
    """The client's own totals by model, after so many usual replies.

    ``hidden`` is the output of a request that the log does not hold.
    """
    used = {
        "inputTokens": USUAL.input * count,
        "outputTokens": USUAL.output * count + hidden,
        "cacheReadInputTokens": USUAL.cache_read * count,
        "cacheCreationInputTokens": (USUAL.write_5m + USUAL.write_1h) * count,
        "cacheCreationEphemeral5mInputTokens": USUAL.write_5m * count,
        "cacheCreationEphemeral1hInputTokens": USUAL.write_1h * count,
        "webSearchRequests": 0,
        "costUSD": dollars,
    }
    line = json.loads(cost_state(writer, 0, 0, dollars))
    started = int(ago(hours=2).timestamp() * 1000)
    line |= {"startTime": started, "totalDuration": 7_200_000, "modelUsage": {model: used}}
    return encode(line)


def session_owner(writer: Writer, account: str) -> bytes:
    """The account of the subscription that the conversation runs on."""
    line = {"type": "session-owner", "accountUuid": account, "sessionId": writer.conversation}
    return encode(line)


def refusal(writer: Writer, resets: datetime) -> bytes:
    """What the client logs when the plan's window is spent."""
    line: dict[str, Any] = {
        "type": "assistant",
        "isApiErrorMessage": True,
        "error": "rate_limit",
        "apiErrorStatus": 429,
        "quotaLimits": {
            "status": "rejected",
            "resetsAt": int(resets.timestamp()),
            "rateLimitType": "five_hour",
            "isUsingOverage": False,
        },
        **_common(writer, None),
    }
    return encode(line)


def passing_refusal(writer: Writer) -> bytes:
    """What the client logs when the API has too much to do just now."""
    line: dict[str, Any] = {
        "type": "assistant",
        "isApiErrorMessage": True,
        "apiErrorIsTransient": True,
        "error": "rate_limit",
        "apiErrorStatus": 429,
        **_common(writer, None),
    }
    return encode(line)


def forked(log: bytes, conversation: str) -> bytes:
    """These lines as today's client copies them into a fork: paid replies name who made them."""
    copies: list[dict[str, Any]] = [json.loads(line) for line in log.splitlines()]
    for line in copies:
        if line["type"] == "assistant":
            line.setdefault("requestSessionId", line["sessionId"])
        line["sessionId"] = conversation
    return b"".join(encode(line) for line in copies)


def _common(writer: Writer, when: datetime | None) -> dict[str, Any]:
    return {
        "uuid": str(uuid.uuid4()),
        "timestamp": stamp(when or now()),
        "userType": "external",
        "entrypoint": "cli",
        "cwd": writer.cwd,
        "sessionId": writer.conversation,
        "version": VERSION,
        "gitBranch": "main",
    }

"""A reply as the Messages API writes it: server-sent events, or one JSON body."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .replies import Advice, Reply, Terms, Tokens

Fields = dict[str, Any]  # a JSON object


def as_events(message_id: str, model: str, tokens: Tokens, reply: Reply) -> bytes:
    final = _usage(tokens, reply)
    opening = message(message_id, model, [], {**final, "output_tokens": 1, "iterations": []})
    events = [_event("message_start", {"message": opening})]
    for index, block in enumerate(blocks_of(message_id, reply)):
        events.extend(_block_events(index, block))
    stop = {"stop_reason": stop_reason(reply), "stop_sequence": None}
    events.append(_event("message_delta", {"delta": stop, "usage": final}))
    events.append(_event("message_stop", {}))
    return b"".join(events)


def as_json(message_id: str, model: str, tokens: Tokens, reply: Reply) -> bytes:
    usage = _usage(tokens, reply)
    body = message(message_id, model, list(blocks_of(message_id, reply)), usage)
    return json.dumps({**body, "stop_reason": stop_reason(reply)}).encode()


def message(message_id: str, model: str, content: list[Fields], usage: Fields) -> Fields:
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }


def blocks_of(message_id: str, reply: Reply) -> Iterator[Fields]:
    if reply.thinking:
        yield {"type": "thinking", "thinking": "Let me think.", "signature": "c2ln"}
    if reply.text:
        yield {"type": "text", "text": reply.text}
    for number, tool in enumerate(reply.tools):
        call_id = f"{message_id.replace('msg', 'toolu')}{number:02}"
        yield {"type": "tool_use", "id": call_id, "name": tool.name, "input": tool.input}


def stop_reason(reply: Reply) -> str:
    return "tool_use" if reply.tools else "end_turn"


def _usage(tokens: Tokens, reply: Reply) -> Fields:
    if reply.usage is not None:
        return dict(reply.usage)
    return usage_of(tokens, reply.terms, reply.advice)


def usage_of(tokens: Tokens, terms: Terms, advice: tuple[Advice, ...] = ()) -> Fields:
    return {
        **_counted(tokens),
        "server_tool_use": {
            "web_search_requests": tokens.web_searches,
            "web_fetch_requests": terms.web_fetches,
        },
        "service_tier": terms.service_tier,
        "inference_geo": terms.inference_geo,
        "speed": terms.speed,
        "iterations": [
            {"type": "advisor_message", "model": extra.model, **_counted(extra.tokens)}
            for extra in advice
        ],
    }


def _counted(tokens: Tokens) -> Fields:
    return {
        "input_tokens": tokens.input,
        "output_tokens": tokens.output,
        "cache_read_input_tokens": tokens.cache_read,
        "cache_creation_input_tokens": tokens.cache_write_5m + tokens.cache_write_1h,
        "cache_creation": {
            "ephemeral_5m_input_tokens": tokens.cache_write_5m,
            "ephemeral_1h_input_tokens": tokens.cache_write_1h,
        },
    }


def _block_events(index: int, block: Fields) -> Iterator[bytes]:
    yield _event("content_block_start", {"index": index, "content_block": _emptied(block)})
    for delta in _deltas(block):
        yield _event("content_block_delta", {"index": index, "delta": delta})
    yield _event("content_block_stop", {"index": index})


def _emptied(block: Fields) -> Fields:
    return {
        name: type(value)() if name in {"text", "thinking", "signature", "input"} else value
        for name, value in block.items()
    }


def _deltas(block: Fields) -> Iterator[Fields]:
    match block["type"]:
        case "thinking":
            yield {"type": "thinking_delta", "thinking": block["thinking"]}
            yield {"type": "signature_delta", "signature": block["signature"]}
        case "text":
            yield {"type": "text_delta", "text": block["text"]}
        case _:
            yield {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}


def _event(kind: str, fields: Mapping[str, Any]) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()

"""The inner parts of assistant lines: content blocks and usage."""

from random import Random

from synth.text import Pools
from synth.tools import Call
from synth.usage import Usage


def thinking_block(rng: Random, pools: Pools) -> bytes:
    """Write what the model thought: often only the signature is kept."""
    text = pools.prose.take(rng, int(rng.lognormvariate(5.8, 0.9))) if rng.random() < 0.5 else b""
    signature = pools.blob(rng, min(int(rng.lognormvariate(6.2, 0.7)), 6000) // 4 * 4)
    return b'{"type":"thinking","thinking":"%b","signature":"%b"}' % (text, signature)


def text_block(rng: Random, pools: Pools, *, is_final: bool) -> bytes:
    """Write what the model says: a sentence between calls, more at the turn's end."""
    size = rng.lognormvariate(6.6, 0.8) if is_final else rng.lognormvariate(4.8, 0.6)
    return b'{"type":"text","text":"%b"}' % pools.prose.take(rng, int(size))


def call_block(call: Call) -> bytes:
    """Write a tool call."""
    return b'{"type":"tool_use","id":"%b","name":"%b","input":%b}' % (
        call.id,
        call.name,
        call.input,
    )


def block_timing(block: bytes) -> bytes:
    """Write how long a block took; its size stands in for the time."""
    if block.startswith(b'{"type":"thinking"'):
        return b'"thinkingDurationMs":%d,"thinkingDisplay":"omitted",' % (len(block) * 3)
    if block.startswith(b'{"type":"tool_use"'):
        return b'"toolInputStreamMs":%d,' % (len(block) * 2)
    return b""


def usage_field(usage: Usage) -> bytes:
    """Write a reply's usage as today's client does."""
    hour, five = (0, 0) if usage.split == "zero" else (usage.write_1h, usage.write_5m)
    return (
        b'"usage":{"input_tokens":%d,"cache_creation_input_tokens":%d,"cache_read_input_tokens":%d,'
        b'"output_tokens":%d,"output_tokens_details":{"thinking_tokens":%d},"server_tool_use":'
        b'{"web_search_requests":%d,"web_fetch_requests":0},"service_tier":"standard",'
        b'"cache_creation":{"ephemeral_1h_input_tokens":%d,"ephemeral_5m_input_tokens":%d},'
        b'"inference_geo":"%b","iterations":[],"speed":"%b","fallback_credit":null}'
        % (
            usage.input,
            usage.writes,
            usage.cache_read,
            usage.output,
            usage.thinking,
            usage.searches,
            hour,
            five,
            usage.geo.encode(),
            usage.speed.encode(),
        )
    )


def older_usage_field(usage: Usage) -> bytes:
    """Write a reply's usage as the client did before 2.1, which left fields out."""
    split = b""
    if usage.split != "none":
        hour, five = (0, 0) if usage.split == "zero" else (usage.write_1h, usage.write_5m)
        split = (
            b'"cache_creation":{"ephemeral_5m_input_tokens":%d,"ephemeral_1h_input_tokens":%d},'
            % (five, hour)
        )
    return (
        b'"usage":{"input_tokens":%d,"cache_creation_input_tokens":%d,"cache_read_input_tokens":%d,'
        b'%b"output_tokens":%d,"service_tier":"standard"}'
        % (usage.input, usage.writes, usage.cache_read, split, usage.output)
    )

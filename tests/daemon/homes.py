"""Strategies for small Claude homes in bytes: conversations, forks, subagents, replays, odd lines."""

import json
from typing import Any

from hypothesis import strategies as st

from .lines import HAIKU, OPUS, Json, as_line, assistant, usage, user

Home = dict[str, list[bytes]]
"""Lines by the path of their log."""

NAMES = ["conv-0", "conv-1", "conv-2", "conv-3"]
MODELS = [OPUS, HAIKU, "claude-sonnet-4-5-20250929", "claude-novel-1"]
NULLABLE = ("speed", "inference_geo", "iterations", "server_tool_use", "cache_creation")
OTHERS = [
    b"",
    b'{"type":"assistant","message":{"usage":{"output_tok',
    as_line({"type": "system", "subtype": "informational", "content": "requestSessionId"}),
    user([{"tool_use_id": "t", "type": "tool_result", "content": "done"}], uuid="result"),
    user("Caveat", isMeta=True, uuid="meta"),
    assistant(usage(), model="<synthetic>", message="local", isApiErrorMessage=True),
]

counts = st.sampled_from([0, 1, 60_000, 100_001])


class _Clock:
    """Hands out names and times, so that no two replies or prompts share one."""

    def __init__(self) -> None:
        self.ticks = 0

    def tick(self) -> tuple[str, str]:
        """A new name, and its time: four minutes after the last one's."""
        self.ticks += 1
        hours, minutes = divmod(self.ticks * 4, 60)
        return f"{self.ticks:03}", f"2026-11-22T{hours:02}:{minutes:02}:00.000Z"


@st.composite
def homes(draw: st.DrawFn) -> Home:
    """A home of up to four conversations, each perhaps a fork of an earlier one."""
    clock = _Clock()
    logs: Home = {}
    names = draw(st.permutations(NAMES))[: draw(st.integers(1, len(NAMES)))]
    for index, name in enumerate(names):
        path = f"projects/-p/{name}.jsonl"
        parent = draw(st.sampled_from(names[:index])) if index and draw(st.booleans()) else None
        copies = _fork(draw, logs[f"projects/-p/{parent}.jsonl"], name) if parent else []
        logs[path] = [*copies, *_talk(draw, clock, name)]
        if draw(st.booleans()):
            agent = f"a{index}"
            log = _talk(draw, clock, name, isSidechain=True, agentId=agent)
            logs[f"projects/-p/{name}/subagents/agent-{agent}.jsonl"] = log
            if draw(st.booleans()):
                again = [line.replace(b'"req_', b'"req_again_') for line in log]
                logs[f"projects/-p/{name}/subagents/workflows/w/agent-{agent}b.jsonl"] = again
    return logs


def _talk(draw: st.DrawFn, clock: _Clock, conversation: str, **more: Any) -> list[bytes]:
    """Prompts and replies in turn, not always paired, with lines between that count for nothing."""
    lines: list[bytes] = []
    for kind in draw(st.lists(st.sampled_from(["prompt", "reply", "other"]), max_size=5)):
        name, stamp = clock.tick()
        place = {"sessionId": conversation, "timestamp": stamp, **more}
        match kind:
            case "prompt":
                lines.append(user(uuid=f"user-{name}", **place))
            case "reply":
                lines += _reply(draw, name, place)
            case _:
                lines.append(draw(st.sampled_from(OTHERS)))
    return lines


def _reply(draw: st.DrawFn, name: str, place: Json) -> list[bytes]:
    """A reply's blocks, whose outputs grow or do not; either id may be missing, on any of them."""
    used, model = _usage(draw), draw(st.sampled_from(MODELS))
    whole = draw(st.sampled_from(["both", "both", "message", "request", "neither"]))
    return [
        assistant(
            {**used, "output_tokens": output},
            model=model,
            message=f"msg_{name}" if whole in ("both", "message") else None,
            request=f"req_{name}"
            if whole == "request" or (whole == "both" and draw(st.integers(0, 5)))
            else None,
            uuid=f"line-{name}",
            **place,
        )
        for output in draw(st.lists(st.sampled_from([1, 7, 500]), min_size=1, max_size=3))
    ]


def _usage(draw: st.DrawFn) -> Json:
    made = usage(
        draw(counts),
        0,
        draw(counts),
        draw(counts),
        draw(counts),
        speed=draw(st.sampled_from(["standard", "fast"])),
        inference_geo=draw(st.sampled_from(["", "us"])),
        server_tool_use={"web_search_requests": draw(st.integers(0, 2))},
    )
    if draw(st.booleans()):
        kinds = st.sampled_from(["message", "advisor_message"])
        made["iterations"] = [
            {"type": kind, "model": draw(st.sampled_from(MODELS)), "input_tokens": draw(counts)}
            for kind in draw(st.lists(kinds, max_size=3))
        ]
    if draw(st.booleans()):
        made[draw(st.sampled_from(NULLABLE))] = None
    return made


def _fork(draw: st.DrawFn, lines: list[bytes], name: str) -> list[bytes]:
    """The first of these lines as a fork copies them: with today's mark, or as older ones."""
    is_marked = draw(st.booleans())
    return [_copy(line, name, is_marked) for line in lines[: draw(st.integers(0, len(lines)))]]


def _copy(line: bytes, name: str, is_marked: bool) -> bytes:
    try:
        fields = json.loads(line)
    except ValueError:
        return line
    if is_marked and fields["type"] == "assistant":
        fields.setdefault("requestSessionId", fields["sessionId"])
    return as_line({**fields, "sessionId": name})

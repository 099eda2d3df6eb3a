"""Small Claude homes full of odd but honest logs: all that ccusage, too, counts right."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from daemon.lines import Json, as_block, as_line, assistant, usage, user

# Around these the clocks change: in America, Europe, and on Lord Howe Island (by half an hour).
MOMENTS = [
    datetime(2025, 3, 9, 7, tzinfo=UTC),
    datetime(2025, 3, 30, 1, tzinfo=UTC),
    datetime(2025, 4, 5, 15, tzinfo=UTC),
    datetime(2025, 10, 4, 15, 30, tzinfo=UTC),
    datetime(2025, 10, 26, 1, tzinfo=UTC),
    datetime(2025, 11, 2, 6, tzinfo=UTC),
    datetime(2025, 12, 31, 23, tzinfo=UTC),
]
MODELS = [
    "claude-opus-4-6",
    "claude-sonnet-4-5-20250929",
    "us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "claude-novel-1",
]
NULLABLE = ("inference_geo", "service_tier", "iterations", "server_tool_use", "cache_creation")
OTHERS = [
    b"",
    b'{"type":"assistant","message":{"usa',
    as_line({"type": "summary", "summary": "A talk.", "leafUuid": "u"}),
    as_line({"type": "cost-state", "totalCostUSD": 9, "sessionId": "x"}),
    as_line({"type": "novelty", "usage": {"input_tokens": 99, "output_tokens": 99}}),
    assistant(usage(), model="<synthetic>", message="local", isApiErrorMessage=True),
    user(content='"usage":{"input_tokens":99}'),
]


def write_random_home(rng: Random, home: Path) -> None:
    """Write some projects of some conversations, with forks, subagents, copies and replays."""
    moment, is_marked = rng.choice(MOMENTS), _one_in(rng, 2)
    for project in range(rng.randint(1, 3)):
        folder = home / "projects" / f"-home-dev-src-{project}"
        earlier: list[tuple[str, list[bytes]]] = []
        for number in range(rng.randint(1, 4)):
            # A fork's name stands behind its parent's: nothing else tells whose old copies are.
            name = f"{project}{number}-{rng.getrandbits(32):08x}"
            copies: list[bytes] = []
            if earlier and _one_in(rng, 3):
                copies = _fork(name, *rng.choice(earlier), is_marked=is_marked)
            has_request_ids = not _one_in(rng, 5)
            # Without request ids ccusage adds up the lines of a reply.
            most = 3 if has_request_ids else 1
            lines = _replies(rng, name, moment, most)
            lines = lines if has_request_ids else [_without(line, "requestId") for line in lines]
            lines = [*copies, *lines]
            _write(folder / f"{name}.jsonl", lines)
            if has_request_ids:
                earlier.append((name, lines))
            for _ in range(rng.randrange(3)):
                _write_subagent(rng, folder / name / "subagents", name, moment)


def _write_subagent(rng: Random, folder: Path, conversation: str, moment: datetime) -> None:
    agent = f"{rng.getrandbits(40):010x}"
    # A replay of replies that stand on several lines is counted twice by ccusage.
    is_replayed = _one_in(rng, 3)
    most = 1 if is_replayed else 3
    lines = _replies(rng, conversation, moment, most, isSidechain=True, agentId=agent)
    if _one_in(rng, 3):
        folder = folder / "workflows" / f"run-{agent}"
    _write(folder / f"agent-{agent}.jsonl", lines)
    if is_replayed:
        again = [line.replace(b'"requestId":"req_', b'"requestId":"req_again_') for line in lines]
        _write(folder / f"agent-{agent}b.jsonl", again)


def _replies(
    rng: Random, conversation: str, moment: datetime, most: int, **more: Any
) -> list[bytes]:
    """Some replies of at most so many lines each, with lines between that count for nothing."""
    lines: list[bytes] = []
    for _ in range(rng.randint(1, 6)):
        if _one_in(rng, 4):
            lines.append(rng.choice(OTHERS))
        lines += _reply(rng, conversation, moment, most, more)
    return lines


def _reply(rng: Random, conversation: str, moment: datetime, most: int, more: Json) -> list[bytes]:
    """The lines of one reply, in any order, some of them twice."""
    name = f"{rng.getrandbits(64):016x}"
    used, model = _usage(rng), rng.choice(MODELS)
    when = moment + timedelta(minutes=rng.randint(-6_000, 6_000), seconds=rng.randrange(59))
    lines: list[bytes] = []
    for block in range(rng.randint(1, most)):
        stamp = (when + timedelta(milliseconds=block)).isoformat(timespec="milliseconds")
        line = assistant(
            {**used, "output_tokens": used["output_tokens"] if block == 0 else rng.randint(0, 9)},
            message=f"msg_{name}",
            request=f"req_{name}",
            model=model,
            timestamp=stamp.replace("+00:00", "Z"),
            sessionId=conversation,
            uuid=f"{name}-{block}",
            **more,
        )
        lines.append(line)
    if _one_in(rng, 4):
        lines.append(rng.choice(lines))
    rng.shuffle(lines)
    return lines


def _usage(rng: Random) -> Json:
    """A usage whose writes add up, with more output than an early block's."""
    made = usage(
        rng.choice((0, rng.randint(1, 200_000))),
        rng.randint(10, 20_000),
        rng.choice((0, rng.randint(1, 200_000))),
        rng.choice((0, rng.randint(1, 50_000))),
        rng.choice((0, rng.randint(1, 50_000))),
        speed=rng.choice(("standard", "fast")),
        inference_geo=rng.choice(("", "us")),
        server_tool_use={"web_search_requests": rng.randrange(3)},
    )
    if _one_in(rng, 4):
        advice = {"type": "advisor_message", "model": rng.choice(MODELS)}
        counts = {"input_tokens": rng.randrange(999), "output_tokens": rng.randrange(999)}
        made["iterations"] = [{"type": "message", **counts}, {**advice, **counts}]
    name = rng.choice(NULLABLE)
    match rng.randrange(4):
        case 0:
            made[name] = None
        case 1:
            del made[name]
        case _:
            pass
    return made


def _fork(name: str, parent: str, lines: list[bytes], *, is_marked: bool) -> list[bytes]:
    """The parent's lines as a fork copies them: marked as today's client does, or as older ones."""
    old, new = f'"sessionId":"{parent}"', f'"sessionId":"{name}"'
    if is_marked:
        new += f',"requestSessionId":"{parent}"'
    return [
        line.replace(old.encode(), new.encode()) if b"requestSessionId" not in line else line
        for line in lines
    ]


def _without(line: bytes, name: str) -> bytes:
    try:
        fields = json.loads(line)
    except ValueError:
        return line
    fields.pop(name, None)
    return as_line(fields)


def _one_in(rng: Random, count: int) -> bool:
    return rng.randrange(count) == 0


def _write(path: Path, lines: list[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(as_block(lines))

"""Random usages of replies: every kind of figure that decides what a request costs."""

from random import Random
from typing import Any

Usage = dict[str, Any]  # the `usage` of a reply, as the API writes it

THRESHOLD = 100_000
PROMPT = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


def edges() -> list[Usage]:
    """Usages of exactly, and of one more than, the tokens at which a long prompt begins."""
    base = {"input_tokens": 20_000, "output_tokens": 1_000, "cache_read_input_tokens": 30_000}
    split = {"ephemeral_5m_input_tokens": 20_000, "ephemeral_1h_input_tokens": 10_000}
    return [
        {**base, "cache_creation_input_tokens": 50_000 + over, "cache_creation": split}
        for over in (0, 1)
    ]


def random_usage(rng: Random, models: list[str]) -> Usage:
    """A usage whose every field is as likely to be odd as plain; ``models`` may give advice."""
    usage = _tokens(rng)
    if rng.random() < 0.3:
        _bring_to_threshold(rng, usage)
    usage["server_tool_use"] = rng.choice(
        (
            None,
            {"web_search_requests": rng.randint(0, 20), "web_fetch_requests": rng.randint(0, 5)},
            {"web_search_requests": None},
        )
    )
    usage["speed"] = rng.choice(("standard", "fast", None))
    usage["inference_geo"] = rng.choice(("", "us", "global", None))
    usage["service_tier"] = rng.choice(("standard", "batch", "priority", None))
    usage["iterations"] = _iterations(rng, usage, models)
    return _with_gaps(rng, usage)


def _tokens(rng: Random) -> Usage:
    write_5m, write_1h = _count(rng), _count(rng)
    whole = write_5m + write_1h
    split: Usage | None = {
        "ephemeral_5m_input_tokens": write_5m,
        "ephemeral_1h_input_tokens": write_1h,
    }
    match rng.randrange(8):
        case 0:  # more than the split says
            whole += _count(rng)
        case 1:  # less than the split says
            whole = rng.randint(min(whole, 1), whole)
        case 2:
            split = None
        case 3:
            split = {"ephemeral_1h_input_tokens": write_1h}
        case 4:
            split = {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}
        case _:
            pass
    return {
        "input_tokens": _count(rng),
        "output_tokens": _count(rng),
        "cache_read_input_tokens": _count(rng),
        "cache_creation_input_tokens": whole,
        "cache_creation": split,
    }


def _count(rng: Random) -> int:
    """A number of tokens: none, few, many, or more than any model takes."""
    return rng.choice(
        (0, rng.randint(1, 9), rng.randint(10, 9_999), rng.randint(10_000, 2_000_000))
    )


def _bring_to_threshold(rng: Random, usage: Usage) -> None:
    """Let the prompt have as many tokens as decide whether it is long, or one more or less."""
    for name in PROMPT:
        usage[name] = min(usage[name], 30_000)
    rest = sum(usage[name] for name in PROMPT if name != "input_tokens")
    usage["input_tokens"] = THRESHOLD - rest + rng.choice((-1, 0, 1))


def _iterations(rng: Random, usage: Usage, models: list[str]) -> list[Usage] | None:
    """The steps of the reply: its own, which add up to its usage or do not, and advice."""
    match rng.randrange(6):
        case 0:
            return None
        case 1 | 2:
            return []
        case _:
            steps = _steps(rng, usage)
            for _ in range(rng.randrange(3)):
                advice = {"type": "advisor_message", "model": rng.choice(models), **_tokens(rng)}
                steps.insert(rng.randint(0, len(steps)), advice)
            return steps


def _steps(rng: Random, usage: Usage) -> list[Usage]:
    """The reply's usage cut into one to three steps; one in four cuts loses a token."""
    steps: list[Usage] = [{"type": "message"} for _ in range(rng.randint(1, 3))]
    _cut(rng, usage, steps, ("input_tokens", "output_tokens", "cache_read_input_tokens"))
    split: Usage = usage["cache_creation"] or {}
    if sum(split.values()) == usage["cache_creation_input_tokens"] and rng.random() < 0.5:
        for step in steps:
            step["cache_creation"] = {}
        _cut(rng, split, [step["cache_creation"] for step in steps], tuple(split))
        for step in steps:
            step["cache_creation_input_tokens"] = sum(step["cache_creation"].values())
    else:
        _cut(rng, usage, steps, ("cache_creation_input_tokens",))
    if rng.random() < 0.25:
        steps[0]["output_tokens"] += 1
    return steps


def _cut(rng: Random, whole: Usage, parts: list[Usage], names: tuple[str, ...]) -> None:
    """Deal each of these figures out to the parts."""
    for name in names:
        left = whole[name]
        for part in parts[1:]:
            part[name] = rng.randint(0, left)
            left -= part[name]
        parts[0][name] = left


def _with_gaps(rng: Random, usage: Usage) -> Usage:
    """The usage less some fields that a gateway may leave out."""
    may_lack = [name for name in usage if name not in ("input_tokens", "output_tokens")]
    lacking = set(rng.sample(may_lack, rng.choice((0, 0, 0, 1, 3))))
    return {name: value for name, value in usage.items() if name not in lacking}

"""Hypothesis strategies for what comes out of logs: replies and prompts that meet each other."""

from hypothesis import strategies as st

from tollkeeper_daemon.records import Advice, Prompt, Reply, Step

from .lines import HAIKU, NINE_MS, OPUS

MINUTE = 60_000

small = st.integers(0, 3)
names = st.sampled_from(["", "conv-1", "conv-2"])
times = st.integers(0, 6).map(lambda step: NINE_MS + step * 7 * MINUTE)
advices = st.lists(
    st.builds(Advice, st.sampled_from([HAIKU, "claude-opus-9"]), small, small, small, small, small),
    max_size=2,
).map(tuple)
# A step of 200,000 tokens is a long prompt, and most cuts do not account for the reply.
steps = st.lists(
    st.builds(Step, st.sampled_from([0, 1, 200_000]), small, small, small, small), max_size=2
).map(tuple)

# A request id stands in one message only: each message has ids of its own, and either may be missing.
REQUESTS = {"": ["", "r1", "r2", "r3"], "m1": ["", "r1", "r2"], "m2": ["", "r3", "r4"]}


@st.composite
def replies(draw: st.DrawFn) -> Reply:
    """A line of one of few messages, so that lines of the same request are common."""
    message = draw(st.sampled_from(list(REQUESTS)))
    request = draw(st.sampled_from(REQUESTS[message]))
    return Reply(
        message=message,
        request=request,
        line="" if message or request else draw(st.sampled_from(["l1", "l2"])),
        conversation=draw(names),
        owned=draw(st.booleans()),
        time=draw(times),
        model=draw(st.sampled_from([OPUS, HAIKU, "claude-haiku-9", "unknown"])),
        subagent=draw(st.sampled_from(["", "a1"])),
        subagent_type=draw(st.sampled_from(["", "analyst"])),
        input=draw(st.sampled_from([0, 1, 99_999, 200_000])),
        output=draw(small),
        cache_read=draw(small),
        cache_write_5m=draw(small),
        cache_write_1h=draw(small),
        web_searches=draw(small),
        fast=draw(st.booleans()),
        us=draw(st.booleans()),
        advice=draw(advices),
        steps=draw(steps),
    )


@st.composite
def prompts(draw: st.DrawFn) -> Prompt:
    """What one of few prompts' lines and the replies after it say of it."""
    answered = draw(st.sampled_from([0, NINE_MS, NINE_MS + MINUTE]))
    return Prompt(
        line=draw(st.sampled_from(["p1", "p2"])),
        conversation=draw(names),
        time=draw(times),
        cwd=draw(st.sampled_from(["", "/a", "/b"])),
        owned=draw(st.booleans()),
        answered=answered,
        model=draw(st.sampled_from([OPUS, HAIKU])) if answered else "",
    )


entries = st.lists(replies() | prompts(), max_size=12)


@st.composite
def entries_twice(draw: st.DrawFn) -> tuple[list[list[Reply | Prompt]], list[list[Reply | Prompt]]]:
    """The same entries, each told at least once, in two orders, repetitions and cuttings."""
    told = draw(entries)
    first, second = (draw(_telling(told)) for _ in range(2))
    return first, second


@st.composite
def _telling(draw: st.DrawFn, told: list[Reply | Prompt]) -> list[list[Reply | Prompt]]:
    again = draw(st.lists(st.sampled_from(told), max_size=4)) if told else []
    order = draw(st.permutations([*told, *again]))
    cuts = sorted(draw(st.lists(st.integers(0, len(order)), max_size=3)))
    return [
        list(order[start:end]) for start, end in zip([0, *cuts], [*cuts, len(order)], strict=True)
    ]

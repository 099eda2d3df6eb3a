"""The parser on the real client's lines: what each type says, and what it must not."""

import json
from collections import Counter
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkeeper_daemon.records import Advice, Profile, Prompt, Record, Refusal, Reply, Step
from tollkeeper_daemon.transcript.parse import Parser

from .lines import (
    DATA,
    HAIKU,
    NINE_MS,
    NOW,
    OPUS,
    PROJECT,
    Json,
    as_line,
    assistant,
    parsed,
    sample_lines,
    usage,
    user,
)

SAMPLES = list(sample_lines())
TYPED = "473839a4-2603-4c7c-95bb-3f253017e44a"
FORKED = "7a5d1204-52e7-4d85-bf99-0af3256a7331"
PARENT = "295f9608-a58c-4d3d-9aad-667f1e4744a1"
DELEGATED = "8774b0d2-f62b-4c94-a674-62fe0552b9cb"


def reply(*lines: bytes) -> Reply:
    """The one reply in these lines."""
    (found,) = parsed(*lines)
    assert isinstance(found, Reply)
    return found


def records_of(conversation: str) -> list[Record]:
    """The records in a sample log."""
    return parsed(*(PROJECT / f"{conversation}.jsonl").read_bytes().splitlines())


def test_samples_hold_every_type_of_line() -> None:
    """The samples hold the line types that count and a dozen that do not, and none is bad."""
    types = Counter(json.loads(line)["type"] for line in SAMPLES)
    assert {"assistant", "user", "cost-state", "custom-title", "session-owner"} <= types.keys()
    assert len(types) >= 15
    assert len(parsed(*SAMPLES)) < len(SAMPLES)


def test_typed_conversation() -> None:
    """An interactive session gives its name, owner, prompts, replies, refusal and own totals."""
    found = records_of(TYPED)
    prompts = [each for each in found if isinstance(each, Prompt)]
    replies = [each for each in found if isinstance(each, Reply)]
    profiles = [each for each in found if isinstance(each, Profile)]
    refusals = [each for each in found if isinstance(each, Refusal)]
    assert len(prompts) == 3
    assert [309, 310, 311] == [each.output for each in replies]
    assert "Agent-1" in {each.title for each in profiles}
    assert any(each.account for each in profiles)
    assert any(each.client_cost for each in profiles)
    assert [("five_hour", 1_795_344_668_000)] == [(r.window, r.resets_at) for r in refusals]


def test_blocks_of_one_reply_are_one_record() -> None:
    """Four lines that repeat a reply's usage come to one record."""
    found = [each for each in records_of(PARENT) if isinstance(each, Reply)]
    assert [301, 302] == [each.output for each in found]
    expected = Reply(
        message="msg_01fake029147000001",
        request="req_011C029147000001",
        line="",
        conversation=PARENT,
        owned=False,
        time=1_795_341_024_340,
        model=OPUS,
        subagent="",
        subagent_type="",
        input=11,
        output=301,
        cache_read=15_000,
        cache_write_5m=500,
        cache_write_1h=1_500,
        web_searches=0,
        fast=False,
        us=False,
    )
    assert expected == found[0]


def test_copied_lines_name_the_conversation_that_paid() -> None:
    """A fork's copies belong to its parent, and say so; its own replies belong to itself."""
    found = [each for each in records_of(FORKED) if isinstance(each, Reply)]
    assert [(PARENT, True), (PARENT, True), (FORKED, False)] == [
        (each.conversation, each.owned) for each in found
    ]


def test_machinery_of_a_delegation_is_no_prompt() -> None:
    """Of a delegating session's user lines only the first was sent by somebody."""
    assert 1 == sum(isinstance(each, Prompt) for each in records_of(DELEGATED))


def test_subagent_log() -> None:
    """A subagent's replies bear its id and type, and its orders are no prompts."""
    (path,) = (PROJECT / DELEGATED / "subagents").glob("*.jsonl")
    found = parsed(*path.read_bytes().splitlines())
    assert {Reply} == {type(each) for each in found}
    assert {("a3a12fa752ff6af55", "analyst", HAIKU, DELEGATED)} == {
        (each.subagent, each.subagent_type, each.model, each.conversation)
        for each in found
        if isinstance(each, Reply)
    }


def test_client_totals() -> None:
    """The client's own total comes out of its cost-state line in whole nano-dollars."""
    costs = [each.client_cost for each in records_of(DELEGATED) if isinstance(each, Profile)]
    assert [72_289_600] == costs


def test_client_results_are_beside_the_samples() -> None:
    """The client's own results name the three conversations that ran without a terminal."""
    results = json.loads((DATA / "client-results.json").read_bytes())
    assert [PARENT, DELEGATED, FORKED] == [each["session_id"] for each in results]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value in this JSON."""
    inner = (
        cast(Json, value).items()
        if isinstance(value, dict)
        else enumerate(cast(list[Any], value))
        if isinstance(value, list)
        else ()
    )
    return [way for key, each in inner for way in ((*path, key), *places(each, (*path, key)))]


def with_value(line: bytes, path: tuple[Any, ...], value: Any) -> bytes:
    """The line with another value in one place."""
    fields: Json = json.loads(line)
    inner: Any = fields
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return as_line(fields)


def test_null_anywhere_is_never_bad() -> None:
    """A null in any place of any sample line is read as if the field were missing."""
    seen: set[tuple[Any, ...]] = set()
    for line in SAMPLES:
        fields = json.loads(line)
        for path in places(fields):
            if (fields["type"], path) not in seen:
                seen.add((fields["type"], path))
                parsed(with_value(line, path, None))
    assert len(seen) > 250


@given(st.data())
def test_no_value_anywhere_breaks_the_parser(data: st.DataObject) -> None:
    """Any JSON in any place of a sample line gives a record, nothing, or BadLine."""
    line = data.draw(st.sampled_from(SAMPLES))
    path = data.draw(st.sampled_from(places(json.loads(line))))
    scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
    value = data.draw(
        st.recursive(
            scalars,
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
            max_leaves=4,
        )
    )
    assert len(list(Parser(NOW).records(with_value(line, path, value) + b"\n"))) <= 1


@given(st.binary(max_size=300))
def test_no_bytes_break_the_parser(block: bytes) -> None:
    """Any bytes at all give nothing but bad lines."""
    assert [] == list(Parser(NOW).records(block + b"\n"))


def test_fields_of_a_reply() -> None:
    """What a reply's line says of money and place stands in the record."""
    found = reply(
        assistant(
            usage(
                1,
                2,
                3,
                4,
                5,
                speed="fast",
                inference_geo="us",
                server_tool_use={"web_search_requests": 7},
                iterations=[
                    {"type": "message", "input_tokens": 1},
                    None,
                    {
                        "type": "advisor_message",
                        "model": HAIKU,
                        "input_tokens": 11,
                        "output_tokens": 12,
                        "cache_read_input_tokens": 13,
                        "cache_creation_input_tokens": 14,
                    },
                ],
            ),
            agentId="a1",
            attributionAgent="analyst",
        )
    )
    assert (1, 2, 3, 4, 5, 7) == (
        found.input,
        found.output,
        found.cache_read,
        found.cache_write_5m,
        found.cache_write_1h,
        found.web_searches,
    )
    assert found.fast
    assert found.us
    assert (Advice(HAIKU, 11, 12, 13, 14, 0),) == found.advice
    assert ("a1", "analyst", NINE_MS) == (found.subagent, found.subagent_type, found.time)


def test_least_reply() -> None:
    """A line with nothing but its type and an empty usage is a reply all the same."""
    found = reply(as_line({"type": "assistant", "uuid": "u", "message": {"usage": {}}}))
    assert ("", "", "u", "unknown", NOW) == (
        found.message,
        found.request,
        found.line,
        found.model,
        found.time,
    )


@pytest.mark.parametrize(
    ("split", "whole", "expected"),
    [
        ({"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4}, 7, (3, 4)),
        ({"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4}, 10, (6, 4)),
        ({"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4}, 5, (1, 4)),
        ({"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4}, 2, (0, 2)),
        ({"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4}, 0, (3, 4)),
        ({"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4}, None, (3, 4)),
        ({"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}, 9, (9, 0)),
        (None, 9, (9, 0)),
        ({}, None, (0, 0)),
        (None, None, (0, 0)),
    ],
)
def test_cache_writes(split: Json | None, whole: int | None, expected: tuple[int, int]) -> None:
    """Of all cache writes, what was not written for an hour was written for five minutes."""
    found = reply(assistant({"cache_creation": split, "cache_creation_input_tokens": whole}))
    assert expected == (found.cache_write_5m, found.cache_write_1h)


def step(input: int, whole: int = 0, w5: int = 0, w1: int = 0) -> Json:
    """A turn of the model inside a reply, with some of its cache writes split."""
    return {
        "type": "message",
        "input_tokens": input,
        "output_tokens": 1,
        "cache_read_input_tokens": 0,
        "cache_creation_input_tokens": whole,
        "cache_creation": {"ephemeral_5m_input_tokens": w5, "ephemeral_1h_input_tokens": w1},
    }


def test_steps() -> None:
    """Several turns inside a reply are its steps, with all their tokens; advice is none."""
    advice = {"type": "advisor_message", "model": HAIKU, "input_tokens": 9}
    turns = [step(1, 7, 3, 4), None, advice, step(2)]
    found = reply(assistant(usage(3, 2, 0, 3, 4, iterations=turns)))
    assert (Step(1, 1, 0, 3, 4), Step(2, 1)) == found.steps


def test_one_turn_is_no_step() -> None:
    """A reply in one turn is priced as it stands."""
    assert () == reply(assistant(usage(iterations=[step(1)]))).steps


def test_steps_that_do_not_split_their_writes() -> None:
    """The reply's writes for an hour go to the first steps that have unsplit ones."""
    turns = [step(1, 10, 2), step(1, 10), step(1, 10)]
    found = reply(assistant(usage(3, 3, 0, 20, 10, iterations=turns)))
    assert [(2, 8), (8, 2), (10, 0)] == [
        (each.cache_write_5m, each.cache_write_1h) for each in found.steps
    ]


def test_later_block_with_more_output_counts() -> None:
    """A block of the same reply with other usage is told, not taken for a repetition."""
    lines = [assistant(usage(output=output)) for output in (1, 1, 500)]
    assert [1, 500] == [each.output for each in parsed(*lines) if isinstance(each, Reply)]


def test_same_usage_of_another_owner_counts() -> None:
    """A line that names another conversation, request or helper is no repetition."""
    first = assistant()
    others = [
        assistant(sessionId="conv-2"),
        assistant(requestSessionId="conv-0"),
        assistant(request="req_2"),
        assistant(message="msg_2"),
        assistant(agentId="a1"),
        assistant(timestamp="2026-11-22T08:00:00.000Z"),
    ]
    for other in others:
        assert 2 == len(parsed(first, other))


@pytest.mark.parametrize(
    "line",
    [
        assistant(model="<synthetic>"),
        assistant(isApiErrorMessage=True),
        as_line({"type": "assistant", "message": {"id": "m", "content": []}}),
        as_line({"type": "assistant"}),
        as_line({}),
    ],
)
def test_lines_without_paid_usage(line: bytes) -> None:
    """What the client wrote itself, and a line without usage, is nothing paid."""
    assert [] == parsed(line)


def test_old_refusal() -> None:
    """Before 2.1 a refusal was a text with the epoch second of the reset."""
    line = as_line(
        {
            "type": "assistant",
            "isApiErrorMessage": True,
            "timestamp": "2026-11-22T09:00:00Z",
            "sessionId": "c",
            "message": {
                "model": "<synthetic>",
                "content": [{"type": "text", "text": "Claude AI usage limit reached|1795342827"}],
                "usage": {"input_tokens": 0},
            },
        }
    )
    assert [Refusal("c", NINE_MS, "five_hour", 1_795_342_827_000)] == parsed(line)


def test_old_refusal_quoted_by_a_model_is_none() -> None:
    """A reply that quotes the text of a refusal is a reply."""
    body = {
        "id": "m",
        "model": OPUS,
        "usage": usage(output=1),
        "content": [{"type": "text", "text": "Claude AI usage limit reached|1795342827"}],
    }
    assert isinstance(reply(as_line({"type": "assistant", "message": body})), Reply)


@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        ({"status": "rejected", "resetsAt": 1795342827, "rateLimitType": "seven_day"}, "seven_day"),
        ({"status": "rejected", "resetsAt": 1795342827.5}, "five_hour"),
        ({"status": "allowed", "resetsAt": 1795342827, "rateLimitType": "five_hour"}, None),
        ({"status": "rejected", "resetsAt": None}, None),
        (None, None),
    ],
)
def test_quota_limits(quota: Json | None, expected: str | None) -> None:
    """Only a rejection with a time of reset is a refusal, and it names its window."""
    line = as_line({"type": "assistant", "isApiErrorMessage": True, "quotaLimits": quota})
    windows = [each.window for each in parsed(line) if isinstance(each, Refusal)]
    assert ([expected] if expected else []) == windows


@pytest.mark.parametrize(
    ("said", "is_refusal"),
    [
        ({"error": "rate_limit"}, True),
        ({"error": "rate_limit", "quotaLimits": {"status": "allowed"}}, False),
        ({"error": "overloaded"}, False),
        ({"error": {"code": 429}}, False),
        ({"error": "rate_limit", "isApiErrorMessage": False}, False),
    ],
)
def test_refusal_for_the_moment(said: Json, is_refusal: bool) -> None:
    """A rate limit without limits of a plan is a refusal that names no window."""
    line = as_line(
        {
            "type": "assistant",
            "timestamp": "2026-11-22T09:00:00Z",
            "sessionId": "c",
            "isApiErrorMessage": True,
            **said,
        }
    )
    assert ([Refusal("c", NINE_MS)] if is_refusal else []) == parsed(line)


def test_prompt_is_told_with_its_place() -> None:
    """A prompt's record says which line, conversation, time and directory, and no words."""
    assert [Prompt("user-1", "conv-1", NINE_MS, "/home/dev/src/shop")] == parsed(user("secret"))

"""The cases that other tools count wrong, each from the log's bytes to the sums."""

import json
from collections.abc import Iterable

import pytest

from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.tally import dollars

from .lines import DATA, HAIKU, NINE_MS, OPUS, PROJECT, assistant, scanned, usage, user
from .shelf import DictShelf, added_up, post

OPUS_46 = "claude-opus-4-6"


def account(*logs: Iterable[bytes]) -> DictShelf:
    """The shelf after these logs were read, one after the other."""
    scans = [scanned(lines) for lines in logs]
    return post(*([*scan.replies, *scan.prompts] for scan in scans))


def total(*logs: list[bytes]) -> Totals:
    """The sum of these logs; the same read backwards, line by line, and once more."""
    found = account(*logs).total()
    backwards = [log[::-1] for log in reversed(logs)]
    by_line = [[line] for log in logs for line in log]
    for told in (backwards, by_line, by_line[::-1], [*logs, *backwards]):
        assert found == account(*told).total()
    return found


def copied(line: bytes, conversation: str) -> bytes:
    """The line as an older client copied it into a resumed conversation's log."""
    return line.replace(b'"sessionId":"conv-1"', f'"sessionId":"{conversation}"'.encode())


def test_one_reply_on_three_lines() -> None:
    """Lines with output 1, 1 and 500 of one reply come to 500."""
    found = total([assistant(usage(output=output)) for output in (1, 1, 500)])
    assert (1, 500) == (found.requests, found.output)


def test_resumed_session_copies_its_parent() -> None:
    """A resumed session that copies 800 tokens of output leaves it at 800."""
    lines = [
        assistant(usage(output=1)),
        assistant(usage(output=300)),
        assistant(usage(output=500), message="msg_2", request="req_2"),
    ]
    copies = [copied(line, "conv-2") for line in lines]
    assert (2, 800) == (total(lines, copies).requests, total(lines, copies).output)


def test_no_request_id() -> None:
    """A reply through a gateway that gives no request id comes to 500, not 501."""
    lines = [assistant(usage(output=output), request=None) for output in (1, 500)]
    assert (1, 500) == (total(lines).requests, total(lines).output)


def test_no_message_id() -> None:
    """A reply through a gateway that gives no message id comes to 500, not 501."""
    lines = [assistant(usage(output=output), message=None) for output in (1, 500)]
    assert (1, 500) == (total(lines).requests, total(lines).output)


def test_no_ids_at_all() -> None:
    """Replies without any id of the API are told apart by their lines, and a copy counts once."""
    lines = [
        assistant(usage(output=500), message=None, request=None, uuid=uuid) for uuid in ("a", "b")
    ]
    assert (2, 1000) == (total(lines, lines).requests, total(lines, lines).output)


def test_no_ids_not_even_of_the_line() -> None:
    """Replies without any id are told apart by their conversation and time."""
    lines = [
        assistant(usage(output=500), message=None, request=None, uuid=None, timestamp=stamp)
        for stamp in ("2026-11-22T09:00:00.000Z", "2026-11-22T09:00:01.000Z")
    ]
    assert (2, 1000) == (total(lines, lines).requests, total(lines, lines).output)


def test_subagent_replay() -> None:
    """A subagent's replay under new request ids leaves 800 at 800."""
    first = [
        assistant(usage(5, 300), message="m1", request="r1", agentId="a"),
        assistant(usage(6, 500), message="m2", request="r2", agentId="a"),
    ]
    replay = [assistant(usage(6, 500), message="m2", request="r2-again", agentId="a")]
    assert (2, 800) == (total(first, replay).requests, total(first, replay).output)


def test_subagent_replay_of_partial_lines() -> None:
    """A replay whose early lines say too little counts once, as it does on a single line."""
    first, replay = (
        [assistant(usage(6, output), request=request, agentId="a") for output in (1, 500)]
        for request in ("r2", "r2-again")
    )
    assert (1, 500) == (total(first, replay).requests, total(first, replay).output)


def test_request_id_on_one_line_only() -> None:
    """A reply whose request id stands on one of its lines alone comes to 500, not 501."""
    lines = [assistant(usage(output=1), request=None), assistant(usage(output=500))]
    assert (1, 500) == (total(lines).requests, total(lines).output)


def test_agents_of_a_workflow_run() -> None:
    """Three agents of a workflow run with 700 each come to 2100, told by agent."""
    logs = [
        [assistant(usage(output=700), message=f"m{each}", request=f"r{each}", agentId=f"a{each}")]
        for each in range(3)
    ]
    assert 2100 == total(*logs).output
    assert {"a0", "a1", "a2"} == {book.subagent for book in account(*logs).books}


def test_cache_writes_with_an_empty_split() -> None:
    """A million cache writes with a split of zeros are a million writes for five minutes."""
    used = usage(cache_creation_input_tokens=1_000_000)
    found = total([assistant(used)])
    assert (1_000_000, 0) == (found.cache_write_5m, found.cache_write_1h)
    assert 5_000_000_000 == found.value


def test_unsplit_cache_writes() -> None:
    """Cache writes beyond the split count as written for five minutes."""
    found = total([assistant(usage(w5=100, w1=200, cache_creation_input_tokens=1_000))])
    assert (800, 200) == (found.cache_write_5m, found.cache_write_1h)


def test_no_split() -> None:
    """Cache writes without any split, as older versions wrote them, are for five minutes."""
    used = {"input_tokens": 1, "output_tokens": 2, "cache_creation_input_tokens": 1_000}
    found = total([assistant(used)])
    assert (1_000, 0) == (found.cache_write_5m, found.cache_write_1h)


def test_long_prompt() -> None:
    """More than 100,000 tokens of prompt make the whole request of Haiku 5.5 five times dearer."""
    at_most, above = (
        total([assistant(usage(60_000, 1_000, 30_000, 5_000, more), model=HAIKU)]).value
        for more in (5_000, 5_001)
    )
    assert 6_000_000 + 300_000 + 625_000 + 1_000_000 + 500_000 == at_most
    assert 5 * (at_most + 200) == above


def test_long_prompt_in_steps() -> None:
    """Two turns of 60,000 tokens in one request are no long prompt."""
    turn = {
        "type": "message",
        "input_tokens": 60_000,
        "output_tokens": 0,
        "cache_read_input_tokens": 0,
        "cache_creation_input_tokens": 0,
    }
    used = usage(120_000, iterations=[turn, turn])
    assert 12_000_000 == total([assistant(used, model=HAIKU)]).value


def test_fast_mode() -> None:
    """A request in fast mode on Opus 4.6 costs six times its list price: $4.50."""
    used = usage(input=50_000, output=20_000, speed="fast")
    assert 4_500_000_000 == total([assistant(used, model=OPUS_46)]).value


def test_fast_on_a_model_without_a_fast_mode() -> None:
    """A reply that says it was fast costs what it does on a model that has no such mode."""
    used = usage(output=1_000, speed="fast")
    assert 15_000_000 == total([assistant(used, model="claude-sonnet-4-6")]).value


def test_web_searches() -> None:
    """Ten web searches cost $0.10 on top of the tokens."""
    used = usage(server_tool_use={"web_search_requests": 10, "web_fetch_requests": 99})
    found = total([assistant(used)])
    assert (10, 100_000_000) == (found.web_searches, found.value)


def test_us_inference() -> None:
    """A request kept in the US costs a tenth more."""
    assert 22_000_000 == total([assistant(usage(output=1_000, inference_geo="us"))]).value


def test_advisor_tokens() -> None:
    """An advisor's tokens in the iterations are paid at the rates of its own model."""
    advice = {"type": "advisor_message", "model": HAIKU, "input_tokens": 10, "output_tokens": 1000}
    found = total([assistant(usage(output=1_000, iterations=[{"type": "message"}, advice]))])
    assert (2, 2_000) == (found.requests, found.output)
    assert 20_000_000 + 501_000 == found.value


def test_advisor_in_the_us() -> None:
    """Advice inside a request that is kept in the US costs a tenth more, as the request does."""
    advice = {"type": "advisor_message", "model": HAIKU, "output_tokens": 1000}
    used = usage(output=1_000, inference_geo="us", iterations=[advice])
    assert 22_000_000 + 550_000 == total([assistant(used)]).value


def test_model_without_a_price() -> None:
    """A model without a price costs what the dearest of its family does, and is marked."""
    found = total([assistant(usage(output=1_000), model="claude-opus-9")])
    assert (1, 75_000_000) == (found.unpriced, found.value)


@pytest.mark.parametrize("field", [*usage(), "output_tokens_details"])
def test_null_in_usage(field: str) -> None:
    """A null somewhere in the usage does not drop the line."""
    told = total([assistant({**usage(7, 500), field: None})])
    assert (1, 0 if field == "output_tokens" else 500) == (told.requests, told.output)


@pytest.mark.parametrize(
    "field",
    [
        "uuid",
        "cwd",
        "parentUuid",
        "sessionId",
        "requestId",
        "timestamp",
        "agentId",
        "version",
        "isSidechain",
        "isApiErrorMessage",
        "costUSD",
    ],
)
def test_null_on_the_line(field: str) -> None:
    """A null somewhere on the line does not drop it."""
    assert 500 == total([assistant(usage(output=500), **{field: None})]).output


def test_long_line() -> None:
    """A line of more than 512 KiB counts like any other."""
    line = assistant(usage(output=500), padding="x" * 600_000)
    assert 500 == total([line]).output


def test_prompts_are_messages() -> None:
    """Prompts are counted as messages, a copied one once, and cost nothing."""
    lines = [user(uuid="u1"), user(uuid="u2"), user(isMeta=True, uuid="u3")]
    found = total(lines, [copied(lines[0], "conv-2")])
    assert Totals(messages=2) == found


def test_null_prompt_time() -> None:
    """A line's quarter of an hour is that of its time."""
    (row,) = account([assistant()]).sums
    assert NINE_MS // 900_000 == row[0]


RESULTS = json.loads((DATA / "client-results.json").read_bytes())
DOLLARS = {
    "295f9608-a58c-4d3d-9aad-667f1e4744a1": 0.047152,
    "8774b0d2-f62b-4c94-a674-62fe0552b9cb": 0.0722896,
    "7a5d1204-52e7-4d85-bf99-0af3256a7331": 0.023732,
}
PARENTS = {"7a5d1204-52e7-4d85-bf99-0af3256a7331": "295f9608-a58c-4d3d-9aad-667f1e4744a1"}
FIELDS = {
    "input": "inputTokens",
    "output": "outputTokens",
    "cache_read": "cacheReadInputTokens",
    "cache_write_5m": "cacheCreationEphemeral5mInputTokens",
    "cache_write_1h": "cacheCreationEphemeral1hInputTokens",
    "web_searches": "webSearchRequests",
}


def by_model(shelf: DictShelf, conversation: str) -> dict[str, dict[str, int]]:
    """The token fields of a conversation, by model."""
    found: dict[str, list[Totals]] = {}
    for (_, number), totals in shelf.sums.items():
        book = shelf.book(number)
        if book.conversation == conversation and book.model:
            found.setdefault(book.model, []).append(totals)
    sums = {model: added_up(each) for model, each in found.items()}
    return {model: {name: getattr(each, name) for name in FIELDS} for model, each in sums.items()}


def cost(shelf: DictShelf, conversation: str) -> float:
    """What the conversation is worth, in dollars."""
    return dollars(
        sum(
            totals.value
            for (_, number), totals in shelf.sums.items()
            if shelf.book(number).conversation == conversation
        )
    )


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: result["session_id"][:8])
@pytest.mark.parametrize("backwards", [False, True])
def test_conversations_of_the_real_client(result: dict[str, object], backwards: bool) -> None:
    """Dollars and every token field equal the client's own, less what a fork copied."""
    logs = sorted(PROJECT.rglob("*.jsonl"), reverse=backwards)
    scans = [scanned(path.read_bytes().splitlines(), str(path)) for path in logs]
    shelf = post(*([*scan.replies, *scan.prompts] for scan in scans))
    conversation = str(result["session_id"])
    expected = model_usage(conversation)
    if parent := PARENTS.get(conversation):
        for model, fields in model_usage(parent).items():
            for name, count in fields.items():
                expected[model][name] -= count
    assert DOLLARS[conversation] == cost(shelf, conversation)
    assert expected == by_model(shelf, conversation)


def model_usage(conversation: str) -> dict[str, dict[str, int]]:
    """The client's own token fields of a conversation, by model."""
    (result,) = (each for each in RESULTS if each["session_id"] == conversation)
    return {
        model: {name: fields[key] for name, key in FIELDS.items()}
        for model, fields in result["modelUsage"].items()
    }


def test_list_of_models_is_the_clients() -> None:
    """The samples were made on the two models whose prices these tests know."""
    assert {OPUS, HAIKU} == {model for result in RESULTS for model in result["modelUsage"]}

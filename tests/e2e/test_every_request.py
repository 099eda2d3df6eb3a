"""Hundreds of random usages through the real client: each request costs what the client says."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from flow.claude_home import ClaudeHome
from flow.keeper import Keeper
from tollkeeper_daemon.store.store import Store

from .client import Client
from .collector import Collector
from .replies import Advice, Reply, Tokens, ToolUse, say
from .seed import the_seed
from .stand_in import StandIn
from .usages import Usage, edges, random_usage

pytestmark = pytest.mark.e2e

PRICES = Path(__file__).parent.parent / "data" / "prices.json"
ALL_MODELS = list(json.loads(PRICES.read_bytes())["models"])
# Retired: asked for these, the client of today asks for its default model. It still has their
# prices, as those of an advisor.
SWAPPED = {"claude-opus-4-1-20250805", "claude-opus-4-20250514"}
MODELS = [model for model in ALL_MODELS if model not in SWAPPED]
RANDOM_USAGES_EACH = 14
AT_ONCE = 2

# The client reads a usage of two million tokens as a context that is full, and would stop there.
NO_LIMIT = {"DISABLE_COMPACT": "1", "CLAUDE_CODE_BLOCKING_LIMIT_OVERRIDE": "1000000000"}
# Ours is rounded to a whole nano-dollar, once for the reply and once for each advice in it.
HALF_A_NANO = 0.5e-9
RELATIVE = 1e-9

SPELLINGS = [
    "claude-opus-5-5[1m]",
    "claude-opus-4-0",
    "claude-opus-4-1",
    "claude-opus-4-5",
    "claude-sonnet-4-0",
    "claude-sonnet-4-5[1m]",
    "claude-3-7-sonnet-latest",
    "claude-3-5-haiku-latest",
    "claude-haiku-4-5@20251001",
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "eu.anthropic.claude-sonnet-4-20250514-v1:0",
    "apac.anthropic.claude-sonnet-4-20250514-v1:0",
    "global.anthropic.claude-haiku-4-5-20251001-v1:0",
    "us.anthropic.claude-opus-4-6-v1[1m]",
    "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-opus-4-6-v1",
    "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-haiku-4-5-20251001-v1:0",
    "anthropic/claude-sonnet-4-5",
]


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as running:
        yield running


@pytest.fixture
def keeper(client: Client) -> Iterator[Keeper]:
    """A daemon that follows the client's home, and nothing else."""
    with Keeper(ClaudeHome(client.config_dir, client.cwd)) as running:
        running.limit()
        yield running


def step(client: Client) -> ToolUse:
    """The cheapest call of a tool: the client comes back with its result at once."""
    note = client.cwd / "note.txt"
    note.write_text("nothing\n")
    return ToolUse("Read", {"file_path": str(note)})


def charges(keeper: Keeper) -> dict[str, int]:
    """Nano-dollars by request id as they stand in the ledger, advice included."""
    with Store(keeper.paths.ledger) as store:
        groups = store.read(lambda transaction: [group for _, group in transaction.all_groups()])
    return {group.entries[0].request: sum(made.value for made in group.charges) for group in groups}


@pytest.mark.timeout(240)
def test_each_request_costs_what_the_client_says(
    stand_in: StandIn, client: Client, keeper: Keeper, collector: Collector
) -> None:
    """Hundreds of random usages, of every model, cost to the nano-dollar what the client says."""
    seed = the_seed()
    print(f"TOLL_SEED={seed}")
    rng = Random(seed)
    call = step(client)
    usages = {
        model: [*edges(), *(random_usage(rng, ALL_MODELS) for _ in range(RANDOM_USAGES_EACH))]
        for model in MODELS
    }
    for model, each in usages.items():
        replies = [Reply(tools=(call,), usage=usage) for usage in each[:-1]]
        stand_in.play(keyword(model), *replies, Reply(text="Done.", usage=each[-1]))
    keeper.start()
    with ThreadPoolExecutor(AT_ONCE) as runs:
        started = [runs.submit(run, client, collector, model) for model in MODELS]
        for each in started:
            each.result()
    count = sum(map(len, usages.values()))
    assert count >= 300
    assert len(stand_in.served) == count == len(collector.costs)
    paid = sum(1 + len(advice_in(usage)) for each in usages.values() for usage in each)
    today = keeper.wait_for_requests(paid).today.total
    assert keeper.stop() == 0
    ours = charges(keeper)
    left = {model: iter(each) for model, each in usages.items()}
    wrong = [
        f"{served.model} {json.dumps(usage)}: client ${theirs!r}, ours ${mine / 1e9!r}"
        for served in stand_in.served
        for usage in [next(left[served.model])]
        for theirs, mine in [(collector.costs[served.request_id], ours[served.request_id])]
        if abs(theirs - mine / 1e9) > tolerance(theirs, usage)
    ]
    assert not wrong, f"TOLL_SEED={seed}\n" + "\n".join(wrong)
    assert today.value_usd == pytest.approx(sum(collector.costs.values()), abs=paid * HALF_A_NANO)


@pytest.mark.parametrize("model", sorted(SWAPPED))
def test_retired_models_are_swapped(stand_in: StandIn, client: Client, model: str) -> None:
    """A retired model is not asked for any more: once it is, it belongs to the test above."""
    client.run("hello", args=["--model", model])
    assert model not in {served.requested_model for served in stand_in.served}


def test_spellings_of_models(
    stand_in: StandIn, client: Client, keeper: Keeper, collector: Collector
) -> None:
    """Every spelling of a model has the price that the client gives it, and none is a guess."""
    tokens = Tokens(
        input=10_007, output=20_011, cache_read=30_013, cache_write_5m=407, cache_write_1h=509
    )
    call = step(client)
    told = [(Advice(spelling, tokens),) for spelling in SPELLINGS]
    replies = [Reply(tools=(call,), tokens=Tokens(), advice=advice) for advice in told]
    stand_in.play("SPELL", *replies, say("Done.", tokens=Tokens()))
    client.run(
        "SPELL", args=["--model", MODELS[0]], extra_env={**NO_LIMIT, **collector.environment}
    )
    keeper.start()
    assert keeper.wait_for_requests(2 * len(SPELLINGS) + 1).today.total.unpriced_requests == 0
    assert keeper.stop() == 0
    ours = charges(keeper)
    served = stand_in.served[: len(SPELLINGS)]
    assert {
        spelling: round(collector.costs[reply.request_id] * 1e9)
        for spelling, reply in zip(SPELLINGS, served, strict=True)
    } == {
        spelling: ours[reply.request_id] for spelling, reply in zip(SPELLINGS, served, strict=True)
    }


def test_reply_of_another_model(
    stand_in: StandIn, client: Client, keeper: Keeper, collector: Collector
) -> None:
    """Where a reply names another model, the client charges the one it asked, we the one named."""
    usage = {"input_tokens": 1_000, "output_tokens": 1_000}
    stand_in.play("OTHER", Reply(text="Done.", usage=usage, model="claude-haiku-4-5-20251001"))
    client.run("OTHER", args=["--model", "claude-fable-5-2"], extra_env=collector.environment)
    keeper.start()
    keeper.wait_for_requests(1)
    assert keeper.stop() == 0
    [served] = stand_in.served
    assert collector.costs[served.request_id] == pytest.approx(0.048)
    assert charges(keeper)[served.request_id] == 6_000_000


def keyword(model: str) -> str:
    """A word that stands in no other model's prompt."""
    return f"PLAY<{model}>"


def run(client: Client, collector: Collector, model: str) -> None:
    """Play the model's usages through one run of the client."""
    result = client.run(
        keyword(model),
        args=["--model", model],
        extra_env={**NO_LIMIT, **collector.environment},
    )
    assert set(result.model_usage) >= {model}


def advice_in(usage: Usage) -> list[Usage]:
    return [each for each in usage.get("iterations") or () if each["type"] == "advisor_message"]


def tolerance(dollars: float, usage: Usage) -> float:
    """What rounding may come to: floats on the client's side, whole nano-dollars on ours."""
    return HALF_A_NANO * (1 + len(advice_in(usage))) + RELATIVE * dollars

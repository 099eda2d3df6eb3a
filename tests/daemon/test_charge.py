"""What one request costs: the client's own price rules, as they were measured."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tollkeeper_daemon.ledger.charge import charge
from tollkeeper_daemon.ledger.prices import load_prices
from tollkeeper_daemon.records import Reply, Step

from .lines import DATA, HAIKU, NINE_MS, OPUS
from .shelf import PRICES

MILLION = 1_000_000
DOLLAR = 1_000_000_000
MEASURED = json.loads((DATA / "prices.json").read_bytes())
MODELS: dict[str, dict[str, float]] = MEASURED["models"]


def request(model: str = OPUS, time: int = NINE_MS, **counts: int) -> Reply:
    """A request with these counts."""
    return Reply(
        message="m",
        request="r",
        line="",
        conversation="c",
        owned=False,
        time=time,
        model=model,
        subagent="",
        subagent_type="",
        input=counts.get("input", 0),
        output=counts.get("output", 0),
        cache_read=counts.get("cache_read", 0),
        cache_write_5m=counts.get("cache_write_5m", 0),
        cache_write_1h=counts.get("cache_write_1h", 0),
        web_searches=counts.get("web_searches", 0),
        fast=bool(counts.get("fast")),
        us=bool(counts.get("us")),
    )


def value(model: str = OPUS, **counts: int) -> int:
    """The value of such a request, at a known price."""
    nano, guessed = charge(request(model, **counts), PRICES)
    assert not guessed
    return nano


@pytest.mark.parametrize("model", list(MODELS))
@pytest.mark.parametrize(
    "field", ["input", "output", "cache_read", "cache_write_5m", "cache_write_1h"]
)
def test_each_field_has_its_own_rate(model: str, field: str) -> None:
    """Every model charges each kind of token what was measured."""
    assert round(MODELS[model][field] * 50_000 * 1000) == value(model, **{field: 50_000})


@pytest.mark.parametrize("model", list(MODELS))
def test_fast_factor(model: str) -> None:
    """Fast mode multiplies the whole request where the model has such a mode, and nothing else."""
    plain = value(model, input=50_000, output=10_000, cache_read=1_000)
    fast = value(model, input=50_000, output=10_000, cache_read=1_000, fast=1)
    assert round(MODELS[model].get("fast", 1) * plain) == fast


@pytest.mark.parametrize("model", list(MODELS))
def test_us_inference(model: str) -> None:
    """Keeping a request in the US costs a tenth more, of any model."""
    plain = value(model, input=50_000, output=10_000)
    assert plain * 11 == value(model, input=50_000, output=10_000, us=1) * 10


@pytest.mark.parametrize("model", [model for model in MODELS if model != HAIKU])
def test_no_margin_on_long_context(model: str) -> None:
    """A long prompt costs ten times as much as one a tenth as long."""
    assert 10 * value(model, input=90_000) == value(model, input=900_000)


@pytest.mark.parametrize("field", ["input", "cache_read", "cache_write_5m", "cache_write_1h"])
def test_long_prompt_of_the_small_model(field: str) -> None:
    """Above 100,000 tokens of prompt the whole request of Haiku 5.5 costs five times as much."""
    rate = round(MODELS[HAIKU][field] * 1000)
    output = 500 * 1_000
    assert rate * 100_000 + output == value(HAIKU, output=1_000, **{field: 100_000})
    assert 5 * (rate * 100_001 + output) == value(HAIKU, output=1_000, **{field: 100_001})


def test_long_prompt_is_the_sum_of_its_kinds() -> None:
    """The 100,000 tokens are counted over all kinds of prompt tokens, and not over the output."""
    quarter = {"input": 25_000, "cache_read": 25_000, "cache_write_5m": 25_000}
    at_most = value(HAIKU, cache_write_1h=25_000, **quarter)
    assert 5 * (at_most + 200) == value(HAIKU, cache_write_1h=25_001, **quarter)
    assert 500 * 900_000 == value(HAIKU, output=900_000)


def test_long_prompt_is_told_step_by_step() -> None:
    """Two steps of 60,000 tokens are no long prompt, and of two steps only the long one is."""
    half = Step(input=60_000, output=500)
    whole = replace(request(HAIKU, input=120_000, output=1_000), steps=(half, half))
    assert (100 * 120_000 + 500 * 1_000, False) == charge(whole, PRICES)
    long, short = Step(input=100_001, output=500), Step(input=19_999, output=500)
    whole = replace(whole, steps=(long, short))
    assert (5 * (100 * 100_001 + 500 * 500) + 100 * 19_999 + 500 * 500, False) == charge(
        whole, PRICES
    )


def test_steps_that_do_not_account_for_the_request() -> None:
    """Steps that add up to something else decide nothing."""
    half = Step(input=60_000, output=500)
    whole = replace(request(HAIKU, input=120_000, output=1_001), steps=(half, half))
    assert (5 * (100 * 120_000 + 500 * 1_001), False) == charge(whole, PRICES)


def test_web_searches() -> None:
    """Web searches cost a cent each, and no factor applies to them."""
    assert DOLLAR // 10 == value(web_searches=10)
    assert DOLLAR // 10 == value(web_searches=10, fast=1, us=1)


def test_factors_go_together() -> None:
    """Fast mode in the US multiplies both factors."""
    assert 20 * DOLLAR * 2 * 11 // 10 == value(output=MILLION, fast=1, us=1)


def test_unknown_model_costs_the_dearest_of_its_family() -> None:
    """A model that is not on the list is charged as its dearest kin, and marked."""
    assert (75 * DOLLAR, True) == charge(request("claude-opus-9", output=MILLION), PRICES)
    assert (15 * DOLLAR, True) == charge(request("claude-sonnet-9-2", output=MILLION), PRICES)
    assert (5 * DOLLAR, True) == charge(request("claude-haiku-9", output=MILLION), PRICES)


@pytest.mark.parametrize("model", ["unknown", "", "gpt-9", "claude-novel-1", "<x>"])
def test_unknown_family_costs_the_dearest_of_all(model: str) -> None:
    """A model of no known family is charged as the dearest of all, and marked."""
    assert (75 * DOLLAR, True) == charge(request(model, output=MILLION), PRICES)


@given(
    st.sampled_from(list(MODELS)),
    st.fixed_dictionaries(
        dict.fromkeys(
            ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h"),
            st.integers(0, 2 * MILLION),
        )
    ),
)
def test_more_tokens_never_cost_less(model: str, counts: dict[str, int]) -> None:
    """A request with one more token of any kind costs at least as much."""
    plain = value(model, **counts)
    for field, count in counts.items():
        assert plain <= value(model, **{**counts, field: count + 1})


def test_fractions_of_a_nano_dollar_are_rounded() -> None:
    """Rates finer than a nano-dollar add up exactly before the request is rounded once."""
    finer = """
        [[prices]]
        model = "m"
        input = 0.0004
        output = 0
        cache_read = 0.0001
        cache_write_5m = 0
        cache_write_1h = 0
    """
    prices = load_prices(finer)
    assert (0, False) == charge(request("m", input=1), prices)
    assert (1, False) == charge(request("m", input=1, cache_read=1), prices)
    assert (400, False) == charge(request("m", input=1_000), prices)

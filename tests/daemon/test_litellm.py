"""LiteLLM's price list: what is news in it, and what becomes of the rest."""

from decimal import Decimal
from typing import Any

import pytest

from tollkeeper_daemon.ledger.litellm import Verdict, judge
from tollkeeper_daemon.ledger.prices import load_prices

from .lines import HAIKU, NOW, OPUS
from .shelf import PRICES
from .test_prices import entry


def listed(**more: Any) -> dict[str, Any]:
    """An entry as the client sends it: $4, $20, and the built-in Opus' cache rates."""
    return {
        "litellm_provider": "anthropic",
        "input_cost_per_token": "4e-06",
        "output_cost_per_token": "2e-05",
        "cache_read_input_token_cost": "2e-07",
        "cache_creation_input_token_cost": "5e-06",
        "cache_creation_input_token_cost_above_1hr": "8e-06",
        "mode": "chat",
        **more,
    }


def verdict(model: str, *, every: bool = False, **more: Any) -> Verdict:
    """What becomes of this entry alone."""
    (found,) = judge({model: listed(**more)}, PRICES, NOW, every)
    return found


def test_known_prices_are_no_news() -> None:
    """What costs what is known already is passed, unless everything is asked for."""
    assert "same" == verdict(OPUS).fate
    assert "same" == verdict(OPUS, every=True).fate
    assert verdict(OPUS, every=True).entry
    assert not verdict(OPUS).entry


def test_new_model_is_added() -> None:
    """A model without a price gets one; what the list does not say is assumed, and told."""
    found = verdict("claude-opus-9", cache_creation_input_token_cost_above_1hr=None)
    assert ("added", ["cache_write_1h"]) == (found.fate, found.assumed)
    assert found.entry == {
        "model": "claude-opus-9",
        "input": Decimal(4),
        "output": Decimal(20),
        "cache_read": Decimal("0.2"),
        "cache_write_5m": Decimal(5),
        "cache_write_1h": Decimal(8),
    }


def test_changed_price_takes_the_place_of_the_one_in_force() -> None:
    """The entry bears the known model's name and day, and keeps its factors."""
    own = load_prices(entry("claude-opus-9", "1", "since = 2026-03-01\nfast = 3"))
    (found,) = judge({"claude-opus-9-20260301": listed()}, own, NOW, False)
    assert found.entry is not None
    assert ("changed", "claude-opus-9", "2026-03-01", 3) == (
        found.fate,
        found.entry["model"],
        str(found.entry["since"]),
        found.entry["fast"],
    )
    assert found.before == own.price("claude-opus-9", NOW)


def test_factors_of_the_list() -> None:
    """The list's factor for speed is taken, and rates above 100,000 tokens become a factor."""
    found = verdict(
        "claude-haiku-9",
        provider_specific_entry={"fast": "2.5", "us": "1.1"},
        input_cost_per_token_above_100k_tokens="2e-05",
        output_cost_per_token_above_100k_tokens="1e-04",
    )
    assert found.entry is not None
    assert (Decimal("2.5"), 5) == (found.entry["fast"], found.entry["above_100k"])
    assert "changed" == verdict(OPUS, provider_specific_entry={"fast": "3"}).fate
    assert 5 == PRICES.price(HAIKU, NOW).above_100k // 1000


def test_one_spelling_of_a_model() -> None:
    """Of several spellings the plainest is taken; other providers and makers are passed."""
    entries = {
        "us.anthropic.claude-opus-9-v1:0": listed(litellm_provider="bedrock_converse"),
        "claude-opus-9-20260301": listed(input_cost_per_token="9e-06"),
        "claude-opus-9": listed(),
        "vertex_ai/claude-opus-9": listed(litellm_provider="vertex_ai-anthropic_models"),
        "gpt-9": listed(litellm_provider="openai"),
        "claude-2.1": listed(),
    }
    found = {each.model: each for each in judge(entries, PRICES, NOW, False)}
    assert {"claude-opus-9": "added"} == {
        model: each.fate for model, each in found.items() if each.fate != "skipped"
    }
    assert "another name of the same model: claude-opus-9" == found["claude-opus-9-20260301"].reason
    assert "bedrock_converse" in found["us.anthropic.claude-opus-9-v1:0"].reason
    assert "no Claude model" == found["gpt-9"].reason


@pytest.mark.parametrize(
    "broken",
    [
        {"input_cost_per_token": None},
        {"input_cost_per_token": "nan"},
        {"input_cost_per_token": "Infinity"},
        {"input_cost_per_token": "-1e-06"},
        {"input_cost_per_token": "1e999999"},
        {"input_cost_per_token": "five"},
        {"input_cost_per_token": [1]},
        {"input_cost_per_token": True},
        {"output_cost_per_token": "2"},
        {"cache_read_input_token_cost": {}},
        {"provider_specific_entry": {"fast": "quick"}},
        {"provider_specific_entry": []},
        {"input_cost_per_token": "0", "input_cost_per_token_above_100k_tokens": "1e-06"},
        {
            "input_cost_per_token_above_100k_tokens": "8e-06",
            "output_cost_per_token_above_100k_tokens": "2e-05",
        },
    ],
)
def test_broken_entry_costs_itself_alone(broken: dict[str, Any]) -> None:
    """An entry that can't be used is told, with a reason, and its neighbour is taken."""
    entries = {"claude-opus-8": listed(**broken), "claude-opus-9": listed()}
    bad, good = judge(entries, PRICES, NOW, False)
    assert ("broken", "added") == (bad.fate, good.fate)
    assert bad.reason
    assert "\n" not in bad.reason


@pytest.mark.parametrize("entry", [None, 5, "x", [], {}])
def test_entry_that_is_none(entry: Any) -> None:
    """Whatever stands for an entry is broken, not a failure."""
    (found,) = judge({"claude-opus-9": entry}, PRICES, NOW, False)
    assert "broken" == found.fate
    assert found.as_json()["price"] is None

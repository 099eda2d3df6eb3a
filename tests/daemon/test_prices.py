"""The price list: spellings, dates, the user's own prices, and files that are broken."""

from datetime import UTC, datetime

import pytest

from tollkeeper_daemon.ledger.prices import PriceError, canonical, family_of, load_prices

from .lines import NOW, OPUS
from .shelf import PRICES


def entry(model: str = "m", input: str = "1", more: str = "") -> str:
    """A price as the user writes one."""
    return (
        f'[[prices]]\nmodel = "{model}"\ninput = {input}\noutput = 2\n'
        f"cache_read = 3\ncache_write_5m = 4\ncache_write_1h = 5\n{more}\n"
    )


def day(text: str) -> int:
    """The beginning of this day (UTC), in ms."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("spelling", "model"),
    [
        ("claude-opus-5-5", "claude-opus-5-5"),
        ("claude-opus-5-5[1m]", "claude-opus-5-5"),
        ("claude-opus-5-5-20261101", "claude-opus-5-5"),
        ("Claude-Opus-5-5", "claude-opus-5-5"),
        ("claude-opus-4-5", "claude-opus-4-5-20251101"),
        ("claude-opus-4-5[1m]", "claude-opus-4-5-20251101"),
        ("claude-opus-4-5@20251101", "claude-opus-4-5-20251101"),
        ("claude-haiku-4-5-latest", "claude-haiku-4-5-20251001"),
        ("claude-3-5-haiku-latest", "claude-3-5-haiku-20241022"),
        ("claude-3-5-haiku@20241022", "claude-3-5-haiku-20241022"),
        ("anthropic.claude-3-5-haiku-20241022-v1:0", "claude-3-5-haiku-20241022"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5-20250929"),
        ("us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5-20250929"),
        ("global.anthropic.claude-opus-4-6-v1", "claude-opus-4-6"),
        ("global.anthropic.claude-opus-4-6-v1[1m]", "claude-opus-4-6"),
        (
            "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-4-6-v1:0",
            "claude-opus-4-6",
        ),
        ("anthropic/claude-sonnet-4-6", "claude-sonnet-4-6"),
        ("anthropic/claude-sonnet-4.5", "claude-sonnet-4-5-20250929"),
        ("openrouter/anthropic/claude-3.7-sonnet:thinking", "claude-3-7-sonnet-20250219"),
        ("claude-opus-4-0", "claude-opus-4-20250514"),
        ("claude-sonnet-4-0", "claude-sonnet-4-20250514"),
        ("claude-opus-4-6@default", "claude-opus-4-6"),
        ("publishers/anthropic/models/claude-fable-5-2", "claude-fable-5-2"),
    ],
)
def test_spellings_of_a_model(spelling: str, model: str) -> None:
    """Bedrock's, Vertex's and gateways' spellings, dates and context sizes name the same price."""
    found = PRICES.price(spelling, NOW)
    assert (model, False) == (found.model, found.guessed)


@pytest.mark.parametrize("model", ["claude-opus-5-6", "claude-opus", "claude-haiku-5-5-mini"])
def test_a_longer_or_shorter_name_is_another_model(model: str) -> None:
    """A name that merely begins like a known one is not that model."""
    assert PRICES.price(model, NOW).guessed


def test_canonical_names_are_their_own() -> None:
    """Taking off what does not belong to a name a second time changes nothing."""
    for model in ("us.anthropic.claude-opus-4-6-v1:0", "claude-opus-5-5[1m]", "gpt-5", ""):
        assert canonical(model) == canonical(canonical(model))


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("claude-opus-5-5", "opus"),
        ("claude-3-opus-20240229", "opus"),
        ("claude-3-7-sonnet-20250219", "sonnet"),
        ("us.anthropic.claude-haiku-9-v1:0", "haiku"),
        ("gpt-5", ""),
        ("", ""),
    ],
)
def test_families(model: str, family: str) -> None:
    """The family stands in the name, before or after the version."""
    assert family == family_of(model)


def test_dated_prices() -> None:
    """A price holds from its day on (UTC); before the first day the first one holds."""
    prices = load_prices(
        entry(input="9", more="since = 2026-03-01") + entry(input="7", more="since = 2026-01-01")
    )
    for moment, expected in (
        ("2025-01-01", 7),
        ("2026-02-28T23:59:59.999", 7),
        ("2026-03-01", 9),
        ("2030-01-01", 9),
    ):
        assert expected * 10**6 == prices.price("m", day(moment)).input


def test_later_price_of_a_built_in_model() -> None:
    """The user's later price takes over on its day, and the built-in one holds until then."""
    prices = load_prices(entry(OPUS, "40", "since = 2027-01-01"))
    assert 4 * 10**6 == prices.price(OPUS, NOW).input
    assert 40 * 10**6 == prices.price(OPUS + "[1m]", day("2027-01-01")).input


def test_own_prices_go_on_top() -> None:
    """The user's price replaces the built-in one of the same model, and adds new models."""
    prices = load_prices(entry(OPUS, "40") + entry("claude-novel-1", "50"))
    assert 40 * 10**6 == prices.price(OPUS, NOW).input
    assert 50 * 10**6 == prices.price("claude-novel-1-20270101", NOW).input
    assert 2 * 10**6 == prices.price("claude-sonnet-5", NOW).input
    assert not prices.price("claude-novel-1", NOW).guessed


def test_own_web_search_and_factors() -> None:
    """The user may set the price of a search, of US inference, and a model's factors."""
    prices = load_prices(
        "web_search = 0.02\nus_inference = 1.2\n" + entry(more="fast = 2.5\nabove_100k = 3")
    )
    assert (20 * 10**9, 1200) == (prices.web_search, prices.us_inference)
    assert (2500, 3000) == (prices.price("m", NOW).fast, prices.price("m", NOW).above_100k)
    assert 10**10 == load_prices(entry()).web_search


def test_empty_file_changes_nothing() -> None:
    """An empty file of the user leaves the built-in prices as they are."""
    assert PRICES.price(OPUS, NOW) == load_prices("").price(OPUS, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "prices = ",
        "prices = 5",
        "prices = [1]",
        "[prices]\nmodel = 'm'",
        "version = 2",
        "version = 'a'",
        "web_search = 'x'",
        "web_search = nan",
        "web_search = -1",
        "us_inference = []",
        entry(input="nan"),
        entry(input="inf"),
        entry(input="-inf"),
        entry(input="-1"),
        entry(input="'1'"),
        entry(input="true"),
        entry(input="1e400000"),
        entry(input="[]"),
        entry(more="fast = -1"),
        entry(more="since = 'x'"),
        entry(more="since = 2026"),
        entry(more="fsat = 2"),
        entry(more="guessed = true"),
        "web_serach = 0.02",
        entry().replace('"m"', "5"),
        entry().replace('"m"', '""'),
        entry().replace("output", "outptu"),
        '[[prices]]\nmodel = "m"',
        "[[prices]]",
        "a = " + "[" * 5_000,
    ],
)
def test_broken_files(text: str) -> None:
    """Whatever is wrong with the user's file is told in one line."""
    with pytest.raises(PriceError) as raised:
        load_prices(text)
    assert str(raised.value)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 200


def test_error_names_the_model() -> None:
    """An error in a price says of which model."""
    with pytest.raises(PriceError, match="claude-novel-1"):
        load_prices(entry("claude-novel-1", "-1"))

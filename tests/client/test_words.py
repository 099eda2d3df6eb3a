"""How figures read."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tollkeeper.cli import words

from .making import USED

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("dollars", "expected"),
    [
        (0, "$0.00"),
        (0.00004, "$0.0000"),
        (0.047152, "$0.0472"),
        (0.9999, "$0.9999"),
        (1, "$1.00"),
        (12.345, "$12.35"),
        (1_234_567.891, "$1,234,567.89"),
    ],
)
def test_money(dollars: float, expected: str) -> None:
    """Sums are told to the cent, small ones to the hundredth of one; a guess is marked."""
    assert expected == words.money(dollars)
    assert f"~{expected}" == words.money(dollars, guessed=True)


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "0"),
        (999, "999"),
        (1_000, "1.00K"),
        (12_345, "12.3K"),
        (330_000, "330K"),
        (4_560_000, "4.56M"),
        (1_000_000_000, "1.00B"),
    ],
)
def test_tokens(count: int, expected: str) -> None:
    """Counts have three digits and a letter."""
    assert expected == words.tokens(count)


@given(st.integers(0, 10**12 - 1), st.integers(0, 10**12 - 1))
def test_tokens_are_short_and_in_order(one: int, other: int) -> None:
    """No count has more than four digits, and a larger one never reads smaller."""
    for count in (one, other):
        assert sum(letter.isdigit() for letter in words.tokens(count)) <= 4
    low, high = sorted((one, other))
    assert _value(words.tokens(low)) <= _value(words.tokens(high))


def _value(text: str) -> float:
    """The number that a count reads as."""
    sizes = {"K": 1e3, "M": 1e6, "B": 1e9}
    return float(text.rstrip("KMB")) * sizes.get(text[-1], 1)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-5, "0s"),
        (0, "0s"),
        (59.9, "59s"),
        (60, "1m 00s"),
        (725, "12m 05s"),
        (3_600, "1h 00m"),
        (12_000, "3h 20m"),
        (86_400, "1d 0h"),
        (187_200, "2d 4h"),
    ],
)
def test_spans(seconds: float, expected: str) -> None:
    """A span reads by its two largest units, and never below nothing."""
    assert expected == words.span(seconds)


def test_since() -> None:
    """How long ago reads as a span, and as nothing when it never was."""
    assert "42s" == words.since((NOW - timedelta(seconds=42)).isoformat(), NOW)
    assert "0s" == words.since((NOW + timedelta(seconds=9)).isoformat(), NOW)
    assert "" == words.since(None, NOW)


def test_sizes() -> None:
    """Bytes read in MB, and in GB from one on."""
    assert ["0.0 MB", "999.9 MB", "1.23 GB"] == [
        words.size(count) for count in (0, 999_900_000, 1_234_000_000)
    ]


def test_model_names() -> None:
    """A model reads without its maker's prefix, and none as nothing."""
    assert ["opus-5-5", "gpt-5", ""] == [
        words.model_name(name) for name in ("claude-opus-5-5", "gpt-5", None)
    ]


def test_paid() -> None:
    """A subscription's list price is not a bill, and is told apart from one."""
    used = replace(USED, cost_usd=0.5, value_usd=2.5)
    assert "$0.5000 [API]" == words.paid(used, "api")
    assert "$2.50 [Sub]" == words.paid(used, "subscription")
    assert "~$2.50 [Sub]" == words.paid(replace(used, unpriced_requests=1), "subscription")


@given(st.text())
def test_words_of_others_are_plain(text: str) -> None:
    """Nothing that somebody else wrote can move the cursor, and its length stays."""
    told = words.plain(text)
    assert told.isprintable()
    assert len(text) == len(told)


def test_escape_sequences() -> None:
    """A name with an escape sequence in it reads as text."""
    assert "·[2Jred·" == words.plain("\x1b[2Jred\n")

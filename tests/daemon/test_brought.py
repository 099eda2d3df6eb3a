"""Budgets that agents bring along: what is one, and what is said of one that is not in force."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.rules.brought import budget_of, complaint

from .machine import process
from .test_roster import appear

BAD = [
    "nan",
    "inf",
    "-inf",
    "1e400",
    "1e-400",
    "-5",
    "5,00",
    "$5",
    "5$",
    "five",
    "1_000",
]
MORE_BAD = ["٥", "5 USD", "0x10", "1e", ".", "+", "--5", "1e9", "99999999999", "5;", "5 5"]


@pytest.mark.parametrize(
    ("text", "nano"),
    [
        ("5", 5 * 10**9),
        ("2.50", 2_500_000_000),
        (" 3 ", 3 * 10**9),
        (".5", 500_000_000),
        ("5.", 5 * 10**9),
        ("+1", 10**9),
        ("1e2", 100 * 10**9),
        ("0.1", 100_000_000),
        ("1e-12", 1),
        ("999999999", 999_999_999 * 10**9),
    ],
)
def test_sums_of_money(text: str, nano: int) -> None:
    """A number of dollars above 0 is a budget, however small: it never becomes no limit."""
    assert nano == budget_of(text)
    assert "" == complaint("shop-1", text)


@pytest.mark.parametrize("text", ["0", "0.00", ".0", "0.", " +0 ", "0e5", "00"])
def test_nothing_is_no_limit(text: str) -> None:
    """A budget of 0 dollars is no limit, as elsewhere, and no mistake."""
    assert 0 == budget_of(text)
    assert "" == complaint("shop-1", text)


@given(st.from_regex(r"\A([0-9]{1,4}\.?[0-9]{0,9}|\.[0-9]{1,9})([eE][+-]?[0-9]{1,4})?\Z"))
def test_only_nothing_is_no_limit(text: str) -> None:
    """No number with a digit that is not 0 before its exponent becomes no limit, however small it is."""
    digits = text.lower().partition("e")[0]
    assert (budget_of(text) == 0) == (not set("123456789") & set(digits))


@pytest.mark.parametrize("text", [*BAD, *MORE_BAD])
def test_what_is_none_is_told(text: str) -> None:
    """What can't be a budget is not in force, and is told with the agent, the text and a way out."""
    assert budget_of(text) is None
    told = complaint("shop-1", text)
    assert "\n" not in told
    for part in ("shop-1", text, "TOLL_BUDGET_USD", "toll limit set --agent shop-1 --usd"):
        assert part in told


@pytest.mark.parametrize("text", ["", None])
def test_no_budget_is_no_complaint(text: str | None) -> None:
    """Who brings none along has none."""
    assert budget_of(text) is None
    assert "" == complaint("shop-1", text)


@given(st.text())
def test_any_text(text: str) -> None:
    """Every text is a budget, or is told in one printable line; an empty one is none."""
    budget, told = budget_of(text), complaint("a", text)
    assert (budget is None) == (not text or bool(told))
    assert budget is None or 0 <= budget <= 10**18
    assert told.isprintable()
    assert len(told) < 500


def test_an_agent_knows_its_complaint() -> None:
    """The agent has no budget then, and what is wrong with the one it was given."""
    agent = appear(Roster(), process(BUDGET_USD="$5", AGENT="A"))
    assert agent.record.budget is None
    assert agent.complaint == complaint("A", "$5")
    assert "" == appear(Roster(), process(BUDGET_USD="5")).complaint

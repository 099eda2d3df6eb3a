"""The sentences of the bar: amounts, whose limit it is, and what was done to whom."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkeeper.model import ActionKind
from tollkeeper_daemon.bar import words
from tollkeeper_daemon.budgets.board import Stand
from tollkeeper_daemon.rules.limits import Limit, Scope, ScopeKind, Unit

NANO = 10**9


def stand(kind: ScopeKind = "agent", used: int = 5_020_000_000, unit: Unit = "usd") -> Stand:
    """A limit of $5, or of 1,000 tokens."""
    usd = unit == "usd"
    scope = Scope(kind, "100-1")
    bound = Limit(scope, "cost" if usd else "tokens", 5 * NANO if usd else 1_000, "pause")
    return Stand(bound, used)


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        ("usd", 0, "$0.00"),
        ("usd", 1, "$0.000000001"),
        ("usd", 99_999, "$0.000099999"),
        ("usd", 100_000, "$0.0001"),
        ("usd", 9_990_000, "$0.0100"),
        ("usd", 10_000_000, "$0.01"),
        ("usd", 5_020_000_000, "$5.02"),
        ("usd", 1_234_567 * NANO, "$1,234,567.00"),
        ("usd", 2**63 - 1, "$9,223,372,036.85"),
        ("tokens", 0, "0 tokens"),
        ("tokens", 1_234_567, "1,234,567 tokens"),
    ],
)
def test_amounts(unit: Unit, value: int, text: str) -> None:
    """Dollars to the cent, what is less than a cent as far as it shows, and tokens one by one."""
    assert text == words.amount(unit, value)


@given(st.sampled_from(["usd", "tokens"]), st.integers(1, 2**63 - 1))
def test_something_is_never_shown_as_nothing(unit: Unit, value: int) -> None:
    """What is more than nothing has a digit that is none."""
    assert set("123456789") & set(words.amount(unit, value))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("agent", "the limit of shop-1"),
        ("run", "the limit of this run"),
        ("daily", "today's limit"),
        ("workflow", "the limit of workflow 100-1"),
        ("task", "the limit of task 100-1"),
        ("conversation", "the limit of conversation 100-1"),
    ],
)
def test_whose_limit_it_is(kind: ScopeKind, text: str) -> None:
    """A limit is named by what it bounds, that of an agent by the agent's name."""
    assert text == words.whose(Scope(kind, "100-1"), "shop-1" if kind == "agent" else "")


def test_an_agent_that_is_gone_is_named_by_its_id() -> None:
    """Of an agent that is known no more its id is left."""
    assert "the limit of 100-1" == words.whose(Scope("agent", "100-1"), "")


DONE: list[tuple[ActionKind | None, str]] = [
    (None, ""),
    ("blocked", " Its tool calls are refused."),
    ("paused", " It is paused."),
    ("stopped", " It is being stopped."),
    ("failed", " Nothing could be done to it."),
]


@pytest.mark.parametrize(("kind", "text"), DONE)
def test_an_agents_limit_is_reached(kind: ActionKind | None, text: str) -> None:
    """The figures, and what was done to the agent."""
    told = words.reached(stand(), "shop-1", {"shop-1": kind})
    assert f"The limit of shop-1 is reached: $5.02 of $5.00.{text}" == told


def test_a_shared_limit_is_reached() -> None:
    """Who is held how, by their names; of many the first, and how many more."""
    done: dict[str, ActionKind | None] = {"a": "paused", "b": "blocked", "c": "paused", "d": None}
    assert (
        "Today's limit is reached: $5.02 of $5.00. Tool calls refused: b. Paused: a, c."
        == words.reached(stand("daily"), "", done)
    )
    many: dict[str, ActionKind | None] = {f"a{number}": "stopped" for number in range(8)}
    assert (
        "The limit of this run is reached: 1,200 tokens of 1,000 tokens. "
        "Being stopped: a0, a1, a2, a3, a4 and 3 more."
        == words.reached(stand("run", 1_200, "tokens"), "", many)
    )


def test_near_and_raised() -> None:
    """A limit that is near says how near; one that was raised says to how much."""
    near = stand(used=4_999_999_999)
    assert "The limit of a is used by 99 %: $5.00 of $5.00." == words.warned(near, "a")
    assert "The limit of a was raised to $5.00; used so far: $5.02." == words.raised(stand(), "a")


@pytest.mark.parametrize("kind", list(words.HAPPENED))
def test_what_happened(kind: ActionKind) -> None:
    """Each deed is a sentence, with its reason as another."""
    told = words.happened("shop-1", kind, "told so by a person.")
    assert f"shop-1 {words.HAPPENED[kind]}. Told so by a person." == told
    assert f"shop-1 {words.HAPPENED[kind]}." == words.happened("shop-1", kind, "")


def test_a_refusal_says_how_to_go_on() -> None:
    """What Claude Code tells the person has all reasons, and the commands that let the agent go on."""
    told = words.denial("shop-1", ["One.", "Two."])
    assert told.startswith("Tollkeeper: One. Two. ")
    assert "toll resume shop-1," in told
    assert told.endswith("toll resume --add-usd 5 shop-1")
    assert "One. Two." == words.why(told)
    assert "Told so by a person." == words.why("told so by a person.")

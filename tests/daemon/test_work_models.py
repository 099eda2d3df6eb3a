"""Which model has been cheaper for each stage so far."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tollkeeper_daemon.store.store import Store

from .lines import HAIKU, OPUS
from .works import ask, book, booking, go_through, span


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "ledger") as store:
        yield store


def medians(store: Store, **params: str) -> dict[str, dict[str, tuple[int, float]]]:
    """By stage and model: of how many workflows, and the median of their list prices."""
    return {
        stage["stage"]: {
            line["model"]: (line["workflows"], line["value_usd"]["median"])
            for line in stage["models"]
        }
        for stage in ask(store, "models", **params)["stages"]
    }


def test_cheapest_first(store: Store) -> None:
    """A stage's models stand in the order of their medians, and the first one is named."""
    for number, value in enumerate((4, 8, 9)):
        book(store, booking(f"w-{number}", model=OPUS, value=value * 10**9))
    book(store, booking("w-8", model=HAIKU, value=5 * 10**9))
    [stage] = ask(store, "models")["stages"]
    assert (stage["stage"], stage["cheapest"]) == ("plan", HAIKU)
    assert [line["model"] for line in stage["models"]] == [HAIKU, OPUS]
    assert medians(store) == {"plan": {HAIKU: (1, 5.0), OPUS: (3, 8.0)}}


def test_a_stage_of_several_models(store: Store) -> None:
    """It counts as a whole, for the model that most of its money went to."""
    book(store, booking(model=OPUS, value=3 * 10**9))
    book(store, booking(model=HAIKU, helper="analyst", value=10**9))
    assert medians(store) == {"plan": {OPUS: (1, 4.0)}}


def test_what_is_left_out(store: Store) -> None:
    """Work of no workflow or no stage, and what is still under way, is no piece to go by."""
    book(store, booking("", value=1), booking("w-1", "", value=1), booking("w-2", value=1))
    go_through(store, [span("w-2", ended=None)])
    assert medians(store) == {}
    assert ask(store, "models")["under_way"] == 1


def test_one_stage_since_a_day(store: Store) -> None:
    """One stage may be asked for, and only what was worked on since a day."""
    day = 96
    book(store, booking("w-1", value=10**9), booking("w-2", at=2 * day, value=2 * 10**9))
    book(store, booking("w-2", "review", at=2 * day, value=10**9))
    assert medians(store, stage="plan") == {"plan": {OPUS: (2, 1.5)}}
    assert medians(store, stage="plan", since="2026-11-24") == {"plan": {OPUS: (1, 2.0)}}
    assert medians(store, stage="test") == {}


def test_money_that_is_billed(store: Store) -> None:
    """What a subscription paid has a list price, and no cost."""
    book(store, booking(value=10**9, source="subscription"))
    [line] = ask(store, "models")["stages"][0]["models"]
    assert (line["value_usd"]["total"], line["cost_usd"]["total"]) == (1.0, 0.0)

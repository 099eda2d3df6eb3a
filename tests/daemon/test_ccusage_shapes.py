"""ccusage's JSON: the shapes that are known are read, all others are refused by name."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkeeper_daemon.ccusage.shapes import (
    SHAPES,
    Figures,
    Shape,
    UnknownShape,
    read,
    shape_of,
    version_in,
)

OLD, NEW = SHAPES
PLACE = ("2026-11-22", "claude-sonnet-4-6")


def breakdown(name: str = "claude-sonnet-4-6", **more: Any) -> dict[str, Any]:
    """A model's row, as ccusage 18.0.11 and 20.0.24 write it."""
    return {
        "modelName": name,
        "inputTokens": 10,
        "outputTokens": 500,
        "cacheCreationTokens": 3,
        "cacheReadTokens": 7,
        "cost": 0.0075321,
        **more,
    }


def report(*rows: dict[str, Any], totals: Any = None, **more: Any) -> dict[str, Any]:
    """A report of one day."""
    rows = rows or (breakdown(),)
    sums = {
        key: sum(row[key] for row in rows)
        for key in ("inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens")
    }
    sums |= {"totalTokens": sum(sums.values()), "totalCost": 0.01}
    names = [row["modelName"] for row in rows]
    day = {"date": PLACE[0], **sums, "modelsUsed": names, "modelBreakdowns": rows, **more}
    return {"daily": [day], "totals": {**sums, **(totals or {})}}


def read_as(version: str, answer: Any) -> dict[tuple[str, str], Figures]:
    return read(json.dumps(answer).encode(), version, shape_of(version)).figures


@pytest.mark.parametrize("version", ["15.10.0", "17.2.1", "18.0.11", "20.0.24"])
def test_known_versions(version: str) -> None:
    """Of a known shape every figure is read, money in nano-dollars."""
    assert read_as(version, report()) == {PLACE: Figures(10, 500, 3, 7, 7_532_100)}


def test_fast_replies_are_of_their_model() -> None:
    """What ccusage shows as a model of its own joins the model that it is."""
    rows = (breakdown(), breakdown("claude-sonnet-4-6-fast"))
    assert read_as("20.0.24", report(*rows)) == {PLACE: Figures(20, 1000, 6, 14, 15_064_200)}


def test_models_without_a_price() -> None:
    """Version 20 says which models it has no price for."""
    row = breakdown("claude-opus-9-fast", missingPricing=True)
    answer = report(row, totals={"unpricedModels": ["claude-opus-9-fast"]})
    assert read(json.dumps(answer).encode(), "20.0.24", NEW).unpriced == {"claude-opus-9"}


def test_nothing_to_tell() -> None:
    """Without any log line there are no days, however that is written."""
    empty: dict[str, Any] = {**report(), "daily": []}
    assert read_as("20.0.24", empty) == read_as("20.0.24", empty | {"totals": None}) == {}
    assert read_as("18.0.11", []) == {}


NO_OBJECT: list[Any] = []
LACKING: dict[str, Any] = {"daily": NO_OBJECT}
STRANGE: dict[str, Any] = {**report(), "agents": NO_OBJECT}


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (STRANGE, "key agents"),
        (report(tokens=1), "key tokens in daily[0]"),
        (report(breakdown(credits=1)), "key credits in daily[0].modelBreakdowns[0]"),
        (report(totals={"credits": 1}), "key credits in totals"),
        (LACKING, "key totals is missing"),
        (report(date="22.11.2026"), "Invalid RFC3339 encoded date - at `$.daily[0].date`"),
        (report(inputTokens=-1), "Expected `int` >= 0 - at `$.daily[0].inputTokens`"),
        (report(inputTokens=11), "the models of 2026-11-22 do not add up to the day"),
        (report(date="0001-01-01"), "0001-01-01 is no day of which there can be logs"),
        (report(date="9999-12-31"), "9999-12-31 is no day of which there can be logs"),
        (
            report(inputTokens=2**41),
            "Expected `int` <= 1099511627776 - at `$.daily[0].inputTokens`",
        ),
        ({**report(), "\x1b[2J\n": 1}, "Object contains unknown field `·[2J·`"),
        (NO_OBJECT, "Expected `object`, got `array`"),
    ],
)
def test_unknown_shapes(answer: Any, complaint: str) -> None:
    """What is not as known is refused, with the version and what is strange."""
    with pytest.raises(UnknownShape) as refused:
        read_as("21.3.0", answer)
    wanted = f"ccusage 21.3.0 answers in a shape that is not known: {complaint}"
    assert str(refused.value) == wanted


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.text(), st.lists).map(repr).map(str.encode)
)
def test_any_answer(answer: bytes) -> None:
    """Whatever comes is read or refused."""
    for shape in SHAPES:
        try:
            read(answer, "99.0.0", shape)
        except UnknownShape as error:
            assert str(error).startswith("ccusage 99.0.0 answers in a shape that is not known: ")


@pytest.mark.parametrize(
    ("version", "shape"),
    [("15.10.0", OLD), ("18.0.11", OLD), ("19.0.3", NEW), ("20.0.24", NEW), ("21.3.0", NEW)],
)
def test_shape_of_a_version(version: str, shape: Shape) -> None:
    """A version that is not known is asked as the nearest one after it, else the newest."""
    assert shape_of(version) is shape


def test_versions() -> None:
    """Both ways in which ccusage tells its version are read; anything else is refused."""
    assert version_in(b"ccusage 20.0.24\n") == "20.0.24"
    assert version_in(b"18.0.11\n") == "18.0.11"
    assert version_in(b"ccusage 21.0.0-beta.1") == "21.0.0-beta.1"
    with pytest.raises(UnknownShape, match="does not say which version"):
        version_in(b"usage: something else")

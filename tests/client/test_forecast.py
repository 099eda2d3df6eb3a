"""Forecasts: what past pieces of work tell of one to come, and how surely."""

import json
import math
import subprocess
import sys
from collections.abc import Callable
from statistics import mean, median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tollkeeper import wire
from tollkeeper.cli.workflow_forecast_view import lines
from tollkeeper.forecast import FEATURES, Amount, Amounts, Forecast, forecast
from tollkeeper.model import Piece, Pieces
from tollkeeper.paths import Paths

from .conftest import Run
from .fake_daemon import FakeDaemon, reply
from .past_work import additive, piece, pieces, realistic


def amounts(past: list[Piece], **known: float) -> Amounts:
    """The forecast of work of which this is known."""
    found = forecast(pieces(*past), known).forecast
    assert found
    return found


def features_of(each: Piece, *names: str) -> dict[str, float]:
    """What is known of this piece."""
    return {name: getattr(each, name) for name in names or FEATURES}


@pytest.mark.parametrize("made", [realistic, additive])
def test_coverage(made: Callable[[int, int], list[Piece]]) -> None:
    """About four of five new pieces lie in their interval."""
    held: list[bool] = []
    for seed in range(40):
        *past, new = made(21, seed)
        tokens = amounts(past, **features_of(new)).tokens
        held.append(tokens.low <= new.tokens <= tokens.high)
    assert 0.65 <= mean(held) <= 0.95


def test_stated_error() -> None:
    """The error that is stated is the one that new pieces are met with."""
    past = realistic(100, 1)
    stated = amounts(past, **features_of(past[0])).tokens
    errors = [
        abs(amounts(past, **features_of(new)).tokens.predicted / new.tokens - 1)
        for new in realistic(40, 2)
    ]
    assert stated.median_error == pytest.approx(median(errors), abs=0.06)
    assert stated.within_20_percent == pytest.approx(
        mean(error <= 0.2 for error in errors), abs=0.15
    )


def test_features_help() -> None:
    """What is known of the work makes the forecast better, and its interval narrower."""
    past = realistic(40, 3)
    known, unknown = amounts(past, files=3, lines=90, turns=20), amounts(past)
    assert known.tokens.median_error < 0.2
    assert unknown.tokens.median_error > 0.3
    width, wide = (each.high / each.low for each in (known.tokens, unknown.tokens))
    assert width < wide


def test_power_law() -> None:
    """Amounts that are a power of a feature are predicted exactly, also beyond what was seen."""
    past = [piece(n, turns=2**n - 1, tokens=1_000 * 4**n) for n in range(1, 11)]
    tokens = amounts(past, turns=2**12 - 1).tokens
    for each in (tokens.predicted, tokens.low, tokens.high):
        assert each == pytest.approx(1_000 * 4**12)
    assert (0, 1) == (tokens.median_error, tokens.within_20_percent)
    assert ("turns",) == forecast(pieces(*past), {"turns": 2**12 - 1}).outside


def test_of_no_feature() -> None:
    """With nothing known it is what work usually comes to."""
    past = [piece(n, tokens=count) for n, count in enumerate([10_000, 40_000] * 6)]
    tokens = amounts(past).tokens
    assert tokens.predicted == pytest.approx(20_000)
    assert (10_000, 40_000) == pytest.approx((tokens.low, tokens.high), rel=0.2)


@settings(max_examples=25)
@given(st.integers(0, 1_000), st.sampled_from([1e-6, 0.1, 3.0, 1e6]))
def test_units(seed: int, factor: float) -> None:
    """In another unit of money the forecast is the same."""
    past = realistic(12, seed)
    other = [replace(each, value_usd=each.value_usd * factor) for each in past]
    one, two = (amounts(each, files=4, turns=30).value_usd for each in (past, other))
    assert one
    assert two
    for name in ("predicted", "low", "high"):
        assert getattr(one, name) * factor == pytest.approx(getattr(two, name), rel=1e-4, abs=1e-8)
    assert one.median_error == pytest.approx(two.median_error, abs=1e-3)


@settings(max_examples=50)
@given(st.integers(0, 1_000), st.sampled_from(FEATURES), st.integers(0, 500), st.integers(1, 500))
def test_more_work_takes_no_less(seed: int, feature: str, count: int, more: int) -> None:
    """Of more files, lines or turns no less is predicted."""
    past = realistic(12, seed)
    known = {"files": 3, "lines": 90, "turns": 20}
    less = amounts(past, **{**known, feature: count}).tokens.predicted
    assert less <= amounts(past, **{**known, feature: count + more}).tokens.predicted


def test_feature_that_never_changes() -> None:
    """A feature that was the same in all pieces tells nothing, and is not used."""
    past = [replace(each, files=2) for each in realistic(12, 5)]
    found = forecast(pieces(*past), {"files": 7, "turns": 20})
    assert ("turns",) == found.used
    assert amounts(past, turns=20) == found.forecast


def test_features_that_say_the_same() -> None:
    """Of features that always go together nothing is counted twice."""
    past = [replace(each, files=each.turns, lines=each.turns) for each in realistic(12, 6)]
    alone = amounts(past, turns=20).tokens
    together = amounts(past, files=20, lines=20, turns=20).tokens
    assert together.predicted == pytest.approx(alone.predicted)
    assert together.high == pytest.approx(alone.high)


HUGE = st.one_of(st.integers(0, 3), st.integers(0, 10**12))
ANY_PIECE = st.builds(
    piece,
    files=HUGE,
    lines=st.one_of(st.none(), HUGE),
    turns=HUGE,
    tokens=st.one_of(st.just(0), st.integers(0, 10**18)),
    cost_usd=st.one_of(st.just(0.0), st.floats(1e-9, 1e12)),
    value_usd=st.one_of(st.just(0.0), st.floats(1e-9, 1e12)),
)


@settings(max_examples=50)
@given(
    st.lists(ANY_PIECE, max_size=15), st.dictionaries(st.sampled_from(FEATURES), HUGE, max_size=3)
)
def test_whatever_was(past: list[Piece], known: dict[str, float]) -> None:
    """Whatever the past was, figures are finite, in their order, and can be told."""
    found = forecast(pieces(*past), known)
    for amount in _all_of(found):
        figures = (amount.low, amount.predicted, amount.high, amount.median_error)
        assert all(map(math.isfinite, figures))
        assert 0 <= amount.low <= amount.predicted <= amount.high
        assert 0 <= amount.within_20_percent <= 1
    assert bool(found.forecast) == (not found.reason)
    assert json.loads(wire.encode(found))
    shown = [line for line, _ in lines(found, 70)]
    assert len(shown) == 1 if found.reason else all(len(line) <= 70 for line in shown)


def _all_of(found: Forecast) -> list[Amount]:
    made = found.forecast
    return [each for each in (made.tokens, made.cost_usd, made.value_usd) if each] if made else []


@pytest.mark.parametrize(
    ("count", "known", "is_enough"),
    [
        (7, (), False),
        (8, (), True),
        (8, ("files", "turns"), True),
        (8, FEATURES, False),
        (9, FEATURES, True),
        (0, FEATURES, False),
    ],
)
def test_too_little_history(count: int, known: tuple[str, ...], is_enough: bool) -> None:
    """Fewer than eight pieces, or three for each feature, tell too little: that is said, and what there is."""
    past = realistic(count, 7)
    found = forecast(pieces(*past), {name: 5.0 for name in known})
    assert is_enough == (found.forecast is not None)
    assert count == found.pieces
    if count:
        assert median(each.tokens for each in past) == found.past["tokens"].median
    if not is_enough:
        assert found.reason
        assert found.reason.startswith(f"{count or 'no'} pieces of work are over, ")


def test_lines_that_are_not_known() -> None:
    """Pieces without a count of lines are left out where lines are asked for, and only there."""
    past = [
        replace(each, lines=None if n < 4 else each.lines)
        for n, each in enumerate(realistic(11, 8))
    ]
    assert amounts(past, files=3).tokens.pieces == 11
    found = forecast(pieces(*past), {"lines": 100})
    assert "7 pieces of work are over (4 more are, whose lines are not known), 8 are needed" == (
        found.reason
    )


def test_what_is_billed() -> None:
    """A cost is told by the pieces that were billed, and not at all where too few were."""
    past = [
        replace(each, cost_usd=each.cost_usd if n < 8 else 0.0)
        for n, each in enumerate(realistic(20, 9))
    ]
    made = amounts(past, files=3)
    assert made.cost_usd
    assert made.value_usd
    assert (8, 20) == (made.cost_usd.pieces, made.value_usd.pieces)
    assert amounts(past[1:], files=3).cost_usd is None


# The command.


def daemon(home: Paths, past: Pieces) -> FakeDaemon:
    """A daemon that tells this past."""
    return FakeDaemon(home, lambda call: [reply(call, past)])


def test_command(home: Paths, run: Run) -> None:
    """A table with interval and errors for a person, the same figures as JSON."""
    past = pieces(*realistic(20, 10), stage="implement", under_way=1)
    with daemon(home, past) as asked:
        arguments = (
            "workflow",
            "forecast",
            "--stage",
            "implement",
            "--files",
            "3",
            "--turns",
            "9999",
        )
        exit_status, out, err = run(*arguments)
        assert (0, "") == (exit_status, err)
        assert {"stage": "implement"} == asked.calls[0].params
        _, raw, _ = run(*arguments, "--json")
    title, _, heads, tokens, cost, price, _, *notes = out.splitlines()
    assert "Forecast of stage implement from 20 past pieces of work, by files, turns" == title
    assert ["Forecast", "Interval"] == heads.split()[:2]
    assert ["Tokens", "Cost", "List"] == [row.split()[0] for row in (tokens, cost, price)]
    assert "Outside of what any piece had, so not to be relied on: turns." in " ".join(notes)
    answer = json.loads(raw)
    assert (1, ["turns"], None) == (answer["under_way"], answer["outside"], answer["reason"])
    told = answer["forecast"]["tokens"]
    assert f"{told['median_error'] * 100:.0f} %" in tokens
    assert {"tokens", "cost_usd", "value_usd", "coverage"} == answer["forecast"].keys()


def test_command_with_too_little(home: Paths, run: Run) -> None:
    """Too little history is one line with what there is, and no failure."""
    past = pieces(*[piece(n, tokens=n * 1_000_000, cost_usd=0.0) for n in (1, 2, 3)])
    with daemon(home, past):
        told = run("workflow", "forecast", "--files", "3")
        _, raw, _ = run("workflow", "forecast", "--json")
    expected = (
        "Too little history for a forecast of a workflow: 3 pieces of work are over, 8 are needed. "
        "Their medians: 2.00M tokens (1.00M to 3.00M), $1.00 at list price ($1.00 to $1.00).\n"
    )
    assert (0, expected, "") == told
    answer = json.loads(raw)
    assert (None, "3 pieces of work are over, 8 are needed") == (
        answer["forecast"],
        answer["reason"],
    )
    with daemon(home, pieces()):
        _, out, _ = run("workflow", "forecast")
    assert out.endswith("workflow: no pieces of work are over, 8 are needed.\n")


def test_guessed_prices(home: Paths, run: Run) -> None:
    """Money that rests on guessed prices is marked."""
    past = [replace(each, unpriced_requests=1) for each in realistic(10, 11)]
    with daemon(home, pieces(*past)):
        _, out, _ = run("workflow", "forecast")
    assert "~$" in out


def test_without_numpy(home: Paths, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without numpy one line says how to get it; that there is too little history is told all the same."""
    monkeypatch.setitem(sys.modules, "numpy", None)
    monkeypatch.delitem(sys.modules, "tollkeeper.regression", raising=False)
    with daemon(home, pieces(*realistic(10, 12))):
        told = run("workflow", "forecast")
    hint = "install it with: pip install 'numpy>=1.26' (extra forecast)"
    assert (1, "", f"toll: a forecast needs numpy; {hint}\n") == told
    with daemon(home, pieces(*realistic(3, 12))):
        assert 0 == run("workflow", "forecast")[0]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["forecast", "--files", "-1"],
        ["forecast", "--turns", "1.5"],
        ["forecast", "--lines", "1" + "0" * 400],
    ],
)
def test_wrong_usage(run: Run, arguments: list[str]) -> None:
    """Wrong usage ends with 2, and one line of error."""
    exit_status, out, err = run("workflow", *arguments)
    assert (2, "", 1) == (exit_status, out, err.count("\n"))


def test_loads_little() -> None:
    """Only a forecast that is made loads numpy."""
    code = "import sys, tollkeeper.forecast, tollkeeper.cli.workflow; print('numpy' in sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "False\n" == loaded.stdout

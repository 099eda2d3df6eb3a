"""History in the dashboard: the plot, the table, its keys, and when it is asked for."""

from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.text import Text
from textual.pilot import Pilot

from tollkeeper.errors import CallError, NoDaemonError
from tollkeeper.top.drawing.history import (
    DAYS,
    MONTHS,
    WEEKS,
    Period,
    heading,
    plot_lines,
    series,
    table_lines,
)

from .fleet import busy
from .reports import report
from .screens import Board, settle, text_of
from .stories import LARGE, SIZE_NAMES, SIZES, looks_as_kept, open_page, play

REPORTS: dict[str, Any] = {
    "daily": partial(report, "daily"),
    "weekly": partial(report, "weekly"),
    "monthly": partial(report, "monthly"),
    "earlier": {"earlier": []},
}
NONE: dict[str, Any] = {"daily": partial(report, "daily", names=[]), "earlier": {"earlier": []}}
EARLIER = [
    {"date": day, "models": {"claude-opus-5-5": 1_500}, "tokens": 1_500, "sessions": 2}
    for day in ("2026-10-01", "2026-10-03")
]


def asked(board: Board) -> list[tuple[str, dict[str, Any]]]:
    """The reports that were asked for."""
    return [each for each in board.answers.asked if each[0] != "earlier"]


def shown(board: Board) -> str:
    """What stands on the screen."""
    return "\n".join(text_of(board.app))


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        (DAYS, {"2026-11-18": 4.0, "2026-11-19": 6.0, "2026-11-20": 0.0, "2026-11-21": 8.0}),
        (WEEKS, {"2026-11-08": 2.0, "2026-11-15": 4.0, "2026-11-22": 6.0}),
        (MONTHS, {"2026-08": 2.0, "2026-09": 0.0, "2026-10": 4.0, "2026-11": 6.0}),
    ],
    ids=["days", "weeks", "months"],
)
def test_series(period: Period, expected: dict[str, float]) -> None:
    """Periods follow each other, oldest first, and one without a row is one in which nothing was used."""
    rows = report(period.verb, {})[period.verb]
    found = series(period, rows, 100)
    assert expected.items() <= found.items()
    assert sorted(found) == [*found]
    latest = [*found.items()][-2:]
    assert latest == [*series(period, rows, 2).items()]


@given(st.lists(st.dates(), max_size=20), st.integers(1, 100), st.integers(1, 9))
def test_plot(days: list[date], width: int, height: int) -> None:
    """The plot has its height and a line below it, none wider than there is room."""
    names = sorted({day.isoformat() for day in days}, reverse=True)
    lines = plot_lines(DAYS, report("daily", {}, names)["daily"], width, height)
    assert len(lines) == (height + 1 if names else 0)
    assert all(line.cell_len <= width for line in lines)


@pytest.mark.parametrize("width", [40, 79, 199])
@pytest.mark.parametrize("split", [None, "model", "agent", "task"])
def test_table(split: str | None, width: int) -> None:
    """Newest first, each line with its parts, within the room there is; words of others are no markup."""
    params = {"by": [split]} if split else {}
    answer = report("daily", params)
    lines = table_lines(DAYS, split, answer, width)
    assert all(line.cell_len <= width for line in lines)
    days = [line.plain[:10] for line in lines if line.plain.startswith("2026")]
    assert sorted(days, reverse=True) == days
    text = Text("\n").join(lines).plain
    parts = {"model": "opus-5-5", "agent": "[red]Agent-2", "task": "Fix auth bypass"}
    assert all((part in text) == (name == split) for name, part in parts.items() if width < 118)


def test_heading() -> None:
    """It says what is shown, and what it comes to."""
    answer = report("weekly", {}, ["2026-11-22"])
    told = "WEEKS by task   1 week, $1.00 billed, $2.00 list price, 200K tokens"
    assert told == heading(WEEKS, "task", answer, 80).plain
    assert heading(DAYS, None, None, 80).plain == "DAYS"


@pytest.mark.parametrize("size", SIZES, ids=SIZE_NAMES)
def test_page(tmp_path: Path, size: tuple[int, int]) -> None:
    """The page looks as it is kept."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        await open_page(board, pilot, "3")
        looks_as_kept(board, "history", size)

    play(tmp_path, story, size, answers=REPORTS)


def test_keys(tmp_path: Path) -> None:
    """d, w and m choose the period, b what it is split by, and all begins with the newest."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        await open_page(board, pilot, "3")
        for key, verb, head, split in (
            ("w", "weekly", "WEEKS ", None),
            ("b", "weekly", "WEEKS by model", "model"),
            ("m", "monthly", "MONTHS by model", "model"),
            ("b", "monthly", "MONTHS by agent", "agent"),
            ("b", "monthly", "MONTHS by task", "task"),
            ("d", "daily", "DAYS by task", "task"),
            ("b", "daily", "DAYS ", None),
        ):
            await pilot.press(key)
            await settle(pilot)
            said, params = asked(board)[-1]
            assert (verb, [split] if split else None) == (said, params.get("by"))
            assert any(line.startswith(head) for line in text_of(board.app))

    play(tmp_path, story, answers=REPORTS)


def test_scrolls(tmp_path: Path) -> None:
    """A long history is scrolled through to its end, where the totals stand."""
    days = [f"2026-{month:02}-{day:02}" for month in (10, 9, 8) for day in range(28, 0, -1)]

    async def story(board: Board, pilot: Pilot[None]) -> None:
        await open_page(board, pilot, "3")
        assert ("2026-10-28" in shown(board), "Total" in shown(board)) == (True, False)
        await pilot.press("end")
        await settle(pilot)
        assert ("2026-08-01" in shown(board), "Total" in shown(board)) == (True, True)
        await pilot.press("home")
        await settle(pilot)
        assert "2026-10-27" in shown(board)

    play(tmp_path, story, answers={**REPORTS, "daily": partial(report, "daily", names=days)})


def test_days_before_the_logs(tmp_path: Path) -> None:
    """Days of which only the client's own statistics tell stand below the total, the newest first, marked as such."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        await open_page(board, pilot, "3")
        await pilot.press("end")
        await settle(pilot)
        lines = text_of(board.app)
        total, *marked, later, before, _ = [at for at, line in enumerate(lines) if line][-6:]
        assert lines[total].startswith("Total")
        assert "by the client's own statistics" in lines[marked[0]]
        assert lines[later].split() == ["2026-10-03", "1,500", "2", "opus-5-5"]
        assert lines[before].startswith("2026-10-01")
        await pilot.press("w")
        await settle(pilot)
        assert "statistics" not in shown(board)

    play(tmp_path, story, answers={**REPORTS, "earlier": {"earlier": EARLIER}})


def test_nothing_yet(tmp_path: Path) -> None:
    """An empty history is said to be one."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        await open_page(board, pilot, "3")
        assert "Nothing was used so far." in shown(board)

    play(tmp_path, story, answers=NONE)


def test_asked_anew(tmp_path: Path) -> None:
    """It is asked for when the page is opened, and anew after half a minute while it is seen."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        async def told_after(seconds: float) -> int:
            board.now += timedelta(seconds=seconds)
            board.says(replace(busy(), sequence=busy().sequence + 1))
            await settle(pilot)
            return len(asked(board))

        assert await told_after(60) == 0
        await open_page(board, pilot, "3")
        assert [1, 1, 2] == [await told_after(seconds) for seconds in (0, 29, 2)]
        await open_page(board, pilot, "1")
        assert await told_after(60) == 2

    play(tmp_path, story, answers=REPORTS)


def test_another_daemon_is_asked_at_once(tmp_path: Path) -> None:
    """A daemon that was started anew is asked without a wait."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        await open_page(board, pilot, "3")
        told = busy()
        board.says(replace(told, daemon=replace(told.daemon, started_at="2026-11-22T09:31:00Z")))
        await settle(pilot)
        assert len(asked(board)) == 2

    play(tmp_path, story, answers=REPORTS)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (NoDaemonError("no daemon is running", "start it with: toll up"), "no daemon is running"),
        (CallError("failed", "the daemon [red]failed"), "the daemon [red]failed"),
        ({"daily": [{"date": "x"}], "totals": {}}, "not a Daily"),
        (
            {"importing": {"done_bytes": 10**9, "total_bytes": 4 * 10**9}}
            | report("daily", {}, ["2026-11-01"]),
            "the history is being read, 1.00 GB of 4.00 GB: not all is counted yet",
        ),
    ],
    ids=["gone", "refused", "misunderstood", "importing"],
)
def test_trouble(tmp_path: Path, answer: Any, told: str) -> None:
    """What is amiss is told in a line, and asked again soon."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        await open_page(board, pilot, "3")
        assert told in shown(board)
        board.answers.by_verb |= REPORTS
        board.now += timedelta(seconds=1)
        board.says(replace(busy(), sequence=busy().sequence + 1))
        await settle(pilot)
        assert told not in shown(board)
        assert "2026-11-22" in shown(board)

    play(tmp_path, story, LARGE, answers={"daily": answer})

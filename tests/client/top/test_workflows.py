"""Workflows in the dashboard: the list, the stages of one, keys, and what is asked when."""

from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from tollkeeper import wire
from tollkeeper.errors import CallError
from tollkeeper.top.answers import Shown, Top
from tollkeeper.top.drawing import stages, workflows
from tollkeeper.top.drawing.workflows import RANKS, rank_after, ranked
from tollkeeper.top.widgets.roll import Roll

from .fleet import busy
from .screens import Board, settle, text_of
from .stories import LARGE, SIZE_NAMES, SIZES, looks_as_kept, open_page, play
from .works import WORKS, shown, top

TOP: dict[str, Any] = wire.decode(wire.encode(top({"by": "value"})), Top)  # pyright: ignore[reportAssignmentType]
STAGES: dict[str, Any] = wire.decode(wire.encode(shown({"workflow": "release"})), Shown)  # pyright: ignore[reportAssignmentType]


def text(board: Board) -> str:
    """What stands on the screen."""
    return "\n".join(text_of(board.app))


def roll(board: Board) -> Roll:
    """The lines of the page that is seen."""
    return board.app.page.query_one(Roll)


def chosen(board: Board) -> str:
    """The first word of the line that is chosen, as it stands on the screen."""
    lines = roll(board)
    assert lines.chosen is not None
    return text_of(board.app)[lines.region.y + lines.chosen].split()[0]


def test_ranks_go_round() -> None:
    """Each order is followed by the next, and the last by the first."""
    rank = RANKS[0]
    for expected in (*RANKS[1:], RANKS[0]):
        rank = rank_after(rank)
        assert expected == rank


def test_latest_first() -> None:
    """By their start the latest comes first, and those that have none last."""
    names = [each["workflow"] for each in ranked(TOP["workflows"], "latest")]
    assert names == [".claude-4nq", "release", "[red]nightly", None]


@pytest.mark.parametrize("width", [40, 79, 120, 199])
def test_list(width: int) -> None:
    """A line for each, below the heads, within the room there is; words of others are no markup."""
    lines = workflows.table_lines(TOP["workflows"], UTC, width)
    assert [len(TOP["workflows"]) + 1, True] == [
        len(lines),
        all(line.cell_len <= width for line in lines),
    ]
    assert "[red]nightly" in lines[2].plain
    assert ("✓ completed" in lines[2].plain) == (width >= 79)


@pytest.mark.parametrize("width", [70, 79, 120, 199])
def test_stages(width: int) -> None:
    """Each stage tells what it took, with the hits of the cache, and the last line all of them."""
    lines = stages.table_lines(STAGES, width)
    assert all(line.cell_len <= width for line in lines)
    assert [line.plain.split()[0] for line in lines] == [
        "Stage",
        "analyze",
        "review",
        "(no",
        "Total",
    ]
    for told in ("40.0K", "80.0K", "280K", "83 %", "$4.00", "50 %", "40m 00s"):
        assert told in lines[1].plain


@pytest.mark.parametrize(
    ("rate", "saved", "told"),
    [
        (None, None, "Nothing was sent yet."),
        (0.5, None, "50 % of all input came from the cache."),
        (0.5, 2.0, "50 % of all input came from the cache, which saved $2.00 at list price."),
        (
            0.5,
            -2.0,
            "50 % of all input came from the cache; writing it cost $2.00 more than that saved.",
        ),
    ],
)
def test_cache(rate: float | None, saved: float | None, told: str) -> None:
    """Above the stages stands what the cache was worth, as far as it is known."""
    totals = {**STAGES["totals"], "cache_hit_rate": rate, "cache_saved_usd": saved}
    title, cache = stages.heading({**STAGES, "totals": totals}, UTC, 100)
    assert cache.plain == told
    assert title.plain == "release   feature, ✕ failed, 2026-11-21 10:00 to 2026-11-21 10:20"


@pytest.mark.parametrize("size", SIZES, ids=SIZE_NAMES)
def test_page(tmp_path: Path, size: tuple[int, int]) -> None:
    """The list looks as it is kept, and so do the stages of one."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        await open_page(board, pilot, "4")
        looks_as_kept(board, "workflows", size)
        await pilot.press("down", "enter")
        await settle(pilot)
        looks_as_kept(board, "stages", size)

    play(tmp_path, story, size, answers=WORKS)


def test_enter_and_back(tmp_path: Path) -> None:
    """Arrows choose, Enter or a second click shows the stages, Escape comes back to the same one."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        await open_page(board, pilot, "4")
        await pilot.press("down", "j", "k", "down")
        assert chosen(board) == "release"
        for click in (False, True):
            await (pilot.click(roll(board), offset=(3, 2)) if click else pilot.press("enter"))
            await settle(pilot)
            assert board.answers.asked[-1] == ("workflow.show", {"workflow": "release"})
            assert "analyze" in text(board)
            assert "Back" in text_of(board.app)[-1]
            await pilot.press("escape")
            await settle(pilot)
            assert chosen(board) == "release"
            assert "Back" not in text_of(board.app)[-1]

    play(tmp_path, story, answers=WORKS)


def test_work_of_none(tmp_path: Path) -> None:
    """What belongs to no workflow can be looked at like one."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        await open_page(board, pilot, "4")
        await pilot.press("end", "enter")
        await settle(pilot)
        assert board.answers.asked[-1] == ("workflow.show", {"workflow": ""})
        assert "(no workflow)" in text(board)

    play(tmp_path, story, answers=WORKS)


def test_chosen_stays(tmp_path: Path) -> None:
    """Whichever is chosen stays so when the order changes, and when it is asked anew."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        await open_page(board, pilot, "4")
        await pilot.press("down", "down")
        for _ in range(len(RANKS)):
            await pilot.press("o")
            await settle(pilot)
            assert chosen(board) == "release"
        asked = [params["by"] for _, params in board.answers.asked]
        assert asked == ["value", "cost", "tokens", "duration", "value", "value"]

    play(tmp_path, story, answers=WORKS)


@pytest.mark.parametrize("keys", [[], ["enter"]], ids=["list", "stages"])
def test_lives(tmp_path: Path, keys: list[str]) -> None:
    """What is seen is asked anew every few seconds, and nothing on another page."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        async def asked_after(seconds: float) -> int:
            before = len(board.answers.asked)
            board.now += timedelta(seconds=seconds)
            board.says(replace(busy(), sequence=busy().sequence + 1))
            await settle(pilot)
            return len(board.answers.asked) - before

        await open_page(board, pilot, "4")
        await pilot.press(*keys)
        await settle(pilot)
        assert [0, 1] == [await asked_after(1), await asked_after(5)]
        await open_page(board, pilot, "1")
        assert await asked_after(60) == 0

    play(tmp_path, story, answers=WORKS)


def test_asks_without_a_reminder(tmp_path: Path) -> None:
    """The last thing that happens is asked for as well, though nothing comes after it."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        await open_page(board, pilot, "4")
        board.says(replace(busy(), sequence=busy().sequence + 1))
        await settle(pilot)
        assert len(board.answers.asked) == 1
        board.now += timedelta(seconds=2)
        while len(board.answers.asked) == 1:
            await pilot.pause(0.1)

    play(tmp_path, story, answers=WORKS)


def test_gone(tmp_path: Path) -> None:
    """A workflow that is no longer known is told of, and the way back is open."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        await open_page(board, pilot, "4")
        await pilot.press("enter")
        await settle(pilot)
        assert "no workflow [red]x" in text(board)
        await pilot.press("escape")
        await settle(pilot)
        assert "no workflow [red]x" not in text(board)

    gone = CallError("not-found", "no workflow [red]x")
    play(tmp_path, story, LARGE, answers={**WORKS, "workflow.show": gone})


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (0, "Nothing is known of any workflow."),
        (3, "No workflow comes to anything by this measure."),
    ],
)
def test_nothing(tmp_path: Path, count: int, told: str) -> None:
    """An empty list says why it is one, and Enter does nothing."""
    none = top({"by": "value"})
    none["totals"]["workflows"] = count

    async def story(board: Board, pilot: Pilot[None]) -> None:
        await open_page(board, pilot, "4")
        await pilot.press("enter", "down")
        await settle(pilot)
        assert told in text(board)
        assert {verb for verb, _ in board.answers.asked} == {"workflow.top"}

    play(tmp_path, story, answers={"workflow.top": {**none, "workflows": []}})

"""The journal in the dashboard: the newest at the bottom, and those that come while it is seen."""

import time
from collections.abc import Generator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from textual.pilot import Pilot

from tollkeeper.cli.log_view import STYLES
from tollkeeper.errors import NoDaemonError
from tollkeeper.top.drawing.journal import lines_of
from tollkeeper.top.pages import log

from .fleet import busy
from .screens import Board, settle, text_of
from .stories import SIZE_NAMES, SIZES, looks_as_kept, open_page, play

KINDS = ("warned", "reached", "paused", "resumed", "limit-set")


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Times are those of UTC, wherever the tests run."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def entry(number: int, **more: object) -> dict[str, Any]:
    """An entry of the journal; now and then a long one."""
    kind = KINDS[number % len(KINDS)]
    text = f"Agent-{number} is [b]{kind}[/b]." + " It goes on and on." * (number % 4)
    made = {"number": number, "time": f"2026-11-22T09:{number % 60:02}:00Z", "kind": kind}
    return {**made, "text": text, **more}


class Journal:
    """A journal that grows when the test says so."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.begun = "2026-11-22"

    def __call__(self, params: Mapping[str, Any]) -> dict[str, Any]:
        numbers = range(params["after"] + 1, self.count + 1)
        entries = [
            entry(number, time=f"{self.begun}T09:{number % 60:02}:00Z") for number in numbers
        ]
        return {"entries": entries[-params["last"] :]}


async def grow(board: Board, pilot: Pilot[None], journal: Journal, count: int) -> str:
    """So many more entries come; what stands on the screen a second after them."""
    journal.count += count
    board.now += timedelta(seconds=1)
    board.says(replace(busy(), sequence=busy().sequence + 1))
    await settle(pilot)
    return "\n".join(text_of(board.app))


@given(st.text(max_size=200), st.sampled_from([*STYLES, "granted"]), st.integers(20, 120))
def test_lines(text: str, kind: str, width: int) -> None:
    """Whatever an entry says, no line is wider than there is room, and none moves a cursor."""
    lines = lines_of(entry(1, text=text, kind=kind), width)
    assert all(line.cell_len <= width and line.plain.isprintable() for line in lines)
    assert STYLES.get(kind, "") == lines[0].style
    assert all(line.style == "" for line in lines[1:])


@pytest.mark.parametrize("size", SIZES, ids=SIZE_NAMES)
def test_page(tmp_path: Path, size: tuple[int, int]) -> None:
    """The page looks as it is kept."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        await open_page(board, pilot, "5")
        looks_as_kept(board, "log", size)

    play(tmp_path, story, size, answers={"log": Journal(50)})


def test_follows(tmp_path: Path) -> None:
    """Who stands at the end sees what comes; who reads further up stays there."""
    journal = Journal(100)

    async def story(board: Board, pilot: Pilot[None]) -> None:
        await open_page(board, pilot, "5")
        assert "Agent-103 " in await grow(board, pilot, journal, 3)
        await pilot.press("home")
        await settle(pilot)
        before = await grow(board, pilot, journal, 1)
        assert ("Agent-1 " in before, "Agent-104 " in before) == (True, False)
        assert "Agent-1 " in await grow(board, pilot, journal, 5)
        await pilot.press("end")
        await settle(pilot)
        assert "Agent-110 " in await grow(board, pilot, journal, 1)
        asked = [params["after"] for _, params in board.answers.asked]
        assert asked == [0, 99, 102, 103, 108]

    play(tmp_path, story, answers={"log": journal})


def test_keeps_the_latest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a journal without end the latest entries are kept."""
    monkeypatch.setattr(log, "MOST", 30)
    journal = Journal(40)

    async def story(board: Board, pilot: Pilot[None]) -> None:
        await open_page(board, pilot, "5")
        await grow(board, pilot, journal, 5)
        await pilot.press("home")
        await settle(pilot)
        shown = text_of(board.app)
        assert any("Agent-16 " in line for line in shown)
        assert not any("Agent-15 " in line for line in shown)

    play(tmp_path, story, answers={"log": journal})


def test_other_width(tmp_path: Path) -> None:
    """In a narrower place entries go on below themselves, and the end is still in sight."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        await open_page(board, pilot, "5")
        await pilot.resize_terminal(60, 20)
        await settle(pilot)
        lines = text_of(board.app)
        assert all(len(line) <= 60 for line in lines)
        assert any("Agent-99 " in line for line in lines)

    play(tmp_path, story, answers={"log": Journal(99)})


def test_nothing_then_gone(tmp_path: Path) -> None:
    """An empty journal is said to be one; so is a daemon that is gone, until it is back."""
    journal = Journal(0)

    async def story(board: Board, pilot: Pilot[None]) -> None:
        await open_page(board, pilot, "5")
        assert any("Nothing was done yet." in line for line in text_of(board.app))
        board.answers.by_verb["log"] = NoDaemonError("no daemon is running", "toll up")
        assert "no daemon is running; toll up" in await grow(board, pilot, journal, 1)
        board.answers.by_verb["log"] = journal
        shown = await grow(board, pilot, journal, 1)
        assert ("Agent-2 " in shown, "no daemon" in shown) == (True, False)

    play(tmp_path, story, answers={"log": journal})


@pytest.mark.parametrize("count", [0, 5, 200], ids=["empty", "shorter", "longer"])
def test_another_journal(tmp_path: Path, count: int) -> None:
    """A journal that begins anew, since its ledger does, is shown from its first entry on."""
    journal = Journal(100)

    async def story(board: Board, pilot: Pilot[None]) -> None:
        await open_page(board, pilot, "5")
        journal.count, journal.begun = count, "2026-12-24"
        shown = await grow(board, pilot, journal, 0)
        assert ("Nothing was done yet." in shown) == (count == 0)
        assert (f"Agent-{count} " in shown) == (count > 0)
        assert "Agent-100 " not in shown
        assert f"Agent-{count + 1} " in await grow(board, pilot, journal, 1)

    play(tmp_path, story, answers={"log": journal})

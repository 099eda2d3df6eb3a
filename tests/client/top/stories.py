"""Stories that are told to a dashboard with the busy fleet, and how it should look after them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from tollkeeper.top.widgets.fleet import Fleet

from .fleet import busy
from .screens import Board, compare, settle, text_of

Story = Callable[[Board, Pilot[None]], Awaitable[None]]
SMALL, LARGE = (80, 24), (200, 60)
SIZES, SIZE_NAMES = [SMALL, LARGE], ["80x24", "200x60"]


def play(
    home: Path,
    story: Story,
    size: tuple[int, int] = SMALL,
    environment: dict[str, str] | None = None,
    answers: Mapping[str, Any] | None = None,
) -> None:
    """Show the busy fleet in a terminal of this size, with these answers by verb, and tell the story."""

    async def go() -> None:
        board = Board(home, **(environment or {}))
        board.answers.by_verb |= answers or {}
        async with asyncio.timeout(30), board.app.run_test(size=size, notifications=True) as pilot:
            try:
                board.says(busy())
                while chosen(board) is None:
                    await pilot.pause()
                await settle(pilot)
                await story(board, pilot)
            finally:
                board.silence.close()

    asyncio.run(go())


async def open_page(board: Board, pilot: Pilot[None], key: str) -> None:
    """Go to the page with this key, and wait until all of it is there."""
    await pilot.press(key)
    while board.app.page is not board.app.pages[int(key) - 1]:
        await pilot.pause()
    await settle(pilot)


def looks_as_kept(board: Board, page: str, size: tuple[int, int]) -> None:
    """The screen is the one that is kept (write it anew with TOLL_SNAPSHOTS=write, and look at it)."""
    compare(f"{page}-{size[0]}x{size[1]}", text_of(board.app))


def chosen(board: Board) -> str | None:
    """The name of the agent whose card is chosen."""
    agent = board.app.pages[0].query_one(Fleet).chosen
    return agent.name if agent else None

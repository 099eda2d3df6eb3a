"""The dashboard on a screen of its own: pages as they look, keys, the mouse, a daemon that goes."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from client.making import TIME, agent, status
from tollkeeper.model import Alert
from tollkeeper.paths import find_paths
from tollkeeper.top.widgets.fleet import Fleet

from .fleet import busy
from .screens import DATA, Board, settle, text_of
from .stories import SIZE_NAMES, SIZES, chosen, looks_as_kept, open_page, play


@pytest.mark.parametrize("size", SIZES, ids=SIZE_NAMES)
@pytest.mark.parametrize(("key", "page"), [("1", "agents"), ("2", "usage")])
def test_page(tmp_path: Path, key: str, page: str, size: tuple[int, int]) -> None:
    """Each page looks as it is kept."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        await open_page(board, pilot, key)
        looks_as_kept(board, page, size)

    play(tmp_path, story, size)


def test_burn_rate_from_the_books(tmp_path: Path) -> None:
    """The plot begins with the minutes that the daemon has in its books, and goes on from there."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        total = replace(busy().today.total, value_usd=busy().today.total.value_usd + 2.5)
        board.says(replace(busy(), today=replace(busy().today, total=total)))
        await open_page(board, pilot, "2")
        lines = text_of(board.app)
        assert "BURN RATE   $75.00/h by list price" in lines
        assert "31 min, the highest $3.50/min" in lines

    minutes = {"begins_at": "2026-11-22T09:00:00+00:00", "minutes": [1.0] * 31}
    play(tmp_path, story, (80, 40), answers={"burn": minutes})


def test_without_usage(tmp_path: Path) -> None:
    """Where the settings say so cards and the line on top show no usage, from the next change on."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        assert any("$1.25" in line for line in text_of(board.app))
        settings = find_paths({"TOLL_HOME": str(tmp_path)}).settings
        settings.parent.mkdir(parents=True)
        settings.write_text("[display]\nagent_cards = false\nstatus_bar = false\n")
        board.says(replace(busy(), sequence=busy().sequence + 1))
        await settle(pilot)
        lines = text_of(board.app)
        assert lines[0].startswith(" [🤖 5 agents | ⚠ 1 pending | ‖ 1 paused]")
        assert not any("$1.25" in line or "Session" in line for line in lines)
        assert any("Context: 62 %" in line for line in lines)

    play(tmp_path, story)


def test_keys_move(tmp_path: Path) -> None:
    """Arrows go from card to card, as do the letters, and no further than the last."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        seen = [chosen(board)]
        for key in ("right", "down", "left", "j", "l", "down", "home", "end", "k"):
            await pilot.press(key)
            seen.append(chosen(board))
        assert [each and each.removeprefix("Agent-") for each in seen] == [*"1243566164"]

    play(tmp_path, story)


def test_focus_stays_with_its_agent(tmp_path: Path) -> None:
    """Whoever has the focus keeps it when the order changes."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        await pilot.press("right")
        assert chosen(board) == "Agent-2"
        for _ in range(2):
            await pilot.press("o")
            await settle(pilot)
        assert "Agent-2" in text_of(board.app)[3].partition("╭")[0]
        assert chosen(board) == "Agent-2"

    play(tmp_path, story)


def test_who_goes_leaves_nobody_chosen(tmp_path: Path) -> None:
    """When the chosen agent goes a key hits no other one; an arrow chooses the one in its place."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        await pilot.press("right")
        left = tuple(each for each in busy().agents if each.name != "Agent-2")
        board.says(replace(busy(), agents=left))
        await settle(pilot)
        assert chosen(board) is None
        await pilot.press("p")
        await settle(pilot)
        assert any("Choose an agent first" in line for line in text_of(board.app))
        await pilot.press("right")
        assert chosen(board) == "Agent-3"

    play(tmp_path, story)


def test_unfolds(tmp_path: Path) -> None:
    """Enter shows the subagents and hides them; so does a second click."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        for folds in (lambda: pilot.press("enter"), lambda: pilot.click(Fleet, offset=(3, 3))):
            for is_shown in (True, False):
                await folds()
                await settle(pilot)
                assert is_shown == any("● analyst" in line for line in text_of(board.app))

    play(tmp_path, story)


def test_filter(tmp_path: Path) -> None:
    """A filter leaves those that match, and says how it ends; with Escape all are back."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        await pilot.press("slash", *"wait")
        await settle(pilot)
        assert "Escape: show all" in "\n".join(text_of(board.app))
        await pilot.press("enter")
        await settle(pilot)
        text = "\n".join(text_of(board.app))
        assert ("Agent-2" in text, "Agent-1" in text) == (True, False)
        assert chosen(board) == "Agent-2"
        await pilot.press("escape")
        await settle(pilot)
        assert "Agent-1" in "\n".join(text_of(board.app))

    play(tmp_path, story)


def test_stop_is_asked_twice(tmp_path: Path) -> None:
    """A stop is a question first, and Enter on it is no."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        await pilot.press("s")
        await settle(pilot)
        assert any("End Agent-1 (pid 100)?" in line for line in text_of(board.app))
        await pilot.press("enter")
        await settle(pilot)
        assert chosen(board) == "Agent-1"

    play(tmp_path, story)


def test_daemon_that_goes(tmp_path: Path) -> None:
    """Without a daemon the last state stays, and a line says so until it is back."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        board.says(None)
        await settle(pilot)
        lines = text_of(board.app)
        assert "No daemon answers" in lines[0]
        assert any("Agent-1" in line for line in lines)
        board.says(status(agent("other")))
        await settle(pilot)
        lines = text_of(board.app)
        assert "1 agent" in lines[0]
        assert not any("Agent-1" in line for line in lines)

    play(tmp_path, story)


@pytest.mark.parametrize("key", "123456")
def test_news_while_it_closes(tmp_path: Path, key: str) -> None:
    """What the daemon says while the dashboard is closed is of no use to anybody, and does no harm."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        await open_page(board, pilot, key)
        for number in range(100):
            board.says(status(agent(f"other-{number}")))

    play(tmp_path, story)


def test_keys_without_agents(tmp_path: Path) -> None:
    """Where there is no agent to choose keys do what they do, and go into no field that is hidden."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        board.says(status())
        await settle(pilot)
        for key in "212":
            await open_page(board, pilot, key)

    play(tmp_path, story)


def test_somebody_is_chosen(tmp_path: Path) -> None:
    """Whoever comes when nobody was there is chosen: keys do what they say."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        for names, expected in (("", None), ("ab", "a"), ("", None), ("abc", "a")):
            board.says(status(*map(agent, names)))
            await settle(pilot)
            assert chosen(board) == expected
        assert "Pause" in text_of(board.app)[-1]
        await pilot.press("slash", *"b", "enter")
        await settle(pilot)
        assert chosen(board) == "b"

    play(tmp_path, story)


def test_tabs_take_no_keys(tmp_path: Path) -> None:
    """A click on a tab opens its page, and one on the tab that is open leaves the keys where they are."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        for tab, page in ((12, 1), (2, 0), (2, 0)):
            await pilot.click(offset=(tab, 1))
            await settle(pilot)
            assert board.app.page is board.app.pages[page]
        assert chosen(board) == "Agent-1"
        assert "Pause" in text_of(board.app)[-1]

    play(tmp_path, story)


def test_alerts_pop_up(tmp_path: Path) -> None:
    """An alert that comes is shown over everything; those from before are not."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        assert not any("80 %" in line for line in text_of(board.app))
        news = Alert(time=TIME, kind="limited", text="The plan is [limited].")
        board.says(replace(busy(), alerts=(*busy().alerts, news)))
        await settle(pilot)
        assert any("The plan is [limited]." in line for line in text_of(board.app))

    play(tmp_path, story)


def test_help(tmp_path: Path) -> None:
    """The question mark lists the keys, and takes the list away."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        for is_shown in (True, False):
            await pilot.press("question_mark")
            await settle(pilot)
            assert is_shown == bool(board.app.screen.query("HelpPanel"))

    play(tmp_path, story)


@pytest.mark.parametrize(
    "environment",
    [{"COLORTERM": "", "TERM": "xterm"}, {"TERM": "xterm-256color"}],
    ids=["16 colours", "256 colours"],
)
def test_few_colours(tmp_path: Path, environment: dict[str, str]) -> None:
    """With the terminal's own colours everything reads the same."""

    async def story(board: Board, pilot: Pilot[None]) -> None:
        assert board.app.ansi_color == (environment["TERM"] == "xterm")
        kept = (DATA / "agents-80x24.txt").read_text()
        assert kept == "\n".join(text_of(board.app)) + "\n"

    play(tmp_path, story, environment=environment)

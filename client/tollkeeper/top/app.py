"""The dashboard: pages, keys, and a thread that follows the daemon."""

import asyncio
import gc
import os
import signal
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TabbedContent, TabPane, Tabs

from tollkeeper import segment
from tollkeeper.cli import words
from tollkeeper.display import DisplayFile
from tollkeeper.errors import TollError
from tollkeeper.feed import Feed
from tollkeeper.following import Source, follow
from tollkeeper.model import Alert, Status
from tollkeeper.paths import Paths
from tollkeeper.top.answers import Minutes
from tollkeeper.top.burn import MINUTES, Burn
from tollkeeper.top.calls import Call, Calls
from tollkeeper.top.deeds import Deeds
from tollkeeper.top.keyboard import Keyboard
from tollkeeper.top.pages.agents import AgentsPage
from tollkeeper.top.pages.history import HistoryPage
from tollkeeper.top.pages.log import LogPage
from tollkeeper.top.pages.page import Page
from tollkeeper.top.pages.settings import SettingsPage
from tollkeeper.top.pages.usage import UsagePage
from tollkeeper.top.pages.workflows import WorkflowsPage
from tollkeeper.top.widgets.board import Board
from tollkeeper.top.widgets.key_line import KeyLine
from tollkeeper.top.widgets.lines import Lines

# A change is shown at once, and the next one not before.
PAUSE_SECONDS = 0.4
# Ages move on when nothing happens.
SILENCE_SECONDS = 5.0
GONE = "No daemon answers. Waiting for it to come back; start it with: toll up"
# Garbage is looked for between keys, and not in the midst of what one of them began.
COLLECT_SECONDS = 5.0
ENDING = (signal.SIGTERM, signal.SIGHUP)
# Alerts that are older were told before the dashboard was opened.
MOST_TOASTS = 3


def local_now() -> datetime:
    """The time here."""
    return datetime.now().astimezone()


class StatusCame(Message):
    """The state of everything is this now; None while no daemon answers."""

    def __init__(self, status: Status | None) -> None:
        super().__init__()
        self.status = status


class Dashboard(App[None]):
    """What ``toll top`` shows. It survives a daemon that goes away and comes back."""

    TITLE = "Tollkeeper"
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None
    CSS = """
    #line { height: 1; background: $panel; padding: 0 1; }
    #line.-gone { background: $error; color: $text; }
    TabbedContent { height: 1fr; }
    TabPane { padding: 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("ctrl+c", "quit", "Quit", show=False, priority=True),
        Binding("question_mark", "help", "Help", key_display="?"),
    ]

    def __init__(
        self,
        paths: Paths,
        environment: Mapping[str, str] = os.environ,
        feed: Callable[[Paths], AbstractContextManager[Source]] = Feed,
        now: Callable[[], datetime] = local_now,
        call: Call | None = None,
    ) -> None:
        super().__init__(driver_class=Keyboard, ansi_color=has_few_colours(environment))
        # To slide along the tabs draws the screen twenty times for one key.
        self.animation_level = "none"
        self._paths = paths
        self._feed = feed
        self._now = now
        self._stopping = threading.Event()
        self._burn = Burn()
        self._filled_by: tuple[str, bool] | None = None
        self._wanted = DisplayFile(paths.settings)
        self._status: Status | None = None
        self._told: tuple[Alert, ...] | None = None
        # Kept, since a question on top of them hides them from queries.
        self._line = Lines(id="line")
        self._tabs = TabbedContent()
        deeds = Deeds(paths)
        self._call = call = call or Calls(paths)
        self.pages: tuple[Page, ...] = (
            AgentsPage(deeds, self._burn, now, self._wanted),
            UsagePage(self._burn),
            HistoryPage(call, now),
            WorkflowsPage(call, now),
            LogPage(call, now),
            SettingsPage(paths),
        )

    def get_default_screen(self) -> Board:
        return Board()

    def compose(self) -> ComposeResult:
        yield self._line
        with self._tabs:
            for number, page in enumerate(self.pages, 1):
                with TabPane(f"{number} {page.title}", id=f"page-{number}"):
                    yield page
        yield KeyLine(id="keys")

    def on_mount(self) -> None:
        # A click on the tab that is open must not take the keys away from its page.
        self._tabs.query_one(Tabs).can_focus = False
        for number in range(1, len(self.pages) + 1):
            self.bind(str(number), f"open({number})", show=False)
        # Whoever is told to end gives the terminal back first.
        for number in ENDING:
            asyncio.get_running_loop().add_signal_handler(number, self.exit)
        self.set_interval(COLLECT_SECONDS, lambda: gc.collect())
        self._line.show([Text("Asking the daemon …")])
        self._follow()

    def on_unmount(self) -> None:
        for number in ENDING:
            asyncio.get_running_loop().remove_signal_handler(number)
        self._stopping.set()

    @work(thread=True)
    def _follow(self) -> None:
        with self._feed(self._paths) as feed:
            follow(feed, self._tell, self._stopping, PAUSE_SECONDS, SILENCE_SECONDS)

    def _tell(self, status: Status | None) -> None:
        self.post_message(StatusCame(status))

    @on(StatusCame)
    async def _came(self, event: StatusCame) -> None:
        if not self.is_running:
            # It closes: messages that wait are still handed out, and the pages are empty by now.
            return
        self._line.set_class(event.status is None, "-gone")
        if event.status is None:
            self._line.show([Text(GONE)])
            return
        self._status = event.status
        self._burn.note(event.status, self._now().timestamp())
        self._fill_burn(event.status)
        self._line.show([self._headline(event.status)])
        self._toast(event.status.alerts)
        await self.page.show(event.status)

    def _fill_burn(self, status: Status) -> None:
        """Ask each daemon for what was before, and anew once it has read the history."""
        basis = (status.daemon.started_at, status.daemon.importing is None)
        if basis != self._filled_by:
            self._filled_by = basis
            self._ask_minutes()

    @work
    async def _ask_minutes(self) -> None:
        with suppress(TollError):
            answer = await self._call("burn", Minutes, minutes=MINUTES)
            self._burn.fill(answer["begins_at"].timestamp(), answer["minutes"])

    @property
    def page(self) -> Page:
        """The page that is seen."""
        return self.pages[int(self._tabs.active.removeprefix("page-")) - 1]

    def _headline(self, status: Status) -> Text:
        now = self._now()
        said = segment.render(status, self._wanted.look().line, "plain", now).strip()
        clock = f"{now:%H:%M}"
        room = max(self.size.width - 2 - len(clock), 1)
        line = Text(words.plain(said))
        line.truncate(room - 1, overflow="ellipsis")
        line.append(" " * max(room - line.cell_len, 1) + clock, style="dim")
        return line

    def _toast(self, alerts: tuple[Alert, ...]) -> None:
        """Show the alerts that came since the last time."""
        known, self._told = self._told, alerts
        if known is not None:
            for alert in [each for each in alerts if each not in known][-MOST_TOASTS:]:
                self.notify(words.plain(alert.text), severity="warning", markup=False)

    def action_open(self, number: int) -> None:
        """Show this page."""
        if self.page is not self.pages[number - 1]:
            # Drawn once: to move the focus draws the whole screen anew.
            with self.batch_update():
                self._tabs.active = f"page-{number}"
                self.page.take_focus()

    @on(TabbedContent.TabActivated)
    async def _opened(self) -> None:
        if not self.is_running:
            return
        self.page.take_focus()
        # What it showed last is seen first: to draw all that has changed since takes longer.
        self.call_after_refresh(self._catch_up, self.page)

    async def _catch_up(self, page: Page) -> None:
        if not self.is_running or page is not self.page:
            return
        await page.open()
        if self._status:
            await page.show(self._status)

    def action_help(self) -> None:
        """Show every key, or hide them."""
        if self.screen.query("HelpPanel"):
            self.action_hide_help_panel()
        else:
            self.action_show_help_panel()


def has_few_colours(environment: Mapping[str, str]) -> bool:
    """Whether the terminal is known to have sixteen colours: then its own are used."""
    if environment.get("COLORTERM") in ("truecolor", "24bit"):
        return False
    return "256" not in environment.get("TERM", "")

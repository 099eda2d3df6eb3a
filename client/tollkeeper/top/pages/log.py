"""The journal as it grows: what limits and people did to agents."""

from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any

from rich.text import Text
from textual.app import ComposeResult

from tollkeeper.top.answers import Log
from tollkeeper.top.calls import Call
from tollkeeper.top.drawing.journal import lines_of
from tollkeeper.top.pages.asking_page import AskingPage
from tollkeeper.top.widgets.lines import Lines
from tollkeeper.top.widgets.roll import Roll

Figures = dict[str, Any]

# The latest so many are kept.
MOST = 2_000
NOTHING = "Nothing was done yet."


class LogPage(AskingPage):
    """Entries of the journal, the newest at the bottom; who stands there sees those that come."""

    title = "Log"
    anew_seconds = 1.0

    def __init__(self, call: Call, now: Callable[[], datetime]) -> None:
        super().__init__(call, now)
        self._is_known = False
        self._entries: deque[Figures] = deque(maxlen=MOST)
        # The lines of each entry, for this width.
        self._drawn: deque[list[Text]] = deque(maxlen=MOST)
        self._width = 0
        self._above = Lines(id="log-above")
        self._roll = Roll()

    def compose(self) -> ComposeResult:
        yield self._above
        yield self._roll

    async def fetch(self) -> None:
        known = self._entries[-1] if self._entries else None
        entries = await self._read(known["number"] - 1 if known else 0)
        if known and entries[:1] == [known]:
            entries = entries[1:]
        elif known:
            # A ledger that was begun anew, or more came than is kept.
            entries = await self._read(0)
            self._entries.clear()
            self._drawn.clear()
        self._is_known = True
        for entry in entries:
            self._entries.append(entry)
            self._drawn.append(lines_of(entry, self._width))

    async def _read(self, after: int) -> list[Figures]:
        answer: Figures = await self.call("log", Log, after=after, last=MOST)
        return answer["entries"]

    def draw(self) -> None:
        width = self._roll.room
        if not width:
            return
        if width != self._width:
            self._width = width
            self._drawn = deque((lines_of(each, width) for each in self._entries), maxlen=MOST)
        count = len(self._entries)
        told = f"   the latest {count:,} entries" if count > 1 else ""
        above = [Text("LOG", style="bold").append(told, style="not bold")]
        if self.trouble:
            above.append(self.trouble)
        if self._is_known and not count:
            above.append(Text(NOTHING, style="dim"))
        self._above.show(above)
        self._roll.show([line for lines in self._drawn for line in lines], follow=True)

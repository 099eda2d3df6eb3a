"""What was used so far: by day, week or month, as a plot and as a table."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tollkeeper.model import Importing
from tollkeeper.top.answers import Daily, Earlier, Monthly, Weekly
from tollkeeper.top.calls import Call
from tollkeeper.top.drawing.history import (
    DAYS,
    MONTHS,
    SPLITS,
    WEEKS,
    Figures,
    Period,
    heading,
    lines_before,
    plot_lines,
    table_lines,
)
from tollkeeper.top.pages.asking_page import AskingPage
from tollkeeper.top.widgets.lines import Lines
from tollkeeper.top.widgets.roll import Roll

KINDS: dict[str, type[Any]] = {"daily": Daily, "weekly": Weekly, "monthly": Monthly}
NOTHING = "Nothing was used so far."
# Rows of the plot, and from how many rows of the page on it is the large one.
SMALL_PLOT, LARGE_PLOT, TALL = 4, 12, 36


class HistoryPage(AskingPage):
    """Days, weeks and months, the newest first, each split by what was chosen."""

    title = "History"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "period('d')", "Days"),
        Binding("w", "period('w')", "Weeks"),
        Binding("m", "period('m')", "Months"),
        Binding("b", "split", "Split by"),
    ]
    PERIODS: ClassVar[dict[str, Period]] = {"d": DAYS, "w": WEEKS, "m": MONTHS}

    def __init__(self, call: Call, now: Callable[[], datetime]) -> None:
        super().__init__(call, now)
        self._period = DAYS
        self._split: str | None = None
        # What is shown: the answer, and what it was asked by.
        self._shown: tuple[Period, str | None, Figures] | None = None
        self._above = Lines(id="history-above")
        self._table = Roll()

    def compose(self) -> ComposeResult:
        yield self._above
        yield self._table

    async def fetch(self) -> Importing | None:
        period, split = self._period, self._split
        params = {"by": [split]} if split else {}
        answer: Figures = await self.call(
            period.verb, KINDS[period.verb], order="desc", last=period.last, brief=True, **params
        )
        importing: Importing | None = answer.get("importing")
        if period is DAYS and not importing:
            answer |= await self.call("earlier", Earlier)
        self._shown = (period, split, answer)
        return importing

    def draw(self) -> None:
        width = self._table.room
        if not width:
            return
        if self._shown is None or self._shown[:2] != (self._period, self._split):
            told = heading(self._period, self._split, None, width)
            if not self.trouble:
                told.append("   asking …")
            self._above.show([told, *self._troubles()])
            self._table.show([])
            return
        period, split, answer = self._shown
        lines = [heading(period, split, answer, width), *self._troubles()]
        height = LARGE_PLOT if self.size.height >= TALL else SMALL_PLOT
        table = table_lines(period, split, answer, width)
        if table:
            lines += [*plot_lines(period, answer[period.verb], width, height), Text(""), table[0]]
        else:
            lines.append(Text(NOTHING, style="dim"))
        self._above.show(lines)
        self._table.show([*table[1:], *lines_before(answer, width)])

    def _troubles(self) -> list[Text]:
        return [self.trouble] if self.trouble else []

    def action_period(self, key: str) -> None:
        """Show days, weeks or months."""
        self._period = self.PERIODS[key]
        self._ask_anew()

    def action_split(self) -> None:
        """Split each line by something else."""
        self._split = SPLITS[(SPLITS.index(self._split) + 1) % len(SPLITS)]
        self._ask_anew()

    def _ask_anew(self) -> None:
        self.look()
        self.draw()

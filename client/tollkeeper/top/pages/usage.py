"""The usage summary over the whole screen, with the burn rate as large as there is room."""

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll

from tollkeeper.model import Status
from tollkeeper.top.burn import Burn
from tollkeeper.top.drawing.summary import PLOT_HEIGHT, summary
from tollkeeper.top.pages.page import Page
from tollkeeper.top.widgets.lines import Lines

HIGHEST_PLOT = 16


class UsagePage(Page):
    """Plans, what is billed, the rate, and each agent's part."""

    title = "Usage"

    def __init__(self, burn: Burn) -> None:
        super().__init__()
        self._burn = burn
        self._status: Status | None = None

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Lines(id="usage")

    async def show(self, status: Status) -> None:
        self._status = status
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        width = self.size.width - 2
        if self._status and width > 0:
            lines = self._lines(self._status, width, PLOT_HEIGHT)
            spare = self.size.height - len(lines)
            if spare > 0:
                lines = self._lines(self._status, width, min(PLOT_HEIGHT + spare, HIGHEST_PLOT))
            self.query_one("#usage", Lines).show(lines)

    def _lines(self, status: Status, width: int, plot_height: int) -> list[Text]:
        return summary(status, width, self._burn.minutes, self._burn.per_hour, plot_height)

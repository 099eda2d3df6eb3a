"""The workflows, the dearest or the latest first, and the stages of the one that is looked at."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tollkeeper.model import Importing
from tollkeeper.top.answers import Shown, Top
from tollkeeper.top.calls import Call
from tollkeeper.top.drawing import stages, workflows
from tollkeeper.top.drawing.workflows import Rank, rank_after, ranked
from tollkeeper.top.pages.asking_page import AskingPage
from tollkeeper.top.widgets.lines import Lines
from tollkeeper.top.widgets.roll import Roll

Figures = dict[str, Any]

MOST = 500
NOTHING = "Nothing is known of any workflow."
NOTHING_OF = "No workflow comes to anything by this measure. Another one: o"


class WorkflowsPage(AskingPage):
    """A list to choose from; Enter shows the stages of the chosen one, Escape the list again."""

    title = "Workflows"
    anew_seconds = 1.5

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "enter", "Stages"),
        Binding("o", "rank", "Sort"),
        Binding("escape", "back", "Back"),
    ]

    def __init__(self, call: Call, now: Callable[[], datetime]) -> None:
        super().__init__(call, now)
        self._rank: Rank = "value"
        self._top: Figures | None = None
        self._listed: list[Figures] = []
        self._chosen: str | None = None
        # What the lines in the roll stand for.
        self._in_roll: list[Figures] = []
        # The workflow whose stages are looked at; the empty name is work of none.
        self._entered: str | None = None
        self._shown: Figures | None = None
        self._above = Lines(id="workflows-above")
        self._roll = Roll()

    def compose(self) -> ComposeResult:
        yield self._above
        yield self._roll

    async def fetch(self) -> Importing | None:
        if self._entered is not None:
            answer: Figures = await self.call("workflow.show", Shown, workflow=self._entered)
            self._shown = answer
            return answer.get("importing")
        by = "value" if self._rank == "latest" else self._rank
        answer = await self.call("workflow.top", Top, by=by, last=MOST)
        self._top, self._listed = answer, ranked(answer["workflows"], self._rank)
        return answer.get("importing")

    def _remember(self) -> None:
        """Whichever is chosen stays so, wherever it is in the next list."""
        if self._roll.chosen is not None:
            self._chosen = self._in_roll[self._roll.chosen]["workflow"] or ""

    def draw(self) -> None:
        self._remember()
        width = self._roll.room
        if width and self._entered is None:
            self._draw_list(width)
        elif width:
            self._draw_stages(width)

    def _draw_list(self, width: int) -> None:
        above = [workflows.heading(self._rank, self._top, width), *self._troubles()]
        table = workflows.table_lines(self._listed, self.now().tzinfo, width)
        if self._listed:
            above.append(table[0])
        elif self._top:
            is_any = self._top["totals"]["workflows"]
            above.append(Text(NOTHING_OF if is_any else NOTHING, style="dim"))
        self._above.show(above)
        names = [each["workflow"] or "" for each in self._listed]
        chosen = names.index(self._chosen) if self._chosen in names else 0
        self._in_roll = self._listed
        self._roll.show(table[1:], chosen if names else None)

    def _draw_stages(self, width: int) -> None:
        self._in_roll = []
        if self._shown is None:
            self._above.show(self._troubles() or [Text("Asking …", style="dim")])
            self._roll.show([])
            return
        above = stages.heading(self._shown, self.now().tzinfo, width)
        table = stages.table_lines(self._shown, width)
        self._above.show([*above, *self._troubles(), table[0]])
        self._roll.show(table[1:])

    def _troubles(self) -> list[Text]:
        return [self.trouble] if self.trouble else []

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what can be done now is among the keys."""
        if action == "back":
            return self._entered is not None
        return self._entered is None if action in ("enter", "rank") else True

    @on(Roll.Picked)
    def action_enter(self) -> None:
        """Show the stages of the chosen one."""
        self._remember()
        if self._listed:
            self._enter(self._chosen)

    def action_back(self) -> None:
        """Show the list again."""
        self._enter(None)

    def _enter(self, workflow: str | None) -> None:
        self._entered, self._shown, self.trouble = workflow, None, None
        self.refresh_bindings()
        self.look()
        self.draw()

    def action_rank(self) -> None:
        """Sort by something else."""
        self._rank = rank_after(self._rank)
        self.look()
        self.draw()

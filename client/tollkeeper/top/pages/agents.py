"""The agents: a card for each, and beside them the summary where there is room."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Input

from tollkeeper.cli import words
from tollkeeper.display import DisplayFile
from tollkeeper.model import Agent, Status
from tollkeeper.outcomes import Came
from tollkeeper.top.burn import Burn
from tollkeeper.top.deeds import Deeds
from tollkeeper.top.drawing.summary import summary
from tollkeeper.top.pages.page import Page
from tollkeeper.top.widgets.fleet import Fleet
from tollkeeper.top.widgets.lines import Lines
from tollkeeper.top.widgets.questions import Form, Question

# From here on the summary stands beside the cards, as wide as leaves room for a scroll bar.
WIDE = 124
SIDE = 44
USUAL_USD = "5"


class AgentsPage(Page):
    """The fleet, and what can be done to each agent of it."""

    title = "Agents"

    DEFAULT_CSS = """
    AgentsPage Horizontal { height: 1fr; }
    AgentsPage #side { width: 48; border-left: solid $foreground 30%; padding: 0 0 0 1; }
    AgentsPage { layers: cards above; }
    AgentsPage #filter { layer: above; dock: bottom; display: none; height: 3; border-subtitle-align: left; }
    AgentsPage #filter.-open { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", "Pause"),
        Binding("r", "resume", "Resume"),
        Binding("s", "stop", "Stop"),
        Binding("b", "budget", "Add $"),
        Binding("t", "label", "Label"),
        Binding("slash", "filter", "Find", key_display="/"),
        Binding("escape", "clear_filter", "Show all", show=False),
    ]

    def __init__(
        self, deeds: Deeds, burn: Burn, now: Callable[[], datetime], display: DisplayFile
    ) -> None:
        super().__init__()
        self._now = now
        self._deeds = deeds
        self._burn = burn
        self._wanted = display
        self._status: Status | None = None

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Fleet(self._now, self._wanted)
            with VerticalScroll(id="side", can_focus=False):
                yield Lines(id="summary")
        field = Input(placeholder="words that a card must have", id="filter")
        field.border_subtitle = "Enter: keep  Escape: show all"
        yield field

    @property
    def fleet(self) -> Fleet:
        """The cards."""
        return self.query_one(Fleet)

    async def show(self, status: Status) -> None:
        self._status = status
        self._show_side()
        self.fleet.show(status.agents)

    def on_resize(self) -> None:
        self._show_side()

    def _show_side(self) -> None:
        side = self.query_one("#side")
        side.display = self.screen.size.width >= WIDE
        if side.display and self._status:
            lines = summary(self._status, SIDE, self._burn.minutes, self._burn.per_hour)
            self.query_one("#summary", Lines).show(lines)

    # What is done to the chosen one.

    def action_pause(self) -> None:
        """Freeze it."""
        self._do(self._deeds.pause)

    def action_resume(self) -> None:
        """Let it go on."""
        self._do(self._deeds.resume)

    @work
    async def action_stop(self) -> None:
        """End it, once that was said twice."""
        agent = self._chosen()
        if agent is None:
            return
        question = f"End {words.plain(agent.name)} (pid {agent.pid})? What it does now is lost."
        if await self.ask(Question(question, "End it")):
            self._tell(Came(f"{words.plain(agent.name)} is told to end."))
            self._tell(await self._deeds.stop(agent))

    @work
    async def action_budget(self) -> None:
        """Let it go on with more budget."""
        agent = self._chosen()
        if agent is None:
            return
        form = Form(
            f"More budget for {words.plain(agent.name)}",
            {"dollars": USUAL_USD},
            "What holds it is raised, so that so much is left. Enter: add. Escape: cancel.",
            _no_dollars,
        )
        answer = await self.ask(form)
        if answer and (dollars := as_dollars(answer["dollars"])):
            self._tell(await self._deeds.resume(agent, dollars))

    @work
    async def action_label(self) -> None:
        """Say which work it does."""
        agent = self._chosen()
        if agent is None:
            return
        form = Form(
            f"The work of {words.plain(agent.name)}, from now on",
            {
                "workflow": agent.workflow or "",
                "task": agent.task or "",
                "stage": agent.stage or "",
            },
            "Enter: say so. Empty: as it is told elsewhere. Escape: cancel.",
        )
        answer = await self.ask(form)
        if answer is not None:
            self._tell(await self._deeds.label(agent, answer))

    @work
    async def _do(self, deed: Callable[[Agent], Awaitable[Came]]) -> None:
        if agent := self._chosen():
            self._tell(await deed(agent))

    def _chosen(self) -> Agent | None:
        chosen = self.fleet.chosen
        if chosen is None:
            self._tell(Came("Choose an agent first: arrows or a click", is_error=True))
        return chosen

    def _tell(self, came: Came) -> None:
        self.notify(came.text, severity="error" if came.is_error else "information", markup=False)

    # The filter.

    def action_filter(self) -> None:
        """Type what is sought."""
        field = self.query_one("#filter", Input)
        field.add_class("-open")
        field.focus()

    @on(Input.Changed, "#filter")
    def _seek(self, event: Input.Changed) -> None:
        self.fleet.seek(event.value)

    @on(Input.Submitted, "#filter")
    def _sought(self, event: Input.Submitted) -> None:
        if not event.value:
            event.input.remove_class("-open")
        self.fleet.take_over()

    def action_clear_filter(self) -> None:
        """Show all agents again."""
        field = self.query_one("#filter", Input)
        field.value = ""
        field.remove_class("-open")
        self.fleet.take_over()


def _no_dollars(filled: Mapping[str, str]) -> str:
    text = filled["dollars"]
    return f"{text!r} is no amount of dollars." if as_dollars(text) is None else ""


def as_dollars(text: str) -> float | None:
    """The amount that was typed; None when it is none that could be added."""
    try:
        dollars = float(text.removeprefix("$").replace(",", ""))
    except ValueError:
        return None
    return dollars if 0 < dollars <= 1e9 else None

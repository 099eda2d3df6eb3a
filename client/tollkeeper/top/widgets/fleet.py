"""The agents as cards, in as many columns as there is room for."""

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.events import Resize
from textual.widgets import Static

from tollkeeper.display import DisplayFile
from tollkeeper.model import Agent
from tollkeeper.top.drawing.cards import card
from tollkeeper.top.drawing.order import Order, after, arranged
from tollkeeper.top.widgets.card_view import CardView

LEAST_WIDTH = 39
FRAME = 4
# What the scroll bar takes.
SCROLL = 1
NOBODY = "No agent is running. Start one with: claude"
NO_MATCH = "No agent matches the filter. Escape clears it."


class Fleet(VerticalScroll):
    """All cards. An agent keeps the focus wherever it is moved to."""

    DEFAULT_CSS = """
    Fleet { layout: grid; grid-rows: auto; grid-gutter: 0 0; scrollbar-size-vertical: 1; }
    Fleet > .nobody { column-span: 9; padding: 1 2; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(0, 1)", "Down", show=False),
        Binding("up,k", "move(0, -1)", "Up", show=False),
        Binding("right,l", "move(1, 0)", "Right", show=False),
        Binding("left,h", "move(-1, 0)", "Left", show=False),
        Binding("home", "move_to(0)", "First", show=False),
        Binding("end", "last", "Last", show=False),
        Binding("enter,space", "unfold", "Subagents", show=False),
        Binding("o", "order", "Sort"),
    ]

    def __init__(self, now: Callable[[], datetime], display: DisplayFile) -> None:
        super().__init__(can_focus=False)
        self._now = now
        self._wanted = display
        self._nobody = Static(NOBODY, classes="nobody")
        self.order: Order = "started"
        self.sought = ""
        self._agents: tuple[Agent, ...] = ()
        self._shown: list[Agent] = []
        self._cards: list[CardView] = []
        self._unfolded: set[str] = set()
        self._drawn: dict[str, tuple[object, ...]] = {}

    def compose(self) -> ComposeResult:
        yield self._nobody

    @property
    def chosen(self) -> Agent | None:
        """The agent whose card has the focus."""
        view = self.screen.focused
        if not isinstance(view, CardView) or view.card is None:
            return None
        return next((each for each in self._shown if each.id == view.card.agent), None)

    @property
    def columns(self) -> int:
        """How many cards stand beside each other."""
        return max(self.size.width // LEAST_WIDTH, 1)

    async def show(self, agents: tuple[Agent, ...]) -> None:
        """Show these agents."""
        chosen = self.chosen
        self._agents = agents
        self._shown = arranged(agents, self.order, self.sought)
        await self._make_room(len(self._shown))
        self._nobody.display = not self._shown
        if not self._shown:
            self._nobody.update(NO_MATCH if agents else NOBODY)
        self.draw()
        self._keep(chosen)

    def draw(self) -> None:
        """Bring the cards up to date; ages move on by themselves."""
        if not self.size.width:
            return
        now, with_usage = self._now(), self._wanted.look().agent_cards
        width = (self.size.width - SCROLL) // self.columns - FRAME
        for view, agent in zip(self._cards, self._shown, strict=True):
            # A card changes with its agent, and with each minute.
            basis = (agent, now.timestamp() // 60, width, agent.id in self._unfolded, with_usage)
            if view.card is None or view.card.agent != agent.id or basis != self._basis(view):
                self._drawn[agent.id] = basis
                view.show(card(agent, now, width, agent.id in self._unfolded, with_usage))

    def _basis(self, view: CardView) -> tuple[object, ...] | None:
        return self._drawn.get(view.card.agent) if view.card else None

    async def _make_room(self, count: int) -> None:
        """As many places as there are agents."""
        if more := [CardView() for _ in range(count - len(self._cards))]:
            self._cards += more
            await self.mount_all(more)
        gone, self._cards = self._cards[count:], self._cards[:count]
        for view in gone:
            if view.has_focus:
                # Else it would go to the tabs, where no key is about an agent.
                last = self._cards[-1] if self._cards else None
                self.screen.set_focus(last, scroll_visible=False)
            await view.remove()
        self._drawn = {
            each.id: self._drawn[each.id] for each in self._shown if each.id in self._drawn
        }

    def _keep(self, chosen: Agent | None) -> None:
        """Leave the focus with the agent that has it."""
        if chosen is None:
            return
        for view in self._cards:
            if view.card and view.card.agent == chosen.id and not view.has_focus:
                view.focus(scroll_visible=False)

    def on_resize(self, event: Resize) -> None:
        self.styles.grid_size_columns = self.columns
        self.draw()

    def action_move(self, right: int, down: int) -> None:
        """Go to the next card in this direction."""
        at = self._at
        self.action_move_to(0 if at is None else at + right + down * self.columns)

    def action_move_to(self, index: int) -> None:
        """Go to this card, if there is one."""
        if 0 <= index < len(self._cards):
            self._cards[index].focus(scroll_visible=False)
            self._cards[index].scroll_visible(animate=False)

    def action_last(self) -> None:
        """Go to the last card."""
        self.action_move_to(len(self._cards) - 1)

    @property
    def _at(self) -> int | None:
        focused = self.screen.focused
        return self._cards.index(focused) if isinstance(focused, CardView) else None

    async def action_order(self) -> None:
        """Sort by something else."""
        self.order = after(self.order)
        await self.show(self._agents)
        self.notify(f"Sorted by {self.order}")

    def action_unfold(self) -> None:
        """Show the subagents of the chosen one, or hide them."""
        if chosen := self.chosen:
            self._unfold(chosen.id)

    @on(CardView.Unfolded)
    def _clicked(self, event: CardView.Unfolded) -> None:
        self._unfold(event.agent)

    def _unfold(self, agent: str) -> None:
        self._unfolded ^= {agent}
        self.draw()

    async def seek(self, sought: str) -> None:
        """Show only those in which these words are found."""
        self.sought = sought
        await self.show(self._agents)

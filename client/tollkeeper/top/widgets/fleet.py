"""The agents as cards, in as many columns as there is room for."""

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tollkeeper.display import DisplayFile
from tollkeeper.model import Agent
from tollkeeper.top.drawing.cards import Card, card
from tollkeeper.top.drawing.grid import Grid
from tollkeeper.top.drawing.order import Order, after, arranged
from tollkeeper.top.widgets.box import boxed
from tollkeeper.top.widgets.strips import strip_of

LEAST_WIDTH = 39
FRAME = 4
# What the scroll bar takes.
SCROLL = 1
NOBODY = "No agent is running. Start one with: claude"
NO_MATCH = "No agent matches the filter. Escape clears it."
FAINT = Style(dim=True)


class Fleet(ScrollView, can_focus=True):
    """All cards, drawn as one: a card that changes costs its own lines. One of them is chosen."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "fleet--working",
        "fleet--waiting",
        "fleet--paused",
        "fleet--blocked",
        "fleet--idle",
        "fleet--exited",
        "fleet--chosen",
        "fleet--nobody",
    }
    DEFAULT_CSS = """
    Fleet { width: 1fr; height: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; }
    Fleet > .fleet--working { color: $success; }
    Fleet > .fleet--waiting { color: $warning; }
    Fleet > .fleet--paused, Fleet > .fleet--blocked { color: $error; }
    Fleet > .fleet--idle { color: $foreground 40%; }
    Fleet > .fleet--exited { color: $foreground 20%; }
    Fleet > .fleet--chosen { color: $primary; }
    Fleet > .fleet--nobody { color: $text-muted; }
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
        super().__init__()
        self._now = now
        self._wanted = display
        self.order: Order = "started"
        self.sought = ""
        self._agents: tuple[Agent, ...] = ()
        self._shown: list[Agent] = []
        self._cards: list[Card] = []
        self._grid = Grid()
        self._chosen = ""
        # Where the keys go on from: the place of the chosen one, or of one that has gone.
        self._at = 0
        self._unfolded: set[str] = set()
        self._drawn: list[tuple[object, ...]] = []
        # The lines of each card, and of each row, that was drawn, and for which room.
        self._boxes: dict[int, tuple[tuple[int, int], list[Strip]]] = {}
        self._rows: dict[int, tuple[int, list[Strip]]] = {}

    @property
    def chosen(self) -> Agent | None:
        """The agent whose card is chosen, if it is shown."""
        return next((each for each in self._shown if each.id == self._chosen), None)

    @property
    def columns(self) -> int:
        """How many cards stand beside each other."""
        return max(self.size.width // LEAST_WIDTH, 1)

    def show(self, agents: tuple[Agent, ...]) -> None:
        """Show these agents."""
        self._agents = agents
        self._shown = arranged(agents, self.order, self.sought)
        ids = [each.id for each in self._shown]
        if self._chosen in ids:
            self._at = ids.index(self._chosen)
        elif not ids:
            # Whoever comes after all had gone is the first again.
            self._chosen = ""
        self.draw()

    def take_over(self) -> None:
        """Let the keys go to the cards, of which one is chosen."""
        self.focus(scroll_visible=False)
        if self.chosen is None:
            self.action_move_to(0)

    def draw(self) -> None:
        """Bring the cards up to date; ages move on by themselves."""
        if not self.size.width:
            return
        now, columns = self._now(), self.columns
        with_usage = self._wanted.look().agent_cards
        width = (self.size.width - SCROLL) // columns - FRAME
        before, drawn = self._cards, self._drawn
        # A card changes with its agent, and with each minute.
        self._drawn = [
            (agent, now.timestamp() // 60, width, agent.id in self._unfolded, with_usage)
            for agent in self._shown
        ]
        self._cards = [
            before[at]
            if at < len(drawn) and drawn[at] == self._drawn[at]
            else card(agent, now, width, agent.id in self._unfolded, with_usage)
            for at, agent in enumerate(self._shown)
        ]
        grid = Grid.of([len(each.lines) + 2 for each in self._cards], columns)
        if grid != self._grid or not self._cards:
            self._lay_out(grid)
        else:
            for at, (old, new) in enumerate(zip(before, self._cards, strict=True)):
                if old is not new and old != new:
                    self._redraw(at)
        if not self._chosen:
            self.action_move_to(0)

    def _lay_out(self, grid: Grid) -> None:
        self._grid = grid
        self._boxes.clear()
        self._rows.clear()
        self.virtual_size = Size(1, grid.height)
        self.refresh()

    def _redraw(self, at: int) -> None:
        """Draw this card anew, and nothing else."""
        self._boxes.pop(at, None)
        self._rows.pop(at // self._grid.columns, None)
        top, height = self._grid.span_of(at)
        left, right = self._grid.edge(at, self._room)
        self.refresh(Region(left, top - self.scroll_offset.y, right - left, height))

    @property
    def _room(self) -> int:
        return self.scrollable_content_region.width

    def render_line(self, y: int) -> Strip:
        line, room = y + self.scroll_offset.y, self._room
        if not self._cards:
            return self._nobody(line, room)
        cards, at = self._grid.row_at(line)
        return self._row(cards, room)[at] if cards else Strip.blank(room, self.rich_style)

    def _nobody(self, line: int, room: int) -> Strip:
        told = Text(f"  {NO_MATCH if self._agents else NOBODY}" if line == 1 else "")
        style = self.get_component_rich_style("fleet--nobody")
        return strip_of(told, room, style, self.app.console)  # pyright: ignore[reportUnknownMemberType]

    def _row(self, cards: range, room: int) -> list[Strip]:
        """The lines of these cards beside each other, kept until one of them changes."""
        number = cards.start // self._grid.columns
        kept = self._rows.get(number)
        if kept is None or kept[0] != room:
            boxes, style = [self._box(each, room) for each in cards], self.rich_style
            lines = [
                Strip.join(each).adjust_cell_length(room, style)
                for each in zip(*boxes, strict=True)
            ]
            kept = self._rows[number] = (room, lines)
        return kept[1]

    def _box(self, at: int, room: int) -> list[Strip]:
        """The lines of this card, kept until it changes."""
        left, right = self._grid.edge(at, room)
        size = (right - left, self._grid.span_of(at)[1])
        kept = self._boxes.get(at)
        if kept is None or kept[0] != size:
            kept = self._boxes[at] = (size, self._boxed(self._cards[at], size))
        return kept[1]

    def _boxed(self, shown: Card, size: tuple[int, int]) -> list[Strip]:
        is_chosen = shown.agent == self._chosen
        kind = "chosen" if is_chosen else shown.state
        frame = self.get_component_rich_style(f"fleet--{kind}")
        inside = self.rich_style + FAINT if shown.state == "exited" else self.rich_style
        return boxed(shown, size, frame, inside, is_chosen, self.app.console)  # pyright: ignore[reportUnknownMemberType]

    def on_resize(self) -> None:
        self.draw()

    def action_move(self, right: int, down: int) -> None:
        """Go to the next card in this direction."""
        to = self._at + right + down * self.columns if self.chosen else self._at
        self.action_move_to(to)

    def action_move_to(self, index: int) -> None:
        """Go to this card, if there is one."""
        if not 0 <= index < len(self._cards):
            return
        before, self._at = self._at, index
        self._chosen = self._cards[index].agent
        for at in {before, index}:
            if at < len(self._cards):
                self._redraw(at)
        top, height = self._grid.span_of(index)
        self.scroll_to_region(Region(0, top, 1, height), animate=False)

    def action_last(self) -> None:
        """Go to the last card."""
        self.action_move_to(len(self._cards) - 1)

    def action_order(self) -> None:
        """Sort by something else."""
        self.order = after(self.order)
        self.show(self._agents)
        self.notify(f"Sorted by {self.order}")

    def action_unfold(self) -> None:
        """Show the subagents of the chosen one, or hide them."""
        if self.chosen:
            self._unfolded ^= {self._chosen}
            self.draw()

    def on_click(self, event: Click) -> None:
        """Choose a card; a click on the chosen one unfolds it."""
        at = self._grid.card_at(event.y + self.scroll_offset.y, event.x, self._room)
        if at is None:
            return
        if self._cards[at].agent == self._chosen:
            self.action_unfold()
        else:
            self.action_move_to(at)

    def seek(self, sought: str) -> None:
        """Show only those in which these words are found."""
        self.sought = sought
        self.show(self._agents)

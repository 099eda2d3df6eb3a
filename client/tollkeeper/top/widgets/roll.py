"""Many lines, of which only those in sight are drawn."""

from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tollkeeper.top.widgets.strips import strip_of

CHOSEN = Style(reverse=True)


class Roll(ScrollView, can_focus=True):
    """Lines to scroll in. Where one of them is chosen the keys choose another, else they scroll."""

    class Picked(Message):
        """Somebody clicked on the line that is chosen already."""

    DEFAULT_CSS = """
    Roll { height: 1fr; overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("pagedown", "turn(1)", "Next page", show=False),
        Binding("pageup", "turn(-1)", "Previous page", show=False),
        Binding("home", "move_far(-1)", "First", show=False),
        Binding("end", "move_far(1)", "Last", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._lines: tuple[Text, ...] = ()
        self._chosen: int | None = None
        self._is_at_end = True

    @property
    def room(self) -> int:
        """How many cells of a line are seen; 0 as long as the page was not."""
        return self.scrollable_content_region.width

    @property
    def chosen(self) -> int | None:
        """The number of the line that is chosen, from 0."""
        return self._chosen

    def show(self, lines: Sequence[Text], chosen: int | None = None, follow: bool = False) -> None:
        """Show these lines from now on; who stood at the end stays there with ``follow``."""
        was_at_end = self._is_at_end
        shown = (tuple(lines), chosen)
        if shown == (self._lines, self._chosen):
            return
        self._lines, self._chosen = shown
        self.virtual_size = Size(1, len(self._lines))
        self.refresh()
        if follow and was_at_end:
            self.scroll_end(animate=False)
        elif chosen is not None:
            self._bring_in_sight(chosen)

    def render_line(self, y: int) -> Strip:
        at, width, style = y + self.scroll_offset.y, self.room, self.rich_style
        if at >= len(self._lines):
            return Strip.blank(width, style)
        if at == self._chosen:
            style += CHOSEN
        return strip_of(self._lines[at], width, style, self.app.console)  # pyright: ignore[reportUnknownMemberType]

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._is_at_end = new_value >= self.max_scroll_y

    def action_move(self, by: int) -> None:
        """Choose a line so many below, or scroll so far."""
        if self._chosen is None:
            self.scroll_relative(y=by, animate=False)
        else:
            self._choose(self._chosen + by)

    def action_turn(self, pages: int) -> None:
        """Move by so many screens."""
        self.action_move(pages * max(self.size.height - 1, 1))

    def action_move_far(self, direction: int) -> None:
        """Move to the first line, or to the last."""
        self.action_move(direction * max(len(self._lines), 1))

    def on_click(self, event: Click) -> None:
        at = event.y + self.scroll_offset.y
        if self._chosen is None or at >= len(self._lines):
            return
        if at == self._chosen:
            self.post_message(self.Picked())
        self._choose(at)

    def _choose(self, line: int) -> None:
        self._chosen = max(min(line, len(self._lines) - 1), 0)
        self._bring_in_sight(self._chosen)
        self.refresh()

    def _bring_in_sight(self, line: int) -> None:
        top, height = self.scroll_offset.y, max(self.size.height, 1)
        if not top <= line < top + height:
            self.scroll_to(y=line if line < top else line - height + 1, animate=False)

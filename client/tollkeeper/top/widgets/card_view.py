"""One agent's card on the screen."""

from rich.text import Text
from textual.events import Click
from textual.message import Message
from textual.widget import Widget

from tollkeeper.top.drawing.cards import Card

STATES = ("working", "idle", "waiting", "paused", "blocked", "exited")


class CardView(Widget, can_focus=True):
    """A place for a card; which agent's it is may change. Nothing is drawn anew that is the same."""

    class Unfolded(Message):
        """Somebody clicked on the agent that has the focus already."""

        def __init__(self, agent: str) -> None:
            super().__init__()
            self.agent = agent

    DEFAULT_CSS = """
    CardView {
        height: auto;
        padding: 0 1;
        border: round $foreground 40%;
    }
    CardView.working { border: round $success; }
    CardView.waiting { border: round $warning; }
    CardView.paused, CardView.blocked { border: round $error; }
    CardView.idle { border: round $foreground 40%; }
    CardView.exited { border: round $foreground 20%; text-opacity: 60%; }
    CardView:focus { border: heavy $primary; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.card: Card | None = None
        self._had_focus = False

    def show(self, card: Card) -> None:
        """Show this card from now on."""
        before, self.card = self.card, card
        if card == before:
            return
        if before is None or before.state != card.state:
            for state in STATES:
                self.set_class(card.state == state, state)
        if before is None or before.title != card.title:
            # Not as markup: names come from whoever starts an agent.
            self.border_title = Text(card.title)
        self.refresh(layout=before is None or len(before.lines) != len(card.lines))

    def render(self) -> Text:
        return Text("\n").join(self.card.lines) if self.card else Text("")

    def on_mouse_down(self) -> None:
        self._had_focus = self.has_focus

    def on_click(self, event: Click) -> None:
        if self._had_focus and self.card:
            self.post_message(self.Unfolded(self.card.agent))
        event.stop()

"""The screen on which all stands, drawn anew only where something is another."""

from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget


class Board(Screen[None]):
    """A screen that is not drawn anew as a whole when the focus moves: who gets and loses it is."""

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

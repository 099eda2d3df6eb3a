"""Boxes, buttons and fields that show what they are, and are set to, by their marks, not by colour alone."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Checkbox, Input, RadioButton, RadioSet


class Tick(Checkbox):
    """A box to tick."""

    BUTTON_INNER = " "

    def watch_value(self) -> None:
        self.BUTTON_INNER = "X" if self.value else " "  # pyright: ignore[reportConstantRedefinition]
        super().watch_value()


class Choice(RadioButton):
    """One of several, of which one holds."""

    BUTTON_INNER = " "

    def watch_value(self) -> None:
        self.BUTTON_INNER = "●" if self.value else " "  # pyright: ignore[reportConstantRedefinition]
        super().watch_value()


class Field(Input):
    """A place to type, in one line."""

    DEFAULT_CSS = """
    Field, Field:focus { height: 1; padding: 0 1; border: none; border-left: outer $foreground 60%; }
    Field:focus { border-left: outer $primary; }
    """


class Amount(Field):
    """A place for an amount of dollars. Escape gives the keys back, and what stood there before."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Set"),
        Binding("escape", "leave", "Leave"),
    ]

    def __init__(self, id: str) -> None:
        # Other keys are no part of an amount, and must not become one.
        super().__init__(id=id, restrict=r"[$0-9.,]*")
        self._before = ""

    def on_focus(self) -> None:
        self._before = self.value

    def action_leave(self) -> None:
        """Let the keys go to what comes next and takes no letters."""
        self.value = self._before
        self.screen.focus_next(RadioSet)

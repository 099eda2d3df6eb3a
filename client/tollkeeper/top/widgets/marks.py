"""Boxes, buttons and fields that show what they are, and are set to, by their marks, not by colour alone."""

from textual.widgets import Checkbox, Input, RadioButton


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

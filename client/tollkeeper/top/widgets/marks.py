"""Boxes and buttons that show what they are set to by their mark, not by colour alone."""

from textual.widgets import Checkbox, RadioButton


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

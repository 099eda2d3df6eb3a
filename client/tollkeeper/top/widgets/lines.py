"""Lines of text that change: drawn anew only when they do."""

from collections.abc import Sequence

from rich.text import Text
from textual.widgets import Static


class Lines(Static):
    """Shows lines; the same lines cost nothing."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._lines: tuple[Text, ...] = ()

    def show(self, lines: Sequence[Text]) -> None:
        """Show these lines from now on."""
        before, self._lines = self._lines, tuple(lines)
        if self._lines != before:
            # Laying everything out anew costs ten times as much as these lines.
            self.update(Text("\n").join(self._lines), layout=len(self._lines) != len(before))

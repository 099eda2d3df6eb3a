"""Cards in their frames, as the terminal gets them."""

from rich.console import Console
from rich.style import Style
from rich.text import Text

from tollkeeper.top.drawing.cards import Card
from tollkeeper.top.widgets.box import boxed
from tollkeeper.top.widgets.strips import strip_of

CONSOLE = Console()
PLAIN = Style()


def test_a_card_fills_its_box() -> None:
    """Every line is as wide as the box, however short the title and the lines are, or long, or wide."""
    for title in ("A", "模型" * 20, "a" * 60, ""):
        card = Card("1-1", title, "idle", (Text("ab"), Text("…", style="dim")))
        lines = boxed(card, (20, 6), PLAIN, PLAIN, False, CONSOLE)
        assert [20] * 6 == [sum(len_of(strip.text)) for strip in lines]


def len_of(text: str) -> list[int]:
    """The columns that each character takes."""
    return [Text(each).cell_len for each in text]


def test_lines_keep_their_style() -> None:
    """A line of one style has it as well as one of several does; what has none takes that of the place."""
    for line in (Text("Paused", style="magenta"), Text("Paused", style="magenta").append(" now")):
        [first, *_] = strip_of(line, 20, Style(bold=True), CONSOLE)
        assert first.style == Style(color="magenta", bold=True)
    [alone, *_] = strip_of(Text("Paused"), 20, Style(bold=True), CONSOLE)
    assert alone.style == Style(bold=True)

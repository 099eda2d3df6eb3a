"""Lines of text as Textual draws them."""

from rich.console import Console
from rich.style import Style
from rich.text import Text
from textual.strip import Strip


def strip_of(line: Text, width: int, style: Style, console: Console) -> Strip:
    """The line in so many columns, in this style where it has none of its own."""
    # Rich forgets the style of a text as a whole that has no other in it.
    whole = Text().append_text(line)
    return Strip(whole.render(console)).apply_style(style).adjust_cell_length(width, style)

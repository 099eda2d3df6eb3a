"""A card in its frame, as lines of the terminal."""

from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.strip import Strip

from tollkeeper.top.drawing.cards import Card
from tollkeeper.top.widgets.strips import strip_of

ROUND = "╭─╮│╰╯"
HEAVY = "┏━┓┃┗┛"
# What a title takes besides itself: corners, a stroke and blanks.
ROUND_A_TITLE = 5


def boxed(
    card: Card,
    size: tuple[int, int],
    frame: Style,
    inside: Style,
    heavy: bool,
    console: Console,
) -> list[Strip]:
    """The card in a frame of this size (columns, lines), which is drawn in this style."""
    width, height = size
    left, stroke, right, side, below, end = HEAVY if heavy else ROUND
    title = Text(card.title)
    title.truncate(max(width - ROUND_A_TITLE, 1), overflow="ellipsis")
    rest = stroke * (width - ROUND_A_TITLE - title.cell_len)
    edge, gap = Segment(side, frame), Segment(" ", inside)
    room = width - 4
    blank = Strip.blank(room, inside)
    lines = [strip_of(line, room, inside, console) for line in card.lines]
    lines += [blank] * (height - 2 - len(lines))
    return [
        Strip([Segment(f"{left}{stroke} {title.plain} {rest}{right}", frame)], width),
        *(Strip([edge, gap, *line, gap, edge], width) for line in lines),
        Strip([Segment(f"{below}{stroke * (width - 2)}{end}", frame)], width),
    ]

"""How entries of the journal are shown."""

from __future__ import annotations

import sys
from datetime import datetime

from tollkeeper.cli import terminal, words
from tollkeeper.cli.table import cells

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

STYLES = {
    "reached": "red",
    "failed": "red",
    "killed": "red",
    "stopped": "red",
    "warned": "yellow",
    "blocked": "yellow",
    "paused": "yellow",
    "unblocked": "green",
    "resumed": "green",
}
# As many entries as the daemon gives at once.
MOST = 20_000
GAP = "  "
# Below that no room is left for words beside the time.
LEAST_ROOM = 20


def print_entry(entry: dict[str, Any]) -> None:
    """The local time and what happened; in a terminal it goes on below itself, in a pipe it is a line."""
    room = terminal.width() if sys.stdout.isatty() else 0
    style = STYLES.get(entry["kind"], "") if terminal.shows_colours() else ""
    for number, line in enumerate(entry_lines(entry, room)):
        print(line if number else terminal.styled(line, style))


def entry_lines(entry: dict[str, Any], width: int) -> list[str]:
    """The entry in lines of at most this width, the time before the first; 0 is any width. Pure."""
    when = datetime.fromisoformat(entry["time"]).astimezone()
    time, text = f"{when:%Y-%m-%d %H:%M:%S}", words.plain(entry["text"])
    if not width:
        return [f"{time}{GAP}{text}"]
    indent = len(time) + len(GAP)
    if width - indent < LEAST_ROOM:
        return [time, *wrapped(text, width)]
    first, *rest = wrapped(text, width - indent)
    return [f"{time}{GAP}{first}", *(" " * indent + line for line in rest)]


def wrapped(text: str, room: int) -> list[str]:
    """The text in lines that take so many cells of a terminal at most; a longer word is cut up."""
    lines: list[str] = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if cells(joined) <= room:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        for letter in word:
            if cells(lines[-1] + letter) > room and lines[-1]:
                lines.append("")
            lines[-1] += letter
    return lines

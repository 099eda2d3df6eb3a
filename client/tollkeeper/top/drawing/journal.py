"""Entries of the journal as lines: what limits and people did to agents. Pure."""

from typing import Any

from rich.text import Text

from tollkeeper.cli.log_view import STYLES, entry_lines


def lines_of(entry: dict[str, Any], width: int) -> list[Text]:
    """The local time and what happened, going on below itself where it is longer than there is room."""
    style = STYLES.get(entry["kind"], "")
    return [
        Text(line, style="" if number else style)
        for number, line in enumerate(entry_lines(entry, width))
    ]

"""What the terminal can show: its width, and whether it shows colours."""

from __future__ import annotations

import os
import sys

USUAL_WIDTH = 80
# In a pipe nothing wraps: there is room for every column.
PIPE_WIDTH = 160
MARKS = {"bold": "1", "dim": "2", "yellow": "33", "red": "31", "green": "32"}


def width() -> int:
    """Columns of the terminal; ``COLUMNS`` goes before it, and a pipe has room enough."""
    named = os.environ.get("COLUMNS", "")
    if named.isdecimal() and int(named):
        return int(named)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or USUAL_WIDTH
    except (OSError, ValueError):
        return PIPE_WIDTH


def is_interactive() -> bool:
    """Whether a person can be asked: both streams are terminals."""
    return bool(sys.stdin and sys.stdin.isatty() and sys.stdout.isatty())


def shows_colours() -> bool:
    """Whether to write escape codes: not into a pipe, nor against the user's will.

    See https://no-color.org and https://force-color.org.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def styled(text: str, style: str) -> str:
    """The text with the escape codes of its style around it; without one, as it is."""
    return f"\x1b[{MARKS[style]}m{text}\x1b[0m" if style else text

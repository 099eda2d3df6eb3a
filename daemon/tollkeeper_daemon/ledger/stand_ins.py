"""What requests are called that no log tells of, but a proxy: lines that stand for its rows."""

from hashlib import sha256

STAND_IN = "proxy:"
LONGEST = 80


def line_for(row: str) -> str:
    """The line that stands for the row of this key; short enough to be the key of its group as it is."""
    name = row if len(row) <= LONGEST else sha256(row.encode()).hexdigest()
    return f"{STAND_IN}{name}"


def group_for(row: str) -> str:
    """The key of the group in which that line is filed."""
    return f"l:{line_for(row)}"


def is_stand_in(key: str) -> bool:
    """Whether this is the key of such a group."""
    return key.startswith(f"l:{STAND_IN}")

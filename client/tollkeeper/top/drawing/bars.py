"""Bars and plots of block characters. Pure."""

from collections.abc import Sequence

EIGHTHS = " ▁▂▃▄▅▆▇█"


def bar(fraction: float, width: int) -> str:
    """A bar of this width, filled so far; it is full only when all of it is used."""
    full = max(min(int(fraction * width), width), 0)
    return "█" * full + "░" * (width - full)


def plot(values: Sequence[float], width: int, height: int) -> list[str]:
    """The latest values as columns, the newest at the right; the highest one fills the height."""
    shown = list(values[-width:])
    most = max(shown, default=0.0)
    if most <= 0:
        return [" " * width] * height
    steps = [max(round(value / most * height * 8), 1 if value > 0 else 0) for value in shown]
    rows = [
        "".join(EIGHTHS[max(min(step - 8 * row, 8), 0)] for step in steps).rjust(width)
        for row in reversed(range(height))
    ]
    return rows

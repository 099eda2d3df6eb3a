"""How a change of a settings file is shown: as a unified diff."""

from difflib import unified_diff
from pathlib import Path

from tollkeeper.cli import terminal, words

NO_NEWLINE = "\\ No newline at end of file"
STYLES = {"+": "green", "-": "red", "@": "dim"}


def difference(file: Path, before: str | None, after: str | None) -> str:
    """The change as a unified diff; None is no file. Nothing when there is no change."""
    names = ["/dev/null" if text is None else str(file) for text in (before, after)]
    old, new = ((text or "").split("\n") for text in (before, after))
    lines = [
        line if line.endswith("\n") else f"{line}\n{NO_NEWLINE}\n"
        for line in unified_diff(_ended(old), _ended(new), names[0], names[1])
    ]
    return "".join(lines)


def print_difference(file: Path, before: str | None, after: str | None) -> None:
    """Show the change to a person."""
    has_colours = terminal.shows_colours()
    for line in difference(file, before, after).split("\n")[:-1]:
        text = "\t".join(words.plain(part) for part in line.removesuffix("\r").split("\t"))
        style = STYLES.get(line[:1]) if has_colours else None
        print(terminal.styled(text, style) if style else text)


def _ended(lines: list[str]) -> list[str]:
    """The lines with their ends; the last one has none, and is none where it is empty."""
    *whole, last = lines
    return [f"{line}\n" for line in whole] + ([last] if last else [])

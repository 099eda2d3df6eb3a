"""How settings are shown."""

from __future__ import annotations

import json

from tollkeeper.cli import terminal, words
from tollkeeper.cli.table import Column, Row, lay_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


def print_settings(settings: Sequence[dict[str, Any]]) -> None:
    """A line each, dim where the default holds; then what waits for the next start."""
    columns = [
        Column("Setting"),
        Column("Value", cut=3, least=14),
        Column("Default", cut=2, least=8, drop=1),
        Column("What it is", cut=1, least=20, drop=2),
    ]
    colours = terminal.shows_colours()
    for text, style in lay_out(columns, [_row(each) for each in settings], terminal.width()):
        print(terminal.styled(text, style) if colours else text)
    for text in waiting(settings):
        print(text)


def waiting(settings: Sequence[dict[str, Any]]) -> list[str]:
    """What comes into force when the daemon starts anew, a line each."""
    return [
        f"{each['name']} is {written(each['pending'], each['form'])} from the daemon's next start on."
        for each in settings
        if each["pending"] is not None
    ]


def _row(setting: dict[str, Any]) -> Row:
    default = written(setting["default"], setting["form"]) if setting["in_file"] else "default"
    value = written(setting["value"], setting["form"])
    return Row(
        [setting["name"], value, default, setting["about"]], "" if setting["in_file"] else "dim"
    )


def written(value: Any, form: dict[str, Any]) -> str:
    """A value of this form about as config.toml has it, in printable letters."""
    if form["kind"] == "list":
        return f"[{', '.join(written(each, form['each']) for each in value)}]"
    if form["kind"] == "table":
        entries = (f"{_text(name)} = {written(each, form['each'])}" for name, each in value.items())
        return f"{{ {', '.join(entries)} }}" if value else "{}"
    return _text(value)


def _text(value: Any) -> str:
    return words.plain(json.dumps(value, ensure_ascii=False))

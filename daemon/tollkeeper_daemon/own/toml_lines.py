"""Puts values into the text of a TOML file, or takes them out, and touches no other byte of it. Pure.

The text must be good TOML; what stands where is told from it statement by statement.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any, cast

from msgspec import Struct

Names = tuple[str, ...]
"""A key with all that it stands in: ``("limits", "daily")``."""

TEXT = r"\"(?:\\.|[^\"\\\n])*\"|'[^'\n]*'"
LONG_TEXT = r"\"\"\"(?:\\.|[^\\])*?\"{3,5}|'''.*?'{3,5}"
EMPTY = re.compile(r"[ \t\r]*(?:#[^\n]*)?(?:\n|\Z)")
HEADER = re.compile(rf"[ \t]*(\[(?:{TEXT}|[^\"'#\n])*\])[^\n]*(?:\n|\Z)")
KEY = re.compile(rf"[ \t]*((?:{TEXT}|[^\"'=#\n])+)=[ \t]*")
TOKEN = re.compile(rf"{LONG_TEXT}|{TEXT}|#[^\n]*|[\[\]{{}}\n]|[^\"'#\[\]{{}}\n]+", re.DOTALL)
BARE = re.compile(r"[A-Za-z0-9_-]+")


class Statement(Struct, frozen=True):
    """A header, or a key with its value: its line or lines are ``text[start:end]``.

    ``above`` are the names of the header that it stands under, or is; ``names`` are all of it. The value
    is ``text[value:behind]``, and of a header there is none.
    """

    above: Names
    names: Names
    start: int
    end: int
    value: int = 0
    behind: int = 0

    @property
    def has_value(self) -> bool:
        return self.value > 0


def statements(text: str) -> list[Statement]:
    """What stands in the text, in order."""
    found: list[Statement] = []
    above: Names = ()
    at = 0
    while at < len(text):
        if empty := EMPTY.match(text, at):
            at = empty.end()
            continue
        if header := HEADER.match(text, at):
            above = _names(header[1])
            made = Statement(above, above, at, header.end())
        else:
            made = _pair(text, at, above)
        found.append(made)
        at = made.end
    return found


def _pair(text: str, start: int, above: Names) -> Statement:
    key = KEY.match(text, start)
    if key is None:
        raise ValueError("not a statement of TOML")
    at = behind = key.end()
    depth = 0
    while token := TOKEN.match(text, at):
        at = token.end()
        if token[0] == "\n" and not depth:
            break
        depth += token[0] in "[{"
        depth -= token[0] in "]}"
        if token[0][0] != "#":
            behind = token.start() + len(token[0].rstrip())
    return Statement(above, above + _names(f"{key[1]}=0"), start, at, key.end(), behind)


def _names(toml: str) -> Names:
    """The names in a header, or in a key with a value that is no table."""
    names: list[str] = []
    inside: Any = tomllib.loads(toml)
    while isinstance(inside, dict) and inside:
        [(name, inside)] = cast(dict[str, Any], inside).items()
        names.append(name)
    return tuple(names)


def put(text: str, names: Names, value: Any, says: Mapping[str, Any]) -> str:
    """The text with this value at these names, of which all but the last are a section.

    ``says`` is what the text says with it: a table that is written in one line is written anew.
    """
    known = statements(text)
    if holder := _holder(known, names):
        written = in_toml(_at(says, holder.names))
        return text[: holder.value] + written + text[holder.behind :]
    if not isinstance(value, dict):
        return _insert(text, known, names, in_toml(value))
    table = cast(dict[str, Any], value)
    before = _said(text, names)
    for name, entry in table.items():
        if not (name in before and before[name] == entry):
            text = put(text, (*names, name), entry, says)
    for name in before.keys() - table.keys():
        text = take_out(text, (*names, name), says)
    known = statements(text)
    return (
        text if any(_within(each, names) for each in known) else _insert(text, known, names, "{}")
    )


def take_out(text: str, names: Names, says: Mapping[str, Any]) -> str:
    """The text without what stands at these names, with all within; comments on lines of their own stay.

    ``says`` is what the text says without it.
    """
    known = statements(text)
    holder = _holder(known, names)
    if holder and holder.names != names:
        written = in_toml(_at(says, holder.names))
        return text[: holder.value] + written + text[holder.behind :]
    for each in reversed([each for each in known if _within(each, names)]):
        text = text[: each.start] + text[each.end :]
    return text


def _holder(known: list[Statement], names: Names) -> Statement | None:
    """The statement whose value is, or holds, what stands at these names."""
    return next(
        (each for each in known if each.has_value and each.names == names[: len(each.names)]), None
    )


def _within(statement: Statement, names: Names) -> bool:
    return statement.names[: len(names)] == names


def _insert(text: str, known: list[Statement], names: Names, written: str) -> str:
    """The text with a new statement: behind its neighbours, else in a section of its own at the end."""
    section = names[:-1]
    newline = "\r\n" if "\r\n" in text else "\n"
    neighbours = [each for each in known if each.above == section] or [
        each
        for each in known
        if _within(each, section) and each.has_value and len(each.above) < len(section)
    ]
    if not neighbours:
        before = "" if text.endswith("\n") or not text else newline
        gap = newline if text.strip() else ""
        lines = (f"[{_dotted(section)}]", f"{_dotted(names[-1:])} = {written}", "")
        return text + before + gap + newline.join(lines)
    last = neighbours[-1]
    line = f"{_indent(text, last)}{_dotted(names[len(last.above) :])} = {written}"
    if text[last.end - 1] != "\n":  # The text ends in the midst of its last line.
        return text + newline + line
    return text[: last.end] + line + newline + text[last.end :]


def _indent(text: str, statement: Statement) -> str:
    line = text[statement.start : statement.end]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _at(says: Mapping[str, Any], names: Names) -> Any:
    inside: Any = says
    for name in names:
        inside = inside[name]
    return inside


def _said(text: str, names: Names) -> dict[str, Any]:
    """What the text says of the table with these names."""
    inside: Any = tomllib.loads(text)
    for name in names:
        inside = inside.get(name, {})
    return inside


def _dotted(names: Names) -> str:
    return ".".join(name if BARE.fullmatch(name) else _quoted(name) for name in names)


def in_toml(value: Any) -> str:
    """The value in one line of TOML; ValueError for what TOML has no word for."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return _quoted(value)
        case list() | tuple():
            items = cast(list[Any], value)
            return f"[{', '.join(map(in_toml, items))}]"
        case dict():
            entries = cast(dict[str, Any], value).items()
            inside = ", ".join(f"{_dotted((name,))} = {in_toml(each)}" for name, each in entries)
            return f"{{ {inside} }}" if inside else "{}"
        case _:
            raise ValueError(f"TOML has no word for {value!r}")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

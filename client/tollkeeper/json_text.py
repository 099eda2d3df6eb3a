"""Edits JSON as text: what is not touched stays as it is written, to the last space. Pure."""

from __future__ import annotations

import json
import re
from typing import Any, Literal

from msgspec import Struct

Kind = Literal["object", "array", "string", "other"]

USUAL_INDENT = "  "
BYTE_ORDER_MARK = "\ufeff"
_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_OTHER = re.compile(r"true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_BRACKETS: dict[str, tuple[Kind, str]] = {"{": ("object", "}"), "[": ("array", "]")}


class Mistake(ValueError):
    """The text is not what it should be; the message begins with the line and the column."""

    def __init__(self, text: str, position: int, what: str) -> None:
        line = text.count("\n", 0, position) + 1
        column = position - text.rfind("\n", 0, position)
        super().__init__(f"line {line}, column {column}: {what}")


class Value(Struct, frozen=True):
    """A value, which stands in the text from ``start`` to before ``end``.

    Of an object or array also its children, and where each begins: in an object with its name.
    """

    kind: Kind
    start: int
    end: int
    names: tuple[str, ...] = ()
    starts: tuple[int, ...] = ()
    children: tuple[Value, ...] = ()


def parse(text: str) -> Value:
    """The value that the text is, by RFC 8259, behind a byte order mark if there is one."""
    reader = _Reader(text)
    reader.position = len(BYTE_ORDER_MARK) if text.startswith(BYTE_ORDER_MARK) else 0
    reader.skip_space()
    try:
        root = reader.value()
    except RecursionError:
        raise Mistake(text, reader.position, "nested too deeply") from None
    reader.skip_space()
    if reader.position < len(text):
        raise reader.mistake("nothing more")
    return root


def raw(text: str, value: Value) -> str:
    """The value as it is written."""
    return text[value.start : value.end]


def read(text: str, value: Value) -> Any:
    """What the value says; numbers as they are written, since they may be of any length."""
    return json.loads(raw(text, value), parse_int=str, parse_float=str)


def member(text: str, value: Value, name: str) -> Value | None:
    """The object's member of this name; Mistake when there are two, of which one would not count."""
    if value.names.count(name) > 1:
        raise Mistake(text, value.start, f'"{name}" stands in it twice')
    return value.children[value.names.index(name)] if name in value.names else None


def space_in(text: str, value: Value) -> str:
    """What stands in an empty object or array."""
    return text[value.start + 1 : value.end - 1]


def replaced(text: str, value: Value, new: str) -> str:
    """The text with the value written so."""
    return text[: value.start] + new + text[value.end :]


def appended(text: str, container: Value, new: Any, name: str | None = None) -> str:
    """The text with one more child in the object (with this name) or array, written like the others."""
    if container.children:
        end = container.children[-1].end
        gap = _last_gap(text, container)
        indent = gap.rpartition("\n")[2] if "\n" in gap else None
        return f"{text[:end]},{gap}{_written(text, new, name, indent)}{text[end:]}"
    before, behind = text[: container.start + 1], text[container.end - 1 :]
    is_root = not before.removeprefix(BYTE_ORDER_MARK)[:-1].strip()
    if not is_root and "\n" not in text.strip():
        return before + _written(text, new, name, None) + behind
    own = _indent_of_line(text, container.start)
    indent = own + _indent_unit(text)
    newline = _newline(text)
    return f"{before}{newline}{indent}{_written(text, new, name, indent)}{newline}{own}{behind}"


def without(text: str, container: Value, index: int, space: str = "") -> str:
    """The text less one child; ``space`` is left where it was the only one."""
    starts, children = container.starts, container.children
    if len(children) == 1:
        return text[: container.start + 1] + space + text[container.end - 1 :]
    if index == len(children) - 1:
        return text[: children[index - 1].end] + text[children[index].end :]
    return text[: starts[index]] + text[starts[index + 1] :]


def _last_gap(text: str, container: Value) -> str:
    """What stands before the last child, behind the comma or the bracket."""
    start = container.starts[-1]
    if len(container.children) == 1:
        return text[container.start + 1 : start] or _usual_gap(text)
    return text[container.children[-2].end : start].partition(",")[2]


def _written(text: str, new: Any, name: str | None, indent: str | None) -> str:
    """The child as it is written at this indentation; on one line without one."""
    gap = _usual_gap(text)
    colon = f":{gap}"
    if indent is None:
        value = json.dumps(new, ensure_ascii=False, separators=(f",{gap}", colon))
    else:
        value = json.dumps(
            new, ensure_ascii=False, indent=_indent_unit(text), separators=(",", colon)
        )
        value = value.replace("\n", _newline(text) + indent)
    return value if name is None else json.dumps(name, ensure_ascii=False) + colon + value


def _usual_gap(text: str) -> str:
    """What stands behind a colon or a comma on one line."""
    return "" if re.search(r'":\S', text) and not re.search(r'":\s', text) else " "


def _indent_of_line(text: str, position: int) -> str:
    line = text[text.rfind("\n", 0, position) + 1 : position]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _indent_unit(text: str) -> str:
    """By how much the first child of all stands farther in than the bracket."""
    found = re.match(rf"{BYTE_ORDER_MARK}?\s*[\[{{][ \t\r\n]*\n([ \t]+)", text)
    return found[1] if found else USUAL_INDENT


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


class _Reader:
    """Reads a text from its position on."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def value(self) -> Value:
        start = self.position
        if bracket := _BRACKETS.get(self.text[start : start + 1]):
            return self._container(*bracket)
        if self._take(_STRING):
            return Value("string", start, self.position)
        if self._take(_OTHER):
            return Value("other", start, self.position)
        raise self.mistake("a value")

    def skip_space(self) -> None:
        self._take(_SPACE)

    def mistake(self, expected: str) -> Mistake:
        found = self.text[self.position : self.position + 2]
        if found in ("//", "/*"):
            return Mistake(self.text, self.position, "a comment, which JSON has none of")
        what = f"{found[0]!r}" if found else "the end"
        return Mistake(self.text, self.position, f"expected {expected}, not {what}")

    def _container(self, kind: Kind, close: str) -> Value:
        start = self.position
        names: list[str] = []
        starts: list[int] = []
        children: list[Value] = []
        self.position += 1
        self.skip_space()
        while not self._is_at(close):
            if children:
                self._expect(",", f"',' or '{close}'")
            starts.append(self.position)
            if kind == "object":
                names.append(self._name())
            children.append(self.value())
            self.skip_space()
        self.position += 1
        return Value(kind, start, self.position, tuple(names), tuple(starts), tuple(children))

    def _name(self) -> str:
        name = self._take(_STRING)
        if not name:
            raise self.mistake("a name in quotes")
        self.skip_space()
        self._expect(":", "':'")
        return json.loads(name)

    def _expect(self, letter: str, told: str) -> None:
        if not self._is_at(letter):
            raise self.mistake(told)
        self.position += 1
        self.skip_space()

    def _is_at(self, letter: str) -> bool:
        return self.text.startswith(letter, self.position)

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.position)
        if found:
            self.position = found.end()
        return found[0] if found else ""

"""Formats of segments: read into parts, and what is wrong with one. Pure."""

import re
from functools import lru_cache
from typing import NamedTuple

from tollkeeper.segment.fields import FIELDS
from tollkeeper.segment.presets import BRIEF, PRESETS

# A mark between spaces, such as " | " or " · ": no letter, digit, brace or bracket.
SEPARATOR = re.compile(r"(\s+[^\w\s{}\[\]()<>$%]{1,2}\s+)")
PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
FRAMES = {"[": "]", "(": ")", "<": ">"}
SHORT = "short"


class FormatError(ValueError):
    """A format that can't be shown; the text is one line, and says what there is."""


class Field(NamedTuple):
    """A field: the first of these names that has something to say, in words or without."""

    names: tuple[str, ...]
    short: bool = False


class Part(NamedTuple):
    """What vanishes together, and the mark before it."""

    separator: str
    pieces: tuple[str | Field, ...]


class Format(NamedTuple):
    """A format that was read; the brackets around it vanish when nothing is in them."""

    opening: str
    parts: tuple[Part, ...]
    closing: str


def check(format: str) -> None:
    """FormatError, unless this is a preset's name or a format."""
    if format != BRIEF:
        parse(PRESETS.get(format, format))


@lru_cache(maxsize=64)
def parse(format: str) -> Format:
    """The format as it is shown; FormatError for one that can't be."""
    opening, text, closing = _framed(format)
    first, *rest = SEPARATOR.split(text)
    pairs = [("", first), *zip(rest[::2], rest[1::2], strict=True)]
    parts = tuple(Part(mark, _pieces(part)) for mark, part in pairs)
    if not any(isinstance(piece, Field) for part in parts for piece in part.pieces):
        raise FormatError(
            f"no format {format!r}: it has no field in braces, "
            f"and the presets are {', '.join((BRIEF, *PRESETS))}"
        )
    return Format(opening, parts, closing)


def _framed(format: str) -> tuple[str, str, str]:
    text = format.strip()
    if text and FRAMES.get(text[0]) == text[-1]:
        return text[0], text[1:-1], text[-1]
    return "", text, ""


def _pieces(text: str) -> tuple[str | Field, ...]:
    pieces: list[str | Field] = []
    end = 0
    for found in PIECE.finditer(text):
        pieces.append(text[end : found.start()])
        end = found.end()
        match found[0]:
            case "{{" | "}}":
                pieces.append(found[0][0])
            case "{" | "}":
                raise FormatError(f"a lone {found[0]} in {text!r}: as text it is written twice")
            case _:
                pieces.append(_field(found[1]))
    pieces.append(text[end:])
    return tuple(piece for piece in pieces if piece)


def _field(text: str) -> Field:
    listed, _, kind = text.partition(":")
    names = tuple(name.strip() for name in listed.split(","))
    for name in names:
        if name not in FIELDS:
            raise FormatError(f"no field {name!r}; there are {', '.join(FIELDS)}")
    if kind not in ("", SHORT):
        raise FormatError(f"no kind {kind!r} of a field; there is {SHORT}, as in {{plan:short}}")
    return Field(names, kind == SHORT)

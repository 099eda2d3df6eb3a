"""Says in a person's words what in a TOML file is not as it should be: where, what should be, what is. Pure."""

import json
import tomllib
from collections.abc import Mapping
from datetime import date, datetime, time
from difflib import get_close_matches
from typing import Any, cast

import msgspec
from msgspec import Struct
from msgspec.structs import fields

from tollkeeper.cli.words import plain
from tollkeeper_daemon.forms import wanted

LONGEST_SHOWN = 60
# Python refuses to write numbers of thousands of digits.
LARGEST_SHOWN = 10**20
# What tomllib says, and what helps somebody who meets it.
SYNTAX = {
    "Invalid value": "this is no value (text stands in quotes, a number without a currency)",
    "Expected '=' after a key in a key/value pair": "a key without = behind it",
    "Expected newline or end of document after a statement": "more than one value",
    "Expected ']' at the end of a table declaration": "a section without its closing ]",
    "Invalid statement": "what is neither a key nor a [section]",
    "Cannot overwrite a value": "a key that was set above already",
}


def of_syntax(error: ValueError) -> str:
    """What is wrong with text that is no TOML, or no text."""
    if isinstance(error, UnicodeDecodeError):
        return f"it is not UTF-8 text (byte {error.start})"
    if not isinstance(error, tomllib.TOMLDecodeError):
        return plain(str(error))
    what, _, place = str(error).removesuffix(")").rpartition(" (")
    if "Cannot declare" in what:
        told = "a section that is there already"
    else:
        told = SYNTAX.get(what) or f"{what[:1].lower()}{what[1:]}"
    return plain(f"{place}: {told}")


def misfit(kind: type[Struct], found: Mapping[str, Any]) -> str:
    """The first thing that does not fit this kind, in which each section is a Struct; empty for none."""
    sections = {field.name: field.type for field in fields(kind)}
    for name, content in found.items():
        if name not in sections:
            return _unknown(name, "", sections, sections)
        if not isinstance(content, dict):
            return f"{name} must be a section, [{name}], and is {shown(content)}"
        section = cast(dict[str, Any], content)
        if told := _misfit_of_section(name, sections[name], section, sections):
            return told
    return ""


def _misfit_of_section(
    name: str, kind: type[Struct], found: Mapping[str, Any], sections: Mapping[str, type[Struct]]
) -> str:
    known = {field.name: field.type for field in fields(kind)}
    for key, value in found.items():
        if key not in known:
            return _unknown(key, name, known, sections)
        try:
            msgspec.convert(value, known[key])
        except msgspec.ValidationError:
            return f"{name}.{key} must be {wanted(known[key])}, and is {shown(value)}"
    try:
        msgspec.convert(found, kind)
    except msgspec.ValidationError as error:
        # Each key fits by itself: it is the section's own word, and it says what is wrong.
        return plain(f"{name}.{error}")
    return ""


def _unknown(
    key: str, section: str, known: Mapping[str, Any], sections: Mapping[str, type[Struct]]
) -> str:
    """That there is no such key, and which was meant: of this section, else of another one."""
    full = _cut(f"{section}.{key}" if section else key)
    of_others = [name for name, kind in sections.items() if key in kind.__struct_fields__]
    if of_others:
        return f"{full} is no setting; {key} belongs into [{of_others[0]}]"
    if near := get_close_matches(key, known, 1):
        return f"{full} is no setting; did you mean {near[0]}?"
    return f"{full} is no setting; there are {', '.join(known)}"


def shown(value: object) -> str:
    """The value as it stands in the file, or about so."""
    match value:
        case bool() | str():
            told = json.dumps(value, ensure_ascii=False)
        case int() if abs(value) > LARGEST_SHOWN:
            told = "a huge number"
        case int() | float():
            told = str(value)
        case datetime() | date() | time():
            told = value.isoformat()
        case None:
            told = "null"
        case list():
            items = cast(list[object], value)[:10]
            told = f"[{', '.join('[…]' if isinstance(i, list) else shown(i) for i in items)}]"
        case _:
            return "a section"
    return _cut(told)


def _cut(text: str) -> str:
    told = plain(text)
    return told if len(told) <= LONGEST_SHOWN else f"{told[:LONGEST_SHOWN]}…"

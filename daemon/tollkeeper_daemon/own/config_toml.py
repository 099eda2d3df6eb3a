"""Edits the text of config.toml."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from tollkeeper_daemon.config import MARK, ConfigError, config_of, found_in
from tollkeeper_daemon.own.toml_lines import put, take_out
from tollkeeper_daemon.toml_text import EditError

NEW_FILE = """\
# Your settings; what is not here has its default. `toll config` lists them all.
"""


class SettingError(ValueError):
    """A setting can't be that; one line that names it, and says what it can be."""


def with_values(text: str | None, values: Mapping[str, Any]) -> str:
    """The file's text with these settings, by their dotted names; None takes one out.

    The names must be those of settings; None is for no file. What else the text says may be wrong, and
    stays. SettingError when one of these can't be, ConfigError when the text is no TOML, or no table of
    sections, EditError when it can't be edited.
    """
    before = found_in(text or "")
    if not all(isinstance(content, dict) for content in before.values()):
        config_of(before)  # It raises, and says so.
    says, alone = deepcopy(before), dict[str, Any]()
    for name, value in values.items():
        _say(says, *_parts(name), value)
        _say(alone, *_parts(name), value)
    try:
        config_of(alone)
    except ConfigError as error:
        raise SettingError(str(error)) from None
    changed = [name for name in values if _said(before, name) != _said(says, name)]
    if not changed:
        return text or ""
    body = NEW_FILE if text is None else text
    mark = MARK if body.startswith(MARK) else ""
    return mark + _edited(body.removeprefix(mark), changed, says)


def _edited(text: str, names: Iterable[str], says: dict[str, Any]) -> str:
    """The text that says this, of which it says all but these settings already."""
    try:
        for name in names:
            value = _said(says, name)
            if value is None:
                text = take_out(text, _parts(name), says)
            else:
                text = put(text, _parts(name), value, says)
        if _without_empty(found_in(text)) == _without_empty(says):
            return text
    except (ConfigError, ValueError, LookupError):
        pass
    raise EditError("it is written in a form that only you can edit")


def _parts(name: str) -> tuple[str, str]:
    section, _, key = name.partition(".")
    return section, key


def _said(says: dict[str, Any], name: str) -> Any:
    section, key = _parts(name)
    return says.get(section, {}).get(key)


def _say(says: dict[str, Any], section: str, key: str, value: Any) -> None:
    if value is not None:
        says.setdefault(section, {})[key] = value
    elif section in says:
        says[section].pop(key, None)


def _without_empty(says: dict[str, Any]) -> dict[str, Any]:
    """The same, without sections in which nothing is set."""
    return {section: content for section, content in says.items() if content}

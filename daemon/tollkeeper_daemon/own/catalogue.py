"""Every setting as it is told: what it is, what it says, and what may stand in it. Pure."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

import msgspec
from msgspec.structs import fields

from tollkeeper.settings import Setting
from tollkeeper_daemon.config import AT_START, Config
from tollkeeper_daemon.forms import about, form_of, in_words

TYPES: dict[str, Any] = {
    f"{section.name}.{key.name}": key.type
    for section in fields(Config)
    for key in fields(section.type)
}
"""The type of each setting, by its name, in the order in which they are told."""

FORMS = {name: form_of(kind) for name, kind in TYPES.items()}


class UnknownSettingError(ValueError):
    """There is no such setting; the text is one line, and ``hint`` says which one may be meant."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no setting {name[:60]!r}")
        near = [known for known in TYPES if known.partition(".")[2] == name]
        near = near or get_close_matches(name, TYPES, 1)
        self.hint = f"did you mean {' or '.join(near)}?" if near else "see: toll config"


def all_settings(
    config: Config, began_with: Config, found: Mapping[str, Any]
) -> tuple[Setting, ...]:
    """All settings, where the file has said ``config``, ``began_with`` when the daemon started.

    ``found`` is what the file sets now, by sections.
    """
    at_once, at_start, default = map(_values, (config, began_with, Config()))
    return tuple(
        _setting(name, at_once[name], at_start[name], default[name], _is_in(found, name))
        for name in TYPES
    )


def _setting(name: str, said: Any, at_start: Any, default: Any, in_file: bool) -> Setting:
    waits = name.partition(".")[0] in AT_START
    return Setting(
        name=name,
        about=about(TYPES[name]),
        value=at_start if waits else said,
        default=default,
        in_file=in_file,
        pending=said if waits and said != at_start else None,
        counts="next start" if waits else "at once",
        form=FORMS[name],
        allowed=in_words(FORMS[name]),
    )


def _values(config: Config) -> dict[str, Any]:
    sections: dict[str, dict[str, Any]] = msgspec.to_builtins(config)
    return {
        f"{section}.{key}": value
        for section, content in sections.items()
        for key, value in content.items()
    }


def _is_in(found: Mapping[str, Any], name: str) -> bool:
    section, _, key = name.partition(".")
    content = found.get(section)
    return isinstance(content, dict) and key in content


def check_names(names: Iterable[str]) -> None:
    """UnknownSettingError for the first of these that names no setting."""
    for name in names:
        if name not in TYPES:
            raise UnknownSettingError(name)


def meant_by(words: Iterable[str]) -> set[str]:
    """The settings that these words name, each a setting or a section, all for no word.

    UnknownSettingError for a word that names none.
    """
    meant: set[str] = set()
    for word in words:
        below = {name for name in TYPES if name.startswith(f"{word}.")}
        if not below:
            check_names([word])
        meant |= below or {word}
    return meant or set(TYPES)

"""``toll config set``: say what settings are to be."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace

from tollkeeper.cli import words
from tollkeeper.cli.context import Ask, UsageError, print_raw
from tollkeeper.errors import StartError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HELP = (
    "Set settings, all of them or none; they go into your config.toml, where all else stays as it is, and "
    "are in force at once. What the file says that can't be is mended like that, too. A value is written as in TOML: 5, true, [80, 95], text with or without quotes."
)


def options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "values", metavar="NAME=VALUE", nargs="*", type=assignment, help="such as limits.daily=50"
    )
    parser.add_argument(
        "--unset",
        metavar="NAME",
        action="append",
        default=[],
        help="take it out of the file: its default holds again; may be given again",
    )


def assignment(text: str) -> tuple[str, Any]:
    """The name, and the value as TOML reads it; what is no TOML is text."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ArgumentTypeError(f"{text!r} is not written as NAME=VALUE")
    return name.strip(), value_of(value)


def value_of(text: str) -> Any:
    """What TOML reads there, if JSON has it as well; else the text itself."""
    import tomllib

    try:
        found = tomllib.loads(f"value = {text}")
        json.dumps(found, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        return text
    return found["value"] if len(found) == 1 else text


def run(ask: Ask, options: Namespace) -> int:
    pairs = [*options.values, *((name, None) for name in options.unset)]
    values = dict(pairs)
    if not pairs:
        raise UsageError("there is nothing to set; see toll config set --help")
    if len(values) < len(pairs):
        raise UsageError("a setting is named twice; see toll config set --help")
    raw = _set(ask, values)
    answer = json.loads(raw)
    if ask.as_json:
        print_raw(raw)
    else:
        _tell(answer)
    return 1 if answer["broken"] else 0


def _set(ask: Ask, values: dict[str, Any]) -> bytes:
    """The daemon's answer; where it does not start for what the file says, that is mended first."""
    try:
        return ask.raw("config.set", {"values": values})
    except StartError:
        from tollkeeper.cli.config_offline import set_offline
        from tollkeeper.paths import find_paths

        set_offline(values)
        file = find_paths().settings
    try:
        return ask.raw("config.set", {"values": values})
    except StartError as error:
        raise StartError(f"written to {file}, but {error.message}", error.hint) from None


def _tell(answer: dict[str, Any]) -> None:
    """What is in force now, or why nothing of it is yet."""
    if answer["broken"]:
        told = f"{answer['broken']}; what was set holds once that is mended, too"
        print("Written to", words.plain(answer["file"]), flush=True)
        print(f"toll: {words.plain(told)}", file=sys.stderr)
        return
    from tollkeeper.cli.config_view import print_settings

    print_settings(answer["settings"])
    print("Written to", words.plain(answer["file"]))

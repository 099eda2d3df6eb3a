"""``toll config set``: say what settings are to be."""

from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError, Namespace

from tollkeeper.cli import words
from tollkeeper.cli.context import Ask, UsageError, print_raw

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HELP = (
    "Set settings, all of them or none; they go into your config.toml, where all else stays as it is, and "
    "are in force at once. A value is written as in TOML: 5, true, [80, 95], text with or without quotes."
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


def run(ask: Ask, options: Namespace) -> None:
    pairs = [*options.values, *((name, None) for name in options.unset)]
    values = dict(pairs)
    if not pairs:
        raise UsageError("there is nothing to set; see toll config set --help")
    if len(values) < len(pairs):
        raise UsageError("a setting is named twice; see toll config set --help")
    if ask.as_json:
        print_raw(ask.raw("config.set", {"values": values}))
        return
    from tollkeeper.cli.config_view import print_settings

    answer = ask.plain("config.set", {"values": values})
    print_settings(answer["settings"])
    print("Written to", words.plain(answer["file"]))

"""``toll config get``: what settings say."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace

from tollkeeper.cli import words
from tollkeeper.cli.context import Ask, print_raw

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

HELP = "Print settings, all unless some are named: what is in force, the default, and what each is."


def options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "names", metavar="NAME", nargs="*", help="such as limits.daily, or limits for all of them"
    )


def run(ask: Ask, options: Namespace) -> None:
    show(ask, options.names)


def show(ask: Ask, names: Sequence[str]) -> None:
    """The settings of these names, of all for none; what is wrong with their file is told beside."""
    answer = ask.plain("config.get", {"names": [*names]})
    if answer["broken"]:
        told = f"{answer['broken']}; the settings from before the mistake are in force: mend it, see toll config edit"
        print(f"toll: {words.plain(told)}", file=sys.stderr)
    if ask.as_json:
        print_raw(json.dumps(answer["settings"]).encode())
        return
    from tollkeeper.cli.config_view import print_settings

    print_settings(answer["settings"])

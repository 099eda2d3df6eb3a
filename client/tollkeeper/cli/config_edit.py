"""``toll config edit``: the settings in an editor, and what became of them."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from tollkeeper.cli import words
from tollkeeper.cli.context import Ask, print_raw
from tollkeeper.errors import NoDaemonError, TollError

HELP = (
    "Open config.toml in your editor ($VISUAL, $EDITOR, else vi), and say then whether the daemon took it: "
    "what is wrong with the file, or that it is in force."
)


def options(parser: ArgumentParser) -> None:
    """None of its own."""


def run(ask: Ask, options: Namespace) -> None:
    from tollkeeper.cli.editor import edit
    from tollkeeper.cli.unreadable import unreadable
    from tollkeeper.paths import find_paths

    file = find_paths().settings
    edit(file)
    try:
        ask.raw("config.set", {"values": {}})
    except NoDaemonError:
        if told := unreadable(file):
            raise TollError(told, "mend it: toll config edit") from None
        raise
    settings = ask.plain("config.get")["settings"]
    if ask.as_json:
        print_raw(json.dumps(settings).encode())
        return
    from tollkeeper.cli.config_view import print_settings

    print_settings([each for each in settings if each["in_file"]])
    print(words.plain(str(file)), "is in force.")

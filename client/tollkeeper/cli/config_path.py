"""``toll config path``: where the settings lie."""

from argparse import ArgumentParser, Namespace

from tollkeeper.cli.context import Ask, print_json

HELP = "Print the path of config.toml, which need not be there."


def options(parser: ArgumentParser) -> None:
    """None of its own."""


def run(ask: Ask, options: Namespace) -> None:
    from tollkeeper.paths import find_paths

    file = find_paths().settings
    if ask.as_json:
        print_json({"file": str(file), "exists": file.exists()})
    else:
        print(file)

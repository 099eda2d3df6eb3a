"""``toll config``: the settings."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from tollkeeper.cli import config_edit, config_get, config_path, config_set
from tollkeeper.cli.context import Ask
from tollkeeper.cli.subverbs import add_subverbs, run_subverb

SUBVERBS = {"get": config_get, "set": config_set, "path": config_path, "edit": config_edit}
HELP = (
    "List the settings: what each says, and what it is. Or set some, print where their file lies, or "
    "open it in your editor."
)


def options(parser: ArgumentParser) -> None:
    add_subverbs(parser, SUBVERBS)


def run(ask: Ask, options: Namespace) -> int | None:
    if options.subverb:
        return run_subverb(ask, options, SUBVERBS)
    return config_get.show(ask, [])

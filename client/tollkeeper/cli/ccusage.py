"""``toll ccusage``: what the installed ccusage tells, beside the ledger, and why the two differ."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace

from tollkeeper.cli.context import Ask, print_raw

HELP = (
    "Run the ccusage that is installed and show its figures beside the ledger's, by day and model, "
    "with the causes of each difference and what they come to. It runs offline and nothing is downloaded, unless the "
    "settings say so: see toll config get ccusage. Exit status 1 when some of a difference is unexplained."
)
# It reads all logs anew, and where it differs so do we.
LONGEST_SECONDS = 1_000.0


def options(parser: ArgumentParser) -> None:
    parser.add_argument("-z", "--timezone", metavar="ZONE", help="days of this IANA time zone")
    parser.add_argument(
        "-a", "--all", action="store_true", help="also the days and models that agree"
    )


def run(ask: Ask, options: Namespace) -> int:
    from tollkeeper.cli.zone import local_zone

    zone = options.timezone or local_zone()
    answer = ask.raw("ccusage", {"timezone": zone} if zone else {}, LONGEST_SECONDS)
    found = json.loads(answer)
    if ask.as_json:
        print_raw(answer)
    else:
        from tollkeeper.cli import terminal
        from tollkeeper.cli.ccusage_view import lines
        from tollkeeper.cli.report import print_lines

        print_lines(lines(found, terminal.width(), options.all))
    if found["unsaved"]:
        from tollkeeper.cli.words import plain

        print(f"toll: this could not be saved: {plain(found['unsaved'])}", file=sys.stderr)
    return 1 if found["totals"]["unexplained"] else 0

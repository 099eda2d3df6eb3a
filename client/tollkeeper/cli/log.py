"""``toll log``: the journal of what limits and people did to agents."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace

from tollkeeper.cli.context import Ask, print_raw
from tollkeeper.cli.period import count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HELP = (
    "Print the journal, oldest first: every limit that was neared or reached, what was done to "
    "which agent, and why. With --json a JSON value a line."
)
USUAL = 50


def options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "-n", metavar="N", dest="last", type=count, default=USUAL, help=f"the N latest ({USUAL})"
    )
    parser.add_argument(
        "-f", "--follow", action="store_true", help="stay, and print what comes as it comes"
    )


def run(ask: Ask, options: Namespace) -> None:
    from tollkeeper.cli.log_view import MOST

    last = min(options.last, MOST)
    if options.follow:
        from tollkeeper.cli.log_follow import follow

        follow(ask, last, lambda entries: print_entries(entries, ask.as_json))
        return
    entries = ask.plain("log", {"last": last})["entries"]
    if not entries and not ask.as_json:
        print("Nothing was done yet.")
    print_entries(entries, ask.as_json)


def print_entries(entries: list[dict[str, Any]], as_json: bool) -> None:
    """A line each, in JSON or for people."""
    if as_json:
        for entry in entries:
            print_raw(json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode())
        return
    from tollkeeper.cli.log_view import print_entry

    for entry in entries:
        print_entry(entry)
    sys.stdout.flush()

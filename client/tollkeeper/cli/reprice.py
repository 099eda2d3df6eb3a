"""``toll reprice``: charge stored requests by the prices in force."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace

from tollkeeper.cli.context import Ask, print_raw
from tollkeeper.cli.period import day

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HELP = (
    "Charge stored requests anew by the prices in force. Shows the difference first, then asks; "
    "where nobody can be asked it only shows, unless told --yes."
)
# A million requests take about a minute on a usual machine.
PATIENCE_SECONDS = 3600.0


def options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "-s", "--since", metavar="DAY", type=day, help="from this day on (default: everything)"
    )
    parser.add_argument("-y", "--yes", action="store_true", help="do it without asking")
    parser.add_argument("--dry-run", action="store_true", help="show the difference, and no more")


def run(ask: Ask, options: Namespace) -> None:
    params = {"since": options.since.isoformat()} if options.since else {}
    wanted = options.yes and not options.dry_run
    if ask.as_json:
        params = {**params, "dry_run": not wanted}
        print_raw(ask.raw("reprice", params, timeout=PATIENCE_SECONDS))
        return
    from tollkeeper.cli.prices_view import print_difference, print_repriced

    look = _ask(ask, params, dry_run=True)
    print_difference(look)
    if not look["total"]["requests"] or options.dry_run:
        return
    if wanted or _agrees():
        print_repriced(_ask(ask, params, dry_run=False))


def _ask(ask: Ask, params: dict[str, Any], dry_run: bool) -> dict[str, Any]:
    answer = ask.raw("reprice", {**params, "dry_run": dry_run}, timeout=PATIENCE_SECONDS)
    return json.loads(answer)


def _agrees() -> bool:
    """Whether the person at the terminal wants it; without one it is only said how."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        print("Nothing was changed: to charge them anew without being asked, toll reprice --yes")
        return False
    # Not input(), which puts its question on stderr.
    print("Charge them anew? [y/N] ", end="", flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")

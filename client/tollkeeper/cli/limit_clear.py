"""``toll limit clear``: take back a limit of one's own."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from tollkeeper.cli.context import Ask, print_raw
from tollkeeper.cli.limit_scope import scope_of, scope_options, scope_params

HELP = (
    "Take back a limit that was set by hand: the settings' own holds again, if there is one, and "
    "acts at once on who has used it up. An agent that has ended is named as toll limit lists it. Both that in dollars and that in tokens, unless one of them is named."
)


def options(parser: ArgumentParser) -> None:
    scope_options(parser)
    units = parser.add_mutually_exclusive_group()
    for unit, told in (("usd", "dollars"), ("tokens", "tokens")):
        units.add_argument(
            f"--{unit}",
            dest="unit",
            action="store_const",
            const=unit,
            help=f"only the limit in {told}",
        )
    parser.add_argument(
        "--dry-run", action="store_true", help="change nothing, only say whom that would hit now"
    )


def run(ask: Ask, options: Namespace) -> None:
    params = {**scope_params(options), "dry_run": options.dry_run}
    if options.unit:
        params["unit"] = options.unit
    answer = ask.plain("limit.clear", params)
    if ask.as_json:
        print_raw(json.dumps(answer).encode())
        return
    from tollkeeper.cli.limit_view import print_cleared

    print_cleared(answer, scope_of(options), options.dry_run)

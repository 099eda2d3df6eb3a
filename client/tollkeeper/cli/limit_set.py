"""``toll limit set``: a limit of one's own."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from tollkeeper.cli.amounts import dollars, tokens
from tollkeeper.cli.context import Ask, print_raw
from tollkeeper.cli.limit_scope import scope_of, scope_options, scope_params

HELP = (
    "Set a limit in dollars or in tokens, in place of the settings' own; 0 is no limit. It holds "
    "at once: who has used it up is warned of, blocked, paused or stopped now. Nobody is let go by "
    "it, but you are told who has room again."
)
ACTIONS = ("warn", "block", "pause", "stop")


def options(parser: ArgumentParser) -> None:
    scope_options(parser)
    bounds = parser.add_mutually_exclusive_group(required=True)
    bounds.add_argument("--usd", metavar="N", type=dollars, help="so many dollars, 0 for no limit")
    bounds.add_argument("--tokens", metavar="N", type=tokens, help="so many tokens, 0 for no limit")
    parser.add_argument(
        "--action",
        choices=ACTIONS,
        help="what is done when it is reached (default: what the settings say)",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="change nothing, only say whom it would hit now"
    )


def run(ask: Ask, options: Namespace) -> None:
    bound = {"usd": options.usd, "tokens": options.tokens, "action": options.action}
    given = {name: value for name, value in bound.items() if value is not None}
    params = {**scope_params(options), **given, "dry_run": options.dry_run}
    answer = ask.plain("limit.set", params)
    if ask.as_json:
        print_raw(json.dumps(answer).encode())
        return
    from tollkeeper.cli.limit_view import print_set

    unit = "dollars" if options.tokens is None else "tokens"
    print_set(answer, scope_of(options), unit, options.dry_run)

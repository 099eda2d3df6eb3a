"""``toll blocks``: usage by five-hour block, with burn rate and projection."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from tollkeeper.cli.context import Ask, UsageError, print_raw
from tollkeeper.cli.period import count, report_options, report_params
from tollkeeper.cli.whole import whole_report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HELP = (
    "Show tokens and money by five-hour block. Where a rate limit showed the plan's real window, "
    "the block is that window, marked plan; elsewhere it is estimated from when work began. Shares "
    "are of the largest block."
)


def options(parser: ArgumentParser) -> None:
    report_options(parser)
    parser.add_argument("-a", "--active", action="store_true", help="only the block of now")
    parser.add_argument("-r", "--recent", action="store_true", help="only the last three days")
    parser.add_argument(
        "-t", "--token-limit", metavar="N", help="measure blocks against so many tokens, or max"
    )
    parser.add_argument(
        "-n", "--session-length", metavar="HOURS", type=count, help="hours in a block (default: 5)"
    )


def run(ask: Ask, options: Namespace) -> None:
    if options.breakdown:  # A block names its models, so this is one more dimension.
        options.by = [*(options.by or []), "model"]
    params = report_params(
        options,
        active=options.active or None,
        recent=options.recent or None,
        token_limit=_token_limit(options.token_limit),
        session_length=options.session_length,
    )
    answer = whole_report(ask, "blocks", params)
    if ask.as_json:
        print_raw(answer)
        return
    from tollkeeper.cli.blocks_view import print_blocks

    print_blocks(json.loads(answer), options)


def _token_limit(value: str | None) -> Any:
    if value is None or value == "max":
        return value
    if not value.isdecimal() or not int(value):
        raise UsageError(f"--token-limit {value!r} is neither a number of tokens nor max")
    return int(value)

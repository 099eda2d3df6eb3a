"""``toll audit``: the ledger beside the client's own totals."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from tollkeeper.cli import words
from tollkeeper.cli.context import Ask, print_raw
from tollkeeper.cli.period import day

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HELP = (
    "Set the ledger beside the totals that Claude Code itself writes into its logs, and show the "
    "conversations where they differ by more than a tenth of a cent. Exit status 1 when a "
    "difference has no known cause."
)
KINDS = (
    ("inputTokens", "input"),
    ("outputTokens", "output"),
    ("cacheReadTokens", "cache reads"),
    ("cacheWrite5mTokens", "5-minute writes"),
    ("cacheWrite1hTokens", "1-hour writes"),
    ("webSearches", "web searches"),
)


def options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "conversations",
        nargs="*",
        metavar="CONVERSATION",
        help="only the conversations whose id begins like this",
    )
    parser.add_argument(
        "-s", "--since", metavar="DAY", type=day, help="only those active from this day on"
    )
    parser.add_argument(
        "-a", "--all", action="store_true", help="also those that agree, or nearly so"
    )


def run(ask: Ask, options: Namespace) -> int:
    params: dict[str, Any] = {"conversations": options.conversations, "all": options.all}
    if options.since:
        params["since"] = options.since.isoformat()
    raw = ask.raw("audit", params)
    report = json.loads(raw)
    if ask.as_json:
        print_raw(raw)
    else:
        print("\n".join(lines(report)))
    return 1 if report["totals"]["unexplained"] else 0


def lines(report: dict[str, Any]) -> list[str]:
    """What was found, a few lines for each conversation, and a last line that sums it up. Pure."""
    found = [line for row in report["conversations"] for line in _conversation(row)]
    return [*found, _summary(report)]


def _conversation(row: dict[str, Any]) -> list[str]:
    title = words.plain(row["title"] or "")
    name = words.plain(row["sessionId"])
    told = f"{name}  {title}".rstrip()
    if row["cause"] == "none":
        return [f"ok   {told}: {words.money(row['ledgerUSD'])}"]
    sums = f"ledger {_exact(row['ledgerUSD'])}, client {_exact(row['clientUSD'])}"
    return [
        f"{'diff' if row['explained'] else 'BAD '} {told}: {sums}, {_signed(row['differenceUSD'])}",
        f"     cause: {row['causeText']}",
        *(f"     {_model(each)}" for each in row["models"]),
    ]


def _model(model: dict[str, Any]) -> str:
    ledger, client = model["ledger"], model["client"]
    apart = [
        f"{client[key] - ledger[key]:+,} {word}"
        for key, word in KINDS
        if client[key] != ledger[key]
    ]
    money = _signed(client["costUSD"] - ledger["costUSD"])
    return f"{words.model_name(model['modelName'])}: {', '.join([*apart, money])}"


def _summary(report: dict[str, Any]) -> str:
    unexplained = report["totals"]["unexplained"]
    reasons = f" ({unexplained} for no known cause)" if unexplained else ""
    return (
        f"{_many(report['agree'], 'agrees', 'agree')} to the token, "
        f"{_many(report['differ'], 'differs', 'differ')}{reasons}, "
        f"{report['unknown']} without the client's totals"
    )


def _many(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _exact(dollars: float) -> str:
    return f"${dollars:,.6f}"


def _signed(dollars: float) -> str:
    return f"{'-' if dollars < 0 else '+'}${abs(dollars):,.6f}"

"""``toll audit``: the ledger beside the client's own totals."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from textwrap import wrap

from tollkeeper.cli import words
from tollkeeper.cli.context import Ask, print_raw
from tollkeeper.cli.period import day
from tollkeeper.cli.table import Column, Row, lay_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Report = dict[str, Any]

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


COLUMNS = [
    Column(""),
    Column("Conversation", cut=1),
    Column("Project", cut=2),
    Column("Ledger", right=True),
    Column("Client", right=True),
    Column("Difference", right=True),
    Column("Cause"),
]


def options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "conversations",
        nargs="*",
        metavar="CONVERSATION",
        help="only the conversations whose id begins like this, and their models",
    )
    parser.add_argument(
        "-s", "--since", metavar="DAY", type=day, help="only those active from this day on"
    )
    parser.add_argument(
        "-a", "--all", action="store_true", help="also those that agree, or nearly so"
    )
    parser.add_argument(
        "-b", "--breakdown", action="store_true", help="below each, by how much its models differ"
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
        from tollkeeper.cli import terminal
        from tollkeeper.cli.report import print_lines

        breakdown = options.breakdown or bool(options.conversations)
        print_lines(lines(report, terminal.width(), breakdown))
    return 1 if report["totals"]["unexplained"] else 0


def lines(report: Report, width: int, breakdown: bool = False) -> list[tuple[str, str]]:
    """A table of what was found, what its causes mean, and a line that sums it up. Pure.

    ``breakdown`` shows below each conversation which models differ, and in what.
    """
    rows = report["conversations"]
    if not rows:
        return [(line, "") for line in wrap(_summary(report), width)]
    head, *table = lay_out(COLUMNS, [*map(_row, rows), _total(report)], width)
    found = [head]
    for row, line in zip(rows, table, strict=False):
        found.append(line)
        for model in row["models"] if breakdown else ():
            found += _folded(_model(model), width, "      ", "dim")
    found += [table[-1], ("", "")]
    for cause, text in sorted({(row["cause"], row["causeText"]) for row in rows}):
        if cause != "none":
            found += _folded(f"{cause}: {text}", width)
    return found + _folded(_summary(report), width)


def _row(row: dict[str, Any]) -> Row:
    agrees = row["cause"] == "none"
    mark, style = (
        ("ok  ", "dim") if agrees else ("diff", "") if row["explained"] else ("BAD ", "red")
    )
    title = words.plain(row["title"] or "")
    return Row(
        [
            mark,
            f"{words.plain(row['sessionId'])[:8]} {title}".rstrip(),
            words.plain((row["cwd"] or row["projectPath"]).rstrip("/").rpartition("/")[2]),
            _exact(row["ledgerUSD"]),
            _exact(row["clientUSD"]),
            "" if agrees else _signed(row["differenceUSD"]),
            "" if agrees else row["cause"],
        ],
        style,
    )


def _total(report: Report) -> Row:
    totals = report["totals"]
    return Row(
        [
            "",
            f"Total of {report['audited']}",
            "",
            _exact(totals["ledgerUSD"]),
            _exact(totals["clientUSD"]),
            _signed(totals["differenceUSD"]),
            "",
        ],
        "bold",
    )


def _folded(text: str, width: int, indent: str = "", style: str = "") -> list[tuple[str, str]]:
    folded = wrap(text, width, initial_indent=indent, subsequent_indent=indent + "  ")
    return [(line, style) for line in folded]


def _model(model: dict[str, Any]) -> str:
    ledger, client = model["ledger"], model["client"]
    apart = [
        f"{client[key] - ledger[key]:+,} {word}"
        for key, word in KINDS
        if client[key] != ledger[key]
    ]
    money = _signed(client["costUSD"] - ledger["costUSD"])
    return f"{words.model_name(model['modelName'])}: {', '.join([*apart, money])}"


def _summary(report: Report) -> str:
    unexplained = report["totals"]["unexplained"]
    reasons = f" ({unexplained} for no known cause)" if unexplained else ""
    return (
        f"{_many(report['agree'], 'agrees', 'agree')} to the token, "
        f"{_many(report['differ'], 'differs', 'differ')}{reasons}, "
        f"{report['withoutTotals']} without the client's totals"
    )


def _many(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _exact(dollars: float) -> str:
    return f"${dollars:,.4f}"


def _signed(dollars: float) -> str:
    """Client minus ledger; what is too small for four places has six."""
    places = 6 if 0 < abs(dollars) < 0.0001 else 4
    return f"{'-' if dollars < 0 else '+'}${abs(dollars):,.{places}f}"

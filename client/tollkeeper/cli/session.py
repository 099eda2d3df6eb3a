"""``toll session``: usage by conversation."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from datetime import datetime

from tollkeeper.cli import words
from tollkeeper.cli.context import Ask, print_raw
from tollkeeper.cli.period import report_options, report_params
from tollkeeper.cli.whole import whole_report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HELP = "Show tokens and money by conversation (what Claude Code calls a session)."


def options(parser: ArgumentParser) -> None:
    report_options(parser)
    parser.add_argument(
        "-i", "--id", metavar="ID", help="only the conversations whose id begins like this"
    )


def run(ask: Ask, options: Namespace) -> None:
    params = report_params(options, id=options.id)
    answer = whole_report(ask, "session", params)
    if ask.as_json:
        print_raw(answer)
        return
    from tollkeeper.cli.report import Line, Look, nothing_of, print_report, with_splits
    from tollkeeper.cli.table import Column

    report = json.loads(answer)
    heads = [
        Column("Conversation", cut=2, least=12),
        Column("Project", cut=1, least=8, drop=2),
        Column("Last activity", drop=3),
    ]
    look = Look.of(options, heads)
    rows = [Line(labels(row), row) for row in report["sessions"]]
    lines = [line for row in rows for line in with_splits(row, look)]
    print_report(lines, report["totals"], look, nothing_of(options, options.id))


def labels(row: dict[str, Any]) -> list[str]:
    """Title or id, project and last activity of a conversation."""
    last = row["lastActivity"]
    local = datetime.fromisoformat(last).astimezone() if last else None
    project = (row["cwd"] or row["projectPath"]).rstrip("/").rpartition("/")[2]
    return [
        words.plain(row["title"] or row["sessionId"][:8]),
        words.plain(project),
        local.isoformat(" ", "minutes")[:16] if local else "",
    ]

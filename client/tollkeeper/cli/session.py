"""``toll session``: usage by conversation."""

from datetime import date, datetime
from typing import Any

import click

from tollkeeper.cli import words
from tollkeeper.cli.context import Ask, print_json, verb_options
from tollkeeper.cli.period import as_params, period_options


@click.command("session", short_help="usage by conversation")
@period_options
@verb_options
def command(ask: Ask, since: date | None, until: date | None, timezone: str | None) -> None:
    """Show tokens and money by conversation (what Claude Code calls a session)."""
    report = ask.call("session", dict[str, Any], **as_params(since, until, timezone))
    if ask.as_json:
        print_json(report)
        return
    from tollkeeper.cli.report import report_table
    from tollkeeper.cli.screen import console

    out = console()
    rows = [(_cells(row), row) for row in report["sessions"]]
    heads = ["Conversation", "Project", "Last activity"]
    out.print(report_table(rows, heads, report["totals"], out.width))


def _cells(row: dict[str, Any]) -> list[str]:
    last = row["lastActivity"]
    local = datetime.fromisoformat(last).astimezone() if last else None
    project = (row["cwd"] or row["projectPath"]).rstrip("/").rpartition("/")[2]
    return [
        words.plain(row["title"] or row["sessionId"][:8]),
        words.plain(project),
        local.strftime("%Y-%m-%d %H:%M") if local else "",
    ]

"""``toll daily``: usage by day."""

from datetime import date
from typing import Any

import click

from tollkeeper.cli.context import Ask, print_json, verb_options
from tollkeeper.cli.period import as_params, period_options


@click.command("daily", short_help="usage by day")
@period_options
@verb_options
def command(ask: Ask, since: date | None, until: date | None, timezone: str | None) -> None:
    """Show tokens and money by day: what was billed, and the list price of everything."""
    report = ask.call("daily", dict[str, Any], **as_params(since, until, timezone))
    if ask.as_json:
        print_json(report)
        return
    from tollkeeper.cli.report import report_table
    from tollkeeper.cli.screen import console

    out = console()
    rows = [([row["date"]], row) for row in report["daily"]]
    out.print(report_table(rows, ["Day"], report["totals"], out.width))

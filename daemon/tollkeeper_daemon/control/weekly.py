"""``weekly``: the report by week."""

from typing import Any

from tollkeeper_daemon.control.earlier import with_earlier
from tollkeeper_daemon.control.sheets import choice_of, read_sheet, today
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.reports import periods


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """A line per week of the span, and the totals."""
    asked = choice_of(periods.WeekChoice, params)
    start = asked.start_of_week or daemon.settings.config.reports.start_of_week
    choice = periods.lately(asked, today(asked), periods.weeks_ago(start))
    report = periods.weekly(read_sheet(daemon, choice, choice.instances), choice, start)
    return with_earlier(daemon, choice, report)

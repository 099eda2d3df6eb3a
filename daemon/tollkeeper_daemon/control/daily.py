"""``daily``: the report by day."""

from typing import Any

from tollkeeper_daemon.control.earlier import with_earlier
from tollkeeper_daemon.control.sheets import choice_of, read_sheet, today
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.reports import periods


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """A line per day of the span, and the totals."""
    asked = choice_of(periods.PeriodChoice, params)
    choice = periods.lately(asked, today(asked), periods.days_ago)
    report = periods.daily(read_sheet(daemon, choice, choice.instances), choice)
    return with_earlier(daemon, choice, report)

"""``daily``: the report by day."""

from typing import Any

from tollkeeper_daemon import reports
from tollkeeper_daemon.control.period import Period, rows_in
from tollkeeper_daemon.control.refusal import params_as
from tollkeeper_daemon.daemon import Daemon


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """A line per day of the period, and the totals."""
    period = params_as(Period, params)
    return reports.daily(rows_in(daemon, period), period.zone())

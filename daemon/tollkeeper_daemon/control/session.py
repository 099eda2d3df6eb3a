"""``session``: the report by conversation."""

from typing import Any

from tollkeeper_daemon.control.sheets import choice_of, read_sheet
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.reports import conversations


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """A line per conversation of the span, and the totals."""
    choice = choice_of(conversations.SessionChoice, params)
    return conversations.session(read_sheet(daemon, choice, places=True), choice)

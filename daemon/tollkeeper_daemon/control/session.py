"""``session``: the report by conversation."""

from typing import Any

from tollkeeper_daemon import reports
from tollkeeper_daemon.control.period import Period, rows_in
from tollkeeper_daemon.control.refusal import params_as
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.store.schema import Conversation
from tollkeeper_daemon.view import iso


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """A line per conversation of the period, and the totals."""
    rows = rows_in(daemon, params_as(Period, params))

    def describe(name: str) -> dict[str, Any]:
        known = daemon.store.read(lambda transaction: transaction.conversation(name))
        return _described(known or Conversation())

    return reports.session(rows, describe)


def _described(conversation: Conversation) -> dict[str, Any]:
    return {
        "projectPath": conversation.project,
        "cwd": conversation.cwd or None,
        "title": conversation.title or None,
        "firstActivity": iso(conversation.first_time) if conversation.first_time else None,
        "lastActivity": iso(conversation.last_time) if conversation.last_time else None,
    }

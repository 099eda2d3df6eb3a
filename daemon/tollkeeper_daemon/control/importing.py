"""Marks the answers that are given while the history is still being read."""

from collections.abc import Callable
from typing import Any

from tollkeeper_daemon.daemon import Daemon

Report = Callable[[Daemon, dict[str, Any]], dict[str, Any]]


def marked(answer: Report) -> Report:
    """The same report, that says first how far an import has come which it may not hold all of."""

    def answer_marked(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
        importing = daemon.herald.progress
        report = answer(daemon, params)
        return {"importing": importing, **report} if importing else report

    return answer_marked

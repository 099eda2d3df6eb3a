"""``workflow.stages``: each stage across all workflows."""

from typing import Any

from tollkeeper_daemon.control.refusal import params_as
from tollkeeper_daemon.control.works import read_works
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.reports.work_stages import StageChoice, stages


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """A line per stage: how many workflows went through it, and how what it took spreads."""
    choice = params_as(StageChoice, params)
    works = daemon.store.read(lambda transaction: read_works(transaction, choice.since))
    return stages(works, choice)

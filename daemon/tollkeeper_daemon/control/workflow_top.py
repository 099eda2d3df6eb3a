"""``workflow.top``: the dearest workflows, stages and roles."""

from typing import Any

from tollkeeper_daemon.control.refusal import params_as
from tollkeeper_daemon.control.works import names_in, read_works
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.reports.work_top import TopChoice, top


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """The dearest of each, with their shares."""
    choice = params_as(TopChoice, params)
    return daemon.store.read(
        lambda transaction: top(
            read_works(transaction, choice.since),
            choice,
            names_in(transaction),
            transaction.work.workflow,
        )
    )

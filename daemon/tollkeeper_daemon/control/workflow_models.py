"""``workflow.models``: which model has been cheaper for each stage so far."""

from typing import Any

from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.control.refusal import params_as
from tollkeeper_daemon.control.works import begin_of
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.ledger.books import quarter
from tollkeeper_daemon.reports.work_models import ModelChoice, models
from tollkeeper_daemon.store.transaction import Transaction


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """A line for each stage and model. What is still under way is left out: it would seem cheap."""
    choice = params_as(ModelChoice, params)
    first = quarter(begin_of(choice.since))

    def work(transaction: Transaction) -> dict[str, Any]:
        under_way = {each.workflow for each in transaction.work.in_brief(now_ms()) if each.is_open}
        done = (each for each in transaction.work.sums() if each[0] not in under_way)
        return {**models(done, choice, first), "under_way": len(under_way)}

    return daemon.store.read(work)

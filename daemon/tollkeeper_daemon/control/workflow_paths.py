"""``workflow.paths``: the paths that workflows go, beside each other."""

from collections.abc import Iterator
from typing import Any

from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.control.refusal import params_as
from tollkeeper_daemon.control.works import begin_of
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.reports.work import worked_on
from tollkeeper_daemon.reports.work_paths import PathChoice, paths
from tollkeeper_daemon.store.schema import WorkflowRecord, WorkInBrief
from tollkeeper_daemon.store.transaction import Transaction


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """A line per path: how many workflows, how many failed, and how what they took spreads."""
    choice = params_as(PathChoice, params)

    def work(transaction: Transaction) -> dict[str, Any]:
        records = {record.id: record for record in transaction.work.workflows()}
        works = [*transaction.work.in_brief(now_ms())]
        since = begin_of(choice.since)
        found = [*worked_on(works, since), *_only_begun(records, works, since)]
        return paths(found, records, choice)

    return daemon.store.read(work)


def _only_begun(
    records: dict[str, WorkflowRecord], works: list[WorkInBrief], since: int
) -> Iterator[WorkInBrief]:
    """Those that were begun or ended since this time (ms), and never worked on."""
    for name in records.keys() - {work.workflow for work in works}:
        if (records[name].ended or records[name].started) >= since:
            yield WorkInBrief(name)

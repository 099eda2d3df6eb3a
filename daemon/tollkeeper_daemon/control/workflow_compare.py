"""``workflow.compare``: workflows side by side, stage by stage."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from tollkeeper_daemon.control.refusal import params_as
from tollkeeper_daemon.control.works import find_work, known_by
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.reports.work_compare import compare
from tollkeeper_daemon.store.transaction import Transaction

MOST_BESIDE = 100


class Named(Struct, frozen=True, forbid_unknown_fields=True):
    """Which workflows; all are set beside the first."""

    workflows: Annotated[tuple[str, ...], Meta(min_length=2, max_length=MOST_BESIDE)]


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """A cell for each workflow at each stage; Refused for one that nothing is known of."""
    names = params_as(Named, params).workflows

    def work(transaction: Transaction) -> dict[str, Any]:
        found = [find_work(transaction, name) for name in names]
        return compare(found, known_by(daemon, transaction))

    return daemon.store.read(work)

"""``workflow.show``: what each stage of a workflow took."""

from typing import Any

from msgspec import Struct

from tollkeeper_daemon.control.refusal import params_as
from tollkeeper_daemon.control.works import find_work, known_by
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.reports.work_show import show


class Named(Struct, frozen=True, forbid_unknown_fields=True):
    """Which workflow; the empty name is for work of none."""

    workflow: str


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """A line per stage, and the totals; Refused for a workflow that nothing is known of."""
    name = params_as(Named, params).workflow
    return daemon.store.read(
        lambda transaction: show(find_work(transaction, name), known_by(daemon, transaction))
    )

"""``workflow.end``: a marker says that a workflow has ended, and how; its stages end with it."""

from typing import Any

from msgspec import Struct

from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.control.refusal import params_as
from tollkeeper_daemon.control.works import check_known
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.rules.settings import Label
from tollkeeper_daemon.workflows.marks import EndStatus
from tollkeeper_daemon.workflows.view import workflow_view


class End(Struct, frozen=True, forbid_unknown_fields=True):
    """The workflow, and how it ended."""

    workflow: Label
    status: EndStatus


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """The workflow as it is then; again, it may be told that it ended otherwise.

    Refused for one that nothing is known of, and that no living agent works for: it would be remembered.
    """
    wish, now = params_as(End, params), now_ms()
    check_known(daemon, wish.workflow, now)
    return workflow_view(daemon.work.workflows.end(wish.workflow, wish.status, now))

"""``workflow.start``: a marker says that a workflow starts, or which path it takes."""

from typing import Any

from msgspec import Struct

from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.control.refusal import params_as
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.names import path_of
from tollkeeper_daemon.rules.settings import Label
from tollkeeper_daemon.workflows.view import workflow_view


class Start(Struct, frozen=True, forbid_unknown_fields=True):
    """The workflow, the path that it takes, and the folder that it is started in."""

    workflow: Label
    path: Label | None = None
    folder: str = ""


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """The workflow as it is then; one that goes on already stays as it is."""
    wish = params_as(Start, params)
    folder = path_of(wish.folder)
    workflows = daemon.work.workflows
    return workflow_view(workflows.start(wish.workflow, wish.path or "", folder, now_ms()))

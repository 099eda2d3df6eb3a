"""``workflow.stage``: a marker says that a stage of a workflow, or of a task, starts or ends."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from tollkeeper.model import Span
from tollkeeper_daemon.bar.agents_by_hand import Ambiguous
from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.control.refusal import Refused, params_as
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.labels.labels import Labels
from tollkeeper_daemon.labels.task_ids import of_task
from tollkeeper_daemon.names import path_of
from tollkeeper_daemon.rules.settings import Label
from tollkeeper_daemon.workflows.marks import EndStatus, Event

# Deeper than processes are nested.
Pids = Annotated[tuple[int, ...], Meta(max_length=200)]


class Stage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The stage of a workflow or a task, and who is at it.

    ``agent`` is an agent's name, pid, id or conversation, or a subagent's type; ``pids`` are the
    caller's own and those above it; ``status`` says how a stage ended.
    """

    event: Event
    workflow: Label | None = None
    stage: Label | None = None
    task: Label | None = None
    agent: Label | None = None
    status: EndStatus | None = None
    pids: Pids = ()
    folder: str = ""

    @property
    def labels(self) -> Labels:
        """The labels that are said, with what the task's id tells."""
        task = self.task or ""
        return Labels(self.workflow or "", task, self.stage or "").over(of_task(task))


def answer(daemon: Daemon, params: dict[str, Any]) -> Span:
    """The span that started, goes on, or ended by it."""
    wish = params_as(Stage, params)
    labels = wish.labels
    if not labels.stage:
        raise Refused("bad-params", "which stage? the task's id does not tell")
    if not (labels.workflow or labels.task):
        raise Refused("bad-params", "a stage is one of a workflow or a task: name it")
    if wish.status and wish.event == "start":
        raise Refused("bad-params", "a stage that starts has no status yet")
    if wish.agent and wish.agent.isdecimal() and daemon.budgets.agents.find(wish.agent) is None:
        raise Refused("not-found", f"no agent {wish.agent} is running", "see: toll agents")
    workflows = daemon.work.workflows
    try:
        span = workflows.stage(
            wish.event,
            labels,
            now_ms(),
            word=wish.agent or "",
            pids=wish.pids,
            status=wish.status or "",
            folder=path_of(wish.folder),
        )
    except Ambiguous as several:
        raise Refused("ambiguous", str(several), "name it by its pid") from None
    return workflows.view(span)

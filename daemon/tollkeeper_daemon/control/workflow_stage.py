"""``workflow.stage``: a marker says that a stage of a workflow, or of a task, starts or ends."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from tollkeeper.model import Span
from tollkeeper_daemon.bar.agents_by_hand import Ambiguous
from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.control.refusal import Refused, params_as
from tollkeeper_daemon.control.works import check_known
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.labels.labels import Labels
from tollkeeper_daemon.labels.task_ids import of_task
from tollkeeper_daemon.names import path_of
from tollkeeper_daemon.rules.settings import Label
from tollkeeper_daemon.store.schema import SpanRecord
from tollkeeper_daemon.workflows.marks import EndStatus, Event, marked_id

# Deeper than processes are nested.
Pids = Annotated[tuple[int, ...], Meta(max_length=200)]
Role = Annotated[str, Meta(max_length=200)]


class Stage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The stage of a workflow or a task, and who is at it.

    ``agent`` is an agent's name, pid, id or conversation, or a subagent's type; ``pids`` are the
    caller's own and those above it; ``status`` says how a stage ended. With a ``role`` it is the stage
    of somebody who is about to be started: a span of its own, which is ended by its ``id``. It may
    be started by an id of the caller's own, which is no number: said again, that is the same span.
    """

    event: Event
    workflow: Label | None = None
    stage: Label | None = None
    task: Label | None = None
    agent: Label | None = None
    status: EndStatus | None = None
    pids: Pids = ()
    folder: str = ""
    role: Role | None = None
    id: Label | None = None

    @property
    def labels(self) -> Labels:
        """The labels that are said, with what the task's id tells."""
        task = self.task or ""
        return Labels(self.workflow or "", task, self.stage or "").over(of_task(task))


def answer(daemon: Daemon, params: dict[str, Any]) -> Span:
    """The span that started, goes on, or ended by it.

    An end is refused for a workflow that nothing is known of, and that no living agent works for.
    """
    wish = params_as(Stage, params)
    if not wish.labels.stage:
        raise Refused("no-stage", "which stage? the task's id does not tell")
    if not (wish.labels.workflow or wish.labels.task):
        raise Refused("bad-params", "a stage is one of a workflow or a task: name it")
    if wish.event == "start":
        _check_start(wish)
    return daemon.work.workflows.view(_marked(daemon, wish))


def _check_start(wish: Stage) -> None:
    """Refused when something is said that a stage does not have when it starts."""
    if wish.status:
        raise Refused("bad-params", "a stage that starts has no status yet")
    if wish.id and wish.role is None:
        raise Refused("bad-params", "a stage that starts has an id of your own only with a role")
    if wish.id and marked_id(wish.id).removeprefix(marked_id("")).isdecimal():
        raise Refused("bad-params", f"{wish.id!r} is a number: an id of your own is none")


def _marked(daemon: Daemon, wish: Stage) -> SpanRecord:
    workflows, now, status = daemon.work.workflows, now_ms(), wish.status or ""
    folder = path_of(wish.folder)
    if wish.event == "start" and wish.role is not None:
        return workflows.start_apart(wish.labels, wish.role, folder, now, wish.id or "")
    if wish.id:
        ended = workflows.end_apart(wish.labels, wish.id, status, now)
        if ended is None:
            raise Refused("not-found", f"no stage {wish.id!r} of {wish.labels.workflow!r} is known")
        return ended
    if wish.event == "end" and (workflow := wish.labels.workflow):
        check_known(daemon, workflow, now)
    word = wish.agent or ""
    try:
        if word.isdecimal() and daemon.budgets.agents.find(word) is None:
            raise Refused("not-found", f"no agent {word} is running", "see: toll agents")
        return workflows.stage(wish.event, wish.labels, now, word, wish.pids, status, folder)
    except Ambiguous as several:
        raise Refused("ambiguous", str(several), "name it by its pid") from None

"""``tag``: say which work agents do, from now on or from an earlier time."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from tollkeeper.model import Tagged
from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.clock import now_ms
from tollkeeper_daemon.control.refusal import Refused, params_as
from tollkeeper_daemon.control.whom import find
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.labels.labels import NONE, Labels, Layer, labels_of
from tollkeeper_daemon.labels.task_ids import of_task
from tollkeeper_daemon.rules.settings import Label

Moment = Annotated[datetime, Meta(tz=True)]


class Tag(Struct, frozen=True, forbid_unknown_fields=True):
    """``agents`` name some; ``all`` means every one.

    What is left out of the labels stays as it was said before, or, with ``clear``, is said no more.
    ``since`` is a time with a zone; ``subagent`` names one of a single agent's by id or type.
    """

    agents: tuple[str, ...] = ()
    all: bool = False
    workflow: Label | None = None
    task: Label | None = None
    stage: Label | None = None
    since: Moment | None = None
    subagent: Label | None = None
    clear: bool = False

    @property
    def labels(self) -> Labels:
        """The labels that are said, with what the task's id tells."""
        task = self.task or ""
        return Labels(self.workflow or "", task, self.stage or "").over(of_task(task))


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """What came of it, agent by agent."""
    wish = params_as(Tag, params)
    if not wish.labels and not wish.clear:
        raise Refused("bad-params", "say a workflow, a task or a stage, or clear what was said")
    agents = find(daemon, wish.agents, wish.all)
    if wish.subagent and len(agents) != 1:
        raise Refused("bad-params", "a subagent is one of a single agent: name that alone")
    now = now_ms()
    since = min(max(int(wish.since.timestamp() * 1000), 0), now) if wish.since else now
    return {"tagged": [_tag(daemon, agent, wish, since, now) for agent in agents]}


def _tag(daemon: Daemon, agent: LiveAgent, wish: Tag, since: int, now: int) -> Tagged:
    subagent = _subagent(agent, wish.subagent) if wish.subagent else ""
    before = labels_of(agent.record.told, Layer.SAID, since, subagent)
    labels = wish.labels.over(NONE if wish.clear else before)
    moved = daemon.agents.tag(agent, labels, since, subagent, now)
    record = agent.record
    held = agent.subagents[subagent].labels if subagent else None
    workflow, task, stage = (
        (held.workflow, held.task, held.stage)
        if held
        else (record.workflow, record.task, record.stage)
    )
    return Tagged(
        id=record.id,
        agent=record.name,
        pid=record.pid,
        workflow=workflow or None,
        task=task or None,
        stage=stage or None,
        moved_requests=moved,
    )


def _subagent(agent: LiveAgent, word: str) -> str:
    """The id of the subagent that the word names; Refused when it is not there, or may be several."""
    if word in agent.subagents:
        return word
    found = [each.id for each in agent.subagents.values() if each.type == word]
    if len(found) == 1:
        return found[0]
    name = agent.record.name
    if found:
        ids = ", ".join(found)
        raise Refused("ambiguous", f"{name} has several subagents of type {word!r}", f"ids: {ids}")
    raise Refused("not-found", f"{name} has no subagent {word!r}", "see: toll status")

"""The layer of claims: what an orchestrator's own files say of one agent's work, from when on. Pure."""

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from tollkeeper_daemon.labels.labels import Fact, Labels, Layer, labels_at
from tollkeeper_daemon.labels.task_ids import of_task

CLAIM = "claim"
ENDS = ("release", "complete")


class ClaimLine(Struct, frozen=True):
    """That an agent takes up a task, or lets go of it (``action``), at a time (ms)."""

    action: str
    task: str
    agent: str
    time: int


def claimed(told: Iterable[Fact], lines: Sequence[ClaimLine], given: str, since: int) -> list[Fact]:
    """What these lines, all of one agent, say beyond what was ``told``.

    ``given`` is the task that it has while it claims none, if any, and ``since`` when it came: what it
    had claimed before holds from then on. What was told stays when a file loses its lines.
    """
    known = [fact for fact in told if fact.layer == Layer.CLAIMED and not fact.subagent]
    dated = [(max(line.time, since), line) for line in sorted(lines, key=_time)]
    cut = known[-1].since if known else 0
    # Lines may bear the same time, and come one by one.
    before = [fact for fact in known if fact.since < cut] if cut in dict(dated) else known
    last = task = before[-1].labels.task if before else ""
    tasks: dict[int, str] = {}
    if given and not before and cut in (0, since):
        task = tasks[since] = given
    for time, line in dated:
        if time >= cut:
            task = _after(line, task, given)
            tasks[time] = task
    found: list[Fact] = []
    for time in sorted(tasks):
        # Of the last fact that was told the stage may have been learned since: its task tells.
        was = known[-1].labels.task if known and time == cut else last
        last = tasks[time]
        if last != was:
            found.append(Fact(time, Layer.CLAIMED, labels=of_task(last)))
    return found


def _time(line: ClaimLine) -> int:
    return line.time


def _after(line: ClaimLine, task: str, given: str) -> str:
    """The agent's task behind this line."""
    if line.action == CLAIM:
        return line.task
    if line.action in ENDS and line.task == task:
        return given if given != task else ""
    return task


def staged(known: tuple[Fact, ...], now: int, stage_of: Callable[[str], str]) -> Fact | None:
    """What the layer has to say of the stage, where nothing else does; None when that is no news.

    ``stage_of`` says at which stage a task is, as far as that is known. It holds for as long as that is
    the task.
    """
    layer = [fact for fact in known if fact.layer == Layer.CLAIMED and fact.since <= now]
    last = layer[-1] if layer else Fact(0, Layer.CLAIMED)
    others = tuple(fact for fact in known if fact.layer != Layer.CLAIMED)
    own, found = last.labels, labels_at(others, now)
    if own.task:
        is_open = not (own.stage or found.stage)
        stage = stage_of(own.task) if is_open else ""
        labels = Labels(own.workflow, own.task, stage)
        return Fact(last.since, Layer.CLAIMED, labels=labels) if stage else None
    if own.stage and labels_at(others, last.since).task == found.task:
        return None
    stage = stage_of(found.task) if found.task and not found.stage else ""
    since = _since(others, found.task, now)
    is_news = stage != own.stage
    return Fact(since, Layer.CLAIMED, labels=Labels(stage=stage)) if is_news else None


def _since(facts: tuple[Fact, ...], task: str, now: int) -> int:
    """Since when (ms) that is the task."""
    since = now
    for time in sorted({0, *(fact.since for fact in facts)}, reverse=True):
        if time <= now:
            if labels_at(facts, time).task != task:
                break
            since = time
    return since

"""Which piece of work something belongs to: what is known of that, from when on, and how surely. Pure.

What is known is only ever added to, each with its time: so it does not matter in which order it is
learned, and what was asked before a change stays with the piece of work that it was asked for.
"""

from collections.abc import Iterable
from enum import IntEnum

from msgspec import Struct

# Far more than any conversation changes its work.
MOST_KEPT = 500
FAR_AHEAD = 1 << 62


class Labels(Struct, frozen=True, array_like=True, gc=False, order=True):
    """A piece of work; empty where unknown."""

    workflow: str = ""
    task: str = ""
    stage: str = ""

    def over(self, weaker: "Labels") -> "Labels":
        """These, with what they leave open as the weaker ones say it."""
        return Labels(
            self.workflow or weaker.workflow,
            self.task or weaker.task,
            self.stage or weaker.stage,
        )

    def __bool__(self) -> bool:
        return bool(self.workflow or self.task or self.stage)


NONE = Labels()


class Layer(IntEnum):
    """What told a label; a higher one is believed before a lower one.

    ``SAID`` is by ``toll tag``, the control socket and ``toll exec``, ``ENVIRONMENT`` the ``TOLL_*`` of
    a process, ``MARKED`` a workflow's markers, ``CLAIMED`` an orchestrator's own files, ``FOUND`` a task
    id in a subagent's order or a conversation's name, ``PLACED`` one in its branch or folder.
    """

    PLACED = 1
    FOUND = 2
    CLAIMED = 3
    MARKED = 4
    ENVIRONMENT = 5
    SAID = 6


class Fact(Struct, frozen=True, array_like=True, gc=False, order=True):
    """That from a time (ms) on a layer says this of a conversation, or of one of its subagents alone.

    With no labels the layer says nothing from then on.
    """

    since: int
    layer: int
    subagent: str = ""
    labels: Labels = NONE


def with_facts(known: tuple[Fact, ...], new: Iterable[Fact]) -> tuple[Fact, ...]:
    """The facts with these as well; the very same tuple when they say nothing new."""
    found = {*known, *new}
    if len(found) == len(known):
        return known
    facts = sorted(found)
    return tuple(facts if len(facts) <= MOST_KEPT else _thinned(facts))


def _thinned(facts: list[Fact]) -> list[Fact]:
    """Without those that only repeat what their layer has said before, and then the latest of them.

    What each layer has said last before these, of the conversation itself, stays: it holds still.
    """
    last: dict[tuple[int, str], Labels] = {}
    kept: list[Fact] = []
    for fact in facts:
        said = (fact.layer, fact.subagent)
        if last.get(said, NONE) != fact.labels:
            last[said] = fact.labels
            kept.append(fact)
    latest = MOST_KEPT - len(Layer)
    holding = {fact.layer: fact for fact in kept[:-latest] if not fact.subagent}
    return [*sorted(holding.values()), *kept[-latest:]]


def with_last(known: tuple[Fact, ...], fact: Fact, until: int = FAR_AHEAD) -> tuple[Fact, ...]:
    """The facts with this one, which takes back what its layer said of later times, up to ``until``."""
    kept = [
        each
        for each in known
        if (each.layer, each.subagent) != (fact.layer, fact.subagent)
        or not fact.since <= each.since < until
    ]
    return with_facts(tuple(kept), [fact])


def labels_of(facts: Iterable[Fact], layer: int, time: int, subagent: str = "") -> Labels:
    """What this layer says at this time (ms)."""
    found = NONE
    for fact in facts:
        if (fact.layer, fact.subagent) == (layer, subagent) and fact.since <= time:
            found = fact.labels
    return found


def labels_at(
    facts: tuple[Fact, ...], time: int, subagent: str = "", stage: str = "", kind: str = ""
) -> Labels:
    """To which work belongs what is asked in the conversation at this time (ms).

    A subagent has its own labels, and inherits what they leave open. ``stage`` is the one that its type
    stands for, if any, and ``kind`` the type itself, which is a stage where there is no other. Both are
    only within a workflow or a task.
    """
    if not facts:
        return NONE
    own: dict[int, Labels] = {}
    above: dict[int, Labels] = {}
    for fact in facts:
        if fact.since > time:
            break
        if not fact.subagent:
            above[fact.layer] = fact.labels
        elif fact.subagent == subagent:
            own[fact.layer] = fact.labels
    inherited = _merged(above)
    if not subagent:
        return inherited
    if own.get(Layer.PLACED) == above.get(Layer.PLACED):
        own.pop(Layer.PLACED, None)  # It works where its agent does: that is nothing of its own.
    found = _merged(own)
    if not (found.workflow or found.task or inherited.workflow or inherited.task):
        return found.over(inherited)
    return found.over(Labels(stage=stage)).over(inherited).over(Labels(stage=kind))


def _merged(layers: dict[int, Labels]) -> Labels:
    found = NONE
    for layer in sorted(layers, reverse=True):
        found = found.over(layers[layer])
    return found


def differs_since(known: tuple[Fact, ...], learned: tuple[Fact, ...]) -> int | None:
    """From when on (ms) something may belong to other work by what was learned; None for never.

    What was only forgotten, as more than is kept was known, moves nothing: nobody said otherwise.
    """
    first: dict[tuple[int, str], int] = {}
    for fact in learned:
        first.setdefault((fact.layer, fact.subagent), fact.since)
    taken_back = (
        fact
        for fact in {*known} - {*learned}
        if first.get((fact.layer, fact.subagent), FAR_AHEAD) <= fact.since
    )
    changed = (*({*learned} - {*known}), *taken_back)
    return min((fact.since for fact in changed), default=None)

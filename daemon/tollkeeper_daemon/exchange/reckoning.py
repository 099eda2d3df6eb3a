"""Reckons what a span has added to the sums since its parts were reckoned last. Pure.

Every part of the sums belongs to one span at a time, and what was reckoned of it is remembered: so what
is added, summed over all that is ever told, is what the ledger has, however it was cut.
"""

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from tollkeeper_daemon.labels.labels import Labels
from tollkeeper_daemon.ledger.books import SUBSCRIPTION
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.store.errands import Part, part_of
from tollkeeper_daemon.store.schema import SpanRecord, WorkSum
from tollkeeper_daemon.workflows.marks import fits, is_marked

# How surely a part belongs to a span: to an agent's or a helper's own, to a marked one, or to that of
# the agent above a helper that has none.
OWN, MARKED, ABOVE = 9, 2, 1


class Added(Struct, frozen=True):
    """What was added of one model; ``cost`` is what is billed of it (nano-dollars).

    Task, stage and role are those of all of it, empty where there are several.
    """

    task: str
    stage: str
    role: str
    model: str
    totals: Totals
    cost: int


def news(sums: Iterable[WorkSum], reckoned: Iterable[WorkSum]) -> list[WorkSum]:
    """What was added to each part since it was reckoned; less than nothing where it moved away."""
    now = {part_of(each): each for each in sums}
    before = {part_of(each): each for each in reckoned}
    found: list[WorkSum] = []
    for part, each in (before | now).items():
        totals = Totals()
        if part in now:
            totals.add(now[part].totals)
        if part in before:
            totals.add(before[part].totals, times=-1)
        if totals:
            found.append(replace(each, totals=totals))
    return found


def with_reckoned(
    reckoned: Iterable[WorkSum], sums: Iterable[WorkSum], told: Iterable[WorkSum]
) -> list[WorkSum]:
    """What is reckoned, when this news of some parts is told too."""
    now = {part_of(each): each for each in sums}
    parts: dict[Part, WorkSum] = {part_of(each): each for each in reckoned}
    for part in map(part_of, told):
        parts.pop(part, None)
        if part in now:
            parts[part] = now[part]
    return list(parts.values())


def share_of(
    span: SpanRecord, others: Iterable[SpanRecord], sums: Iterable[WorkSum]
) -> list[WorkSum]:
    """The parts that belong to the span, and to none of the others more surely."""
    rivals = list(others)
    return [each for each in sums if _is_of(each, span, rivals)]


def _is_of(each: WorkSum, span: SpanRecord, rivals: Sequence[SpanRecord]) -> bool:
    own = _rank(each, span)
    return own > 0 and all(_rank(each, rival) <= own for rival in rivals)


def _rank(each: WorkSum, span: SpanRecord) -> int:
    """How surely the part belongs to the span; 0 when it does not."""
    labels = Labels(span.workflow, each.task, each.stage)
    if is_marked(span):
        if not fits(span.labels, labels):
            return 0
        shared = (
            (span.labels.task, each.task),
            (span.agent, each.agent),
            (span.role, each.subagent_type),
        )
        return MARKED + sum(one == other != "" for one, other in shared)
    if (labels, each.agent) != (span.labels, span.agent):
        return 0
    if span.subagent:
        return OWN if each.subagent_type == span.role else 0
    return ABOVE if each.subagent_type else OWN


def by_model(told: Iterable[WorkSum], role_of: Callable[[WorkSum], str]) -> list[Added]:
    """The news, model by model."""
    return _by(told, role_of, lambda each: (each.model,))


def by_part(told: Iterable[WorkSum], role_of: Callable[[WorkSum], str]) -> list[Added]:
    """The news by task, stage, role and model."""
    return _by(told, role_of, lambda each: (each.task, each.stage, role_of(each), each.model))


def _by(
    told: Iterable[WorkSum],
    role_of: Callable[[WorkSum], str],
    key_of: Callable[[WorkSum], tuple[str, ...]],
) -> list[Added]:
    lots: dict[tuple[str, ...], list[WorkSum]] = {}
    for each in told:
        lots.setdefault(key_of(each), []).append(each)
    return [_added(lots[key], role_of) for key in sorted(lots)]


def _added(lot: Sequence[WorkSum], role_of: Callable[[WorkSum], str]) -> Added:
    totals, cost = Totals(), 0
    for each in lot:
        totals.add(each.totals)
        cost += each.totals.value if each.source != SUBSCRIPTION else 0
    return Added(
        task=_only(each.task for each in lot),
        stage=_only(each.stage for each in lot),
        role=_only(role_of(each) for each in lot),
        model=lot[0].model,
        totals=totals,
        cost=cost,
    )


def _only(names: Iterable[str]) -> str:
    """The name, when there is but one."""
    found = {*names}
    return found.pop() if len(found) == 1 else ""


def with_added(
    reported: Iterable[tuple[str, Totals]], added: Iterable[Added]
) -> tuple[tuple[str, Totals], ...]:
    """What was reported by model, with what is reported now."""
    found: dict[str, Totals] = {model: replace(totals) for model, totals in reported}
    for each in added:
        found.setdefault(each.model, Totals()).add(each.totals)
    return tuple(sorted(found.items(), key=lambda item: item[0]))

"""The dearest workflows, stages and roles: what drives the cost."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from heapq import nsmallest
from operator import attrgetter
from typing import Annotated, Any

from msgspec import Meta, Struct

from tollkeeper_daemon.reports.work import (
    Measure,
    NameOf,
    in_words,
    share_of,
    workflow_json,
)
from tollkeeper_daemon.store.schema import WorkBrief, WorkflowRecord, WorkInBrief
from tollkeeper_daemon.tally import dollars

MOST_WORKFLOWS = 10
MOST_DRIVERS = 3
MOST_NAMES = 10_000

# What tells agents of one name apart; an agent's id, which is all numbers, stands for one alone.
NUMBERED = re.compile(r"(.*[^\d-].*)-\d+")

RecordOf = Callable[[str], WorkflowRecord | None]
"""What markers told of the workflow with this id."""


class TopChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """By what, and so many of each; of the workflows that were worked on since this day.

    Without ``by`` it is what is billed, or the list price where nothing is.
    """

    by: Measure | None = None
    since: date | None = None
    last: Annotated[int, Meta(ge=1)] | None = None


class Sum(Struct, frozen=True):
    """What some parts of works come to; ``duration`` (ms) is None where it is not known."""

    requests: int
    messages: int
    tokens: int
    cost: int
    value: int
    unpriced: int
    duration: int | None = None

    @classmethod
    def of(cls, parts: "Iterable[WorkBrief | Sum]", duration: int | None = None) -> "Sum":
        """The sum of these, a field at a time, which is the quickest for many."""
        lot = [*parts]
        return cls(
            sum([part.requests for part in lot]),
            sum([part.messages for part in lot]),
            sum([part.tokens for part in lot]),
            sum([part.cost for part in lot]),
            sum([part.value for part in lot]),
            sum([part.unpriced for part in lot]),
            duration,
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "requests": self.requests,
            "messages": self.messages,
            "total_tokens": self.tokens,
            "cost_usd": dollars(self.cost),
            "value_usd": dollars(self.value),
            "unpriced_requests": self.unpriced,
            "duration_seconds": in_words("duration", self.duration),
        }


def top(
    works: Sequence[WorkInBrief], choice: TopChoice, name_of: NameOf, record_of: RecordOf
) -> dict[str, Any]:
    """The dearest of each with their shares.

    What overlaps counts once in the duration of a workflow, and of a stage or an agent in each workflow.
    Agents that only a number behind their name tells apart are one role. What is of no workflow is in the
    totals, and is not counted as one.
    """
    stages, roles = _by_stage_and_role(works, name_of)
    known = [work.duration for work in works if work.duration is not None]
    total = Sum.of(stages.values(), sum(known) if known else None)
    measure = choice.by or ("cost" if total.cost else "value")
    by_name = {work.workflow: work for work in works}
    drivers = choice.last or MOST_DRIVERS
    return {
        "by": measure,
        "since": choice.since,
        "workflows": [
            {
                **workflow_json(name, record_of(name)),
                **Sum.of(by_name[name].briefs, by_name[name].duration).as_json(),
                "share": share,
            }
            for name, share in _dearest(_amounts(works, measure), choice.last or MOST_WORKFLOWS)
        ],
        "stages": _drivers("stage", stages, measure, drivers),
        "roles": _drivers("role", roles, measure, drivers),
        "totals": {"workflows": sum(1 for work in works if work.workflow), **total.as_json()},
    }


def _amounts(works: Iterable[WorkInBrief], measure: Measure) -> dict[str, int]:
    """What each workflow comes to by this measure."""
    if measure == "duration":
        return {work.workflow: work.duration or 0 for work in works}
    amount_of = attrgetter(measure)
    return {work.workflow: sum(map(amount_of, work.briefs)) for work in works}


def _by_stage_and_role(
    works: Iterable[WorkInBrief], name_of: NameOf
) -> tuple[dict[str, Sum], dict[str, Sum]]:
    """What each stage and each role has come to: two sums over few cells, and one over many briefs."""
    lots: dict[tuple[str, str], list[WorkBrief]] = defaultdict(list)
    in_stages: dict[str, int] = defaultdict(int)
    in_roles: dict[str, int] = defaultdict(int)
    for work in works:
        for brief in work.briefs:
            name = brief.helper or brief.name or (name_of(brief.agent) if brief.agent else "")
            lots[brief.stage, name].append(brief)
        for stage, time in work.stages.items():
            in_stages[stage] += time
        for name, time in work.roles.items():
            in_roles[_role_of(name)] += time
    cells = {cell: Sum.of(lot) for cell, lot in lots.items()}
    return (
        _grouped(((stage, each) for (stage, _), each in cells.items()), in_stages),
        _grouped(((_role_of(name), each) for (_, name), each in cells.items()), in_roles),
    )


@lru_cache(MOST_NAMES)
def _role_of(name: str) -> str:
    found = NUMBERED.fullmatch(name)
    return found[1] if found else name


def _grouped(cells: Iterable[tuple[str, Sum]], durations: Mapping[str, int]) -> dict[str, Sum]:
    found: dict[str, list[Sum]] = {name: [] for name in durations}
    for name, each in cells:
        found.setdefault(name, []).append(each)
    return {name: Sum.of(parts, durations.get(name)) for name, parts in found.items()}


def _drivers(
    key: str, sums: Mapping[str, Sum], measure: Measure, count: int
) -> list[dict[str, Any]]:
    amount_of = attrgetter(measure)
    amounts = {name: amount_of(each) or 0 for name, each in sums.items()}
    return [
        {key: name or None, **sums[name].as_json(), "share": share}
        for name, share in _dearest(amounts, count)
    ]


def _dearest(amounts: Mapping[str, int], count: int) -> list[tuple[str, float]]:
    """Those with the largest amounts, and the share of each; none that comes to nothing."""
    whole = sum(amounts.values())
    named = ((name, amount) for name, amount in amounts.items() if amount)
    first = nsmallest(count, named, key=lambda each: (-each[1], each[0]))
    return [(name, share_of(amount, whole)) for name, amount in first]

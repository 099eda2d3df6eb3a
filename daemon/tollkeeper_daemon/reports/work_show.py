"""What each stage of a workflow took: tokens, money and time."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from tollkeeper_daemon.labels.task_ids import numbers_of
from tollkeeper_daemon.ledger.books import QUARTER_MS, quarter
from tollkeeper_daemon.ledger.prices import PriceList
from tollkeeper_daemon.reports.work import (
    RUNNING,
    Measure,
    NameOf,
    Work,
    cache_saved,
    seconds,
    share_of,
    status_of,
    usage_json,
    workflow_json,
)
from tollkeeper_daemon.store.in_brief import wall_clock
from tollkeeper_daemon.store.schema import SpanRecord, WorkSum
from tollkeeper_daemon.tally import Tally, dollars


class Line(Struct, frozen=True):
    """What one stage took, or the whole workflow: times in ms, ``saved`` in nano-dollars.

    ``runs`` is how often it was gone through, ``status`` how that ended the last time.
    """

    stage: str
    tasks: tuple[str, ...]
    roles: tuple[str, ...]
    models: tuple[str, ...]
    tally: Tally
    saved: int | None
    duration: int | None
    worked: int
    waited: int
    held: int
    runs: int
    status: str | None

    def amount(self, measure: Measure) -> int | None:
        """What it took by this measure, in whole numbers."""
        match measure:
            case "cost":
                return self.tally.cost
            case "value":
                return self.tally.totals.value
            case "tokens":
                return self.tally.totals.tokens
            case "duration":
                return self.duration


class Known(Struct, frozen=True):
    """What lines are made by: prices, agents' names, and the time (ms)."""

    prices: PriceList
    name_of: NameOf
    now: int


def show(work: Work, known: Known) -> dict[str, Any]:
    """A line per stage, in their order, and what they come to."""
    lines = lines_of(work, known)
    total = total_of(work, lines, known)
    measure: Measure = "cost" if total.tally.cost else "value"
    whole = total.amount(measure) or 0
    return {
        **workflow_json(work.name, work.record),
        "share_of": measure,
        "stages": [line_json(line, measure, whole) for line in lines],
        "totals": line_json(total, measure, whole),
    }


def lines_of(work: Work, known: Known) -> list[Line]:
    """A line per stage: by the number in its tasks' ids, else by when it began.

    What is of no stage comes last, under an empty name.
    """
    sums: dict[str, list[WorkSum]] = defaultdict(list)
    spans: dict[str, list[SpanRecord]] = defaultdict(list)
    for each in work.sums:
        sums[each.stage].append(each)
    for span in work.spans:
        spans[span.labels.stage].append(span)
    lots = [(stage, sums[stage], spans[stage]) for stage in sums.keys() | spans.keys()]
    return [_line(*lot, known) for lot in sorted(lots, key=lambda lot: _place(*lot))]


def total_of(work: Work, lines: list[Line], known: Known) -> Line:
    """All lines in one; its duration is the time in which any stage was at work."""
    tally = Tally()
    for line in lines:
        tally.merge(line.tally)
    saved = [line.saved for line in lines]
    return Line(
        stage="",
        tasks=_names(task for line in lines for task in line.tasks),
        roles=_names(role for line in lines for role in line.roles),
        models=_names(model for line in lines for model in line.models),
        tally=tally,
        saved=None if None in saved else sum(each or 0 for each in saved),
        duration=wall_clock(work.spans, known.now),
        worked=sum(line.worked for line in lines),
        waited=sum(line.waited for line in lines),
        held=sum(line.held for line in lines),
        runs=sum(line.runs for line in lines),
        status=status_of(work.record),
    )


def _line(stage: str, sums: list[WorkSum], spans: list[SpanRecord], known: Known) -> Line:
    tally = Tally()
    for each in sums:
        tally.add(each, each.totals)
    return Line(
        stage=stage,
        tasks=_names([*(each.task for each in sums), *(span.labels.task for span in spans)]),
        roles=_names(
            [
                *(each.subagent_type or known.name_of(each.agent) for each in sums),
                *(span.role for span in spans),
            ]
        ),
        models=_names(each.model for each in sums),
        tally=tally,
        saved=cache_saved(sums, known.prices),
        duration=wall_clock(spans, known.now),
        worked=sum(span.worked for span in spans),
        waited=sum(span.waited for span in spans),
        held=sum(span.held for span in spans),
        runs=len(spans),
        status=_status(spans),
    )


def _names(names: Iterable[str]) -> tuple[str, ...]:
    """Each once, in an order of their own, those of tasks by their numbers."""
    return tuple(
        sorted({name for name in names if name}, key=lambda name: (numbers_of(name), name))
    )


def _place(
    stage: str, sums: list[WorkSum], spans: list[SpanRecord]
) -> tuple[bool, bool, tuple[int, ...], int, str]:
    """Where the stage stands among the others."""
    tasks = {*(each.task for each in sums), *(span.labels.task for span in spans)}
    numbers = min([found for task in tasks if (found := numbers_of(task))], default=())
    return not stage, not numbers, numbers, _began(sums, spans), stage


def _began(sums: list[WorkSum], spans: list[SpanRecord]) -> int:
    """When the stage began (ms): sums tell the quarter of an hour, and spans the moment in it."""
    first = min([*(each.first for each in sums), *(quarter(span.started) for span in spans)])
    moments = [span.started for span in spans if quarter(span.started) == first]
    return min(moments, default=first * QUARTER_MS)


def _status(spans: list[SpanRecord]) -> str | None:
    """That it is at work, else how it ended the last time; None where nobody said."""
    if any(not span.ended for span in spans):
        return RUNNING
    last = max(spans, key=lambda span: (span.ended, span.id), default=None)
    return (last and last.status) or None


def line_json(line: Line, measure: Measure, whole: int) -> dict[str, Any]:
    """The line as it is told, with its share of the whole by this measure."""

    def time(amount: int) -> float | None:
        return seconds(amount) if line.runs else None

    return {
        "stage": line.stage or None,
        "tasks": line.tasks,
        "roles": line.roles,
        "models": line.models,
        **usage_json(line.tally),
        "cache_saved_usd": None if line.saved is None else dollars(line.saved),
        "share": share_of(line.amount(measure) or 0, whole),
        "duration_seconds": None if line.duration is None else seconds(line.duration),
        "worked_seconds": time(line.worked),
        "waited_seconds": time(line.waited),
        "held_seconds": time(line.held),
        "runs": line.runs,
        "status": line.status,
    }

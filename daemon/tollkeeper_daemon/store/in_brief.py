"""What a workflow has come to, in brief: by stage and role, with how long each took. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from tollkeeper_daemon.ledger.books import is_billed, quarter
from tollkeeper_daemon.ledger.totals import bounded
from tollkeeper_daemon.store.schema import SpanRecord, WorkBrief, WorkInBrief, WorkSum

Lot = tuple[list[WorkSum], list[SpanRecord]]


def in_brief(
    workflow: str,
    sums: Sequence[WorkSum],
    spans: Sequence[SpanRecord],
    name_of: Callable[[str], str],
    now: int = 0,
) -> WorkInBrief:
    """The sums and spans in brief, as they are at this time (ms); ``name_of`` says an agent's name, if any."""
    lots: dict[tuple[str, str, str], Lot] = defaultdict(lambda: ([], []))
    for each in sums:
        role = each.subagent_type or name_of(each.agent)
        lots[each.stage, role, "" if role else each.agent][0].append(each)
    for span in spans:
        lots[span.labels.stage, span.role, ""][1].append(span)
    briefs = tuple(_brief(*role, *lots[role], now) for role in sorted(lots))
    return WorkInBrief(
        workflow,
        any(not span.ended for span in spans),
        wall_clock(spans, now),
        tuple(_overlaps(briefs, spans, now)),
        briefs,
    )


def _overlaps(
    briefs: Iterable[WorkBrief], spans: Sequence[SpanRecord], now: int
) -> Iterator[tuple[str, int]]:
    together: dict[str, int] = defaultdict(int)
    for brief in briefs:
        together[brief.stage] += brief.duration or 0
    for stage, duration in together.items():
        own = wall_clock((span for span in spans if span.labels.stage == stage), now)
        if own is not None and own != duration:
            yield stage, duration - own


def _brief(
    stage: str, role: str, agent: str, sums: list[WorkSum], spans: list[SpanRecord], now: int
) -> WorkBrief:
    return WorkBrief(
        stage,
        role,
        agent,
        first=min([*(each.first for each in sums), *(quarter(span.started) for span in spans)]),
        last=max(
            [
                *(each.last for each in sums),
                *(quarter(span.ended or max(span.started, now)) for span in spans),
            ]
        ),
        requests=sum(each.totals.requests for each in sums),
        tokens=sum(each.totals.tokens for each in sums),
        cost=bounded(sum(each.totals.value for each in sums if is_billed(each))),
        value=bounded(sum(each.totals.value for each in sums)),
        unpriced=sum(each.totals.unpriced for each in sums),
        duration=wall_clock(spans, now),
    )


def wall_clock(spans: Iterable[SpanRecord], now: int) -> int | None:
    """How long any of them lasted (ms), what overlaps once; None without one."""
    found = sorted((span.started, span.ended or now) for span in spans)
    total = until = 0
    for start, end in found:
        total += max(end - max(start, until), 0)
        until = max(until, end)
    return total if found else None

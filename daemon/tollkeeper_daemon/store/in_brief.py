"""What a workflow has come to, in brief: kept beside its sums and spans, and moved with them. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from msgspec.structs import replace

from tollkeeper_daemon.ledger.books import Book, is_billed, quarter
from tollkeeper_daemon.ledger.totals import Totals, bounded
from tollkeeper_daemon.store.schema import SpanRecord, WorkBrief, WorkInBrief

Booked = tuple[int, Book, Totals]
"""The quarter of an hour, the book, and what was added to it."""

Who = tuple[str, str, str]
"""A stage, an agent's id, and a helper's type: one of the latter two is empty."""


def who_did(book: Book) -> Who:
    """Whose brief it is in; whose helper a helper is makes no other brief of it."""
    helper = book.subagent_type
    return book.stage, "" if helper else book.agent, helper


def with_booked(
    work: WorkInBrief, booked: Iterable[Booked], name_of: Callable[[str], str]
) -> WorkInBrief:
    """With what was booked; ``name_of`` says how an agent is called by its id, if that is known."""
    briefs = {(each.stage, each.agent, each.helper): each for each in work.briefs}
    moved: set[Who] = set()
    for at, book, totals in booked:
        who = who_did(book)
        moved.add(who)
        briefs[who] = _added(briefs.get(who) or _nothing(who), at, book, totals)
    for who in moved:
        briefs[who] = replace(briefs[who], name=name_of(who[1]))
    kept = (briefs[who] for who in sorted(briefs) if not briefs[who].is_nothing)
    return replace(work, briefs=tuple(kept))


def _nothing(who: Who) -> WorkBrief:
    return WorkBrief(*who, "", 0, 0, 0, 0, 0, 0, 0)


def _added(known: WorkBrief, at: int, book: Book, totals: Totals) -> WorkBrief:
    return WorkBrief(
        known.stage,
        known.agent,
        known.helper,
        known.name,
        last=max(known.last, at),
        requests=known.requests + totals.requests,
        messages=known.messages + totals.messages,
        tokens=known.tokens + totals.tokens,
        cost=bounded(known.cost + (totals.value if is_billed(book) else 0)),
        value=bounded(known.value + totals.value),
        unpriced=known.unpriced + totals.unpriced,
    )


def with_spans(work: WorkInBrief, spans: Sequence[SpanRecord], now: int = 0) -> WorkInBrief:
    """With these spans in the place of those before; one that is open lasts until ``now`` (ms)."""
    stages: dict[str, list[SpanRecord]] = defaultdict(list)
    roles: dict[str, list[SpanRecord]] = defaultdict(list)
    for span in spans:
        stages[span.labels.stage].append(span)
        roles[span.role].append(span)
    return replace(
        work,
        is_open=any(not span.ended for span in spans),
        last=max((quarter(span.ended or max(span.started, now)) for span in spans), default=0),
        duration=wall_clock(spans, now),
        stages={stage: wall_clock(own, now) or 0 for stage, own in stages.items()},
        roles={role: wall_clock(own, now) or 0 for role, own in roles.items()},
    )


def wall_clock(spans: Iterable[SpanRecord], now: int) -> int | None:
    """How long any of them lasted (ms), what overlaps once; None without one."""
    found = sorted((span.started, span.ended or now) for span in spans)
    total = until = 0
    for start, end in found:
        total += max(end - max(start, until), 0)
        until = max(until, end)
    return total if found else None

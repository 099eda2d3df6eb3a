"""Makes the usage files of rows of the ledger's sums; pure."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime

from tollkeeper_daemon.clock import iso
from tollkeeper_daemon.ledger.books import API, SUBSCRIPTION, Book, is_billed
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.reports.sheet import Sheet
from tollkeeper_daemon.store.schema import AgentRecord, RunRecord
from tollkeeper_daemon.tally import Tally, dollars
from tollkeeper_daemon.usage_files.shapes import (
    VERSION,
    AgentUse,
    DailyFile,
    PlanSnapshot,
    SessionFile,
    Sum,
    auth_mode,
)

# Whose requests were made before anybody watched, or by an agent that was never seen.
NOBODY = "unknown"


def days_of(
    sheet: Sheet,
    day_of: Callable[[int], str | None],
    wanted: Callable[[Book], bool],
) -> dict[str, dict[Book, Totals]]:
    """What each book came to on each day that is wanted; a row for which ``day_of`` says None is left out."""
    found: dict[str, dict[Book, Totals]] = defaultdict(dict)
    for (day, book), figures in sheet.gather(
        day_of, lambda book: book if wanted(book) else None
    ).items():
        found[day][book] = Totals(*figures)
    return found


def daily_file(day: str, books: dict[Book, Totals], agents: Mapping[str, AgentRecord]) -> DailyFile:
    """The file of this day; ``agents`` are those that are known, by their ids."""
    models: dict[str, Tally] = defaultdict(Tally)
    for book, totals in books.items():
        if book.model and totals.requests:
            models[book.model].add(book, totals)
    return DailyFile(
        VERSION,
        day,
        auth_mode(_sources(books)),
        _agents(books, names_of(_seen_in(books, agents))),
        _sum_of(books, SUBSCRIPTION),
        _sum_of(books, API),
        _sum_of(books),
        {name: _told(tally) for name, tally in sorted(models.items())},
    )


def session_file(
    run: RunRecord,
    agents: Collection[AgentRecord],
    books: dict[Book, Totals],
    plan: PlanSnapshot | None,
) -> SessionFile:
    """The file of this run of these agents, among them those that have used nothing yet."""
    names = names_of(agents)
    found = _agents(books, names)
    for agent in agents:
        found.setdefault(
            names[agent.id],
            AgentUse(
                source=agent.source,
                model=agent.model or None,
                task=agent.task or None,
                workflow=agent.workflow or None,
                stage=agent.stage or None,
            ),
        )
    sources = {use.source for use in found.values()} - {"", "both"}
    return SessionFile(
        VERSION,
        f"session-{_utc(run.started):%Y%m%d-%H%M%S}",
        f"{_utc(run.started):%Y-%m-%dT%H:%M:%SZ}",
        iso(run.ended) if run.ended else None,
        auth_mode(sources | _sources(books)),
        found,
        plan,
        _sum_of(books, SUBSCRIPTION),
        _sum_of(books, API),
    )


def session_name(run: RunRecord) -> str:
    """What the run's file is called: its start, in UTC as in the brief of Opus Orchestra."""
    return f"{_utc(run.started):%Y-%m-%d-%H%M%S}.json"


def names_of(agents: Iterable[AgentRecord]) -> dict[str, str]:
    """A name for each agent by its id; of several that bear the same one, later ones have their pid behind it."""
    taken: set[str] = set()
    found: dict[str, str] = {}
    for agent in sorted(agents, key=lambda each: (each.started, each.id)):
        name = agent.name or NOBODY
        if name in taken:
            name = f"{name} ({agent.pid})"
        taken.add(name)
        found[agent.id] = name
    return found


def _seen_in(books: Iterable[Book], agents: Mapping[str, AgentRecord]) -> Iterator[AgentRecord]:
    return (agents[name] for name in {book.agent for book in books} if name in agents)


def _agents(books: dict[Book, Totals], names: dict[str, str]) -> dict[str, AgentUse]:
    by_name: dict[str, dict[Book, Totals]] = defaultdict(dict)
    for book, totals in books.items():
        by_name[names.get(book.agent, NOBODY)][book] = totals
    return {name: _use(own) for name, own in sorted(by_name.items())}


def _use(books: dict[Book, Totals]) -> AgentUse:
    def mostly(what: Callable[[Book], str]) -> str | None:
        """What most of the money went to, of what is known."""
        sums: dict[str, tuple[int, int]] = {}
        for book, totals in books.items():
            if name := what(book):
                value, tokens = sums.get(name, (0, 0))
                sums[name] = value + totals.value, tokens + totals.tokens
        return max(sums, key=lambda name: (sums[name], name), default=None)

    whole = _sum_of(books)
    return AgentUse(
        whole.messages,
        whole.requests,
        whole.inputTokens,
        whole.outputTokens,
        whole.cacheReadTokens,
        whole.cacheCreationTokens,
        whole.cost,
        whole.value,
        whole.unpricedRequests,
        auth_mode(_sources(books)) or "",
        mostly(lambda book: book.model),
        mostly(lambda book: book.task),
        mostly(lambda book: book.workflow),
        mostly(lambda book: book.stage),
    )


def _sources(books: Iterable[Book]) -> set[str]:
    return {book.source for book in books} - {""}


def _sum_of(books: dict[Book, Totals], source: str | None = None) -> Sum:
    tally = Tally()
    for book, totals in books.items():
        if source is None or source == (API if is_billed(book) else SUBSCRIPTION):
            tally.add(book, totals)
    return _told(tally)


def _told(tally: Tally) -> Sum:
    totals = tally.totals
    return Sum(
        totals.messages,
        totals.requests,
        totals.input,
        totals.output,
        totals.cache_read,
        totals.cache_write_5m + totals.cache_write_1h,
        dollars(tally.cost),
        dollars(totals.value),
        totals.unpriced,
    )


def _utc(time: int) -> datetime:
    return datetime.fromtimestamp(time / 1000, UTC)

"""What the world is told: roster and sums turned into the values of the wire. Pure."""

from collections.abc import Callable, Mapping

from tollkeeper.model import AccountToday, Agent, Hold, Limit, Run, Subagent, Today
from tollkeeper.wire import Charged
from tollkeeper_daemon.agents.live import LiveAgent, LiveSubagent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.clock import iso
from tollkeeper_daemon.ledger.books import API, SUBSCRIPTION, Book
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.tally import Tally

SUBAGENT_DONE_AFTER_MS = 60_000


def agent_view(
    agent: LiveAgent, now: int, limits: tuple[Limit, ...] = (), held: Hold | None = None
) -> Agent:
    """The agent as the wire shows it."""
    record = agent.record
    return Agent(
        id=record.id,
        name=record.name,
        pid=record.pid,
        state=agent.state(now),
        state_since=_state_since(agent, now, held),
        waiting_for=agent.waiting_for or None,
        source=record.source or API,
        account=record.account or None,
        model=record.model or None,
        cwd=record.cwd or None,
        project=record.cwd.rstrip("/").rpartition("/")[2] or None,
        conversation=record.conversation or None,
        started_at=iso(record.started),
        last_activity_at=iso(agent.last_time) if agent.last_time else None,
        workflow=record.workflow or None,
        task=record.task or None,
        stage=record.stage or None,
        lines_added=agent.lines_added,
        lines_removed=agent.lines_removed,
        context_used_percent=agent.context_used_percent,
        usage=agent.tally.usage(),
        subagents=tuple(_subagent_view(each, now) for each in agent.subagents.values()),
        limits=limits,
        held=held,
    )


def _state_since(agent: LiveAgent, now: int, held: Hold | None) -> str | None:
    """When the agent came to its state; one that an earlier daemon paused was so since then."""
    if held and held.kind == "paused" and agent.stopped:
        return held.since
    since = agent.state_since(now)
    return iso(since) if since else None


def _subagent_view(subagent: LiveSubagent, now: int) -> Subagent:
    silent = now - subagent.last_time > SUBAGENT_DONE_AFTER_MS
    return Subagent(
        id=subagent.id,
        type=subagent.type or None,
        description=subagent.description or None,
        state="done" if subagent.finished or silent else "working",
        usage=subagent.tally.usage(),
    )


def today_view(sources: Mapping[str, Tally]) -> Today:
    """The day's sums; whoever is not a subscription is billed."""
    subscription, billed, total = Tally(), Tally(), Tally()
    for source, tally in sources.items():
        (subscription if source == SUBSCRIPTION else billed).merge(tally)
        total.merge(tally)
    return Today(subscription=subscription.usage(), api=billed.usage(), total=total.usage())


def accounts_view(
    sums: Mapping[tuple[str, str], Tally], home_of: Callable[[str], str | None]
) -> tuple[AccountToday, ...]:
    """The day's sums by account, the dearest first; ``home_of`` names the home of an account."""
    found = [
        AccountToday(
            account=account or None,
            source=source,
            home=home_of(account) if account and source == SUBSCRIPTION else None,
            usage=tally.usage(),
        )
        for (source, account), tally in sums.items()
        if tally.totals
    ]
    return tuple(
        sorted(found, key=lambda each: (-each.usage.value_usd, each.source, each.account or ""))
    )


def run_view(roster: Roster, tally: Tally) -> Run | None:
    """The current run."""
    if roster.run is None:
        return None
    return Run(id=roster.run.id, started_at=iso(roster.run.started), usage=tally.usage())


def charged_view(book: Book, totals: Totals) -> Charged:
    """What was added to one account."""
    tally = Tally()
    tally.add(book, totals)
    return Charged(
        conversation=book.conversation,
        agent=book.agent or None,
        subagent=book.subagent or None,
        model=book.model,
        source=book.source,
        usage=tally.usage(),
    )

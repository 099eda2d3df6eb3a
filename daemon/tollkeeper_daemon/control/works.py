"""Reads what is known of workflows, and finds those that are asked for."""

from collections.abc import Iterable
from datetime import date
from difflib import get_close_matches
from functools import cache

from tollkeeper_daemon.clock import now_ms, start_of
from tollkeeper_daemon.control.refusal import Refused
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.reports.work import NameOf, Work, worked_on
from tollkeeper_daemon.reports.work_show import Known
from tollkeeper_daemon.store.schema import WorkInBrief
from tollkeeper_daemon.store.transaction import Transaction

MOST_NEAR = 3
LONGEST_TOLD = 80


def read_works(transaction: Transaction, since: date | None) -> list[WorkInBrief]:
    """In brief all workflows that were worked on since this day."""
    return worked_on(transaction.work.in_brief(now_ms()), begin_of(since))


def begin_of(since: date | None) -> int:
    """The time (ms) at which this day begins, the local one; 0 for none."""
    return start_of(since) if since else 0


def find_work(transaction: Transaction, name: str) -> Work:
    """The workflow with this id; Refused when nothing is known of it, with those called much like it."""
    shelf = transaction.work
    work = Work(name, shelf.workflow(name), shelf.spans_of(name), shelf.sums_of(name))
    if work.record or work.spans or work.sums:
        return work
    near = [repr(each) for each in nearest(name, shelf.known())]
    raise Refused(
        "not-found",
        f"no workflow {name[:LONGEST_TOLD]!r} is known",
        f"is it {' or '.join(near)}?" if near else "see: toll workflow top",
    )


def check_known(daemon: Daemon, name: str, now: int) -> None:
    """Refused when nothing is known of this workflow, and no living agent works for it."""
    if not daemon.work.workflows.at(name, now):
        daemon.store.read(lambda transaction: find_work(transaction, name))


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Those of the known ids that are most like this one: those that hold it, else much like it."""
    named = sorted(filter(None, known))
    holding = [each for each in named if name and name.lower() in each.lower()]
    return holding[:MOST_NEAR] or get_close_matches(name, named, MOST_NEAR)


def known_by(daemon: Daemon, transaction: Transaction) -> Known:
    """What lines are made by, as it is now."""

    return Known(daemon.pipeline.prices, names_in(transaction), now_ms())


def names_in(transaction: Transaction) -> NameOf:
    """Says how an agent is called, by its id; one that is not known by its id."""

    @cache
    def name_of(agent: str) -> str:
        known = transaction.agent(agent) if agent else None
        return known.name if known else agent

    return name_of

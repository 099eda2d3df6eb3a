"""``export``: single requests, a page at a time, so that neither side ever holds many."""

from contextlib import suppress
from datetime import date, timedelta, tzinfo
from functools import cache
from itertools import islice
from typing import Annotated, Any

from msgspec import Meta, Struct

from tollkeeper.exports import Page, Request
from tollkeeper_daemon.clock import FAR, start_of
from tollkeeper_daemon.control.refusal import Refused, params_as
from tollkeeper_daemon.control.sheets import zone_in
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.reports.choice import is_paid_by
from tollkeeper_daemon.reports.requests import requests_at
from tollkeeper_daemon.reports.sheet import Place
from tollkeeper_daemon.store.keys import LONGEST_KEY
from tollkeeper_daemon.store.schema import Conversation
from tollkeeper_daemon.store.transaction import Transaction

MOST_AT_ONCE = 2_000


class ExportChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Days from ``since`` to ``until`` inclusive of a time zone, the local one by default.

    ``source`` and ``account`` as in a report. ``after`` is the last page's ``next``, ``limit`` the most requests on a page; the advice that
    came with a reply stands on its page, even beyond that.
    """

    since: date | None = None
    until: date | None = None
    timezone: str | None = None
    source: str | None = None
    account: str | None = None
    after: str = ""
    limit: Annotated[int, Meta(ge=1, le=MOST_AT_ONCE)] = MOST_AT_ONCE


def answer(daemon: Daemon, params: dict[str, Any]) -> Page:
    """The next requests of the span, oldest first."""
    choice = params_as(ExportChoice, params)
    zone = zone_in(choice.timezone)
    since = start_of(choice.since, zone) if choice.since else 0
    until = end_of(choice.until, zone) if choice.until else FAR
    after = _place(choice.after)

    def work(transaction: Transaction) -> Page:
        moments = list(islice(transaction.timeline(since, until, after), choice.limit + 1))
        shown = moments[: choice.limit]
        return Page(
            _requests(transaction, [(time, key) for _, time, key in shown], choice),
            shown[-1][0].hex() if len(moments) > len(shown) else None,
            None if after else transaction.count_requests(since, until),
        )

    return daemon.store.read(work)


def _requests(
    transaction: Transaction, moments: list[tuple[int, str]], choice: ExportChoice
) -> list[Request]:
    # Many requests share a book, a conversation and an agent.
    book_of = cache(transaction.book)

    @cache
    def place_of(conversation: str) -> Place:
        known = transaction.conversation(conversation) or Conversation()
        return Place(known.project, known.cwd)

    @cache
    def name_of(agent: str) -> str:
        known = transaction.agent(agent)
        return known.name if known else ""

    return [
        request
        for time, key in moments
        if (group := transaction.group(key))
        for request in requests_at(time, group, book_of, place_of, name_of)
        if is_paid_by(request.source, request.account or "", choice.source, choice.account)
    ]


def _place(after: str) -> bytes:
    with suppress(ValueError):
        place = bytes.fromhex(after)
        if len(place) <= LONGEST_KEY:
            return place
    raise Refused("bad-params", "after must be the next of an earlier page")


def end_of(day: date, zone: tzinfo | None) -> int:
    """The time (ms) at which this day is over."""
    return FAR if day == date.max else start_of(day + timedelta(days=1), zone)

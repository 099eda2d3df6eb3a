"""Single requests as an export tells them; pure."""

from collections.abc import Callable, Iterator

from tollkeeper.exports import Request
from tollkeeper_daemon.clock import iso
from tollkeeper_daemon.ledger.books import SUBSCRIPTION, Book, Charge, Group
from tollkeeper_daemon.ledger.requests import resolve
from tollkeeper_daemon.records import Reply
from tollkeeper_daemon.reports.sheet import Place
from tollkeeper_daemon.tally import dollars


def requests_at(
    time: int,
    group: Group,
    book_of: Callable[[int], Book],
    place_of: Callable[[str], Place],
    name_of: Callable[[str], str],
) -> Iterator[Request]:
    """The requests of this group that were made at this time (ms).

    ``book_of`` is asked for a book by its number, ``place_of`` for what is known of a
    conversation, ``name_of`` for the name of an agent.
    """
    for reply, charge in zip(resolve(group.entries), group.charges, strict=True):
        if reply.time == time:
            book = book_of(charge.book)
            yield _told(reply, charge, book, place_of(book.conversation), name_of(book.agent))


def _told(reply: Reply, charge: Charge, book: Book, place: Place, name: str) -> Request:
    value = dollars(charge.value)
    return Request(
        time=iso(reply.time),
        conversation=book.conversation or None,
        project=place.cwd.rstrip("/").rpartition("/")[2] or place.project or None,
        cwd=place.cwd or None,
        agent=name or None,
        agent_id=book.agent or None,
        subagent=book.subagent or None,
        subagent_type=book.subagent_type or None,
        model=book.model,
        source=book.source,
        account=book.account or None,
        workflow=book.workflow or None,
        task=book.task or None,
        stage=book.stage or None,
        request=reply.request or None,
        input_tokens=reply.input,
        output_tokens=reply.output,
        cache_read_tokens=reply.cache_read,
        cache_write_5m_tokens=reply.cache_write_5m,
        cache_write_1h_tokens=reply.cache_write_1h,
        web_searches=reply.web_searches,
        fast=reply.fast,
        us=reply.us,
        value_usd=value,
        cost_usd=0.0 if book.source == SUBSCRIPTION else value,
        unpriced=charge.unpriced,
    )

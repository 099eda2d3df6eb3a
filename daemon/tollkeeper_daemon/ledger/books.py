"""A book: everything that a charge is booked under, and what a ledger keeps for each request."""

from typing import Protocol

from msgspec import Struct

from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.records import Prompt, Reply

QUARTER_MS = 15 * 60 * 1000

SUBSCRIPTION = "subscription"
API = "api"


class Book(Struct, frozen=True, array_like=True, gc=False):
    """One account: who made the requests, with what, for which work, and who pays for them.

    Empty where unknown. ``agent`` is the agent's id, ``subagent`` the helper's.
    """

    conversation: str
    model: str
    source: str
    account: str = ""
    agent: str = ""
    subagent: str = ""
    subagent_type: str = ""
    workflow: str = ""
    task: str = ""
    stage: str = ""


class Charge(Struct, frozen=True, array_like=True, gc=False):
    """What one request was charged, and in which book; ``value`` in nano-dollars.

    ``history`` says that it was there before anybody watched: no limit counts it.
    """

    book: int
    value: int
    unpriced: bool
    history: bool = False


class Group(Struct, frozen=True, array_like=True, gc=False):
    """The lines of one message as they were merged, and the charges made for them.

    ``charges`` go with the requests that the entries resolve to, in that order.
    """

    entries: tuple[Reply, ...] = ()
    charges: tuple[Charge, ...] = ()


class Noted(Struct, frozen=True, array_like=True, gc=False):
    """A prompt that was counted, and the book that it was counted in."""

    prompt: Prompt
    book: int


class Paid(Protocol):
    """Anything of which is known who pays for it."""

    @property
    def source(self) -> str: ...


def is_billed(what: Paid) -> bool:
    """Whether money is paid for each of its requests."""
    return what.source != SUBSCRIPTION


def is_told_by_proxy(book: Book) -> bool:
    """Whether the proxy told by which of its accounts these requests were sent: a host has no slash."""
    return book.account.startswith("proxy ") and "/" in book.account


def quarter(time: int) -> int:
    """The quarter of an hour, since 1970, that this time (ms) falls into."""
    return time // QUARTER_MS


def totals_of(reply: Reply, charge: Charge) -> Totals:
    """What one charged request adds to the sums."""
    return Totals(
        requests=1,
        input=reply.input,
        output=reply.output,
        cache_read=reply.cache_read,
        cache_write_5m=reply.cache_write_5m,
        cache_write_1h=reply.cache_write_1h,
        web_searches=reply.web_searches,
        value=charge.value,
        unpriced=int(charge.unpriced),
    )

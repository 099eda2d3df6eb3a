"""What ccflare and better-ccflare answer, by generation. Pure.

Three are known: ccflare (C), better-ccflare 3.5.4 (B) and 3.5.63 (H). Which one answers is told by
``/health`` alone: an unknown path would be passed on upstream, with an account's credentials. What is
zero is left out of the answers, and each generation has fields that others lack.
"""

import contextlib
import re
from collections.abc import Iterator
from typing import Annotated, Self, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct, field
from msgspec.structs import replace

from tollkeeper_daemon.clock import iso, ms_of

Count = Annotated[int, Meta(ge=0, le=10**9)]
Name = Annotated[str, Meta(max_length=200)]
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError)
REFUSED = 400
# What asks only how many tokens a request would have bears none.
COUNTING = "/count_tokens"

HEALTH = "/health"
ACCOUNTS = "/api/accounts"
STATS = "/api/stats"
REQUESTS = "/api/requests?limit={}"
DETAIL = "/api/requests/detail?limit={}"
STREAM = "/api/requests/stream"
# More than this many rows are refused.
MOST_ROWS = 1_000

T = TypeVar("T")


class AnswerError(Exception):
    """An answer that is none of this proxy's; the text says of what."""


class Health(Struct, frozen=True):
    """``/health``, which is answered without a key."""

    status: str
    accounts: int
    strategy: str
    pool: object = None
    version: object = None

    @property
    def generation(self) -> str:
        """C, B or H."""
        if self.version is not None:
            return "H"
        return "C" if self.pool is None else "B"


class Used(Struct, frozen=True):
    """How much of one window of an account is used (percent), and when it begins anew (ISO)."""

    utilization: float | None = None
    resets_at: str | None = None


class UsageData(Struct, frozen=True):
    """The windows of an account on a subscription; other kinds of accounts have other windows."""

    five_hour: Used | None = None
    seven_day: Used | None = None


class Account(Struct, frozen=True):
    """One of ``/api/accounts``; C tells a tier, the others the rest."""

    id: Name
    name: Name
    provider: Name = ""
    tier: int | str | None = None
    paused: bool = False
    rateLimitStatus: str | None = None
    rateLimitReset: str | None = None
    rateLimitedUntil: float | None = None
    billingType: str | None = None
    usageData: Raw = Raw()


class AccountCount(Struct, frozen=True):
    """What ``/api/stats`` counts of an account; its ``totalRequests`` counts double."""

    name: Name
    requestCount: Count = 0


class Stats(Struct, frozen=True):
    """``/api/stats``."""

    accounts: list[Raw] = []


class Row(Struct, frozen=True):
    """One of ``/api/requests``; ``accountUsed`` is the account's name, and without a time it is none."""

    id: Name
    timestamp: str
    path: str = ""
    accountUsed: Name | None = None
    statusCode: int | None = None
    model: Name | None = None
    inputTokens: Count = 0
    cacheReadInputTokens: Count = 0
    cacheCreationInputTokens: Count = 0
    outputTokens: Count = 0
    billingType: str | None = None
    clientSessionId: Name | None = None

    def __post_init__(self) -> None:
        ms_of(self.timestamp)

    @property
    def time(self) -> int:
        """When its request began (ms)."""
        return ms_of(self.timestamp)

    def by_clock(self, ahead: int) -> Self:
        """The row with the time that it was by our clock, where the proxy's is so far (ms) ahead of it."""
        try:
            return replace(self, timestamp=iso(self.time - ahead))
        except (ValueError, OverflowError):
            return self

    @property
    def is_refused(self) -> bool:
        """Whether it is a refusal, or failed: it bears no tokens, now and later."""
        return (self.statusCode or 0) >= REFUSED and not self.is_paid

    @property
    def may_be_paid(self) -> bool:
        """Whether it has no tokens, and may get some: one generation has a row of what is under way."""
        return not (self.is_paid or self.is_refused or self.path.endswith(COUNTING))

    @property
    def is_paid(self) -> bool:
        """Whether it is a reply that costs anything: a refusal bears no tokens, nor does a count of them."""
        tokens = self.inputTokens + self.cacheReadInputTokens + self.cacheCreationInputTokens
        return bool(self.accountUsed and self.model and tokens + self.outputTokens)


class Asked(Struct, frozen=True):
    """The headers of a request that are of interest; the others may hold secrets."""

    conversation: Name = field(default="", name="x-claude-code-session-id")


class Answered(Struct, frozen=True):
    """The headers of a reply that are of interest."""

    request: Name = field(default="", name="request-id")


class AskedPart(Struct, frozen=True):
    """A request, without its text."""

    headers: Asked = Asked()


class AnsweredPart(Struct, frozen=True):
    """A reply, without its text."""

    headers: Answered = Answered()


class Detail(Struct, frozen=True):
    """One of ``/api/requests/detail``."""

    id: Name
    request: AskedPart | None = None
    response: AnsweredPart | None = None

    @property
    def names(self) -> tuple[str, str]:
        """The API's id of the request, and the conversation; empty where they are not told."""
        asked, answered = self.request, self.response
        return (
            answered.headers.request if answered else "",
            asked.headers.conversation if asked else "",
        )


def health_of(data: bytes) -> Health | None:
    """What ``/health`` says; None when whoever answers is no such proxy."""
    try:
        return msgspec.json.decode(data, type=Health)
    except UNREADABLE:
        return None


def one_of(data: bytes, kind: type[T]) -> T:
    """A value of this kind; AnswerError for anything else."""
    try:
        return msgspec.json.decode(data, type=kind)
    except UNREADABLE as error:
        raise AnswerError(f"no {kind.__name__.lower()}: {error}") from None


def each_of(data: bytes, kind: type[T]) -> tuple[list[T], int]:
    """All values of this kind in an array, and how many were none; AnswerError when it is no array."""
    found: list[T] = []
    parts = one_of(data, list[Raw])
    for part in parts:
        try:
            found.append(msgspec.json.decode(part, type=kind))
        except UNREADABLE:
            continue
    return found, len(parts) - len(found)


def counts_of(data: bytes) -> dict[str, int]:
    """How many requests ``/api/stats`` counts of each account, as far as it can be read."""
    found: dict[str, int] = {}
    for part in one_of(data, Stats).accounts:
        with contextlib.suppress(*UNREADABLE):
            each = msgspec.json.decode(part, type=AccountCount)
            found[each.name] = each.requestCount
    return found


def windows_of(account: Account) -> UsageData:
    """The windows of the account; none where it has others."""
    try:
        return msgspec.json.decode(account.usageData, type=UsageData)
    except UNREADABLE:
        return UsageData()


class Bodies:
    """Leaves the texts out of an answer with details, as it comes: they are most of it, and none of ours."""

    OPENING = re.compile(rb'"body"\s*:\s*"')
    LONGEST_OPENING = 64
    CLOSING = re.compile(rb'["\\]')

    def __init__(self) -> None:
        self._left = b""
        self._is_inside = False

    def feed(self, data: bytes) -> bytes:
        """What is left of the next bytes, and of the last ones where that was not clear yet."""
        return b"".join(self._pieces(self._left + data))

    def end(self) -> bytes:
        """What is left in the end."""
        return b"" if self._is_inside else self._left

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        at = 0
        while True:
            if self._is_inside:
                found = self.CLOSING.search(data, at)
                if found is None:
                    self._left = b""
                    return
                if found[0] == b"\\":
                    if found.end() == len(data):
                        self._left = data[found.start() :]
                        return
                    at = found.end() + 1
                    continue
                self._is_inside, at = False, found.start()
            found = self.OPENING.search(data, at)
            if found is None:
                # An opening may be torn at the end.
                keep = max(at, len(data) - self.LONGEST_OPENING)
                yield data[at:keep]
                self._left = data[keep:]
                return
            yield data[at : found.end()]
            self._is_inside, at = True, found.end()

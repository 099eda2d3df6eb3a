"""The report by five-hour block: the plan's real windows where they were seen, else as ccusage counts.

ccusage's rule: a block begins at the full hour (UTC) of its first request and lasts five hours; what
comes later, or more than five hours after the last request, begins a new one, and a pause of more
than five hours is told as a gap.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from datetime import tzinfo
from operator import itemgetter
from typing import Any, Literal

from msgspec import Struct, field, structs

from tollkeeper_daemon.clock import iso
from tollkeeper_daemon.ledger.books import QUARTER_MS, Book, is_billed
from tollkeeper_daemon.reports.choice import Choice, day_at
from tollkeeper_daemon.reports.line import REQUESTS, Line
from tollkeeper_daemon.reports.sheet import Sheet
from tollkeeper_daemon.tally import dollars

HOUR_MS = 3_600_000
MINUTE_MS = 60_000
WINDOW_HOURS = 5
RECENT_MS = 3 * 24 * HOUR_MS
# From this share of a token limit on, a block is said to near it.
WARNING = 0.8

Times = Callable[[int], tuple[int, int]]
"""The first and the last time (ms) of the requests in a quarter of an hour."""

Window = tuple[int, int]
"""Start and end (ms) of a window of the plan."""

_start, _end = itemgetter(0), itemgetter(1)

Cell = tuple[str, bool, tuple[str, ...]]


class BlockChoice(Choice, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the report was asked for; ``token_limit`` measures blocks against a number of tokens."""

    active: bool = False
    recent: bool = False
    token_limit: int | Literal["max"] | None = None
    session_length: int = WINDOW_HOURS


class Block(Struct):
    """A block, from ``start`` to ``end`` (ms); its first and last request. Mutable: it grows.

    ``real`` says that it is a window of the plan, as the API named it.
    """

    start: int
    end: int
    real: bool
    first: int
    last: int
    line: Line = field(default_factory=Line)

    def is_active(self, now: int) -> bool:
        """Whether what is requested now falls into it."""
        return now < self.end and (self.real or now - self.last < self.end - self.start)


def blocks(
    sheet: Sheet, choice: BlockChoice, times: Times, resets: Iterable[int], now: int
) -> dict[str, Any]:
    """The blocks and the gaps between them; ``resets`` (ms) are those of the plan's windows."""
    found = _filled(sheet, choice, times, sorted(resets))
    limit = _token_limit(found, choice, now)
    zone = choice.zone()
    told: list[dict[str, Any]] = []
    before: Block | None = None
    for block in found:
        gap, before = _gap(before, block, choice), block
        if not _is_asked_for(block, choice, zone, now):
            continue
        if gap and not choice.active and _is_asked_for(gap, choice, zone, now):
            told.append(_gap_json(gap, choice))
        told.append(_block_json(block, choice, limit, now))
    told.sort(key=lambda block: block["startTime"])
    told = _lately(told, choice.last) if choice.last else told
    return {"blocks": told if choice.order == "asc" else told[::-1]}


def _filled(sheet: Sheet, choice: BlockChoice, times: Times, resets: list[int]) -> list[Block]:
    """The blocks, oldest first, and what was used in each."""

    def bucket_of(book: Book) -> Cell | None:
        if not choice.wants(book, sheet):
            return None
        return book.model, is_billed(book), choice.split(book, sheet)

    used = sheet.gather(lambda quarter: quarter, lambda book: choice.wants(book, sheet) or None)
    # A prompt alone is no use of the plan.
    quarters = sorted(quarter for (quarter, _), figures in used.items() if figures[REQUESTS])
    found, block_of = _blocks(quarters, times, resets, choice.session_length)
    for (at, (model, billed, split)), figures in sheet.gather(block_of.get, bucket_of).items():
        found[at].line.add(model, billed, split, figures)
    return found


def _blocks(
    quarters: list[int], times: Times, resets: list[int], hours: int
) -> tuple[list[Block], dict[int, int]]:
    """The blocks that these quarters make, and which of them each lies in.

    Only a quarter that may be an edge is looked into.
    """
    length = hours * HOUR_MS
    windows = _windows(resets) if hours == WINDOW_HOURS else []
    found: list[Block] = []
    block_of: dict[int, int] = {}
    last = 0
    for quarter in quarters:
        start = quarter * QUARTER_MS
        window = _window(windows, start, times)
        if not found or not _goes_on(found[-1], window, start, last, times, length):
            if found:
                found[-1].last = times(last)[1]
            found.append(_begun(window, times(quarter)[0], windows, length))
        block_of[quarter] = len(found) - 1
        last = quarter
    if found:
        found[-1].last = times(last)[1]
    return found, block_of


def _windows(resets: list[int]) -> list[Window]:
    """The plan's windows, oldest first; of two accounts' that overlap, the later begins later."""
    found: list[Window] = []
    for reset in resets:
        before = found[-1][1] if found else 0
        if reset > before:
            found.append((max(reset - WINDOW_HOURS * HOUR_MS, before), reset))
    return found


def _window(windows: list[Window], start: int, times: Times) -> Window | None:
    """The window that the quarter lies in; one with an edge in it goes where its first request does."""
    at = bisect_right(windows, start, key=_end)
    if at == len(windows) or start + QUARTER_MS <= windows[at][0]:
        return None
    if any(start < edge < start + QUARTER_MS for edge in windows[at]):
        start = times(start // QUARTER_MS)[0]
        at = bisect_right(windows, start, key=_end)
    return windows[at] if at < len(windows) and windows[at][0] <= start else None


def _begun(window: Window | None, first: int, windows: list[Window], length: int) -> Block:
    if window:
        return Block(*window, real=True, first=first, last=first)
    start = first - first % HOUR_MS
    # What the plan says of itself holds: an estimate ends where a real window begins.
    at = bisect_right(windows, first, key=_start)
    end = min([start + length, *(begin for begin, _ in windows[at : at + 1])])
    return Block(start, end, real=False, first=first, last=first)


def _goes_on(
    block: Block,
    window: Window | None,
    start: int,
    last: int,
    times: Times,
    length: int,
) -> bool:
    """Whether the quarter that begins at ``start`` is still of this block."""
    if window or block.real:
        return block.real and (block.start, block.end) == window
    if start >= block.end:
        return False
    # Sure of itself unless the pause comes close to its bound.
    if start - last * QUARTER_MS < length:
        return True
    return times(start // QUARTER_MS)[0] - times(last)[1] <= length


def _is_asked_for(block: Block, choice: BlockChoice, zone: tzinfo | None, now: int) -> bool:
    if block.is_active(now):
        return choice.holds(day_at(block.start, zone))
    if choice.active or (choice.recent and block.start < now - RECENT_MS):
        return False
    return choice.holds(day_at(block.start, zone))


def _lately(told: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """The last so many blocks, with the gaps between them."""
    places = [at for at, block in enumerate(told) if not block["isGap"]]
    return told[places[-count] :] if count < len(places) else told


def _gap(before: Block | None, block: Block, choice: BlockChoice) -> Block | None:
    """The time without a block, from where the last request could have kept one up."""
    length = choice.session_length * HOUR_MS
    if before is None or block.first - before.last <= length:
        return None
    start = before.last + length
    return Block(start, block.first, real=False, first=start, last=start)


def _gap_json(gap: Block, choice: BlockChoice) -> dict[str, Any]:
    told = {
        **_bounds_json(gap, f"gap-{_stamp(gap.start)}", choice),
        "actualEndTime": None,
        "isActive": False,
        "isGap": True,
        "burnRate": None,
        "projection": None,
    }
    return told if choice.cost else _without_money(told)


def _block_json(block: Block, choice: BlockChoice, limit: int | None, now: int) -> dict[str, Any]:
    active = block.is_active(now)
    rate = _burn_rate(block) if active else None
    projection = _projection(block, rate, now) if rate else None
    told = {
        **_bounds_json(block, _stamp(block.start), choice),
        "actualEndTime": _stamp(block.last),
        "isActive": active,
        "isGap": False,
        "burnRate": rate,
        "projection": projection,
    }
    if limit:
        used = block.line.sums.totals.tokens
        told["tokenLimitStatus"] = _limit_json(
            limit, projection["totalTokens"] if projection else used
        )
    return _without_money(told) if not choice.cost else told


def _bounds_json(block: Block, name: str, choice: BlockChoice) -> dict[str, Any]:
    sums = block.line.sums
    totals = sums.totals
    line = block.line.as_json(structs.replace(choice, brief=True))
    return {
        "id": name,
        "startTime": _stamp(block.start),
        "endTime": _stamp(block.end),
        "basis": "plan" if block.real else "estimate",
        "entries": totals.requests,
        "messages": totals.messages,
        "models": line["modelsUsed"],
        "tokenCounts": {
            "inputTokens": totals.input,
            "outputTokens": totals.output,
            "cacheCreationInputTokens": totals.cache_write_5m + totals.cache_write_1h,
            "cacheReadInputTokens": totals.cache_read,
        },
        "totalTokens": totals.tokens,
        # The list price, as in ccusage; what is billed has a key of its own here.
        "costUSD": dollars(totals.value),
        "valueUSD": dollars(totals.value),
        "billedUSD": dollars(sums.cost),
        "unpricedRequests": totals.unpriced,
        **({"breakdown": line["breakdown"]} if choice.by else {}),
    }


def _burn_rate(block: Block) -> dict[str, float] | None:
    """Tokens a minute and dollars an hour, from the first to the last request."""
    minutes = (block.last - block.first) / MINUTE_MS
    if minutes <= 0:
        return None
    totals = block.line.sums.totals
    return {
        "tokensPerMinute": totals.tokens / minutes,
        "tokensPerMinuteForIndicator": (totals.input + totals.output) / minutes,
        "costPerHour": dollars(totals.value) / minutes * 60,
    }


def _projection(block: Block, rate: dict[str, float], now: int) -> dict[str, Any]:
    """What the block comes to at its end if the rate holds."""
    left = (block.end - now) / MINUTE_MS
    totals = block.line.sums.totals
    return {
        "remainingMinutes": round(left),
        "totalTokens": round(totals.tokens + rate["tokensPerMinute"] * left),
        "totalCost": round(dollars(totals.value) + rate["costPerHour"] / 60 * left, 2),
    }


def _token_limit(found: list[Block], choice: BlockChoice, now: int) -> int | None:
    if choice.token_limit != "max":
        return choice.token_limit
    past = [block.line.sums.totals.tokens for block in found if not block.is_active(now)]
    return max(past, default=None)


def _limit_json(limit: int, projected: int) -> dict[str, Any]:
    status = "exceeds" if projected > limit else "warning" if projected > limit * WARNING else "ok"
    return {
        "limit": limit,
        "projectedUsage": projected,
        "percentUsed": projected / limit * 100,
        "status": status,
    }


def _without_money(told: dict[str, Any]) -> dict[str, Any]:
    for name in ("costUSD", "valueUSD", "billedUSD"):
        del told[name]
    for part, name in (("burnRate", "costPerHour"), ("projection", "totalCost")):
        if told[part]:
            del told[part][name]
    return told


def _stamp(time: int) -> str:
    return iso(time).replace("+00:00", "Z")

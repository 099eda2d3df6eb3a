"""Which rows of proxies are which requests, where no id says so. Pure.

The outcome depends on the sets alone, and not on the order in which anything was learned.
"""

from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

from tollkeeper_daemon.store.proxy_shelf import ProxyRow

# A long reply has a line in the log from its first block on, and its row when it is over.
APART_MS = 15 * 60_000
# A proxy behind another one has its row a moment later.
PASSED_ON_MS = 5_000
# How a place begins that is another row, and the place of what was counted and dropped.
BEHIND, GONE = "=", "-"


class Candidate(Struct, frozen=True, order=True):
    """A request of a log that may be one that a proxy saw: its time (ms), group, conversation and output.

    ``named_by`` are the proxies of whose rows one bears its id.
    """

    time: int
    key: str
    conversation: str
    output: int
    named_by: tuple[str, ...] = ()


def rank(row: ProxyRow) -> tuple[object, ...]:
    """Which of several rows about one request speaks for it, the first one.

    It is the one that tells most, of those that are no history if there are any. Of equals it began last: of
    proxies that pass requests on to each other the last one's account pays.
    """
    return not row.request, row.history, not row.source, not row.conversation, -row.time, row.key


def behind(row: str) -> str:
    """The place of a row about the same request as the one of this key, which speaks for it."""
    return f"{BEHIND}{row}"


def match(rows: Collection[ProxyRow], candidates: Collection[Candidate]) -> dict[str, str]:
    """The place of each row without an id, by its key: a group, behind another row, or none.

    All have the same input and cache tokens; ``joined`` is the place of those with an id. Each proxy tells of a
    request once, so its rows share out the candidates among themselves; what is left may be what
    another proxy tells of as well.
    """
    loose = [row for row in rows if not row.request]
    found: dict[str, str] = {}
    for proxy in {row.proxy for row in loose}:
        found |= _logged([row for row in loose if row.proxy == proxy], candidates)
    return found | _shared(rows, found, {each.key: each for each in sorted(candidates)})


def spans_of(times: Iterable[int]) -> list[tuple[int, int]]:
    """From when until before when (ms) lies what may be a row of one of these times; none overlap."""
    spans: list[tuple[int, int]] = []
    for time in sorted(times):
        since, until = max(time - APART_MS, 0), max(time + APART_MS + 1, 0)
        if spans and since <= spans[-1][1]:
            since = spans.pop()[0]
        spans.append((since, until))
    return spans


def _logged(rows: list[ProxyRow], candidates: Iterable[Candidate]) -> dict[str, str]:
    """The groups of the rows of one proxy, by their keys: the earliest row gets the nearest first.

    Those with the same output go before. A reply that broke off has another one in the log: it is the
    only one left of the row's own conversation.
    """
    free = set(candidates)
    found: dict[str, str] = {}

    def take(row: ProxyRow, candidate: Candidate) -> None:
        free.remove(candidate)
        found[row.key] = candidate.key

    for row in sorted(rows, key=_turn):
        if same := [each for each in free if _fits(row, each) and each.output == row.output]:
            take(row, min(same, key=lambda each: (abs(each.time - row.time), each)))
    for row in sorted(rows, key=_turn):
        if row.conversation and row.key not in found:
            left = [each for each in free if _fits(row, each)]
            if len(left) == 1:
                take(row, left[0])
    return found


def _shared(
    rows: Collection[ProxyRow], found: Mapping[str, str], groups: Mapping[str, Candidate]
) -> dict[str, str]:
    """The places of the rows that no log tells of by themselves: with what another proxy tells, or alone."""
    known: dict[str, list[ProxyRow]] = {}
    left: list[ProxyRow] = []
    for row in rows:
        if place := _common(row) if row.request else found.get(row.key):
            known.setdefault(place, []).append(row)
        else:
            left.append(row)
    are_several = len({row.proxy for row in rows}) > 1
    for row in sorted(left, key=_turn):
        near = [
            (min(abs(row.time - each.time) for each in others), place)
            for place, others in known.items()
            if are_several and _joins(row, others, groups.get(place))
        ]
        known.setdefault(min(near)[1] if near else behind(row.key), []).append(row)
    places: dict[str, str] = {}
    for place, others in known.items():
        places |= _settled(place, others)
    return {row.key: places[row.key] for row in left}


def _joins(row: ProxyRow, others: list[ProxyRow], group: Candidate | None) -> bool:
    """Whether the row is what these are, and their group, if it is known and near enough to be judged."""
    is_of_it = group is None or not _is_near(row, group) or _may_be(row, group)
    return is_of_it and all(_is_same(row, each) for each in others)


def _common(row: ProxyRow) -> str:
    """The place of a row that is the same request as this one, which has an id."""
    return behind(row.key) if row.joined in ("", GONE) else row.joined


def _settled(place: str, rows: list[ProxyRow]) -> dict[str, str]:
    """The places of rows about one request, by their keys, where it was looked for at ``place``."""
    first = min(rows, key=rank)
    if first.request or not place.startswith(BEHIND):
        return {row.key: place for row in rows}
    return {row.key: "" if row is first else behind(first.key) for row in rows}


def _turn(row: ProxyRow) -> tuple[object, ...]:
    return not row.conversation, row.time, row.key


def _fits(row: ProxyRow, candidate: Candidate) -> bool:
    """Whether they may be one."""
    return _is_near(row, candidate) and _may_be(row, candidate)


def _is_near(row: ProxyRow, candidate: Candidate) -> bool:
    return abs(candidate.time - row.time) <= APART_MS


def _may_be(row: ProxyRow, candidate: Candidate) -> bool:
    """A row that names its conversation is of no other one, and what its proxy named by id is another row."""
    is_of_it = row.conversation in ("", candidate.conversation)
    return is_of_it and row.proxy not in candidate.named_by


def _is_same(row: ProxyRow, other: ProxyRow) -> bool:
    """Whether two proxies tell of one request, as far as that can be told."""
    return (
        row.proxy != other.proxy
        and abs(row.time - other.time) <= PASSED_ON_MS
        and (row.model, row.output) == (other.model, other.output)
        and _agree(row.conversation, other.conversation)
    )


def _agree(one: str, other: str) -> bool:
    return one == other or not (one and other)

"""Which rows of proxies are which requests, where no id says so. Pure.

The outcome depends on the sets alone, and not on the order in which anything was learned.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

from tollkeeper_daemon.store.proxy_shelf import ProxyRow

# A long reply has a line in the log from its first block on, and its row when it is over.
APART_MS = 15 * 60_000
# A proxy behind another one has its row a moment later.
PASSED_ON_MS = 5_000
# Where more rows than these begin within that time, all alike, it can't be told which are one.
CROWD = 40
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

    All have the same input and cache tokens; ``joined`` is the place of those with an id, and of those that are gone,
    which keep it. Each proxy tells of a request once, so its rows share out the candidates among themselves;
    what is left may be what another proxy tells of as well.
    """
    loose = [row for row in rows if not _is_fixed(row)]
    found: dict[str, str] = {}
    for proxy in {row.proxy for row in loose}:
        free = [each for each in candidates if proxy not in each.named_by]
        found |= _logged([row for row in loose if row.proxy == proxy], free)
    if len({row.proxy for row in rows}) == 1:
        return {row.key: "" for row in loose} | found
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


def _logged(rows: Iterable[ProxyRow], candidates: Iterable[Candidate]) -> dict[str, str]:
    """The groups of the rows of one proxy, by their keys: the earliest row gets the nearest first.

    Those with the same output go before, of them those of which the conversation is known. A reply that broke off
    has another output in the log: it is the only one left of the row's own conversation.
    """
    rows = sorted(rows, key=lambda row: (row.time, row.key))
    known = [row for row in rows if row.conversation]
    unknown = [row for row in rows if not row.conversation]
    free = set(candidates)
    found: dict[str, Candidate] = {}
    turns = ((known, _all, _nearest), (unknown, _output, _nearest), (known, _conversation, _only))
    for turn, in_common, pick in turns:
        lines: dict[object, list[Candidate]] = {}
        for each in sorted(free):
            lines.setdefault(in_common(each), []).append(each)
        for row in turn:
            line = lines.get(in_common(row), [])
            if row.key not in found and (place := pick(line, row.time)) is not None:
                found[row.key] = line.pop(place)
        free.difference_update(found.values())
    return {row: each.key for row, each in found.items()}


def _all(each: ProxyRow | Candidate) -> object:
    return each.conversation, each.output


def _output(each: ProxyRow | Candidate) -> object:
    return each.output


def _conversation(each: ProxyRow | Candidate) -> object:
    return each.conversation


def _time(each: ProxyRow | Candidate) -> int:
    return each.time


def _nearest(line: list[Candidate], time: int) -> int | None:
    """Which of these, in turn of time, is the nearest one; the first of several."""
    after = bisect_left(line, time, key=_time)
    before = bisect_left(line, line[after - 1].time, key=_time) if after else after
    apart = {at: abs(line[at].time - time) for at in (before, after) if at < len(line)}
    near = min(apart, key=apart.__getitem__, default=None)
    return None if near is None or apart[near] > APART_MS else near


def _only(line: list[Candidate], time: int) -> int | None:
    """Which of these, in turn of time, is the only one that is near."""
    first = bisect_left(line, time - APART_MS, key=_time)
    return first if bisect_right(line, time + APART_MS, key=_time) == first + 1 else None


def _shared(
    rows: Collection[ProxyRow], found: Mapping[str, str], groups: Mapping[str, Candidate]
) -> dict[str, str]:
    """The places of the rows that no log tells of by themselves: with what another proxy tells, or alone."""
    known: dict[str, list[ProxyRow]] = {}
    place_of: dict[str, str] = {}
    left: list[ProxyRow] = []

    def put(row: ProxyRow, place: str) -> None:
        known.setdefault(place, []).append(row)
        place_of[row.key] = place

    for row in rows:
        if place := _common(row) if _is_fixed(row) else found.get(row.key):
            put(row, place)
        else:
            left.append(row)
    twins = _twins(left, rows)
    for row in sorted(left, key=_turn):
        places = {place_of.get(each.key, "") for each in twins.get(row.key, ())} - {""}
        near = [
            (min(abs(row.time - each.time) for each in known[place]), place)
            for place in places
            if _joins(row, known[place], groups.get(place))
        ]
        put(row, min(near)[1] if near else behind(row.key))
    settled: dict[str, str] = {}
    for place, others in known.items():
        settled |= _settled(place, others)
    return {row.key: settled[row.key] for row in left}


def _twins(left: Iterable[ProxyRow], rows: Collection[ProxyRow]) -> dict[str, list[ProxyRow]]:
    """The rows of other proxies that may be the same request as one of those left, by its key.

    A row in a crowd has none: a guess would say little, and take long.
    """
    lines: dict[object, list[ProxyRow]] = {}
    for row in sorted(rows, key=_time):
        lines.setdefault(_sort(row), []).append(row)
    found: dict[str, list[ProxyRow]] = {}
    for row in left:
        line = lines[_sort(row)]
        first = bisect_left(line, row.time - PASSED_ON_MS, key=_time)
        last = bisect_right(line, row.time + PASSED_ON_MS, key=_time)
        if last - first <= CROWD:
            found[row.key] = [each for each in line[first:last] if each.proxy != row.proxy]
    return found


def _sort(row: ProxyRow) -> object:
    return row.model, row.output


def _joins(row: ProxyRow, others: list[ProxyRow], group: Candidate | None) -> bool:
    """Whether the row is what these are, and their group, if it is known and near enough to be judged."""
    is_of_it = group is None or not _is_near(row, group) or _may_be(row, group)
    return is_of_it and all(_is_same(row, each) for each in others)


def _is_fixed(row: ProxyRow) -> bool:
    """Whether the row's place is not to be found by its tokens: it has an id, or was counted and dropped."""
    return bool(row.request) or row.joined == GONE


def _common(row: ProxyRow) -> str:
    """The place of a row that is the same request as this one, which has a place by itself."""
    return behind(row.key) if row.joined in ("", GONE) else row.joined


def _settled(place: str, rows: list[ProxyRow]) -> dict[str, str]:
    """The places of rows about one request, by their keys, where it was looked for at ``place``."""
    if any(map(_is_fixed, rows)) or not place.startswith(BEHIND):
        return {row.key: place for row in rows}
    first = min(rows, key=rank)
    return {row.key: "" if row is first else behind(first.key) for row in rows}


def _turn(row: ProxyRow) -> tuple[object, ...]:
    return not row.conversation, row.time, row.key


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

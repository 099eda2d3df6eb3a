"""Which row of a proxy is which request of a log, where no id says so. Pure.

The outcome depends on the sets alone, and not on the order in which anything was learned.
"""

from collections.abc import Iterable

from msgspec import Struct

from tollkeeper_daemon.store.proxy_shelf import ProxyRow

# A long reply has a line in the log from its first block on, and its row when it is over.
APART_MS = 15 * 60_000


class Candidate(Struct, frozen=True, order=True):
    """A request of a log that may be one that a proxy saw: its time (ms), group and conversation."""

    time: int
    key: str
    conversation: str


def match(rows: Iterable[ProxyRow], candidates: Iterable[Candidate]) -> dict[str, str]:
    """The key of the group by that of the row, each once: the earliest row gets the nearest first.

    All have the same tokens. A row that names its conversation is of no other one.
    """
    free = set(candidates)
    found: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: (not row.conversation, row.time, row.key)):
        fitting = [each for each in free if _fits(row, each)]
        if fitting:
            nearest = min(fitting, key=lambda each: (abs(each.time - row.time), each))
            free.remove(nearest)
            found[row.key] = nearest.key
    return found


def spans_of(times: Iterable[int]) -> list[tuple[int, int]]:
    """From when until before when (ms) lies what may be a row of one of these times; none overlap."""
    spans: list[tuple[int, int]] = []
    for time in sorted(times):
        since, until = max(time - APART_MS, 0), max(time + APART_MS + 1, 0)
        if spans and since <= spans[-1][1]:
            since = spans.pop()[0]
        spans.append((since, until))
    return spans


def _fits(row: ProxyRow, candidate: Candidate) -> bool:
    is_of_it = row.conversation in ("", candidate.conversation)
    return is_of_it and abs(candidate.time - row.time) <= APART_MS

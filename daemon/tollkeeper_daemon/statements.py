"""Follows the client's own totals through a log: which replies they cover, and which they lost.

The client writes its totals into a log when it leaves the conversation. One that is killed writes
none, and the next goes on from the last that were written: what was used between is in none of them.
That it was another client shows where replies lie further apart than the totals' clients ran.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from tollkeeper_daemon.ledger.requests import identity
from tollkeeper_daemon.reading import Scan
from tollkeeper_daemon.records import Reply, Statement
from tollkeeper_daemon.store.schema import Told

NOTHING = Statement((), 0)
# Far more than any conversation has; a broken log could name millions.
MOST_PARENTS = 50


def follow(known: Told, scan: Scan, own: str) -> Told:
    """What is known of the conversation ``own`` after these lines of a log of its.

    Any cutting of a log comes to the same, and reading it again from its start as well.
    """
    makers = {reply.conversation for reply in scan.replies if reply.owned}
    if (scan.bad_lines and not known.unreadable) or not makers <= {own, *known.parents}:
        known = replace(
            known,
            parents=tuple(sorted({*known.parents, *makers} - {own})[:MOST_PARENTS]),
            unreadable=known.unreadable or scan.bad_lines > 0,
        )
    return known if scan.helper else _follow_main(known, scan, own)


def _follow_main(known: Told, scan: Scan, own: str) -> Told:
    if scan.mark.offset == scan.bytes:
        known = Told(parents=known.parents, unreadable=known.unreadable)
    begin = 0
    for stated in scan.stated:
        if stated.conversation == own:
            known = _state(_open(known, scan.replies[begin : stated.after], own), stated.statement)
            begin = stated.after
    return _open(known, scan.replies[begin:], own)


def _open(known: Told, replies: Sequence[Reply], own: str) -> Told:
    """These replies came after the last totals; the first may have begun before the cut."""
    mine = [reply for reply in replies if reply.conversation == own]
    if not mine:
        return known
    output = sum(reply.output for reply in mine)
    if identity(mine[0])[0] == known.open_message:
        output -= mine[0].output
    times = [reply.time for reply in mine]
    return replace(
        known,
        open_message=identity(mine[-1])[0],
        open_output=known.open_output + output,
        open_since=min([*times, known.open_since or times[0]]),
        open_until=max([*times, known.open_until]),
    )


def _state(known: Told, statement: Statement) -> Told:
    return replace(
        known,
        statement=statement,
        open_message="",
        open_output=0,
        open_since=0,
        open_until=0,
        lost_output=known.lost_output + max(_lost(known, statement), 0),
    )


def _lost(known: Told, statement: Statement) -> int:
    """The output that the new totals should hold, had no client before them been killed."""
    before = known.statement or NOTHING
    missing = _output(before) + known.open_output - _output(statement)
    if before.started not in (0, statement.started):
        return missing
    began_later = 0 < known.open_since < statement.started
    ran = statement.duration - before.duration
    return missing if began_later or known.open_until - known.open_since > ran else 0


def _output(statement: Statement) -> int:
    return sum(spent.output for _, spent in statement.models)

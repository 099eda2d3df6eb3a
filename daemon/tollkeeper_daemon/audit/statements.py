"""Follows the client's own totals through a log: which replies they cover, and which they lost.

The client writes its totals into a log when it leaves the conversation. One that is killed writes
none, and the next goes on from the last that were written: what was used between is in none of them.
That it was another client shows where replies lie further apart than the totals' clients ran.
"""

from collections.abc import Sequence

from msgspec.structs import astuple, replace

from tollkeeper_daemon.ledger.requests import identity
from tollkeeper_daemon.reading.scan import Scan
from tollkeeper_daemon.records import FileId, Reply, Statement
from tollkeeper_daemon.store.schema import Standing, Told

NOTHING = Statement((), 0)
# Far more than any conversation has; a broken log could name millions.
MOST_PARENTS = 50
MOST_LOGS = 20
# What a log said that was replaced since, or was read from its start once more. No file has it.
PAST: FileId = (0, 0)


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
    """Each log of this name is followed apart: a copy of a part of it takes nothing back."""
    standings = _standings(known)
    mine = standings.get(scan.file)
    if scan.mark.offset != scan.bytes:
        mine = mine or standings.get(PAST)  # A ledger from before logs were told apart.
    elif mine is not None:
        standings[PAST] = max(mine, standings.get(PAST, mine), key=_rank)
        mine = None
    standings[scan.file] = _read_on(mine or Standing(), scan, own)
    told = _furthest(known, standings)
    return known if told == known else told


def _standings(known: Told) -> dict[FileId, Standing]:
    mine = Standing(*(getattr(known, field) for field in Standing.__struct_fields__))
    return {known.file: mine, **dict(known.others)}


def _furthest(known: Told, standings: dict[FileId, Standing]) -> Told:
    """The one that has come furthest is in force; the others may still get further."""
    order = sorted(standings, key=lambda file: (_rank(standings[file]), file), reverse=True)
    first, *others = order[:MOST_LOGS]
    return Told(
        *astuple(standings[first]),
        parents=known.parents,
        unreadable=known.unreadable,
        file=first,
        others=tuple((file, standings[file]) for file in others if file != PAST),
    )


def _rank(standing: Standing) -> tuple[int | str, ...]:
    """How far a log has come: a larger one for each further reading of it."""
    statement = standing.statement or NOTHING
    return (
        statement.started,
        _tokens(statement),
        statement.duration,
        statement.value,
        standing.open_until,
        standing.open_output,
        standing.lost_output,
        standing.open_message,
    )


def _read_on(known: Standing, scan: Scan, own: str) -> Standing:
    begin = 0
    for stated in scan.stated:
        if stated.conversation == own:
            known = _state(_open(known, scan.replies[begin : stated.after], own), stated.statement)
            begin = stated.after
    return _open(known, scan.replies[begin:], own)


def _open(known: Standing, replies: Sequence[Reply], own: str) -> Standing:
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


def _state(known: Standing, statement: Statement) -> Standing:
    return replace(
        known,
        statement=statement,
        open_message="",
        open_output=0,
        open_since=0,
        open_until=0,
        lost_output=known.lost_output + max(_lost(known, statement), 0),
    )


def _lost(known: Standing, statement: Statement) -> int:
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


def _tokens(statement: Statement) -> int:
    return sum(sum(astuple(spent)[:-1]) for _, spent in statement.models)

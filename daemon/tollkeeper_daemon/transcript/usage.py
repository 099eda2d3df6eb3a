"""What a reply's usage tells beyond its plain counts: cache writes, advice and steps."""

from tollkeeper_daemon.names import name_of
from tollkeeper_daemon.records import Advice, Step
from tollkeeper_daemon.transcript.lines import (
    UNKNOWN_MODEL,
    CacheCreation,
    Iteration,
    LineUsage,
)


def cache_writes(split: CacheCreation | None, whole: int | None) -> tuple[int, int]:
    """Writes for five minutes and for an hour: of all writes, what is not the latter is the former.

    Without a count of all, the split is taken at its word.
    """
    write_5m = (split.ephemeral_5m_input_tokens or 0) if split else 0
    write_1h = (split.ephemeral_1h_input_tokens or 0) if split else 0
    whole = whole or write_5m + write_1h
    write_1h = min(write_1h, whole)
    return whole - write_1h, write_1h


def advice(usage: LineUsage) -> tuple[Advice, ...]:
    """What advisors answered inside the reply."""
    return tuple(
        _advised(each) for each in usage.iterations or () if each and each.type == "advisor_message"
    )


def _advised(iteration: Iteration) -> Advice:
    write_5m, write_1h = cache_writes(
        iteration.cache_creation, iteration.cache_creation_input_tokens
    )
    return Advice(
        name_of(iteration.model) or UNKNOWN_MODEL,
        iteration.input_tokens or 0,
        iteration.output_tokens or 0,
        iteration.cache_read_input_tokens or 0,
        write_5m,
        write_1h,
    )


def steps(usage: LineUsage, write_1h: int) -> tuple[Step, ...]:
    """The reply's own steps, when it took several; writes that no step splits are told in turn.

    What the steps leave over of the reply's writes for an hour goes to the first that have room.
    """
    own = [each for each in usage.iterations or () if each and each.type == "message"]
    if len(own) < 2:
        return ()
    writes = [cache_writes(each.cache_creation, each.cache_creation_input_tokens) for each in own]
    left = max(write_1h - sum(hour for _, hour in writes), 0)
    found: list[Step] = []
    for each, (write_5m, hour) in zip(own, writes, strict=True):
        split = each.cache_creation
        unsplit = write_5m - ((split.ephemeral_5m_input_tokens or 0) if split else 0)
        moved = min(left, max(unsplit, 0))
        left -= moved
        found.append(
            Step(
                each.input_tokens or 0,
                each.output_tokens or 0,
                each.cache_read_input_tokens or 0,
                write_5m - moved,
                hour + moved,
            )
        )
    return tuple(found)

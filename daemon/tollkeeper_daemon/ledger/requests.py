"""Which lines are one request: identity, merging, replays.

Merging is a least upper bound, field by field: commutative, associative and idempotent. So any
order, repetition or cutting of the same lines gives the same request.
"""

from hashlib import sha256
from itertools import zip_longest

from msgspec.structs import replace

from tollkeeper_daemon.records import Advice, Reply, Step

NO_ADVICE = Advice("")
NO_STEP = Step()
# The client's own ids have some forty characters.
LONGEST_ID = 90
# Far more than one message has request ids.
MOST_ENTRIES = 50


def identity(reply: Reply) -> tuple[str, str]:
    """Where the line is filed: the group of lines it belongs to, and its request within it.

    A group is the message's id; without one, the request's; without both, the line's own.
    """
    if reply.message:
        return "m:" + _short(reply.message), reply.request
    if reply.request:
        return stray_key(reply.request), reply.request
    return "l:" + _short(reply.line), ""


def stray_key(request: str) -> str:
    """Where lines are filed that know their request's id, but not their message's."""
    return "r:" + _short(request)


def _short(name: str) -> str:
    """The id itself, unless it is absurdly long: keys must fit into any store."""
    return name if len(name) <= LONGEST_ID else sha256(name.encode()).hexdigest()


def join(one: Reply, other: Reply) -> Reply:
    """The request that both lines tell of: the largest of each count, the earliest time."""
    if one == other:
        return one
    owner = owner_of(one, other)
    return Reply(
        message=max(one.message, other.message),
        request=max(one.request, other.request),
        line=max(one.line, other.line),
        conversation=owner.conversation,
        owned=owner.owned,
        time=min(one.time, other.time),
        model=min(one.model, other.model),
        subagent=max(one.subagent, other.subagent),
        subagent_type=max(one.subagent_type, other.subagent_type),
        input=max(one.input, other.input),
        output=max(one.output, other.output),
        cache_read=max(one.cache_read, other.cache_read),
        cache_write_5m=max(one.cache_write_5m, other.cache_write_5m),
        cache_write_1h=max(one.cache_write_1h, other.cache_write_1h),
        web_searches=max(one.web_searches, other.web_searches),
        fast=one.fast or other.fast,
        us=one.us or other.us,
        advice=_join_advice(one.advice, other.advice),
        steps=_join_steps(one.steps, other.steps),
    )


def owner_of(one: Reply, other: Reply) -> Reply:
    """The line that knows best whose the request is: a marked one, else the smallest name."""
    return min(
        one, other, key=lambda each: (not each.owned, not each.conversation, each.conversation)
    )


def _join_advice(one: tuple[Advice, ...], other: tuple[Advice, ...]) -> tuple[Advice, ...]:
    if one == other or not other:
        return one
    return tuple(
        Advice(
            max(left.model, right.model),
            max(left.input, right.input),
            max(left.output, right.output),
            max(left.cache_read, right.cache_read),
            max(left.cache_write_5m, right.cache_write_5m),
            max(left.cache_write_1h, right.cache_write_1h),
        )
        for left, right in zip_longest(one, other, fillvalue=NO_ADVICE)
    )


def _join_steps(one: tuple[Step, ...], other: tuple[Step, ...]) -> tuple[Step, ...]:
    if one == other or not other:
        return one
    return tuple(
        Step(
            max(left.input, right.input),
            max(left.output, right.output),
            max(left.cache_read, right.cache_read),
            max(left.cache_write_5m, right.cache_write_5m),
            max(left.cache_write_1h, right.cache_write_1h),
        )
        for left, right in zip_longest(one, other, fillvalue=NO_STEP)
    )


def file_under(entries: tuple[Reply, ...], request: str, reply: Reply) -> tuple[Reply, ...]:
    """The group's entries, one for each request id, after this line came in.

    Of more than there can be, those with the smallest ids: so no order of reading matters.
    """
    if not entries:
        return (reply,)
    for index, entry in enumerate(entries):
        if entry.request == request:
            joined = join(entry, reply)
            return entries if joined == entry else (*entries[:index], joined, *entries[index + 1 :])
    if len(entries) >= MOST_ENTRIES and request > entries[-1].request:
        return entries
    return tuple(sorted((*entries, reply), key=lambda each: each.request)[:MOST_ENTRIES])


def resolve(entries: tuple[Reply, ...]) -> list[Reply]:
    """The paid requests of a group, advice set out as requests of its own.

    Entries under several request ids are replays of one request where input and cache tokens
    agree, and requests of their own where they do not.
    """
    if len(entries) == 1 and not entries[0].advice:
        return [entries[0]]
    distinct: dict[tuple[int, int, int, int], Reply] = {}
    for entry in entries:
        prompt = (entry.input, entry.cache_read, entry.cache_write_5m, entry.cache_write_1h)
        known = distinct.get(prompt)
        distinct[prompt] = join(known, entry) if known else entry
    paid: list[Reply] = []
    for reply in distinct.values():
        paid.append(replace(reply, advice=()))
        paid.extend(_advised(reply, advice) for advice in reply.advice)
    return paid


def _advised(reply: Reply, advice: Advice) -> Reply:
    return replace(
        reply,
        model=advice.model,
        input=advice.input,
        output=advice.output,
        cache_read=advice.cache_read,
        cache_write_5m=advice.cache_write_5m,
        cache_write_1h=advice.cache_write_1h,
        web_searches=0,
        fast=False,
        advice=(),
        steps=(),
    )

"""Judges whether the ledger and the client's own totals of a conversation agree, and if not, why.

A conversation may go on from another one's totals: those of a fork include its parent's, as they
stood when it began. So the client's totals are compared with what is booked to the conversation
on top of one of its ``bases``, the one that leaves the least to explain.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import astuple, replace

from tollkeeper_daemon.ledger.prices import canonical
from tollkeeper_daemon.records import Spent, Statement

# The client adds up floats, we whole nano-dollars: this far apart they are still the same.
LEAST_NANO = 1_000
LEAST_SHARE = 1e-9

Sums = Mapping[str, Spent]
"""What was used, by model."""


class Cause(StrEnum):
    """Why ledger and client differ."""

    NONE = "none"
    PENDING = "pending"
    UNPRICED = "unpriced"
    PRICES = "prices"
    OTHER_MODEL = "other-model"
    UNLOGGED = "unlogged"
    OLDER = "older"
    UNREADABLE = "unreadable"
    MISSING = "missing"
    LOST = "lost"
    UNKNOWN = "unknown"


WORDS = {
    Cause.NONE: "they agree",
    Cause.PENDING: "not yet in the client's totals, which it writes when it leaves a conversation",
    Cause.UNPRICED: "a model without a price",
    Cause.PRICES: "charged at other prices than the client's: your own prices, or prices of another "
    "day; toll reprice charges by those in force",
    Cause.OTHER_MODEL: "another model answered than was asked for",
    Cause.UNLOGGED: "requests that no log holds (web search, compaction, title)",
    Cause.OLDER: "it copied requests that are older than requests are kept",
    Cause.UNREADABLE: "lines of its log that could not be read",
    Cause.MISSING: "logs that were deleted before they were read",
    Cause.LOST: "requests that the client's totals lack, since a client was killed",
    Cause.UNKNOWN: "unknown: please report it",
}
# What happens to everybody, and is no fault of the ledger's.
ORDINARY = frozenset(
    {
        Cause.NONE,
        Cause.PENDING,
        Cause.UNPRICED,
        Cause.PRICES,
        Cause.OTHER_MODEL,
        Cause.UNLOGGED,
        Cause.OLDER,
        Cause.LOST,
    }
)


class Case(Struct, frozen=True):
    """All that a judgement looks at.

    ``booked`` is what the ledger holds of the conversation, ``bases`` what its totals may have
    begun with, nothing apart. ``unpriced`` says that the ledger charged something at a guess;
    ``open`` that replies came after the last totals; ``lost_output`` and ``helpers_output`` are the
    output of replies that the totals passed over, and of subagents; ``first_time`` (ms) is when
    the conversation began. ``older`` says that the bases lack requests which are kept no longer.
    """

    statement: Statement
    booked: Sums
    bases: tuple[Sums, ...] = ()
    unpriced: bool = False
    open: bool = False
    lost_output: int = 0
    helpers_output: int = 0
    first_time: int = 0
    unreadable: bool = False
    older: bool = False


class ModelDifference(Struct, frozen=True):
    """What ledger and client hold of one model, where it is not the same."""

    model: str
    ledger: Spent
    client: Spent


class Finding(Struct, frozen=True):
    """What a comparison came to; money in nano-dollars.

    ``inherited`` is what of the ledger's sum was made by others: the base of the client's totals.
    """

    cause: Cause
    ledger: int
    client: int
    inherited: int = 0
    models: tuple[ModelDifference, ...] = ()

    @property
    def difference(self) -> int:
        """What the client counts more than the ledger; negative when it counts less."""
        return self.client - self.ledger

    @property
    def explained(self) -> bool:
        """Whether the cause is known."""
        return self.cause is not Cause.UNKNOWN

    @property
    def agrees(self) -> bool:
        """Whether there is nothing to explain."""
        return self.cause is Cause.NONE


def judge(case: Case) -> Finding:
    """Compare the client's totals with the ledger."""
    client = _by_name(case.statement.models, case.statement.unsplit)
    booked = _by_name(case.booked.items(), case.statement.unsplit)
    bases = [_by_name(base.items(), case.statement.unsplit) for base in case.bases]
    held = [(_added(booked, base), base) for base in bases] + [(booked, {})]
    ledger, base = min(held, key=lambda each: _distance(each[0], client))
    return Finding(
        cause=_cause(case, ledger, client),
        ledger=_value(ledger),
        client=case.statement.value,
        inherited=_value(base),
        models=_differences(ledger, client),
    )


def _cause(case: Case, ledger: Sums, client: Sums) -> Cause:
    more, less = _apart(ledger, client)
    value = _value(ledger)
    guessed = case.unpriced or case.statement.unpriced
    dearer = case.statement.value - value
    if not more and not less:
        if _is_close(value, case.statement.value) and not _differences(ledger, client):
            return Cause.NONE
        return Cause.UNPRICED if guessed else Cause.PRICES
    if case.open:
        return Cause.PENDING
    if more and case.older:
        return Cause.OLDER
    if not less:
        return _why_more(case, dearer, guessed)
    if not more and (lost := _why_less(case, ledger, client)):
        return lost
    over_models = _apart({"": _summed(ledger)}, {"": _summed(client)})
    if not over_models[1]:
        return Cause.OTHER_MODEL
    return _why_less(case, ledger, client) or Cause.UNKNOWN


def _why_more(case: Case, dearer: int, guessed: bool) -> Cause:
    """The client counts more tokens of some kinds, and of none fewer."""
    if case.unreadable:
        return Cause.UNREADABLE
    if not case.booked:
        return Cause.MISSING
    if dearer < -LEAST_NANO:
        return Cause.UNPRICED if guessed else Cause.PRICES
    return Cause.UNLOGGED


def _why_less(case: Case, ledger: Sums, client: Sums) -> Cause | None:
    """The ledger holds more of some kinds: what a killed client lost, if there is a sign of it."""
    surplus = _summed(ledger).output - _summed(client).output
    if case.lost_output and surplus <= case.lost_output + case.helpers_output:
        return Cause.LOST
    if case.first_time and case.statement.started > case.first_time:
        return Cause.LOST
    return None


def _apart(ledger: Sums, client: Sums) -> tuple[bool, bool]:
    """Whether the client counts more of any kind of tokens, and whether it counts fewer of any."""
    more = less = False
    for model in ledger.keys() | client.keys():
        ours, theirs = _tokens(ledger.get(model)), _tokens(client.get(model))
        more = more or any(their > our for our, their in zip(ours, theirs, strict=True))
        less = less or any(their < our for our, their in zip(ours, theirs, strict=True))
    return more, less


def _distance(ledger: Sums, client: Sums) -> int:
    """How many tokens of all kinds would have to be explained."""
    apart = 0
    for model in ledger.keys() | client.keys():
        ours, theirs = _tokens(ledger.get(model)), _tokens(client.get(model))
        apart += sum(abs(our - their) for our, their in zip(ours, theirs, strict=True))
    return apart


def _differences(ledger: Sums, client: Sums) -> tuple[ModelDifference, ...]:
    found = (
        ModelDifference(model, ledger.get(model, Spent()), client.get(model, Spent()))
        for model in sorted(ledger.keys() | client.keys())
    )
    return tuple(each for each in found if not _is_same(each.ledger, each.client))


def _is_same(ledger: Spent, client: Spent) -> bool:
    return _tokens(ledger) == _tokens(client) and _is_close(ledger.value, client.value)


def _is_close(ledger: int, client: int) -> bool:
    return abs(ledger - client) <= max(LEAST_NANO, abs(client) * LEAST_SHARE)


def _value(sums: Sums) -> int:
    return sum(spent.value for spent in sums.values())


def _tokens(spent: Spent | None) -> tuple[int, ...]:
    return astuple(spent or Spent())[:-1]


def _summed(sums: Sums) -> Spent:
    return add_up(sums.values())


def add_up(spent: Iterable[Spent]) -> Spent:
    """These in one."""
    columns = zip(*(astuple(each) for each in spent), strict=True)
    return Spent(*(sum(column) for column in columns))


def _added(one: Sums, other: Sums) -> dict[str, Spent]:
    return {
        model: add_up([one.get(model, Spent()), other.get(model, Spent())])
        for model in one.keys() | other.keys()
    }


def _by_name(models: Iterable[tuple[str, Spent]], unsplit: bool) -> dict[str, Spent]:
    """The sums under the models' plain names, which ledger and client may write differently."""
    named: dict[str, Spent] = {}
    for model, spent in models:
        if unsplit:
            writes = spent.cache_write_5m + spent.cache_write_1h
            spent = replace(spent, cache_write_5m=writes, cache_write_1h=0)
        name = _plain(model)
        named[name] = add_up([named[name], spent]) if name in named else spent
    return {name: spent for name, spent in named.items() if spent != Spent()}


_plain = lru_cache(maxsize=1_000)(canonical)

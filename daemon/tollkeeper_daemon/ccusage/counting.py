"""How we and ccusage count the lines of one reply, and what each cause comes to between the two; pure.

ccusage's rules are those of its report by day, seen by running 20.0.24: docs/accounting.md, "Where ccusage
differs, and why". Each cause comes to what its rule changes when the rules are applied one after the other,
so that all of them together are the whole difference.
"""

from collections.abc import Iterable, Iterator
from functools import reduce

from msgspec import Struct

REPEATED = ("no-message-id", "no-request-id", "some-request-ids", "replay")


class Tokens(Struct, frozen=True):
    """Tokens by kind; negative where ccusage has less."""

    input: int = 0
    output: int = 0
    write_5m: int = 0
    write_1h: int = 0
    read: int = 0

    @property
    def prompt(self) -> tuple[int, int, int, int]:
        """All but the output."""
        return self.input, self.write_5m, self.write_1h, self.read

    @property
    def kinds(self) -> tuple[int, int, int, int]:
        """By the kinds that ccusage tells apart, in its order."""
        return self.input, self.output, self.write_5m + self.write_1h, self.read

    def plus(self, other: "Tokens") -> "Tokens":
        """Both together."""
        return Tokens(
            self.input + other.input,
            self.output + other.output,
            self.write_5m + other.write_5m,
            self.write_1h + other.write_1h,
            self.read + other.read,
        )

    def minus(self, other: "Tokens") -> "Tokens":
        """Without the other."""
        return self.plus(
            Tokens(-other.input, -other.output, -other.write_5m, -other.write_1h, -other.read)
        )

    def most(self, other: "Tokens") -> "Tokens":
        """The larger of each kind."""
        return Tokens(
            max(self.input, other.input),
            max(self.output, other.output),
            max(self.write_5m, other.write_5m),
            max(self.write_1h, other.write_1h),
            max(self.read, other.read),
        )


NONE = Tokens()


class Feature(Struct):
    """Of how many lines or replies a cause is true, and what ccusage makes of them more or less. It grows.

    ``tokens`` are None where it is not known how this version counts.
    """

    count: int = 0
    tokens: Tokens | None = NONE

    def add(self, tokens: Tokens) -> None:
        """It comes to so much more."""
        self.tokens = (self.tokens or NONE).plus(tokens)


Features = dict[str, Feature]
"""By cause; ``requests`` is how many replies there are by our rules, and what they come to."""


class Line(Struct, frozen=True):
    """A line of a reply: when it was, its ids, and its counts, as we and as ccusage read them.

    ``dropped`` is the cause for which ccusage does not read it, empty where it does.
    """

    time: int
    day: str
    request: str
    session: str
    sidechain: bool
    ours: Tokens
    theirs: Tokens
    dropped: str = ""


def paid(lines: Iterable[Line]) -> list[Tokens]:
    """The paid requests that these lines are by our rules: those of one prompt are one, replayed."""
    requests: dict[str, Tokens] = {}
    for line in lines:
        requests[line.request] = requests.get(line.request, NONE).most(line.ours)
    distinct: dict[tuple[int, int, int, int], Tokens] = {}
    for each in requests.values():
        distinct[each.prompt] = distinct.get(each.prompt, NONE).most(each)
    return list(distinct.values())


def causes_of_repeats(lines: list[Line], has_id: bool) -> Iterator[str]:
    """Why ccusage may take the lines of a reply for several."""
    lacking = [not line.request for line in lines]
    if len({line.request for line in lines if line.request}) > 1:
        yield "replay"
    if len(lines) > 1:
        if not has_id:
            yield "no-message-id"
        elif all(lacking):
            yield "no-request-id"
        elif any(lacking):
            yield "some-request-ids"


def amounts(lines: list[Line], has_id: bool) -> Iterator[tuple[str, str, Tokens]]:
    """By day and cause what ccusage makes of this reply more than we do, or, negative, less."""
    began = min(lines, key=lambda line: line.time).day
    read = [line for line in lines if not line.dropped]
    told, ours = total(paid(read)), total(paid(lines))
    if dropped := [line.dropped for line in lines if line.dropped]:
        yield began, dropped[0], told.minus(ours)
    groups = _told_apart(read, has_id)
    most = total(reduce(Tokens.most, (line.ours for line in group)) for group in groups)
    repeats = {*causes_of_repeats(read, has_id)}
    if cause := next((each for each in REPEATED if each in repeats), ""):
        yield began, cause, most.minus(told)
    kept = [max(group, key=lambda line: line.ours.output) for group in groups]
    whole = total(line.ours for line in kept)
    yield began, "uneven", whole.minus(most)
    yield began, "split", total(line.theirs for line in kept).minus(whole)
    for line in kept:
        if line.day != began:
            yield began, "midnight", NONE.minus(line.theirs)
            yield line.day, "midnight", line.theirs


def total(tokens: Iterable[Tokens]) -> Tokens:
    """All together."""
    return reduce(Tokens.plus, tokens, NONE)


def _told_apart(lines: list[Line], has_id: bool) -> list[list[Line]]:
    """The lines by what ccusage takes for one reply."""
    groups: dict[tuple[object, ...], list[Line]] = {}
    for at, line in enumerate(lines):
        if not has_id:
            key: tuple[object, ...] = (at,)
        elif not line.request:
            key = (line.time, line.session)
        else:
            key = ("sidechain",) if line.sidechain else (line.request,)
        groups.setdefault(key, []).append(line)
    return list(groups.values())

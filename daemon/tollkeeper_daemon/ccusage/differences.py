"""Where ccusage and the ledger tell something else of a day and model, and why; pure."""

from collections.abc import Callable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from tollkeeper_daemon.ccusage.causes import LESS, MORE, OF_TOKENS, Kind
from tollkeeper_daemon.ccusage.counting import NONE, Feature, Features, Tokens, total
from tollkeeper_daemon.ccusage.evidence import NANO_EACH, Ours, Paid
from tollkeeper_daemon.ccusage.shapes import Figures, Place, Reading
from tollkeeper_daemon.ledger.prices import MODEL_HEAD

# A millionth of a dollar: both add up, one of them floats.
NEAR_NANO = 1_000
NOTHING = Ours()
UNEXPLAINED = "unexplained"

Value = Callable[[Tokens], int]
"""What tokens of a day and model come to (nano-dollars)."""


class Cause(Struct, frozen=True):
    """One cause: how many requests or lines it is true of, and what it comes to, where that is known.

    ``tokens`` and ``nano`` (nano-dollars) are what ccusage has more or, negative, less.
    """

    name: str
    count: int = 0
    tokens: Tokens | None = None
    nano: int | None = None


class Difference(Struct, frozen=True):
    """A day and model of which the two tell something else, with the causes."""

    place: Place
    theirs: Figures
    ours: Ours
    causes: tuple[Cause, ...] = ()

    @property
    def is_of_tokens(self) -> bool:
        """Whether they count otherwise, and not only charge otherwise."""
        return self.theirs.tokens != self.ours.figures.tokens

    @property
    def is_accounted_for(self) -> bool:
        """Whether the money alone differs, and its causes come to all of it."""
        known = [each.nano for each in self.causes if each.nano is not None]
        is_whole = len(known) == len(self.causes) and _is_near(self, self.nano - sum(known))
        return is_whole and not self.is_of_tokens and all(c.name != "rates" for c in self.causes)

    @property
    def nano(self) -> int:
        """Their money minus ours."""
        return self.theirs.nano - self.ours.figures.nano


def compare(theirs: Reading, ours: Mapping[Place, Ours]) -> list[Difference]:
    """The days and models that differ, oldest first, with no causes yet."""
    places = sorted({*theirs.figures, *ours})
    found = (
        Difference(place, theirs.figures.get(place, Figures()), ours.get(place, NOTHING))
        for place in places
    )
    return [each for each in found if each.is_of_tokens or not _is_near(each, each.nano)]


def is_told(difference: Difference, theirs: Reading) -> bool:
    """Whether the two reports alone tell the cause, and neither ledger nor logs need be looked at."""
    return not difference.is_of_tokens and _has_no_price(difference, theirs)


def explained(
    difference: Difference,
    theirs: Reading,
    paid: Paid,
    features: Features,
    moved: bool,
    value: Value,
) -> Difference:
    """The difference with its causes.

    ``paid`` is what the ledger's requests hold, ``features`` what the logs hold of each cause of other
    tokens; ``moved`` says that the ledger changed while ccusage ran. ``value`` is what tokens come to.
    """
    if _has_no_price(difference, theirs):
        value = _nothing
    causes = [
        *(_of_tokens(difference, features, moved, value) if difference.is_of_tokens else ()),
        *_of_money(difference, theirs, paid, features),
    ]
    return replace(difference, causes=tuple(causes))


def with_rest(difference: Difference) -> Difference:
    """What is left over is of the only cause of which nobody can tell what it comes to.

    Several such causes share it, untold. Without any it is told as unexplained.
    """
    causes = list(difference.causes)
    tokens = _rest_of_tokens(difference)
    if any(tokens.kinds):
        untold = [each for each in causes if each.name in OF_TOKENS and each.tokens is None]
        causes = _with(causes, untold, tokens=tokens)
    known = sum(each.nano or 0 for each in causes)
    untold = [each for each in causes if each.nano is None]
    if untold or not _is_near(difference, difference.nano - known):
        causes = _with(causes, untold, nano=difference.nano - known)
    return replace(difference, causes=tuple(causes))


def _with(causes: list[Cause], untold: list[Cause], **rest: object) -> list[Cause]:
    """The causes, of which the only one that is untold comes to the rest."""
    if not untold:
        return [*causes, replace(Cause(UNEXPLAINED), **rest)]
    return [replace(each, **rest) if [each] == untold else each for each in causes]


def _rest_of_tokens(difference: Difference) -> Tokens:
    """What the causes do not come to of other tokens; cache writes are not told apart."""
    told = total(each.tokens for each in difference.causes if each.tokens)
    rest = [
        theirs - ours - known
        for theirs, ours, known in zip(
            difference.theirs.tokens, difference.ours.figures.tokens, told.kinds, strict=True
        )
    ]
    return Tokens(input=rest[0], output=rest[1], write_5m=rest[2], read=rest[3])


def _of_tokens(
    difference: Difference, features: Features, moved: bool, value: Value
) -> list[Cause]:
    apart = [
        mine - yours
        for mine, yours in zip(
            difference.theirs.tokens, difference.ours.figures.tokens, strict=True
        )
    ]
    ways = {MORE for each in apart if each > 0} | {LESS for each in apart if each < 0}
    known = {**features, **_of_one_side(difference.ours, features.get("requests", Feature()))}
    found = [
        Cause(name, each.count, each.tokens, None if each.tokens is None else value(each.tokens))
        for name, kind in OF_TOKENS.items()
        if (each := known.get(name)) and _counts(each, kind, ways)
    ]
    return [*found, Cause("moving")] if moved else found


def _of_one_side(ours: Ours, logged: Feature) -> Features:
    """The requests that are in the ledger or in the logs alone."""
    apart = logged.count - ours.requests
    if not apart:
        return {}
    tokens = (logged.tokens or NONE).minus(ours.tokens)
    return {"unread" if apart > 0 else "gone": Feature(abs(apart), tokens)}


def _counts(feature: Feature, kind: Kind, ways: set[int]) -> bool:
    """Whether it comes to something; where that is not known, whether it goes the way of the difference."""
    if feature.tokens is None:
        return feature.count > 0 and (not kind.way or kind.way in ways)
    return any(feature.tokens.kinds)


def _of_money(
    difference: Difference, theirs: Reading, paid: Paid, features: Features
) -> list[Cause]:
    """What of the money is no matter of tokens alone."""
    ours = difference.ours
    if _has_no_price(difference, theirs):
        return [Cause("no-price", ours.requests, nano=-ours.figures.nano)]
    known = [
        Cause(name, extra.count, nano=extra.nano)
        for name, extra in paid.extras.items()
        if extra.nano
    ]
    vague = [Cause(name, extra.count) for name, extra in paid.extras.items() if not extra.nano]
    if ours.unpriced:
        vague.append(Cause("guessed", ours.unpriced))
    if own := features.get("own-cost"):
        vague.append(Cause("own-cost", own.count))
    if difference.is_of_tokens:
        return [*known, *(each for each in vague if each.name != "fast")]
    rest = difference.nano - sum(each.nano or 0 for each in known)
    if rest > 0 and _is_of_provider(difference.place[1]):
        known.append(Cause("region", ours.requests, nano=rest))
        rest = 0
    if _is_near(difference, rest):
        return known
    return [*known, *(vague or [Cause("rates", ours.requests, nano=rest)])]


def _has_no_price(difference: Difference, theirs: Reading) -> bool:
    """Whether ccusage charges nothing for tokens of this model."""
    model = difference.place[1]
    used = any(difference.theirs.tokens)
    return (
        used
        and not difference.theirs.nano
        and difference.ours.figures.nano > 0
        and (model in theirs.unpriced or not theirs.unpriced)
    )


def _nothing(tokens: Tokens) -> int:
    return 0


def _is_of_provider(model: str) -> bool:
    head = MODEL_HEAD.match(model)
    return bool(head and head[0])


def _is_near(difference: Difference, nano: int) -> bool:
    return abs(nano) <= max(NEAR_NANO, NANO_EACH * difference.ours.requests)

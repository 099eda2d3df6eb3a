"""Where ccusage and the ledger tell something else of a day and model, and why; pure."""

from collections.abc import Mapping

from msgspec import Struct

from tollkeeper_daemon.ccusage.causes import LESS, MORE, OF_TOKENS
from tollkeeper_daemon.ccusage.evidence import NANO_EACH, Ours, Paid
from tollkeeper_daemon.ccusage.shapes import Figures, Place, Reading
from tollkeeper_daemon.ledger.prices import MODEL_HEAD

# A millionth of a dollar: both add up, one of them floats.
NEAR_NANO = 1_000
NOTHING = Ours()


class Cause(Struct, frozen=True):
    """One cause: how many requests or lines it is true of, and what it comes to (nano), where that is known."""

    name: str
    count: int = 0
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
    difference: Difference, theirs: Reading, paid: Paid, features: Mapping[str, int], moved: bool
) -> Difference:
    """The difference with its causes.

    ``paid`` is what the ledger's requests hold, ``features`` how many lines or replies of the logs each
    cause of other tokens is true of; ``moved`` says that the ledger changed while ccusage ran.
    """
    causes = [
        *(_of_tokens(difference, paid, features, moved) if difference.is_of_tokens else ()),
        *_of_money(difference, theirs, paid, features),
    ]
    return Difference(
        difference.place,
        difference.theirs,
        difference.ours,
        tuple(causes) or (Cause("unknown"),),
    )


def _of_tokens(
    difference: Difference, paid: Paid, features: Mapping[str, int], moved: bool
) -> list[Cause]:
    apart = [
        mine - yours
        for mine, yours in zip(
            difference.theirs.tokens, difference.ours.figures.tokens, strict=True
        )
    ]
    ways = {MORE for each in apart if each > 0} | {LESS for each in apart if each < 0}
    counts = dict(features)
    logged = counts.pop("requests", 0)
    if difference.ours.requests > logged:
        counts["gone"] = difference.ours.requests - logged
    elif logged > difference.ours.requests:
        counts["unread"] = logged - difference.ours.requests
    found = [
        Cause(name, counts[name])
        for name, kind in OF_TOKENS.items()
        if counts.get(name) and (not kind.way or kind.way in ways)
    ]
    if moved:
        found.append(Cause("moving"))
    return found or [Cause("unknown")]


def _of_money(
    difference: Difference, theirs: Reading, paid: Paid, features: Mapping[str, int]
) -> list[Cause]:
    """What of the money is no matter of tokens alone."""
    ours = difference.ours
    if _has_no_price(difference, theirs):
        return [Cause("no-price", ours.requests, -ours.figures.nano)]
    known = [
        Cause(name, extra.count, extra.nano) for name, extra in paid.extras.items() if extra.nano
    ]
    vague = [Cause(name, extra.count) for name, extra in paid.extras.items() if not extra.nano]
    if ours.unpriced:
        vague.append(Cause("guessed", ours.unpriced))
    if features.get("own-cost"):
        vague.append(Cause("own-cost", features["own-cost"]))
    if difference.is_of_tokens:
        return [*known, *(each for each in vague if each.name != "fast")]
    rest = difference.nano - sum(each.nano or 0 for each in known)
    if rest > 0 and _is_of_provider(difference.place[1]):
        known.append(Cause("region", ours.requests, rest))
        rest = 0
    if _is_near(difference, rest):
        return known
    return [*known, *(vague or [Cause("rates", ours.requests, rest)])]


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


def _is_of_provider(model: str) -> bool:
    head = MODEL_HEAD.match(model)
    return bool(head and head[0])


def _is_near(difference: Difference, nano: int) -> bool:
    return abs(nano) <= max(NEAR_NANO, NANO_EACH * difference.ours.requests)

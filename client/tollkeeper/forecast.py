"""What a piece of work will take and cost, by the past ones. Pure.

numpy is loaded only once there are pieces enough for a forecast: without it ModuleNotFoundError.
"""

from collections.abc import Callable, Mapping, Sequence
from statistics import median

from msgspec import Struct

from tollkeeper.model import Piece, Pieces

FEATURES = ("files", "lines", "turns")
# Fewer tell too little: of eight held-out pieces the worst one is the edge of the interval.
LEAST_PIECES = 8
LEAST_PER_FEATURE = 3


class Amount(Struct, frozen=True):
    """What is predicted, and the interval in which it should lie.

    ``pieces`` were looked at. The errors are of these, each predicted from the others, as fractions.
    """

    predicted: float
    low: float
    high: float
    pieces: int
    median_error: float
    within_20_percent: float


class Amounts(Struct, frozen=True):
    """A forecast; ``cost_usd`` is None where too few pieces were billed, ``value_usd`` where few had a price."""

    tokens: Amount
    cost_usd: Amount | None
    value_usd: Amount | None
    coverage: float


class Spread(Struct, frozen=True):
    """The figures of past pieces."""

    median: float
    low: float
    high: float


class Forecast(Struct, frozen=True, kw_only=True):
    """The answer. ``forecast`` is None where the past tells too little; ``reason`` says why.

    ``pieces`` were looked at, ``under_way`` were not over. ``used`` are the features that it rests on: those that were given, but for such as were the same in
    every piece. ``outside`` are those of them that lie outside of what any piece had. ``past`` is what the
    pieces took and came to, by the name of the figure.
    """

    stage: str | None
    pieces: int
    under_way: int
    given: Mapping[str, float]
    used: tuple[str, ...]
    outside: tuple[str, ...]
    forecast: Amounts | None
    reason: str | None
    past: Mapping[str, Spread]
    unpriced_requests: int


def forecast(past: Pieces, given: Mapping[str, float]) -> Forecast:
    """What these pieces tell of work with the given ``FEATURES``, none of which is negative.

    A piece that lacks one of them is left out.
    """
    known = [
        piece for piece in past.pieces if all(getattr(piece, name) is not None for name in given)
    ]
    figures = {name: [float(getattr(piece, name)) for piece in known] for name in given}
    used = tuple(name for name in FEATURES if len({*figures.get(name, ())}) > 1)
    reason = _too_little(len(known), len(past.pieces) - len(known), used)
    return Forecast(
        stage=past.stage,
        pieces=len(known),
        under_way=past.under_way,
        given=given,
        used=used,
        outside=tuple(
            name for name in used if not min(figures[name]) <= given[name] <= max(figures[name])
        ),
        forecast=None if reason else _amounts(known, used, given),
        reason=reason,
        past=_past(known),
        unpriced_requests=sum(piece.unpriced_requests for piece in known),
    )


def _least(used: Sequence[str]) -> int:
    return max(LEAST_PIECES, LEAST_PER_FEATURE * len(used))


def _too_little(count: int, left_out: int, used: Sequence[str]) -> str | None:
    if count >= _least(used):
        return None
    are = "piece of work is" if count == 1 else "pieces of work are"
    more = f" ({left_out} more are, whose lines are not known)" if left_out else ""
    return f"{count or 'no'} {are} over{more}, {_least(used)} are needed"


def _amounts(pieces: Sequence[Piece], used: Sequence[str], given: Mapping[str, float]) -> Amounts:
    from tollkeeper.regression import COVERAGE, predict

    def amount(figure: Callable[[Piece], float], digits: int) -> Amount | None:
        """Of the pieces in which there was anything of it: a cost, say."""
        those = [piece for piece in pieces if figure(piece) > 0]
        if len(those) < _least(used):
            return None
        features = [[float(getattr(piece, name)) for name in used] for piece in those]
        found = predict(
            features, [figure(piece) for piece in those], [given[name] for name in used]
        )
        return Amount(
            round(found.predicted, digits),
            round(found.low, digits),
            round(found.high, digits),
            len(those),
            round(found.median_error, 4),
            round(found.within_20_percent, 4),
        )

    tokens = amount(lambda piece: max(piece.tokens, 1), 0)
    assert tokens is not None
    return Amounts(
        tokens=tokens,
        cost_usd=amount(lambda piece: piece.cost_usd, 9),
        value_usd=amount(lambda piece: piece.value_usd, 9),
        coverage=COVERAGE,
    )


def _past(pieces: Sequence[Piece]) -> dict[str, Spread]:
    names = (*FEATURES, "tokens", "cost_usd", "value_usd")
    figures = {
        name: [value for piece in pieces if (value := getattr(piece, name)) is not None]
        for name in names
    }
    return {
        name: Spread(median(values), min(values), max(values))
        for name, values in figures.items()
        if values
    }

"""A regression of an amount on some features, and how well it tells what it has not seen. Pure.

The amount is taken for a product of powers of the features (least squares over their logarithms), and
no feature makes it smaller. On made-up work this errs half as much as a sum of the features would. What
it errs by is found by leaving out each piece in turn: the interval (jackknife+, Barber et al. 2021)
and the stated errors come from pieces that the fit had not seen.

Needs numpy, which only a forecast loads.
"""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

COVERAGE = 0.8
NEARLY = 0.2
# Far above any amount there is, and below what a float holds.
HIGHEST_LOG = 300.0

Floats = NDArray[np.float64]


class Prediction(Struct, frozen=True):
    """An amount, and between what it should lie with a chance of ``COVERAGE``.

    Of all pieces, each predicted from the others: ``median_error`` is the median of by how much the
    prediction was wrong, ``within_20_percent`` the share of those that were wrong by no more than
    that (both as fractions).
    """

    predicted: float
    low: float
    high: float
    median_error: float
    within_20_percent: float


def predict(
    features: Sequence[Sequence[float]], amounts: Sequence[float], given: Sequence[float]
) -> Prediction:
    """The amount for the given features, by pieces with these features and amounts.

    There are at least five pieces, no feature is negative, and every amount is above zero.
    """
    x = np.log1p(np.array(features, dtype=np.float64).reshape(len(amounts), len(given)))
    y = np.log(np.array(amounts, dtype=np.float64))
    asked = np.log1p(np.array(given, dtype=np.float64))
    others = [_fit(np.delete(x, left_out, 0), np.delete(y, left_out)) for left_out in range(len(y))]
    unseen = np.array([fit.at(row) for fit, row in zip(others, x, strict=True)])
    errors = np.abs(_amount(unseen) / _amount(y) - 1)
    predicted = _fit(x, y).at(asked)
    low, high = _interval(np.array([fit.at(asked) for fit in others]), np.abs(unseen - y))
    return Prediction(
        predicted=float(_amount(predicted)),
        low=float(_amount(min(low, predicted))),
        high=float(_amount(max(high, predicted))),
        median_error=float(np.median(errors)),
        within_20_percent=float(np.mean(errors <= NEARLY)),
    )


class _Fit(Struct, frozen=True):
    """A plane through the logarithms: its height at the middle of the pieces, and its slopes."""

    middle: Floats
    height: float
    slopes: Floats

    def at(self, features: Floats) -> float:
        return self.height + float((features - self.middle) @ self.slopes)


def _fit(x: Floats, y: Floats) -> _Fit:
    """The plane of least squares none of whose slopes falls; features that never change have none."""
    middle, height = np.mean(x, axis=0), float(np.mean(y))
    slopes = np.zeros(x.shape[1])
    rising = np.flatnonzero(np.ptp(x, axis=0) > 0)
    while rising.size:
        found = _least_squares((x - middle)[:, rising], y - height)
        if np.min(found) >= 0:
            slopes[rising] = found
            break
        rising = np.delete(rising, int(np.argmin(found)))
    return _Fit(middle, height, slopes)


def _least_squares(columns: Floats, heights: Floats) -> Floats:
    """The smallest slopes of those that fit best: where columns say the same, they share."""
    return np.asarray(np.linalg.lstsq(columns, heights, rcond=None)[0], dtype=np.float64)


def _interval(predicted: Floats, errors: Floats) -> tuple[float, float]:
    """The interval of jackknife+, of predictions by fits that each missed a piece by its error."""
    beyond = (1 - COVERAGE) * (len(errors) + 1)
    low, high = np.sort(predicted - errors), np.sort(predicted + errors)
    outside = int(beyond + 1e-9)
    return float(low[outside - 1]), float(high[len(high) - outside])


def _amount(logarithm: Floats | float) -> Floats:
    return np.exp(np.clip(logarithm, -HIGHEST_LOG, HIGHEST_LOG))

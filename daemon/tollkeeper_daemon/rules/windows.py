"""What is told of a plan's window between two sightings: which figure holds, and what follows. Pure."""

from itertools import pairwise

from msgspec import Struct

# The API names a reset to the second, and not always the same one.
SAME_RESET_MS = 60_000
SPENT = 100.0
# Lower figures are believed when so many came, each higher than the last, over so long a time.
RISES_TO_CORRECT = 3
CORRECTED_AFTER_MS = 10 * 60_000
# Percentages come whole: what they rose by says little before they rose by so many.
LEAST_RISE = 2.0
MOST_POINTS = 40
HOUR_MS = 3_600_000
# Over how long a rate is taken, for each kind of window, and how much of that must have been seen.
LOOK_BACK_MS = {"five_hour": HOUR_MS, "seven_day": 24 * HOUR_MS}
LEAST_PART = 12


class Point(Struct, frozen=True, array_like=True, gc=False):
    """A sighting: when (ms), how much was used, and what the quarter of an hour had come to by then.

    ``booked`` (nano-dollars) is the account's value in that quarter: it tells later what came after.
    """

    time: int
    percent: float
    booked: int = 0


class Doubt(Struct, frozen=True):
    """Lower figures than the one that is known, which rise: when the first came, and the latest."""

    since: int
    resets_at: int
    percent: float
    rises: int = 1


def is_same_reset(one: int, other: int) -> bool:
    """Whether these are resets (ms) of the same window."""
    return abs(one - other) < SAME_RESET_MS


def is_stale(known: tuple[int, float], seen: tuple[int, float]) -> bool:
    """Whether a figure is older than the one that is known; each is a reset (ms) and a percentage.

    Within a window use only grows, and a window that ends later is the later one.
    """
    if is_same_reset(known[0], seen[0]):
        return seen[1] < known[1]
    return seen[0] < known[0]


def doubted(doubt: Doubt | None, seen: tuple[int, float], now: int) -> Doubt:
    """What stale figures come to, with this one; a client that is idle repeats what it knows."""
    resets_at, percent = seen
    if doubt is None or not is_same_reset(doubt.resets_at, resets_at) or percent < doubt.percent:
        return Doubt(now, resets_at, percent)
    rises = doubt.rises + (percent > doubt.percent)
    return Doubt(doubt.since, doubt.resets_at, percent, rises)


def is_corrected(doubt: Doubt, now: int) -> bool:
    """Whether these are no stale figures: somebody works, and sees less than is known."""
    return doubt.rises >= RISES_TO_CORRECT and now - doubt.since >= CORRECTED_AFTER_MS


def with_point(points: tuple[Point, ...], point: Point) -> tuple[Point, ...]:
    """The sightings with one more: of equal figures the first and the last, of many every other."""
    if len(points) > 1 and points[-2].percent == points[-1].percent == point.percent:
        points = points[:-1]
    points = (*points, point)
    if len(points) > MOST_POINTS:
        points = (points[0], *points[2:-1:2], points[-1])
    return points


def rise(points: tuple[Point, ...]) -> tuple[Point, Point] | None:
    """Between which two sightings the use per value can be told: both just after the figure rose."""
    rose = [point for before, point in pairwise(points) if point.percent > before.percent]
    if len(rose) < 2 or rose[-1].percent - rose[0].percent < LEAST_RISE:
        return None
    return rose[0], rose[-1]


def estimate(used: float, risen: float, value: int, value_since: int) -> float | None:
    """The percentage by now, when it rose by ``risen`` for ``value`` and ``value_since`` came after.

    Values in nano-dollars; None when it can't be told.
    """
    if value <= 0 or risen <= 0:
        return None
    return min(used + risen / value * max(value_since, 0), max(SPENT, used))


def rate(kind: str, points: tuple[Point, ...], now: int) -> float | None:
    """Percent an hour, by the sightings of late; None when they are too few, too old or too close."""
    look_back = LOOK_BACK_MS[kind]
    if not points or now - points[-1].time > look_back:
        return None
    earlier = [point for point in points if point.time <= now - look_back]
    first, last = earlier[-1] if earlier else points[0], points[-1]
    span = last.time - first.time
    if span < look_back // LEAST_PART:
        return None
    return max(last.percent - first.percent, 0.0) * HOUR_MS / span


def runs_out(percent: float, per_hour: float | None, since: int, resets_at: int) -> int | None:
    """When (ms) a window that was used so much at ``since`` is spent, if that is before its reset."""
    if not per_hour or percent >= SPENT:
        return None
    hours = (SPENT - percent) / per_hour
    left = resets_at - since
    return since + int(hours * HOUR_MS) if hours * HOUR_MS < left else None

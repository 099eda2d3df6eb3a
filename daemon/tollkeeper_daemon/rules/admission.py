"""Whether there is budget and plan for one more agent: what stands in its way, and what is left. Pure."""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from tollkeeper_daemon.rules.limits import Limit, Unit

WindowKind = Literal["five_hour", "seven_day", "refused"]


class Room(Struct, frozen=True):
    """A limit that would bind the agent, what of it is used, and when it begins anew (ms, None for never)."""

    limit: Limit
    used: int
    renews_at: int | None = None

    @property
    def left(self) -> int:
        """What is left, in the limit's own unit."""
        return max(self.limit.bound - self.used, 0)


class WindowUse(Struct, frozen=True):
    """A window of the plan that the agent would use: how much of it is used, and when it begins anew (ms).

    Of one that is ``refused`` the API says itself that there is no more.
    """

    kind: WindowKind
    used_percent: float
    renews_at: int


class Wish(Struct, frozen=True):
    """What the agent is expected to use: nano-dollars, tokens, and how far the plan may be used up already."""

    nano: int = 0
    tokens: int = 0
    most_percent: float = 100.0

    def of(self, unit: Unit) -> int:
        """What of it is in this unit."""
        return self.tokens if unit == "tokens" else self.nano


class Admission(Struct, frozen=True):
    """The limits and windows that stand in the way, and what is left of the scarcest: None for no limit."""

    limits: tuple[Room, ...]
    windows: tuple[WindowUse, ...]
    left_nano: int | None
    left_tokens: int | None

    @property
    def retry_at(self) -> int | None:
        """When (ms) all of it begins anew; None where that is not known, or nothing stands in the way."""
        times = [each.renews_at for each in (*self.limits, *self.windows)]
        known = [time for time in times if time is not None]
        return max(known) if known and len(known) == len(times) else None


def admit(rooms: Iterable[Room], windows: Iterable[WindowUse], wish: Wish) -> Admission:
    """Judge by the limits that act (a mere warning stands in nobody's way) and the plan's windows."""
    acting = [room for room in rooms if room.limit.action != "warn"]
    return Admission(
        limits=tuple(_for_good(room, wish) for room in acting if _is_short(room, wish)),
        windows=tuple(each for each in windows if each.used_percent >= wish.most_percent),
        left_nano=_least_left(acting, "usd"),
        left_tokens=_least_left(acting, "tokens"),
    )


def _is_short(room: Room, wish: Wish) -> bool:
    return not room.left or room.left < wish.of(room.limit.unit)


def _for_good(room: Room, wish: Wish) -> Room:
    """The room; what is too small for the wish even when nothing is used does not begin anew for it."""
    return replace(room, renews_at=None) if room.limit.bound < wish.of(room.limit.unit) else room


def _least_left(rooms: Iterable[Room], unit: Unit) -> int | None:
    return min((room.left for room in rooms if room.limit.unit == unit), default=None)

"""Whether there is budget and plan for one more agent."""

from hypothesis import given
from hypothesis import strategies as st

from tollkeeper.model import LimitAction
from tollkeeper_daemon.rules.admission import Admission, Room, WindowUse, Wish, admit
from tollkeeper_daemon.rules.limits import ACTIONS, Limit, Measure, Scope

from .lines import NOW

MIDNIGHT, RESET = NOW + 1_000, NOW + 5_000
FIVE_HOURS = WindowUse("five_hour", 90.0, RESET)


def room(
    bound: int = 100,
    used: int = 0,
    renews_at: int | None = None,
    measure: Measure = "cost",
    action: LimitAction = "pause",
) -> Room:
    return Room(Limit(Scope("daily", "2026-11-22"), measure, bound, action), used, renews_at)


def test_nothing_limits() -> None:
    """Without limits and plan there is room for everything."""
    found = admit([], [], Wish(nano=10**18, tokens=10**15))
    assert found == Admission((), (), None, None)
    assert found.retry_at is None


def test_left() -> None:
    """The scarcest limit says what is left, in dollars and in tokens."""
    rooms = [room(100, 30), room(50, 45), room(1_000, 1, measure="tokens")]
    found = admit(rooms, [], Wish())
    assert found == Admission((), (), 5, 999)


def test_what_is_expected() -> None:
    """What is left must do for what the agent is expected to use, each in its unit."""
    rooms = [room(100, 90), room(1_000, 0, measure="tokens")]
    assert admit(rooms, [], Wish(nano=10, tokens=1_000)).limits == ()
    assert admit(rooms, [], Wish(nano=11)).limits == (rooms[0],)
    assert admit(rooms, [], Wish(tokens=1_001)).limits == (rooms[1],)


def test_reached() -> None:
    """A spent limit admits nobody, whatever is expected; one that only warns stands in nobody's way."""
    spent = room(100, 100)
    assert admit([spent], [], Wish()).limits == (spent,)
    warning = admit([room(100, 100, action="warn")], [], Wish(nano=50))
    assert (warning.limits, warning.left_nano) == ((), None)


def test_the_plan() -> None:
    """A window that is used up to what may be used stands in the way until it begins anew."""
    assert admit([], [FIVE_HOURS], Wish()).windows == ()
    found = admit([], [FIVE_HOURS], Wish(most_percent=90.0))
    assert (found.windows, found.retry_at) == ((FIVE_HOURS,), RESET)


def test_when_to_ask_again() -> None:
    """When the last of what stands in the way begins anew; unknown, where one of it never does by itself."""
    day, task = room(1, 1, MIDNIGHT), room(1, 1)
    refused = WindowUse("refused", 100.0, RESET)
    assert admit([day], [], Wish()).retry_at == MIDNIGHT
    assert admit([day], [refused], Wish()).retry_at == RESET
    assert admit([day, task], [refused], Wish()).retry_at is None


def test_what_is_never_enough() -> None:
    """A limit that is too small for what is expected, even unused, is not waited for."""
    assert admit([room(100, 95, MIDNIGHT)], [], Wish(nano=100)).retry_at == MIDNIGHT
    assert admit([room(100, 95, MIDNIGHT)], [], Wish(nano=101)).retry_at is None


rooms = st.lists(
    st.builds(
        room,
        st.integers(1, 100),
        st.integers(0, 200),
        st.none() | st.just(MIDNIGHT),
        st.sampled_from(("cost", "tokens")),
        st.sampled_from(ACTIONS),
    ),
    max_size=5,
)
wishes = st.builds(Wish, st.integers(0, 50), st.integers(0, 50))


@given(rooms, wishes)
def test_any_limits(given: list[Room], wish: Wish) -> None:
    """Who is admitted has room under every limit that acts, and what is left does for it."""

    def does(left: int | None, wanted: int) -> bool:
        return left is None or (left > 0 and left >= wanted)

    found: Admission = admit(given, [], wish)
    is_enough = does(found.left_nano, wish.nano) and does(found.left_tokens, wish.tokens)
    assert (not found.limits) == is_enough
    assert all(each.limit.action != "warn" for each in found.limits)

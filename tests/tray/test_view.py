"""What the tray says of a status: its mood, ring and title."""

import pytest
from msgspec.structs import replace

from tollkeeper.display import Display
from tollkeeper.model import Plan
from tollkeeper_tray.view import GONE, RING_STEPS, View, view_of

from .statuses import NINE, NOW, agent, limit, spent, status, window

LATER = "2026-11-22T10:30:00+00:00"


def seen(*agents: object, **more: object) -> View:
    """What is shown of a status with these in it."""
    return view_of(status(*agents, **more), NOW)  # type: ignore[arg-type]


def test_title_is_the_status_bar() -> None:
    """The title is the line that prompts and bars show."""
    agents = [agent("a"), agent("b", "waiting"), agent("c", "waiting")]
    view = seen(*agents, api=spent(2.47), plan=Plan(five_hour=window(67)))
    assert "[🤖 3 agents | ⚠ 2 pending | Plan: 67% | API: $2.47]" == view.title


def test_title_without_usage() -> None:
    """Whoever wants no usage in the status bar has none in the title."""
    view = view_of(status(agent("a"), api=spent(2.47)), NOW, Display(status_bar=False).line)
    assert "[🤖 1 agent]" == view.title


def test_nothing_runs() -> None:
    """Where the line has nothing to say, the title says that."""
    assert ("calm", "Tollkeeper: no agent is running") == (seen().mood, seen().title)


def test_no_daemon() -> None:
    """Without a daemon the tray says so, and how to start one."""
    assert GONE == view_of(None, NOW)
    assert ("gone", None) == (GONE.mood, GONE.ring)
    assert "Start it with: toll up" == GONE.menu[0][1].label


def test_waiting_warns() -> None:
    """An agent that waits for a person is a warning; one that exited is none."""
    assert "warned" == seen(agent("a", "waiting")).mood
    assert "calm" == seen(agent("a"), agent("b", "exited", limits=(limit("reached", "stop"),))).mood


@pytest.mark.parametrize("name", ["five_hour", "seven_day"])
def test_plan_warns(name: str) -> None:
    """A window of the plan that is nearly used is a warning, unless it has begun anew."""
    moods = [
        seen(plan=Plan(**{name: each})).mood  # type: ignore[arg-type]
        for each in (window(79), window(80), window(80, NINE))
    ]
    assert ["calm", "warned", "calm"] == moods


def test_spent_plan_is_limited() -> None:
    """A plan that refuses requests is limited, whatever else is; one that did so before is not."""
    reached = limit("reached", "stop")
    view = seen(agent("a", "waiting"), plan=Plan(limited_until=LATER), limits=(reached,))
    assert "limited" == view.mood
    assert "| limited until 10:30" in view.title
    assert "calm" == seen(plan=Plan(limited_until=NINE)).mood


@pytest.mark.parametrize(
    ("state", "action", "mood"),
    [
        ("reached", "stop", "reached"),
        ("reached", "warn", "warned"),
        ("warned", "stop", "warned"),
        ("under", "stop", "calm"),
    ],
)
def test_limits(state: str, action: str, mood: str) -> None:
    """A limit that holds agents back is reached, of all or of one agent; one that warns is a warning."""
    each = limit(state, action)
    assert mood == seen(limits=(each,)).mood
    assert mood == seen(agent("a", limits=(each,))).mood


def test_waived_limits() -> None:
    """A limit that acts on nobody any more is no reason for alarm."""
    waived = replace(limit("reached", "pause"), waived=True)
    assert "calm" == seen(agent("a"), limits=(waived,)).mood


def test_ring() -> None:
    """The ring is of the plan's window or the day's budget, the fuller; without either there is none."""
    half = replace(limit("under", "pause"), fraction=0.5)
    assert seen().ring is None
    assert RING_STEPS // 2 == seen(limits=(half,)).ring
    assert RING_STEPS // 2 == seen(limits=(half,), plan=Plan(five_hour=window(20))).ring
    assert RING_STEPS * 3 // 4 == seen(limits=(half,), plan=Plan(five_hour=window(75))).ring
    assert seen(plan=Plan(five_hour=window(75, NINE))).ring is None


@pytest.mark.parametrize(
    ("percent", "steps"),
    [(0, 0), (0.1, 1), (99.9, RING_STEPS - 1), (100, RING_STEPS), (130, RING_STEPS)],
)
def test_ring_is_full_when_it_is(percent: float, steps: int) -> None:
    """The ring is empty and full only where nothing and everything is used."""
    assert steps == seen(plan=Plan(five_hour=window(percent))).ring


def test_ring_of_several_plans() -> None:
    """Of several accounts the fullest is shown, and an estimate where it is more than was seen."""
    plans = (Plan(five_hour=window(25)), Plan(five_hour=replace(window(20), estimated_percent=50)))
    assert RING_STEPS // 2 == seen(plans=plans).ring

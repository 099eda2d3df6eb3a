"""What the tray says of a status."""

import pytest
from msgspec.structs import replace

from tollkeeper.model import DaemonInfo, Hold, Importing, Plan, Usage
from tollkeeper_tray.view import view_of

from .statuses import NINE, agent, limit, spent, status


def test_title_sums_up() -> None:
    """The title counts the agents, those who wait for a person, and what the day has cost."""
    agents = [agent("a"), agent("b", "waiting"), agent("c", "waiting")]
    view = view_of(status(*agents, api=spent(2.47)))
    assert "3 agents | ⚠ 2 pending | $2.47 today" == view.title
    assert "waiting" == view.mood


def test_nothing_runs() -> None:
    """Without agents and requests the tray is calm, and says that there is nothing."""
    view = view_of(status())
    assert ("calm", "0 agents | $0.00 today") == (view.mood, view.title)
    assert (("No agent is running",), ("Today: nothing used",)) == (view.agents, view.sums)


def test_no_daemon() -> None:
    """Without a daemon the tray says so, and how to start one."""
    view = view_of(None)
    assert ("gone", "Tollkeeper: no daemon answers") == (view.mood, view.title)
    assert ("Start it with: toll up",) == view.sums


def test_row_of_an_agent() -> None:
    """An agent's row has its mark, name, state and cost, with what it waits for."""
    view = view_of(
        status(
            agent("shop-1", "waiting", waiting_for="permission prompt", usage=spent(1.5)),
            agent("shop-2", "paused", "subscription", usage=spent(0.25)),
        )
    )
    expected = (
        "⚠ shop-1 – waiting: permission prompt – $1.50 [API]",
        "‖ shop-2 – paused – $0.2500 [Sub]",
    )
    assert expected == view.agents


def test_agents_keep_their_order() -> None:
    """Agents stand in the order in which they started; those that exited are neither shown nor counted."""
    early, late = "2026-11-22T08:00:00+00:00", "2026-11-22T10:00:00+00:00"
    agents = [agent("late", started_at=late), agent("early", started_at=early)]
    view = view_of(status(*agents, agent("dead", "exited")))
    assert ["early", "late"] == [row.split()[1] for row in view.agents]
    assert view.title.startswith("2 agents |")


def test_who_pays_is_told_apart() -> None:
    """A subscription's value and what is billed are two sums, never one."""
    view = view_of(status(api=spent(2.0), subscription=spent(3.0, requests=1)))
    assert "0 agents | subscription $3.00 today | $2.00 today" == view.title
    expected = (
        "Today: $3.00 [Sub], 1 request, 12.3K tokens",
        "Today: $2.00 [API], 10 requests, 12.3K tokens",
    )
    assert expected == view.sums


def test_guessed_prices_are_marked() -> None:
    """A sum with a guessed price bears a tilde in the title and in the menu."""
    view = view_of(status(api=spent(2.0, unpriced_requests=1)))
    assert "0 agents | ~$2.00 today" == view.title
    assert view.sums[0].startswith("Today: ~$2.00 [API]")


def test_spent_plan_is_limited() -> None:
    """A plan that refuses requests is limited, even while an agent waits, and says until when."""
    view = view_of(status(agent("a", "waiting"), plan=Plan(limited_until=NINE)))
    assert "limited" == view.mood
    assert "| plan limited until " in view.title


@pytest.mark.parametrize(
    ("state", "action", "mood"),
    [("reached", "stop", "limited"), ("reached", "warn", "calm"), ("warned", "stop", "calm")],
)
def test_reached_limits(state: str, action: str, mood: str) -> None:
    """A limit that holds agents back is limited, of all or of one agent; a warning is not."""
    reached = limit(state, action)
    for seen in (status(limits=(reached,)), status(agent("a", limits=(reached,)))):
        view = view_of(seen)
        assert mood == view.mood
        assert (state == "reached") == view.title.endswith(" | limit reached")


def test_waived_limits() -> None:
    """A limit that acts on nobody any more is no reason for alarm."""
    view = view_of(status(agent("a"), limits=(replace(limit("reached", "pause"), waived=True),)))
    assert ("calm", False) == (view.mood, view.title.endswith("limit reached"))


def test_blocked_agents() -> None:
    """An agent whose tool calls are refused has a mark of its own, whatever else it does."""
    hold = Hold(kind="blocked", since=NINE, reason="It is reached.")
    waits = agent("a", "waiting", waiting_for="permission prompt", held=hold)
    assert ("⊘ a – blocked – $0.00 [API]",) == view_of(status(waits)).agents


def test_import_is_told() -> None:
    """While the history is read, the menu says how far it has come."""
    importing = Importing(done_bytes=10_000_000, total_bytes=2_000_000_000)
    daemon = DaemonInfo(pid=1, started_at=NINE, importing=importing)
    assert "Importing 10.0 MB of 2.00 GB" == view_of(status(daemon=daemon)).sums[-1]


def test_names_stay_on_their_line() -> None:
    """A name with line breaks, control characters or no end stays on one short line."""
    [row] = view_of(status(agent("a\nb\x00\x1b[31m" + "x" * 999, usage=Usage()))).agents
    assert row.isprintable()
    assert row.startswith("● a b [31mxxx")
    assert row.endswith("x… – working – $0.00 [API]")
    assert len(row) < 80

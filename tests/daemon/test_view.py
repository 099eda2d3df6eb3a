"""Views: what sums and roster look like to the world."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from client.making import TIME
from tollkeeper.model import Hold
from tollkeeper_daemon import view
from tollkeeper_daemon.agents.live import LiveAgent, LiveSubagent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.clock import iso
from tollkeeper_daemon.ledger.books import Book
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.store.schema import AgentRecord
from tollkeeper_daemon.tally import Tally, dollars

from .lines import NINE_MS, NOW, OPUS

BILLED = Book("conv-1", OPUS, "api")


def test_money_is_rounded_to_nine_places() -> None:
    """A nano-dollar is the ninth place, and no more digits are told."""
    assert (0.047152, 0.1, 0.000000001, 0.0) == (
        dollars(47_152_000),
        dollars(100_000_000),
        dollars(1),
        dollars(0),
    )


@given(st.integers(0, 10**15))
def test_dollars_are_exact(nano: int) -> None:
    """Whatever is told in dollars can be turned back into nano-dollars, up to a million."""
    assert nano == round(dollars(nano) * 1e9)


def test_subscription_has_a_value_but_no_cost() -> None:
    """A day's cost is what is billed, its value the list price of everything."""
    tallies = {"subscription": Tally(), "api": Tally(), "proxy-1": Tally()}
    for source, tally in tallies.items():
        tally.add(Book("c", OPUS, source), Totals(requests=1, value=10**9))
    today = view.today_view(tallies)
    assert (0.0, 1.0) == (today.subscription.cost_usd, today.subscription.value_usd)
    assert (2.0, 2.0) == (today.api.cost_usd, today.api.value_usd)
    assert (2.0, 3.0, 3) == (today.total.cost_usd, today.total.value_usd, today.total.requests)


def test_usage_view() -> None:
    """Every sum has its word on the wire."""
    tally = Tally()
    tally.add(BILLED, Totals(1, 2, 3, 4, 5, 6, 7, 8, 9_000_000_000, 10))
    usage = tally.usage()
    assert (1, 2, 3, 4, 5, 6, 7, 8, 25, 9.0, 9.0, 10) == (
        usage.requests,
        usage.messages,
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_tokens,
        usage.cache_write_5m_tokens,
        usage.cache_write_1h_tokens,
        usage.web_searches,
        usage.total_tokens,
        usage.cost_usd,
        usage.value_usd,
        usage.unpriced_requests,
    )


def test_agent_view() -> None:
    """An agent is told with its project's name, what is unknown as null, and its helpers."""
    agent = LiveAgent(AgentRecord("1-2", 1, "a", NINE_MS, "r", cwd="/home/dev/shop/"))
    agent.subagents = {
        "h1": LiveSubagent("h1", "analyst", last_time=NOW),
        "h2": LiveSubagent("h2", last_time=NOW - 61_000),
        "h3": LiveSubagent("h3", last_time=NOW, finished=True),
    }
    told = view.agent_view(agent, NOW)
    assert ("shop", None, None, "2026-11-22T09:00:00.000+00:00") == (
        told.project,
        told.model,
        told.last_activity_at,
        told.started_at,
    )
    assert ["working", "done", "done"] == [each.state for each in told.subagents]
    assert ["analyst", None, None] == [each.type for each in told.subagents]


def test_since_when() -> None:
    """An agent's state is told with its time: its own word, the exit, the pause, or nothing at all."""
    record = AgentRecord("1-2", 1, "a", NINE_MS, "r")
    agent = LiveAgent(record)

    def since(held: Hold | None = None) -> tuple[str, str | None]:
        told = view.agent_view(agent, NOW, held=held)
        return told.state, told.state_since

    assert ("idle", None) == since()
    agent.last_time = NINE_MS
    assert ("idle", iso(NINE_MS)) == since()
    agent.status, agent.status_since = "working", NINE_MS + 5
    assert ("working", iso(NINE_MS + 5)) == since()
    agent.freeze(True, NINE_MS + 7)
    agent.freeze(True, NINE_MS + 9)
    assert ("paused", iso(NINE_MS + 7)) == since()
    assert ("paused", TIME) == since(Hold(kind="paused", since=TIME, reason="It is reached."))
    agent.freeze(False, NINE_MS + 11)
    assert ("working", iso(NINE_MS + 5)) == since()
    agent.record = replace(record, ended=NINE_MS + 13)
    assert ("exited", iso(NINE_MS + 13)) == since()


def test_no_run() -> None:
    """Without a run there is none to tell."""
    assert view.run_view(Roster(), Tally()) is None

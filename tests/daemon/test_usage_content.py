"""What the usage files say of the books of a run or a day."""

from msgspec.structs import replace

from tollkeeper.model import Plan, Window
from tollkeeper_daemon.ledger.books import API, SUBSCRIPTION, Book
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.store.schema import AgentRecord, RunRecord
from tollkeeper_daemon.usage_files.content import (
    daily_file,
    names_of,
    session_file,
    session_name,
)
from tollkeeper_daemon.usage_files.shapes import AgentUse, PlanSnapshot, Sum, plan_snapshot

# 2024-12-10T14:30:52Z, as in the brief of Opus Orchestra.
START = 1_733_841_052_000
RUN = RunRecord("run-1", START, START)
SONNET, OPUS = "claude-sonnet-4-5", "claude-opus-4-5"


def agent(name: str, number: int = 1, **more: object) -> AgentRecord:
    return replace(AgentRecord(f"{number}-9", number, name, START + number, RUN.id), **more)


def book(number: int = 1, model: str = SONNET, source: str = API, task: str = "") -> Book:
    return Book("conv", model, source, agent=f"{number}-9", task=task)


def test_a_session() -> None:
    """Named by its start, with each agent's figures, and sums by who pays."""
    agents = [agent("agent-1"), agent("agent-2", 2)]
    books = {
        book(1, source=SUBSCRIPTION, task="t-1"): Totals(requests=3, messages=2, value=50),
        book(2, task="t-2"): Totals(
            requests=1, input=45, output=5, cache_read=3, cache_write_5m=1, cache_write_1h=1, value=890_000_000,
            unpriced=1,
        ),
    }  # fmt: skip
    found = session_file(RUN, agents, books, None)
    assert session_name(RUN) == "2024-12-10-143052.json"
    assert (found.sessionId, found.startTime) == (
        "session-20241210-143052",
        "2024-12-10T14:30:52Z",
    )
    assert (found.version, found.endTime, found.authMode) == (1, None, "both")
    assert found.agents == {
        "agent-1": AgentUse(2, 3, value=5e-8, source=SUBSCRIPTION, model=SONNET, task="t-1"),
        "agent-2": AgentUse(0, 1, 45, 5, 3, 2, 0.89, 0.89, 1, API, SONNET, "t-2"),
    }
    assert found.apiTotals == Sum(0, 1, 45, 5, 3, 2, 0.89, 0.89, 1)
    assert found.subscriptionTotals == Sum(2, 3, value=5e-8)


def test_an_end() -> None:
    """A run that is over says when it ended."""
    over = replace(RUN, ended=START + 1_000)
    assert session_file(over, [], {}, None).endTime == "2024-12-10T14:30:53.000+00:00"


def test_agents_without_use() -> None:
    """An agent that has used nothing yet is there, with what is known of it; nobody else is."""
    idle = agent("agent-1", source=SUBSCRIPTION, model=OPUS, task="t-1")
    found = session_file(RUN, [idle], {}, None)
    assert found.agents == {"agent-1": AgentUse(source=SUBSCRIPTION, model=OPUS, task="t-1")}
    assert found.authMode == SUBSCRIPTION
    assert session_file(RUN, [agent("agent-1")], {}, None).authMode is None


def test_what_most_went_to() -> None:
    """Of several models and tasks the dearest is told; an agent that changed hands has both sources."""
    books = {
        book(model=OPUS, source=SUBSCRIPTION, task="t-2"): Totals(requests=1, value=70),
        book(model=SONNET, task="t-1"): Totals(requests=1, value=40),
        book(model=SONNET, task=""): Totals(requests=1, value=40),
    }
    use = daily_file("2024-12-10", books, {"1-9": agent("agent-1")}).agents["agent-1"]
    assert (use.source, use.model, use.task, use.requests) == ("both", SONNET, "t-2", 3)


def test_names() -> None:
    """Of agents of the same name the first keeps it, and none is lost."""
    agents = [agent("a", 2), agent("a", 1), agent("b", 3)]
    assert names_of(agents) == {"1-9": "a", "2-9": "a (2)", "3-9": "b"}


def test_a_day() -> None:
    """Messages that wait for their answer are no use of a model; what nobody is known for is told apart."""
    books = {book(): Totals(requests=1, value=5), book(7, model=""): Totals(messages=1)}
    found = daily_file("2024-12-10", books, {"1-9": agent("agent-1")})
    assert found.models == {SONNET: Sum(0, 1, cost=5e-9, value=5e-9)}
    assert {*found.agents} == {"agent-1", "unknown"}
    assert found.totals == Sum(1, 1, cost=5e-9, value=5e-9)


def test_the_plan() -> None:
    """The percentage that prompts show, and the opus messages; nothing where no plan is known."""
    window = Window(
        used_percent=67.0, resets_at="2024-12-10T18:00:00Z", observed_at="2024-12-10T15:00:00Z"
    )
    plan = Plan(name="max", five_hour=window, opus_messages=142, opus_limit=200)
    assert plan_snapshot(plan) == PlanSnapshot(67.0, None, window.resets_at, 142, 200)
    assert plan_snapshot(Plan()) is None

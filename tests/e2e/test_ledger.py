"""The daemon beside the real client: every token field and every dollar must agree."""

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from flow.claude_home import ClaudeHome
from flow.keeper import Keeper
from waiting import wait_until

from .client import Client, Result
from .interactive import Interactive
from .replies import Advice, Reply, Terms, Tokens, bash, delegate, rate_limited, say
from .stand_in import StandIn

pytestmark = pytest.mark.e2e

# The client adds up floats, we whole nano-dollars: a ten-thousandth of a cent.
CLOSE = 1e-6
IN_AN_HOUR = int(time.time()) + 3600


@pytest.fixture
def keeper(client: Client) -> Iterator[Keeper]:
    """A daemon that follows the client's home, and nothing else."""
    with Keeper(ClaudeHome(client.config_dir, client.cwd)) as running:
        running.limit()
        yield running.start()


@pytest.fixture
def subscribed(subscriber: Client) -> Iterator[Keeper]:
    """A daemon that follows the home of a client on a subscription."""
    with Keeper(ClaudeHome(subscriber.config_dir, subscriber.cwd)) as running:
        running.limit()
        yield running.start()


class Account:
    """What the daemon has in its books, by conversation."""

    def __init__(self, report: dict[str, Any]) -> None:
        self.rows: dict[str, Any] = {row["sessionId"]: row for row in report["sessions"]}

    def tokens(self, conversation: str) -> dict[str, Tokens]:
        """Tokens by model, in the words of the harness."""
        row = self.rows.get(conversation, {"modelBreakdowns": []})
        return {each["modelName"]: _tokens(each) for each in row["modelBreakdowns"]}

    def value(self, conversation: str) -> float:
        """The list price of the conversation, in dollars."""
        return self.rows[conversation]["valueUSD"] if conversation in self.rows else 0.0


def _tokens(row: dict[str, Any]) -> Tokens:
    return Tokens(
        input=row["inputTokens"],
        output=row["outputTokens"],
        cache_read=row["cacheReadTokens"],
        cache_write_5m=row["cacheWrite5mTokens"],
        cache_write_1h=row["cacheWrite1hTokens"],
        web_searches=row["webSearches"],
    )


def settled(keeper: Keeper, conversation: str, requests: int) -> Account:
    """The books, once this many requests of the conversation are in them."""

    def look() -> Account | None:
        account = Account(keeper.toll.call("session", dict[str, Any]))
        row = account.rows.get(conversation)
        return account if row and row["requests"] >= requests else None

    return wait_until(look)


def agrees(account: Account, result: Result) -> None:
    """Every token field of every model, and the cost, are the client's own."""
    assert result.tokens == account.tokens(result.session_id)
    assert account.value(result.session_id) == pytest.approx(result.total_cost_usd, abs=CLOSE)


def test_conversation_with_tools(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """A conversation with tools costs what the client says, to the last token."""
    stand_in.play("RUNBASH", bash("echo one", "echo two"), bash("echo three"), say("Done."))
    result = client.run("RUNBASH, please")
    account = settled(keeper, result.session_id, 3)
    agrees(account, result)
    row = account.rows[result.session_id]
    assert (row["requests"], row["messages"]) == (3, 1)
    assert row["costUSD"] == row["valueUSD"]


def test_subagent_on_another_model(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """A subagent's requests count to its conversation, at its own model's price."""
    client.home.add_agent("analyst", "haiku")
    stand_in.play("DELEGATE", delegate("SUBTASK: look", "analyst"), say("Started."), say("End."))
    stand_in.play("SUBTASK", bash("echo looking"), say("Looked."))
    result = client.run("DELEGATE it")
    agrees(settled(keeper, result.session_id, len(stand_in.served)), result)
    assert len(result.tokens) == 2


def test_fork(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """A fork costs what the client says, less what it inherits from its parent."""
    parent = client.run("the first")
    fork = client.run("the second", resume=parent.session_id, fork=True)
    account = settled(keeper, fork.session_id, 1)
    agrees(account, parent)
    own = fork.total_cost_usd - parent.total_cost_usd
    assert account.value(fork.session_id) == pytest.approx(own, abs=CLOSE)
    assert account.tokens(fork.session_id) == stand_in.tokens(fork.session_id)


def test_resume(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """A resumed conversation goes on in its own books; two processes are two agents."""
    first = client.run("the first")
    second = client.run("the second", resume=first.session_id)
    account = settled(keeper, first.session_id, 2)
    agrees(account, second)
    agents = keeper.wait_for(lambda status: len(status.agents) == 2).agents
    assert sorted(agent.usage.requests for agent in agents) == [1, 1]
    assert {agent.conversation for agent in agents} == {first.session_id}


def test_rate_limit(stand_in: StandIn, subscriber: Client, subscribed: Keeper) -> None:
    """A refused request costs nothing; the status says until when the plan is spent."""
    stand_in.play("WELL", say("Still well."))
    stand_in.play("LIMIT", rate_limited(IN_AN_HOUR))
    well = subscriber.run("WELL")
    account = settled(subscribed, well.session_id, 1)
    agrees(account, well)
    assert account.rows[well.session_id]["costUSD"] == 0
    refused = subscriber.run("LIMIT", resume=well.session_id)
    status = subscribed.wait_for(lambda status: status.plan.limited_until is not None)
    assert refused.is_error
    assert status.plan.limited_until
    assert status.today.total.requests == 1
    assert status.today.subscription.value_usd == pytest.approx(well.total_cost_usd, abs=CLOSE)
    [block] = subscribed.report("blocks")["blocks"]
    ends = datetime.fromisoformat(block["endTime"]).timestamp()
    assert (block["basis"], block["entries"], ends) == ("plan", 1, IN_AN_HOUR)


def test_two_agents_at_once(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """Two agents side by side have each their own, and the day both."""
    stand_in.play("LEFT", bash("sleep 0.2"), say("Left."))
    stand_in.play("RIGHT", bash("sleep 0.2"), bash("echo"), say("Right."))
    running = [
        client.start("LEFT", extra_env={"TOLL_AGENT": "left"}),
        client.start("RIGHT", extra_env={"TOLL_AGENT": "right", "TOLL_TASK": "t-1"}),
    ]
    left, right = (client.finish(process) for process in running)
    settled(keeper, left.session_id, 2)
    account = settled(keeper, right.session_id, 3)
    agrees(account, left)
    agrees(account, right)
    status = keeper.wait_for(lambda status: all(a.state == "exited" for a in status.agents))
    agents = {agent.name: agent for agent in status.agents}
    assert {"left", "right"} == set(agents)
    assert agents["left"].usage.cost_usd == pytest.approx(left.total_cost_usd, abs=CLOSE)
    assert agents["right"].usage.cost_usd == pytest.approx(right.total_cost_usd, abs=CLOSE)
    assert agents["right"].task == "t-1"
    whole = left.total_cost_usd + right.total_cost_usd
    assert status.today.api.cost_usd == pytest.approx(whole, abs=CLOSE)
    assert status.run
    assert status.run.usage.cost_usd == pytest.approx(whole, abs=CLOSE)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(text="fast", terms=Terms(speed="fast")),
        Reply(text="near", terms=Terms(inference_geo="us")),
        Reply(text="batch", terms=Terms(service_tier="batch")),
        Reply(text="searched", tokens=Tokens(input=3, output=7, web_searches=10)),
        Reply(text="long", tokens=Tokens(input=90_000, output=500, cache_write_1h=20_000)),
        Reply(text="advised", advice=(Advice("claude-haiku-5-5", Tokens(input=9, output=90)),)),
    ],
    ids=lambda reply: reply.text,
)
@pytest.mark.parametrize("model", ["claude-opus-5-5", "claude-haiku-5-5"])
def test_price_rules(
    stand_in: StandIn, client: Client, keeper: Keeper, reply: Reply, model: str
) -> None:
    """Each rule of pricing comes to the client's own cost."""
    stand_in.play("PRICE", reply)
    result = client.run("PRICE it", args=["--model", model])
    agrees(settled(keeper, result.session_id, 1), result)


def test_daemon_started_late(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """What clients did while no daemon ran is the same in the books of the next one."""
    keeper.stop()
    first = client.run("the first")
    fork = client.run("the second", resume=first.session_id, fork=True)
    keeper.start()
    account = settled(keeper, fork.session_id, 1)
    agrees(account, first)
    assert account.tokens(fork.session_id) == stand_in.tokens(fork.session_id)


def _answered(session: Interactive, keeper: Keeper) -> bool:
    """Press Enter until the question is gone: a dialog passes over keys that come at once."""
    if keeper.toll.status().agents[0].state == "waiting":
        session.press("Enter")
        return False
    return True


@pytest.mark.usefixtures("tmux")
def test_typed_session(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """A typed session is an agent with its own name, its states, and its requests."""
    stand_in.play("RUNBASH", bash("touch made"), say("All done."))
    client.configure(permissions={"ask": ["Bash"]})
    with Interactive(client, args=["--name", "Agent-1"]) as session:
        session.send("RUNBASH please")
        status = keeper.wait_for(lambda status: any(a.waiting_for for a in status.agents))
        [agent] = status.agents
        assert (agent.name, agent.state, agent.pid) == ("Agent-1", "waiting", session.pid)
        assert agent.waiting_for == "permission prompt"
        session.wait_for("Do you want to proceed")
        wait_until(lambda: _answered(session, keeper))
        status = keeper.wait_for(lambda status: status.agents[0].usage.requests == 2)
        keeper.wait_for(lambda status: status.agents[0].state == "idle")
        assert status.agents[0].usage.messages == 1
    keeper.wait_for(lambda status: status.agents[0].state == "exited")

"""The harness itself: what the stand-in served, the client's own figures and its log agree."""

import time
from threading import Event

import pytest

from waiting import wait_until

from .client import Client
from .install_client import VERSION
from .interactive import Interactive
from .logs import SessionFile, cost_state, logged_tokens, paid_replies
from .replies import Advice, Quota, Reply, Terms, Tokens, bash, delegate, rate_limited, say
from .stand_in import StandIn

pytestmark = pytest.mark.e2e

OPUS, HAIKU = "claude-opus-5-5", "claude-haiku-5-5"
IN_AN_HOUR = int(time.time()) + 3600


def test_conversation_with_tools(stand_in: StandIn, client: Client) -> None:
    """Tools run for real, and the log repeats a reply's usage on each of its blocks."""
    stand_in.play("RUNBASH", bash("touch made", "echo two"), say("All done."))
    result = client.run("RUNBASH, please")
    lines = client.log(result.session_id)
    first, _ = stand_in.served
    assert result.text == "All done."
    assert (client.cwd / "made").exists()
    assert result.tokens == stand_in.tokens(result.session_id)
    assert result.tokens == logged_tokens(lines) == cost_state(lines)
    blocks = [line for line in lines if line.message and line.message.id == first.message_id]
    assert [line.request_id for line in blocks] == [first.request_id] * 3
    assert [line.prompt_source for line in lines if line.prompt_source] == ["sdk"]
    assert stand_in.strays == ()


def test_subagent_on_another_model(stand_in: StandIn, client: Client) -> None:
    """A subagent's replies stand in a log of its own, under its own model."""
    client.home.add_agent("analyst", "haiku")
    stand_in.play("DELEGATE", delegate("SUBTASK: look", "analyst"), say("Started."), say("End."))
    stand_in.play("SUBTASK", bash("echo looking"), say("Looked."))
    result = client.run("DELEGATE it")
    [sub] = client.subagent_logs(result.session_id)
    assert set(result.tokens) == {OPUS, HAIKU}
    assert result.tokens == stand_in.tokens(result.session_id)
    assert logged_tokens(sub) == {HAIKU: result.tokens[HAIKU]}
    assert logged_tokens(client.log(result.session_id)) == {OPUS: result.tokens[OPUS]}
    [agent] = {served.agent_id for served in stand_in.served} - {None}
    assert {line.agent_id for line in sub} == {agent}
    assert {line.attribution_agent for line in sub} - {None} == {"analyst"}


def test_fork(stand_in: StandIn, client: Client) -> None:
    """A fork copies its parent's lines, marks them, and takes over the parent's totals."""
    parent = client.run("the first")
    fork = client.run("the second", resume=parent.session_id, fork=True)
    lines = client.log(fork.session_id)
    owners = [line.request_session_id for line in lines if line.request_id]
    assert fork.session_id != parent.session_id
    assert fork.tokens == stand_in.tokens(parent.session_id, fork.session_id)
    assert fork.tokens == logged_tokens(lines) == cost_state(lines)
    assert {line.session_id for line in lines if line.request_id} == {fork.session_id}
    assert owners == [parent.session_id, None]


def test_rate_limit_of_a_subscription(stand_in: StandIn, subscriber: Client) -> None:
    """A refused request counts nothing; its line says which window is used up, and until when."""
    stand_in.play("LIMIT", rate_limited(IN_AN_HOUR))
    result = subscriber.run("LIMIT")
    lines = subscriber.log(result.session_id)
    [line] = [line for line in lines if line.is_api_error_message]
    assert (result.is_error, result.api_error_status) == (True, 429)
    assert result.tokens == stand_in.tokens() == logged_tokens(lines) == {}
    assert (line.error, line.api_error) == ("rate_limit", "usage_limit_reached")
    assert line.quota_limits
    assert line.quota_limits.resets_at == IN_AN_HOUR
    assert line.quota_limits.rate_limit_type == "five_hour"


def test_rate_limit_on_an_api_key(stand_in: StandIn, client: Client) -> None:
    """On an API key the line of a refused request names no window, and retries are logged."""
    refusals = [rate_limited(IN_AN_HOUR, final=False), rate_limited(IN_AN_HOUR)]
    stand_in.script = lambda asked: refusals.pop(0)
    result = client.run("LIMIT")
    lines = client.log(result.session_id)
    [line] = [line for line in lines if line.is_api_error_message]
    assert [served.status for served in stand_in.served] == [429, 429]
    assert (line.error, line.api_error, line.quota_limits) == ("rate_limit", None, None)
    assert [line.subtype for line in lines if line.type == "system"] == ["api_error"]


def test_two_agents_at_once(stand_in: StandIn, client: Client) -> None:
    """Two clients that share a home while both run are told apart by their sessions."""
    gate = Event()
    stand_in.play("LEFT", Reply(text="left", gate=gate))
    stand_in.play("RIGHT", Reply(text="right", gate=gate), say("right"))
    runs = [client.start("LEFT"), client.start("RIGHT")]
    wait_until(lambda: len(stand_in.asked) == 2)
    wait_until(lambda: set(client.session_files()) == {run.pid for run in runs})
    gate.set()
    left, right = (client.finish(run) for run in runs)
    assert (left.text, right.text) == ("left", "right")
    assert left.tokens == stand_in.tokens(left.session_id)
    assert right.tokens == stand_in.tokens(right.session_id)
    assert left.tokens != right.tokens
    assert client.session_ids() == {left.session_id, right.session_id}


def test_session_file_of_a_headless_run(stand_in: StandIn, client: Client) -> None:
    """A headless run is told from a typed session by its entrypoint alone, and leaves no file."""
    gate = Event()
    stand_in.script = lambda asked: Reply(text="at last", gate=gate)
    run = client.start("wait")
    file = _file_in(client, run.pid, "busy")
    gate.set()
    result = client.finish(run)
    assert (file.session_id, file.cwd) == (result.session_id, str(client.cwd))
    assert (file.kind, file.entrypoint) == ("interactive", "sdk-cli")
    assert (file.version, file.name_source) == (VERSION, "derived")
    assert client.session_files() == {}


def test_killed_run_was_served_nothing(stand_in: StandIn, client: Client) -> None:
    """A reply still held back when its client dies does not count as served."""
    gate = Event()
    stand_in.play("EARLY", Reply(text="too late", gate=gate))
    run = client.start("EARLY")
    wait_until(lambda: stand_in.asked)
    run.kill()
    run.wait()
    gate.set()
    other = client.run("another")
    assert {served.session_id for served in stand_in.served} == {other.session_id}


@pytest.mark.usefixtures("tmux")
def test_interactive(stand_in: StandIn, client: Client) -> None:
    """A typed session writes its totals only as it ends; its file tells busy from idle."""
    gate = Event()
    stand_in.play("FIRST", Reply(text="The first answer.", gate=gate))
    with Interactive(client, args=["--name", "Agent-1"]) as session:
        session.send("FIRST, please")
        busy = _file_in(client, session.pid, "busy")
        gate.set()
        session.wait_for("The first answer.")
        idle = _file_in(client, session.pid, "idle")
        wait_until(lambda: logged_tokens(client.log(idle.session_id)), what="the reply's line")
        lines = client.log(idle.session_id)
        assert (idle.kind, idle.entrypoint) == ("interactive", "cli")
        assert (idle.name, idle.name_source) == ("Agent-1", "user")
        assert (busy.session_id, busy.pid) == (idle.session_id, session.pid)
        assert cost_state(lines) == {}
        assert "typed" in {line.prompt_source for line in lines}
        assert "Agent-1" in {line.custom_title for line in lines}
    lines = client.log(idle.session_id)
    assert cost_state(lines) == logged_tokens(lines) == stand_in.tokens(idle.session_id)
    assert client.session_files() == {}
    assert stand_in.strays == ()


@pytest.mark.usefixtures("tmux")
def test_interactive_waits_for_permission(stand_in: StandIn, client: Client) -> None:
    """A session that asks for permission says so in its file, and a killed one leaves the file."""
    client.configure(permissions={})
    stand_in.play("RUNBASH", bash("touch made"), say("Made."))
    with Interactive(client, args=["--permission-mode", "default"]) as session:
        session.send("RUNBASH")
        waiting = _file_in(client, session.pid, "waiting")
        assert waiting.waiting_for == "permission prompt"
        session.kill()
        assert session.pid in client.session_files()
    assert not (client.cwd / "made").exists()


@pytest.mark.usefixtures("tmux")
def test_status_line_of_a_subscription(stand_in: StandIn, subscriber: Client) -> None:
    """The quota in a reply's headers comes out at the status line's command."""
    told = subscriber.home.path / "told.json"
    subscriber.configure(statusLine={"type": "command", "command": f"cat >> {told}"})
    quota = Quota(
        five_hour=0.25,
        five_hour_resets_at=IN_AN_HOUR,
        seven_day=0.5,
        seven_day_resets_at=IN_AN_HOUR,
    )
    stand_in.script = lambda asked: Reply(text="Counted.", quota=quota)
    with Interactive(subscriber) as session:
        session.send("hello")
        session.wait_for("Counted.")
        wait_until(
            lambda: told.exists() and '"five_hour":{"used_percentage":25' in told.read_text()
        )


@pytest.mark.parametrize(
    ("reply", "cost"),
    [
        (Reply(text="x", tokens=Tokens(input=1000, output=1000, web_searches=3)), 0.054),
        (Reply(text="x", tokens=Tokens(cache_write_5m=1000, cache_write_1h=1000)), 0.013),
        (Reply(text="x", tokens=Tokens(output=1000), terms=Terms(speed="fast")), 0.04),
        (Reply(text="x", tokens=Tokens(output=1000), terms=Terms(inference_geo="us")), 0.022),
        (
            Reply(
                text="x",
                tokens=Tokens(output=1000),
                advice=(Advice("claude-fable-5", Tokens(output=100)),),
            ),
            0.025,
        ),
        (Reply(text="x", tokens=Tokens(output=1000), model=HAIKU), 0.02),
    ],
    ids=["searches", "cache writes", "fast", "us", "advice", "another model's name"],
)
def test_what_a_reply_costs(stand_in: StandIn, client: Client, reply: Reply, cost: float) -> None:
    """The client counts all that a reply says, under the model that it asked for."""
    stand_in.script = lambda asked: reply
    result = client.run("count this")
    [served] = stand_in.served
    assert result.tokens == stand_in.tokens()
    assert result.total_cost_usd == pytest.approx(cost)
    [logged] = paid_replies(client.log(result.session_id)).values()
    assert logged.model == served.model


def _file_in(client: Client, pid: int, status: str) -> SessionFile:
    """Wait until the session's file bears the status."""

    def read() -> SessionFile | None:
        file = client.session_files().get(pid)
        return file if file and file.status == status else None

    found = wait_until(read, what=f"status {status}")
    assert found
    return found

"""What `toll setup` writes, with the real client: its status line, its hooks, and what they report."""

import json
import os
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from flow.claude_home import ClaudeHome
from flow.keeper import Keeper
from tollkeeper.claude_settings.parts import EVENTS
from tollkeeper_daemon.reading.scan import scan_log
from tollkeeper_daemon.sources.hooks import has_hook
from waiting import wait_until

from .client import Client
from .interactive import Interactive
from .replies import Quota, Refusal, Reply, ToolUse, bash, delegate, rate_limited, say
from .stand_in import StandIn

pytestmark = pytest.mark.e2e


def set_up(client: Client, keeper: Keeper) -> None:
    """Run it for the client's home, and let the client's hooks find this Tollkeeper."""
    client.environment["TOLL_HOME"] = keeper.environment["TOLL_HOME"]
    done = keeper.run("setup", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert has_hook(client.config_dir, str(client.cwd))


def live(keeper: Keeper) -> Path:
    """The inbox, as of a daemon that lives and reads nothing; there is none."""
    for folder in (keeper.paths.status_inbox, keeper.paths.segments):
        folder.mkdir(mode=0o700, parents=True)
    keeper.paths.alive.touch()
    ahead = time.time() + 600
    os.utime(keeper.paths.alive, (ahead, ahead))
    return keeper.paths.inbox


def reported(inbox: Path) -> list[dict[str, str]]:
    """What hooks have reported, in their order."""
    return [json.loads(file.read_bytes()) for file in sorted(inbox.glob("hook-*"))]


@pytest.fixture
def subscribed(subscriber: Client) -> Iterator[Keeper]:
    """A daemon that follows the subscriber's home, which is set up."""
    with Keeper(ClaudeHome(subscriber.config_dir, subscriber.cwd)) as keeper:
        keeper.limit()
        set_up(subscriber, keeper)
        yield keeper.start()


@pytest.mark.usefixtures("tmux")
def test_status_line(stand_in: StandIn, subscriber: Client, subscribed: Keeper) -> None:
    """After the first reply the status shows what its headers say of the plan, the screen the line."""
    resets = int(time.time()) + 3600
    quota = Quota(
        five_hour=0.23,
        five_hour_resets_at=resets,
        seven_day=0.41,
        seven_day_resets_at=resets + 86400,
    )
    stand_in.script = lambda asked: Reply(text="Counted.", quota=quota)
    with Interactive(subscriber) as session:
        session.send("count, please")
        session.wait_for("Counted.")

        def has_percentages() -> bool:
            plan = subscribed.json("status")["plan"]
            windows = [plan[name] for name in ("five_hour", "seven_day")]
            return [window and window["used_percent"] for window in windows] == [23, 41]

        wait_until(has_percentages, what="the plan's percentages")

        # The client draws its status line with each message: what came since shows with the next one.
        session.send("count again")
        session.wait_for("Plan: 23%", 30)


@pytest.mark.usefixtures("tmux")
def test_lines_of_an_agent_at_work(
    stand_in: StandIn, subscriber: Client, subscribed: Keeper
) -> None:
    """While a session goes on the status shows its model before any reply, and the lines that it wrote."""

    def shown() -> tuple[str | None, int] | None:
        agents = subscribed.json("status")["agents"]
        return (agents[0]["model"], agents[0]["lines_added"]) if agents else None

    note = {"file_path": str(subscriber.cwd / "note.txt"), "content": "one\ntwo"}
    stand_in.play("WRITE", Reply(tools=(ToolUse("Write", note),)), say("Written."))
    with Interactive(subscriber, args=("--permission-mode", "acceptEdits")) as session:
        wait_until(lambda: (shown() or (None,))[0], what="the model")
        session.send("WRITE it")
        session.wait_for("Written.")
        wait_until(lambda: (shown() or ("", 0))[1] == 2, what="the lines")


@pytest.mark.usefixtures("tmux")
def test_refused_by_the_plan(stand_in: StandIn, subscriber: Client, subscribed: Keeper) -> None:
    """When the API refuses a request, the status says until when, and a notice does."""
    resets = int(time.time()) + 3600
    stand_in.play("GO", rate_limited(resets))
    with Interactive(subscriber) as session:
        session.send("GO, please")

        def is_limited() -> bool:
            until = subscribed.json("status")["plan"]["limited_until"]
            return until is not None and datetime.fromisoformat(until).timestamp() == resets

        wait_until(is_limited, 30, "the refusal")
        kinds = [each["kind"] for each in subscribed.json("status")["alerts"]]
        assert kinds.count("limited") == 1
        wait_until(lambda: "limited" in (subscribed.paths.segments / "all").read_text())


@pytest.mark.usefixtures("tmux")
@pytest.mark.parametrize("by_plan", [True, False])
def test_two_kinds_of_refusals(stand_in: StandIn, subscriber: Client, by_plan: bool) -> None:
    """The hook says the same of a spent plan and of a busy API: the log's line tells them apart."""
    resets = int(time.time()) + 3600
    busy = Refusal(
        status=429, kind="rate_limit_error", message="busy", headers={"x-should-retry": "false"}
    )
    stand_in.play("GO", rate_limited(resets) if by_plan else Reply(refusal=busy))
    with Keeper(ClaudeHome(subscriber.config_dir, subscriber.cwd)) as keeper:
        set_up(subscriber, keeper)
        inbox = live(keeper)
        with Interactive(subscriber) as session:
            session.send("GO, please")
            failed = {"hook_event_name": "StopFailure", "detail": "rate_limit"}
            wait_until(lambda: any(failed.items() <= each.items() for each in reported(inbox)), 30)
            [conversation] = subscriber.session_ids()

            def logged() -> list[tuple[str, int]]:
                scan = scan_log(str(subscriber.log_path(conversation)), None, 0)
                return [(each.window, each.resets_at) for each in scan.refusals] if scan else []

            wait_until(logged, what="the log's line")
            assert [("five_hour", resets * 1000) if by_plan else ("", 0)] == logged()


@pytest.mark.usefixtures("tmux", "stand_in")
def test_status_line_beside_another(stand_in: StandIn, subscriber: Client, tmp_path: Path) -> None:
    """A status line of one's own is still shown, with ours behind it, also without a daemon."""
    line = {"type": "command", "command": "echo \"it's mine\"; tr -d '\\n' | wc -l"}
    subscriber.configure(statusLine=line)
    with Keeper(ClaudeHome(subscriber.config_dir, subscriber.cwd)) as keeper:
        set_up(subscriber, keeper)
        with Interactive(subscriber) as session:
            session.wait_for("it's mine")
            session.wait_for("0 | toll: not running (toll up)")
        assert keeper.run("setup", "--undo", "--yes").returncode == 0
    assert json.loads((subscriber.config_dir / "settings.json").read_text())["statusLine"] == line


@pytest.mark.usefixtures("tmux")
def test_permission_prompt(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """The hooks report that a person is waited for, and with a daemon the agent is so."""
    client.configure(permissions={})
    set_up(client, keeper)
    inbox = live(keeper)
    stand_in.play("GO", bash("touch first"), say("All done."))
    with Interactive(client, args=["--permission-mode", "default"]) as session:
        session.send("GO, please")
        asks = {"hook_event_name": "Notification", "detail": "permission_prompt"}
        wait_until(
            lambda: any(asks.items() <= each.items() for each in reported(inbox)),
            30,
            "the notification",
        )
        keeper.start()
        state = keeper.wait_for(lambda status: bool(status.agents)).agents[0]
        assert (state.state, state.waiting_for) == ("waiting", "permission prompt")
        wait_until(lambda: not list(inbox.glob("hook-*")))
        wait_until(lambda: "⚠ 1 pending" in (keeper.paths.segments / "all").read_text())


def test_events(stand_in: StandIn, client: Client, keeper: Keeper) -> None:
    """Every hook that is set up reports, with the conversation, the client's pid, and no text."""
    client.home.add_agent("analyst", "haiku")
    set_up(client, keeper)
    inbox = live(keeper)
    stand_in.play(
        "GO", bash("echo SECRET"), delegate("SUB", "analyst", background=False), say("Ok.")
    )
    run = client.start("GO, please")
    result = client.finish(run)
    letters = reported(inbox)
    headless = {*EVENTS} - {"Notification", "StopFailure"}
    assert {letter["hook_event_name"] for letter in letters} == headless
    assert {letter["session_id"] for letter in letters} == {result.session_id}
    assert {letter["pid"] for letter in letters} == {run.pid}
    started = [each for each in letters if each["hook_event_name"] == "SubagentStart"]
    assert [each["agent_type"] for each in started] == ["analyst"]
    assert "SECRET" not in json.dumps(letters)

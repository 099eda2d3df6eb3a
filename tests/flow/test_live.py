"""Commands that stay: `toll watch` and `toll status --live`, in pipes and in terminals."""

import json
from typing import Any

import pytest

from .claude_home import ClaudeHome
from .keeper import Keeper
from .lines import USUAL, USUAL_USD
from .terminal import INTERRUPTED, LEFT, Running

SHOW_CURSOR = "\x1b[?25h"


def test_watch_as_json(daemon: Keeper, home: ClaudeHome) -> None:
    """`toll watch --json` prints a JSON object a line: a snapshot, then each update as it comes."""
    with Running(daemon, "watch", "--json") as running:
        [snapshot] = running.wait_for_lines(1)
        assert json.loads(snapshot)["update"]["agents"] == []
        home.log().reply()
        running.wait_for('"topic":"usage"')
        assert running.interrupt() == INTERRUPTED
        changes: list[dict[str, Any]] = [json.loads(line) for line in running.shown.splitlines()]
    assert changes[0]["topic"] == "snapshot"
    [usage] = [change["update"] for change in changes if change["topic"] == "usage"]
    assert usage["charged"][0]["usage"]["total_tokens"] == USUAL.total
    assert usage["today"]["total"]["value_usd"] == USUAL_USD
    sequences = [change["update"]["sequence"] for change in changes]
    assert sequences == list(range(sequences[0], sequences[0] + len(sequences)))


def test_watch_of_some_topics(daemon: Keeper, home: ClaudeHome) -> None:
    """`toll watch TOPIC` prints updates of these topics alone."""
    with Running(daemon, "watch", "agent", "snap", "--json") as running:
        running.wait_for_lines(1)
        agent = daemon.start_agent()
        agent.says("busy")
        daemon.wait_for(lambda status: len(status.agents) == 1)
        agent.log.reply()
        daemon.wait_for_requests(1)
        agent.exit()
        running.wait_for("agent.exited")
        assert running.interrupt() == INTERRUPTED
        topics = [json.loads(line)["topic"] for line in running.shown.splitlines()]
    assert (topics[:2], topics[-1]) == (["snapshot", "agent.started"], "agent.exited")
    assert all(topic.startswith("agent.") for topic in topics[1:])


def test_watch_in_words(daemon: Keeper, home: ClaudeHome) -> None:
    """`toll watch` prints a line per update: who, what, and what it cost."""
    with Running(daemon, "watch") as running:
        running.wait_for("watching 0 agents")
        agent = daemon.start_agent(labels={"TOLL_AGENT": "Ada"})
        agent.says("waiting", waitingFor="permission prompt")
        running.wait_for("agent.started Ada: waiting (permission prompt)")
        agent.log.reply()
        running.wait_for("usage Ada: opus-5-5 17.3K tokens $0.0236 [API]")
        agent.exit()
        running.wait_for("agent.exited Ada: exited")
        assert running.interrupt() == INTERRUPTED


def test_watch_ends_with_its_reader(daemon: Keeper, home: ClaudeHome) -> None:
    """A watch whose reader went away ends without a word at the next update."""
    log = home.log()
    with Running(daemon, "watch", "--json") as running:
        running.wait_for_lines(1)
        running.hang_up()
        log.reply()
        log.reply()
        status, stderr = running.end()
    assert stderr == ""
    assert status in (0, 1)


def test_live_in_a_pipe(daemon: Keeper, home: ClaudeHome) -> None:
    """In a pipe `toll status --live` prints a plain status whenever it changed."""
    with Running(daemon, "status", "--live") as running:
        running.wait_for("No agent is running.")
        home.log().reply()
        running.wait_for("17.3K")
        assert running.interrupt() == LEFT
        assert "\x1b" not in running.shown


def test_live_as_json(daemon: Keeper, home: ClaudeHome) -> None:
    """`toll status --live --json` prints a whole status a line, whenever it changed."""
    with Running(daemon, "status", "--live", "--json") as running:
        running.wait_for_lines(1)
        home.log().reply()
        running.wait_for('"requests":1,')
        assert running.interrupt() == LEFT
        statuses = [json.loads(line) for line in running.shown.splitlines()]
    assert statuses[0]["today"]["total"]["requests"] == 0
    assert statuses[-1]["today"]["total"]["requests"] == 1


@pytest.mark.parametrize("columns", [50, 140])
def test_live_in_a_terminal(daemon: Keeper, columns: int) -> None:
    """In a terminal `toll status --live` redraws itself, and leaves it as it found it."""
    with Running(daemon, "status", "--live", columns=columns) as running:
        running.wait_for("No agent is running.")
        agent = daemon.start_agent(labels={"TOLL_AGENT": "Ada"})
        agent.says("busy")
        running.wait_for("Ada")
        agent.log.reply()
        running.wait_for("$0.0236")
        assert running.interrupt() == LEFT
        assert "Traceback" not in running.shown
        assert SHOW_CURSOR in running.shown


def test_live_survives_the_daemon(daemon: Keeper, home: ClaudeHome) -> None:
    """The live view says that the daemon is gone, and takes up again when it is back."""
    with Running(daemon, "status", "--live", columns=100) as running:
        running.wait_for("No agent is running.")
        daemon.kill()
        running.wait_for("The daemon is gone")
        home.log().reply()
        daemon.start()
        running.wait_for("$0.0236")
        assert running.interrupt() == LEFT


def test_interrupt_without_a_daemon(daemon: Keeper) -> None:
    """Ctrl-C while the live view waits for the daemon to return is as quiet."""
    with Running(daemon, "status", "--live", columns=100) as running:
        running.wait_for("No agent is running.")
        daemon.stop()
        running.wait_for("The daemon is gone")
        assert running.interrupt() == LEFT


def test_daemon_in_the_foreground(keeper: Keeper) -> None:
    """`tolld` in the foreground ends on Ctrl-C with exit status 0 and no traceback."""
    import signal

    keeper.start()
    assert keeper.process
    keeper.process.send_signal(signal.SIGINT)
    assert keeper.process.wait(10) == 0
    assert keeper.complaints() == ""

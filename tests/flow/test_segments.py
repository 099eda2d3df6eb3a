"""The segments that a daemon keeps ready: they follow what happens, and go when it does."""

import json
import os
import re
import time

from tollkeeper.control import is_listening
from waiting import wait_until

from .claude_home import ClaudeHome
from .keeper import Keeper

CODES = re.compile(r"\x1b\[\d+m")


def shown(keeper: Keeper, name: str = "all") -> str:
    """The segment of this name, without its colours; empty without one."""
    try:
        return CODES.sub("", (keeper.paths.segments / name).read_text())
    except FileNotFoundError:
        return ""


def test_segment_follows_the_charge(daemon: Keeper) -> None:
    """What an agent is charged stands in the segments of all, its conversation and its pid."""
    agent = daemon.start_agent("shop", {"TOLL_AGENT": "Agent-1"})
    agent.says("busy")
    wait_until(lambda: shown(daemon) == "[🤖 1 agent]\n")
    agent.log.reply()
    wait_until(lambda: re.fullmatch(r"\[🤖 1 agent \| \$0\.\d\d today\]\n", shown(daemon)))
    wait_until(lambda: "of $5" in shown(daemon, agent.conversation))
    told = shown(daemon, agent.conversation)
    assert re.fullmatch(r"Agent-1 \| opus-5-5 \| \$0\.\d\d of \$5\n", told)
    assert told == shown(daemon, str(agent.pid))


def test_pending_appears(daemon: Keeper) -> None:
    """An agent that turns to waiting is pending in the segment at once."""
    agent = daemon.start_agent()
    agent.says("busy")
    wait_until(lambda: shown(daemon) == "[🤖 1 agent]\n")
    agent.says("waiting", waitingFor="permission prompt")
    wait_until(lambda: shown(daemon) == "[🤖 1 agent | ⚠ 1 pending]\n", 2)


def test_agent_goes(daemon: Keeper) -> None:
    """With a new conversation the old one's segment goes, with the agent all of its own."""
    agent = daemon.start_agent()
    agent.says("idle")
    first = agent.conversation
    wait_until(lambda: shown(daemon, first))
    agent.clear()
    wait_until(lambda: shown(daemon, agent.conversation) and not shown(daemon, first))
    agent.exit()
    wait_until(lambda: os.listdir(daemon.paths.segments) == ["all"])
    wait_until(lambda: shown(daemon) == "")


def test_daemon_goes(daemon: Keeper) -> None:
    """A daemon that ends takes its segments along; what one leaves that is killed the next one removes."""
    agent = daemon.start_agent()
    agent.says("idle")
    wait_until(lambda: shown(daemon, str(agent.pid)))
    daemon.stop()
    assert [] == os.listdir(daemon.paths.segments)
    (daemon.paths.segments / "left-behind").write_text("old\n")
    daemon.start()
    wait_until(lambda: shown(daemon, str(agent.pid)))
    assert "" == shown(daemon, "left-behind")
    daemon.kill()
    assert "[🤖 1 agent]\n" == shown(daemon)
    agent.exit()
    daemon.start()
    wait_until(lambda: os.listdir(daemon.paths.segments) == ["all"])


def test_formats_of_the_settings(daemon: Keeper) -> None:
    """Formats in the settings are in force at once; one that can't be shown is told in one line."""
    agent = daemon.start_agent("shop", {"TOLL_AGENT": "Agent-1"})
    agent.says("idle")
    alone = "[sources]\nprocesses = false\n"
    agent.log.reply()
    wait_until(lambda: " today]" in shown(daemon))
    daemon.configure(f"{alone}[display]\nstatus_bar = false\n")
    wait_until(lambda: shown(daemon) == "[🤖 1 agent]\n")
    for style in ("plain", "tmux"):
        assert "[🤖 1 agent]\n" == daemon.run("segment", "--style", style).stdout
    base = f"{alone}[segments]\n"
    daemon.configure(f'{base}format = "{{agents:short}}!"\nstatusline = "{{name}} {{state}}"\n')
    wait_until(lambda: shown(daemon) == "1!\n")
    wait_until(lambda: shown(daemon, agent.conversation) == "Agent-1 idle\n")
    assert "1!\n" == daemon.run("segment").stdout
    assert "\x1b" not in daemon.run("segment", "--style", "tmux").stdout
    daemon.configure(f'{base}format = "{{agent}}"\n')
    status = daemon.wait_for(lambda status: bool(status.alerts))
    assert "no field 'agent'; there are agents, " in status.alerts[-1].text
    assert "1!\n" == shown(daemon)


def test_command(daemon: Keeper, home: ClaudeHome) -> None:
    """`toll segment` prints by any format, of all or of one agent, and nothing of one that is gone."""
    agent = daemon.start_agent("shop", {"TOLL_AGENT": "Agent-1"})
    agent.says("idle")
    wait_until(lambda: shown(daemon, agent.conversation))
    assert "[🤖 1 agent]\n" == daemon.run("segment").stdout
    for asked in ("Agent-1", str(agent.pid), agent.conversation):
        for style in ("plain", "ansi"):
            result = daemon.run("segment", "--agent", asked, "--style", style)
            assert (0, "Agent-1\n", "") == (result.returncode, result.stdout, result.stderr)
    assert (
        "1 Agent-1 idle\n"
        == daemon.run(
            "segment", "--agent", "Agent-1", "--format", "{agents:short} {name} {state}"
        ).stdout
    )
    bar = json.loads(daemon.run("segment", "--style", "waybar").stdout)
    assert ("[🤖 1 agent]", "calm") == (bar["text"], bar["class"])
    gone = daemon.run("segment", "--agent", "nobody")
    assert (0, "", "") == (gone.returncode, gone.stdout, gone.stderr)


def test_command_without_daemon(keeper: Keeper) -> None:
    """Without a daemon nothing is printed, whatever lies there, and none is started."""
    for line in ((), ("--style", "waybar"), ("--agent", "1"), ("--format", "{plan}")):
        result = keeper.run("segment", *line)
        assert (0, "", "") == (result.returncode, result.stdout, result.stderr)
    keeper.start()
    wait_until((keeper.paths.segments / "all").exists)
    keeper.kill()
    (keeper.paths.segments / "all").write_text("old\n")
    past = time.time() - 1
    os.utime(keeper.paths.alive, (past, past))
    assert "" == keeper.run("segment").stdout
    assert not is_listening(keeper.paths)


def test_status_line_of_ones_own_format(daemon: Keeper) -> None:
    """`toll statusline --format` asks the daemon, of the conversation that it is handed."""
    agent = daemon.start_agent("shop", {"TOLL_AGENT": "Agent-1"})
    agent.says("busy")
    wait_until(lambda: shown(daemon, agent.conversation))
    given = json.dumps({"session_id": agent.conversation})
    told = daemon.run("statusline", "--format", "I am {name}", given=given)
    assert (told.returncode, CODES.sub("", told.stdout)) == (0, "I am Agent-1\n")
    wrong = daemon.run("statusline", "--format", "{nam}", given=given)
    assert wrong.returncode == 2
    assert "no field 'nam'" in wrong.stderr
    daemon.kill()
    assert daemon.run("statusline", "--format", "{name}", given=given).returncode == 0

"""Homes and folders that come, go and move while the daemon runs."""

import shutil
from pathlib import Path

import pytest

from freezing import await_frozen

from . import lines
from .bounded import start_billed, usual
from .claude_home import ClaudeHome
from .keeper import Keeper

# How often homes are looked at anew, with some room for a busy machine.
LOOKS_AROUND_WITHIN = 15.0
# Less than a look around takes to come after the daemon's start.
AT_ONCE = 2.0
# Less than the sweep that finds whatever file events missed, which would hide that they did.
BEFORE_THE_SWEEP = 20.0


def test_homes_that_come_and_come_again(keeper: Keeper) -> None:
    """Homes and project folders made, or made anew, while the daemon runs are followed."""
    root, work = keeper.root, keeper.root / "work"
    homes = [ClaudeHome(root / name, work) for name in ("new", "without-projects", "made-anew")]
    homes[1].path.mkdir()
    homes[2].log().reply()
    keeper.environment["CLAUDE_CONFIG_DIR"] = ",".join(str(home.path) for home in homes)
    assert keeper.start().requests() == 1
    shutil.rmtree(homes[2].projects)
    logs = [home.log() for home in homes]
    for log in logs:
        log.reply()
    keeper.wait_for_requests(4, LOOKS_AROUND_WITHIN)
    for log in logs:
        log.reply()
        log.subagent("analyst", "look at it").reply()
    keeper.wait_for_requests(10, LOOKS_AROUND_WITHIN)


@pytest.mark.parametrize("missing", ["projects", "sessions", "both", "home"])
def test_limit_acts_in_a_young_home(keeper: Keeper, missing: str) -> None:
    """The first agent of a new installation is known and bounded as quickly as any later one."""
    keeper.limit(per_agent=usual(3))
    for folder in missing_folders(keeper.home, missing):
        shutil.rmtree(folder)
    keeper.start()
    agent = start_billed(keeper)
    for count in (1, 2):
        agent.log.reply()
        # What the folders hold when they come may be found with them; the next reply is heard of.
        keeper.wait_for_requests(count, AT_ONCE)
    keeper.wait_for(lambda status: [each.pid for each in status.agents] == [agent.pid], AT_ONCE)
    agent.says("waiting")
    keeper.wait_for(lambda status: status.agents[0].state == "waiting", AT_ONCE)
    agent.log.reply()
    await_frozen(agent.pid, timeout=AT_ONCE)


def missing_folders(home: ClaudeHome, missing: str) -> list[Path]:
    """What a new installation lacks."""
    folders = {"projects": [home.projects], "sessions": [home.sessions], "home": [home.path]}
    return folders.get(missing, [home.projects, home.sessions])


def test_folders_made_in_one_go_lose_nothing(daemon: Keeper, home: ClaudeHome) -> None:
    """Lines in folders that were made a moment before them are all found."""
    rounds = 40
    for number in range(rounds):
        log = home.log(f"project-{number}")
        helper = log.subagent("analyst", "look at it")
        helper.reply()
        log.reply()
        helper.reply()
    daemon.wait_for_requests(3 * rounds, BEFORE_THE_SWEEP)


def test_workflow_subagents_are_found(daemon: Keeper, home: ClaudeHome) -> None:
    """Logs of a workflow run's agents, one folder deeper, count under their conversation."""
    log = home.log()
    log.reply()
    helper = log.subagent("builder", "build it")
    helper.path = helper.path.parent / "workflows" / "run-1" / helper.path.name
    helper.reply()
    daemon.wait_for_requests(2)
    [session] = daemon.report("session")["sessions"]
    assert (session["sessionId"], session["requests"]) == (log.conversation, 2)


def test_folder_moved_in_counts(daemon: Keeper, home: ClaudeHome) -> None:
    """A project's folder that is moved into the home is read, and followed after that."""
    log = home.log()
    elsewhere = home.path.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / log.path.name).write_bytes(lines.reply(log.writer))
    elsewhere.rename(log.path.parent)
    daemon.wait_for_requests(1, BEFORE_THE_SWEEP)
    log.reply()
    daemon.wait_for_requests(2, BEFORE_THE_SWEEP)


def test_renamed_log_counts_once(daemon: Keeper, home: ClaudeHome) -> None:
    """A log that is moved to another project's folder counts once, and goes on there."""
    log, other = home.log(), home.log("other")
    log.reply()
    daemon.wait_for_requests(1)
    other.path.parent.mkdir()
    log.path.rename(other.path)
    other.reply()
    daemon.wait_for_requests(2)


def test_two_homes_are_followed(keeper: Keeper) -> None:
    """Every home in the comma list of CLAUDE_CONFIG_DIR is followed."""
    second = ClaudeHome(keeper.root / "second", keeper.root / "work")
    second.projects.mkdir(parents=True)
    keeper.environment["CLAUDE_CONFIG_DIR"] = f"{keeper.home.path}, {second.path}"
    keeper.start()
    keeper.home.log().reply()
    second.log().reply()
    keeper.wait_for_requests(2)


def test_only_named_homes_are_looked_at(keeper: Keeper) -> None:
    """With CLAUDE_CONFIG_DIR set, the default home beside it is left alone."""
    default = ClaudeHome(keeper.root / "user" / ".claude", keeper.root / "work")
    default.log().reply()
    keeper.start()
    keeper.home.log().reply()
    keeper.wait_for_requests(1)
    health = keeper.report("health")
    assert [each["path"] for each in health["homes"]] == [str(keeper.home.path)]

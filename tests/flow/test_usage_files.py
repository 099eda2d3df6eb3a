"""The usage files: what they say is what the reports say, for each run and day, and where they are mirrored."""

import json
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from tollkeeper_daemon.clock import iso
from tollkeeper_daemon.store.store import Store
from waiting import wait_until

from . import lines
from .agent_process import AgentProcess
from .keeper import Keeper
from .lines import OPUS, USUAL

Told = dict[str, Any]


def files(folder: Path) -> dict[str, Told]:
    """The usage files below this folder, by their paths in it."""
    return {
        str(path.relative_to(folder)): json.loads(path.read_bytes())
        for path in sorted(folder.rglob("*.json"))
    }


def usage(keeper: Keeper) -> Path:
    return keeper.paths.data / "usage"


def started(keeper: Keeper, project: str = "shop", **labels: str) -> AgentProcess:
    """An agent that the daemon knows, with a request that it counted."""
    agent = keeper.start_agent(project, labels)
    agent.says("busy")
    agent.log.prompt()
    agent.log.reply()
    keeper.wait_for(
        lambda status: any(a.pid == agent.pid and a.usage.requests for a in status.agents)
    )
    return agent


def session_of(found: dict[str, Told]) -> Told:
    [session] = [told for path, told in found.items() if path.startswith("sessions/")]
    return session


def today_of(found: dict[str, Told]) -> Told:
    return found[max(path for path in found if path.startswith("daily/"))]


def test_a_run_and_its_day(keeper: Keeper) -> None:
    """While a run lasts its file is there, and the day's; both have the figures of ``toll daily``."""
    keeper.start()
    started(keeper, TOLL_AGENT="agent-1", TOLL_TASK="task-1", TOLL_STAGE="plan")
    wait_until(lambda: len(files(usage(keeper))) == 2)
    keeper.stop()
    found = files(usage(keeper))
    session, today = session_of(found), today_of(found)
    assert (session["version"], session["endTime"], session["authMode"]) == (1, None, "api")
    name = session["startTime"].replace("T", "-").replace(":", "").removesuffix("Z")
    assert f"sessions/{name}.json" in found
    assert session["sessionId"] == f"session-{name[:10].replace('-', '')}-{name[11:]}"
    agent = session["agents"]["agent-1"]
    assert (agent["source"], agent["task"], agent["stage"]) == ("api", "task-1", "plan")
    assert (agent["model"], agent["messages"], agent["inputTokens"]) == (OPUS, 1, USUAL.input)
    assert session["apiTotals"]["cost"] == agent["cost"] == agent["value"] > 0
    assert session["subscriptionTotals"]["requests"] == 0
    keeper.start()
    [day] = keeper.report("daily")["daily"]
    assert today["date"] == day["date"]
    totals = {
        "messages": day["messages"],
        "requests": day["requests"],
        "inputTokens": day["inputTokens"],
        "outputTokens": day["outputTokens"],
        "cacheReadTokens": day["cacheReadTokens"],
        "cacheCreationTokens": day["cacheCreationTokens"],
        "cost": day["costUSD"],
        "value": day["valueUSD"],
        "unpricedRequests": day["unpricedRequests"],
    }
    assert today["totals"] == totals == today["apiTotals"]
    assert today["models"] == {OPUS: totals}
    assert today["agents"] == session["agents"]


def test_a_run_that_is_over(keeper: Keeper) -> None:
    """The file of a run says when it ended, also where no daemon saw that."""
    keeper.start()
    agent = started(keeper, TOLL_AGENT="agent-1")
    keeper.stop()
    before = session_of(files(usage(keeper)))
    agent.exit()
    with Store(keeper.paths.ledger) as store:
        [run] = store.read(lambda transaction: transaction.runs())
        over = replace(run, ended=run.last_lived)
        store.write(lambda transaction: transaction.save_run(over))
    keeper.start()
    wait_until(lambda: session_of(files(usage(keeper)))["endTime"])
    after = session_of(files(usage(keeper)))
    assert (before["endTime"], after["endTime"]) == (None, iso(over.ended))
    assert after["agents"] == before["agents"]


def test_days_before(keeper: Keeper) -> None:
    """Each day of the history gets its file, those from before anybody watched too."""
    log = keeper.home.log()
    for days in (40, 3):
        log.append(lines.reply(log.writer, when=lines.ago(days=days)))
    keeper.start()
    keeper.wait_for_requests(2)
    wait_until(lambda: len(files(usage(keeper))) == 2)
    days = [row["date"] for row in keeper.report("daily")["daily"]]
    found = files(usage(keeper))
    assert sorted(found) == [f"daily/{day}.json" for day in days]
    assert all(list(told["agents"]) == ["unknown"] for told in found.values())


def test_charged_anew(keeper: Keeper) -> None:
    """What is charged anew is written anew, however long ago it was."""
    log = keeper.home.log()
    log.append(lines.reply(log.writer, when=lines.ago(days=30)))
    keeper.start()
    keeper.wait_for_requests(1)
    wait_until(lambda: files(usage(keeper)))
    keeper.json("prices", "set", OPUS, "--input", "100", "--output", "100")
    before = keeper.report("daily")["totals"]["valueUSD"]
    assert keeper.run("reprice", "--yes").returncode == 0
    keeper.stop()
    [told] = files(usage(keeper)).values()
    keeper.start()
    assert told["totals"]["value"] == keeper.report("daily")["totals"]["valueUSD"] > before


def test_tagged_backwards(keeper: Keeper) -> None:
    """What a tag moves in past days is in their files soon, and no file of another day is touched."""
    keeper.start()
    agent = started(keeper, TOLL_AGENT="agent-1")
    for days in (9, 5):
        agent.log.append(lines.reply(agent.log.writer, when=lines.ago(days=days)))
    keeper.wait_for_requests(3)
    keeper.stop()
    oldest, *others = sorted((usage(keeper) / "daily").iterdir())
    assert len(others) == 2
    # By its coming back we know that the first writing is over.
    oldest.unlink()
    with Store(keeper.paths.ledger) as store:
        [record] = store.read(lambda transaction: transaction.agents())
        began = int(lines.ago(days=10).timestamp() * 1000)
        turns = tuple((conversation, began) for conversation, _ in record.turns)
        store.write(lambda transaction: transaction.save_agent(replace(record, turns=turns)))
    keeper.start()
    before = wait_until(lambda: oldest.exists() and oldest.stat().st_ino)
    since = lines.stamp(lines.ago(days=6))
    [tagged] = keeper.json("tag", "agent-1", "--workflow", "w-1", "--since", since)
    assert tagged["moved_requests"] == 2
    keeper.stop()
    found = files(usage(keeper) / "daily")
    told = [use["workflow"] for day in found.values() for use in day["agents"].values()]
    assert told == [None, "w-1", "w-1"]
    assert oldest.stat().st_ino == before


def test_mirror(keeper: Keeper) -> None:
    """A repository with Opus Orchestra gets what its own agents did, and no other folder gets anything."""
    shop = keeper.home.cwd("shop")
    (shop / ".git").mkdir()
    (shop / ".opus-orchestra").mkdir()
    keeper.start()
    for project in ("shop", "garden"):
        started(keeper, project, TOLL_AGENT=f"{project}-agent")
    keeper.stop()
    mirrored = files(shop / ".opus-orchestra" / "usage")
    own = files(usage(keeper))
    assert mirrored.keys() == own.keys()
    assert {*session_of(own)["agents"]} == {"shop-agent", "garden-agent"}
    assert {*session_of(mirrored)["agents"]} == {*today_of(mirrored)["agents"]} == {"shop-agent"}
    assert today_of(mirrored)["totals"]["requests"] == 1
    assert sorted(path.name for path in keeper.home.cwd("garden").iterdir()) == []


def test_mirror_of_a_worktree(keeper: Keeper) -> None:
    """The note in an agent's worktree says which repository it is of, if the worktree lies in it."""
    shop = keeper.home.cwd("shop")
    (shop / ".opus-orchestra").mkdir()
    (keeper.home.cwd("elsewhere") / ".opus-orchestra").mkdir()
    for name, repository in (("one", shop), ("two", keeper.home.cwd("elsewhere"))):
        worktree = keeper.home.cwd(f"shop/.worktrees/claude-{name}")
        (worktree / ".git").touch()
        (worktree / ".opus-orchestra").mkdir()
        note = {"id": name, "name": name, "sessionId": "", "repoPath": str(repository)}
        (worktree / ".opus-orchestra" / "agent.json").write_text(json.dumps(note))
    keeper.start()
    for name in ("one", "two"):
        started(keeper, f"shop/.worktrees/claude-{name}", TOLL_AGENT=name)
    keeper.stop()
    mirrored = files(shop / ".opus-orchestra" / "usage")
    assert {*session_of(mirrored)["agents"]} == {"one", "two"}
    for folder in ("elsewhere", "shop/.worktrees/claude-one", "shop/.worktrees/claude-two"):
        assert not (keeper.home.cwd(folder) / ".opus-orchestra" / "usage").exists()


def test_links_lead_nowhere(keeper: Keeper) -> None:
    """A repository can't have files written outside of its own folder; what fails is told, and costs no other."""
    for project in ("one", "two"):
        (keeper.home.cwd(project) / ".git").mkdir()
    outside = keeper.root / "outside"
    outside.mkdir()
    (keeper.home.cwd("one") / ".opus-orchestra").mkdir()
    (keeper.home.cwd("one") / ".opus-orchestra" / "usage").symlink_to(outside)
    (keeper.home.cwd("two") / ".opus-orchestra").symlink_to(outside)
    keeper.start()
    for project in ("one", "two"):
        started(keeper, project)
    told = keeper.wait_for(lambda status: bool(status.alerts)).alerts
    assert told[-1].text.startswith(f"usage files in {keeper.home.cwd('one')} can't be written: ")
    keeper.stop()
    assert list(outside.iterdir()) == []
    assert len(files(usage(keeper))) == 2


def test_switched_off(keeper: Keeper) -> None:
    """Neither the files nor their mirrors are written where the settings say so."""
    shop = keeper.home.cwd("shop")
    (shop / ".opus-orchestra").mkdir()
    keeper.configure("[sources]\nprocesses = false\n\n[usage]\nmirror = false\n")
    keeper.start()
    started(keeper)
    keeper.stop()
    assert len(files(usage(keeper))) == 2
    assert list((shop / ".opus-orchestra").iterdir()) == []
    keeper.configure("[sources]\nprocesses = false\n\n[usage]\nfiles = false\n")
    before = files(usage(keeper))
    keeper.start()
    started(keeper)
    keeper.stop()
    assert files(usage(keeper)) == before
    assert list((shop / ".opus-orchestra").iterdir()) == []

"""``admit``: whether one more agent has budget and plan now, as a program and as a script ask it."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tollkeeper.cli.admit import LONGEST_LOOK_SECONDS, LOOK_SECONDS, pause
from waiting import wait_until

from .keeper import TOLL, Keeper
from .lines import USUAL_USD


def spend(keeper: Keeper, **labels: str) -> None:
    """One request of an agent with these labels."""
    agent = keeper.start_agent(labels=labels)
    agent.says("busy")
    agent.log.reply()
    keeper.wait_for(
        lambda status: any(a.pid == agent.pid and a.usage.requests for a in status.agents)
    )


def asked(keeper: Keeper, **params: Any) -> dict[str, Any]:
    return keeper.toll.call("admit", dict[str, Any], **params)


def test_by_the_limits(keeper: Keeper) -> None:
    """Run, day and agent bound a newcomer, and the limits on its own work alone."""
    keeper.limit(daily=USUAL_USD * 4, per_agent=USUAL_USD * 3)
    keeper.start()
    spend(keeper, TOLL_WORKFLOW="w-1", TOLL_STAGE="plan")
    found = asked(keeper)
    assert (found["admitted"], found["why"], found["source"]) == (True, None, "api")
    assert abs(found["left_usd"] - USUAL_USD * 3) < 1e-6
    too_dear = asked(keeper, usd=USUAL_USD * 3.5)
    assert not too_dear["admitted"]
    assert "the limit of an agent leaves " in too_dear["why"]
    assert "today's limit leaves " in too_dear["why"]
    assert too_dear["retry_at"] is None
    assert asked(keeper, budget_usd=USUAL_USD * 10, usd=USUAL_USD * 2.5)["admitted"]
    keeper.toll.call("limit.set", dict[str, Any], workflow="w-1", stage="plan", usd=USUAL_USD / 2)
    stage = asked(keeper, workflow="w-1", stage="plan")
    assert stage["why"].startswith("the limit of stage w-1/plan is reached: ")
    assert [each["name"] for each in stage["blockers"]] == ["stage"]
    assert asked(keeper, workflow="w-1", stage="review")["admitted"]
    assert asked(keeper, workflow="w-2", stage="plan")["admitted"]
    # Nothing is billed on a subscription, so limits on what is billed hold nobody up.
    assert asked(keeper, workflow="w-1", stage="plan", source="subscription")["admitted"]


def test_the_day_is_spent(keeper: Keeper) -> None:
    """A spent day says when the next one begins, and the exit status says no."""
    keeper.limit(daily=USUAL_USD)
    keeper.start()
    assert keeper.run("admit").returncode == 0
    spend(keeper)
    found = asked(keeper)
    begins = datetime.fromisoformat(found["retry_at"])
    assert timedelta(0) < begins - datetime.now(UTC) <= timedelta(days=1)
    result = keeper.run("admit", "--usd", "1")
    assert (result.returncode, result.stderr) == (4, "")
    assert result.stdout.startswith("No: today's limit is reached: ")
    assert keeper.run("admit", "--json").returncode == 4


def test_by_the_plan(keeper: Keeper) -> None:
    """A window of the plan that is used up stands in the way of who runs on it, until it begins anew."""
    keeper.home.subscribe()
    keeper.limit()
    keeper.start()
    resets = (datetime.now(UTC) + timedelta(hours=2)).replace(microsecond=0)
    window = {"used_percent": 85, "resets_at": resets.isoformat()}
    keeper.toll.call("plan.observe", dict[str, Any], five_hour=window)
    found = asked(keeper)
    assert (found["admitted"], found["source"]) == (True, "subscription")
    assert found["plan"]["five_hour"]["used_percent"] == 85
    careful = asked(keeper, plan_percent=80)
    assert careful["why"] == "the plan's five-hour window is used to 85 %"
    assert datetime.fromisoformat(careful["retry_at"]) == resets
    assert asked(keeper, plan_percent=80, source="api")["admitted"]


def test_waiting(keeper: Keeper) -> None:
    """With --wait it says why it waits, and goes on as soon as there is room."""
    keeper.limit()
    keeper.start()
    keeper.toll.call("limit.set", dict[str, Any], task="t-1", tokens=1)
    spend(keeper, TOLL_TASK="t-1")
    with subprocess.Popen(
        [TOLL, "admit", "--wait", "--task", "t-1"],
        env=keeper.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as waiting:
        assert waiting.stderr is not None
        line = waiting.stderr.readline()
        assert line.startswith("toll: waiting: No: the limit of task t-1 is reached: ")
        assert line.endswith("; only a raised limit helps.\n")
        keeper.toll.call("limit.clear", dict[str, Any], task="t-1")
        wait_until(lambda: waiting.poll() is not None)
        assert waiting.returncode == 0
        assert waiting.communicate()[0] == "Yes: nothing limits it.\n"


def test_a_stage_alone(daemon: Keeper) -> None:
    """A stage of no workflow is refused in a line; a task may tell the workflow."""
    refused = daemon.run("admit", "--stage", "plan")
    told = "toll: a stage is one of a workflow: name that, too, or the task\n"
    assert (refused.returncode, refused.stdout, refused.stderr) == (2, "", told)
    assert daemon.run("admit", "--stage", "plan", "--task", "bd-4nq.1").returncode == 0


def test_what_helps(keeper: Keeper) -> None:
    """Where no time helps it is said what does: a raised limit, of a run also that it ends."""
    keeper.limit(per_run=4, daily=5)
    keeper.start()
    run = "the limit of this run leaves $4.00, and"
    assert (
        f"No: {run} $4.50 are expected; only a raised limit, or the end of the run helps.\n"
        == keeper.run("admit", "--usd", "4.5").stdout
    )
    more = keeper.run("admit", "--usd", "6").stdout
    assert more.startswith(f"No: {run} $6.00 are expected; today's limit leaves $5.00")
    assert more.endswith("; only a raised limit helps.\n")


def test_how_long_to_wait() -> None:
    """Until there is room again, but with a look twice a minute: a person may raise the limit."""
    at = datetime(2026, 11, 22, 9, tzinfo=UTC)
    now = at.timestamp()
    assert pause(None, now) == pause(at.isoformat(), now) == LOOK_SECONDS
    assert pause((at + timedelta(seconds=20)).isoformat(), now) == 20
    assert pause((at + timedelta(hours=3)).isoformat(), now) == LONGEST_LOOK_SECONDS


def test_wrong_words(keeper: Keeper) -> None:
    """What can't be is refused in a line, with another exit status than a no."""
    keeper.start()
    refused = keeper.run("admit", "--home", "/nowhere")
    assert refused.stderr.startswith("toll: no such Claude home is followed")
    assert refused.returncode == 1
    wrong = keeper.run("admit", "--plan-percent", "0")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)


def test_in_a_folder_that_is_gone(keeper: Keeper, tmp_path: Path) -> None:
    """Where the folder is gone it is asked for the home alone."""
    keeper.start()
    script = 'cd "$1" && rmdir "$1" && exec "$2" admit'
    words = ["sh", "-c", script, "sh", str(tmp_path), TOLL]
    answer = subprocess.run(
        words, env=keeper.environment, capture_output=True, text=True, check=False
    )
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "Yes: $5.00 left.\n", "")

"""Workflows: markers and labels make spans of work, each once, whatever becomes of the daemon."""

import json
import os

import pytest

from tollkeeper import wire
from tollkeeper.errors import CallError
from tollkeeper.feed import Feed
from tollkeeper.model import Span
from tollkeeper_daemon.store.schema import SpanRecord
from tollkeeper_daemon.store.store import Store
from waiting import wait_until

from .agent_process import AgentProcess
from .keeper import Keeper
from .lines import USUAL_USD

pytestmark = pytest.mark.skipif(
    not os.path.exists("/proc/self/stat"), reason="process starts are noted as Linux does"
)

LABELS = {"TOLL_WORKFLOW": "w-1", "TOLL_STAGE": "analyze"}


def mark(keeper: Keeper, event: str, **more: object) -> Span:
    """A marker on the stage ``analyze`` of the workflow ``w-1``."""
    params = {"workflow": "w-1", "stage": "analyze", "event": event, **more}
    return keeper.toll.call("workflow.stage", Span, **params)


def spans(keeper: Keeper, workflow: str = "w-1") -> tuple[SpanRecord, ...]:
    """What is saved of the workflow's spans, once the daemon is gone."""
    with Store(keeper.paths.ledger) as store:
        return store.read(lambda transaction: transaction.work.spans_of(workflow))


def started(keeper: Keeper, labels: dict[str, str] | None = None) -> AgentProcess:
    """An agent that the daemon knows, at work."""
    agent = keeper.start_agent(labels=labels)
    agent.says("busy")
    keeper.wait_for(lambda status: agent.pid in [each.pid for each in status.agents])
    return agent


def stage_update(feed: Feed, event: str) -> Span:
    """The span of the next update with this event."""

    def look() -> Span | None:
        change = feed.next_change(10)
        assert change, f"no {event}"
        update = change.update
        return (
            update.span
            if isinstance(update, wire.WorkflowUpdate) and update.event == event
            else None
        )

    span = wait_until(look)
    assert span
    return span


def test_marked_stage_of_an_agent(daemon: Keeper) -> None:
    """What an agent asks between a stage's markers belongs to the stage, and the workflow alone after."""
    agent = started(daemon)
    agent.log.reply()
    daemon.wait_for_requests(1)
    span = mark(daemon, "start", agent=str(agent.pid))
    assert (span.id, span.role, span.status) == ("m:1", "shop-1", None)
    [seen] = daemon.toll.agents()
    assert (seen.workflow, seen.stage) == ("w-1", "analyze")
    agent.log.reply()
    agent.log.reply()
    daemon.wait_for_requests(3)
    ended = mark(daemon, "end", agent=str(agent.pid), status="completed")
    assert (ended.id, ended.status) == (span.id, "completed")
    assert (ended.usage.requests, ended.usage.value_usd) == (2, 2 * USUAL_USD)
    assert ended.worked_seconds > 0
    [seen] = daemon.toll.agents()
    assert (seen.workflow, seen.stage) == ("w-1", None)


def test_stage_with_an_id_of_its_own(daemon: Keeper) -> None:
    """Start and end are said again, to the next daemon too, and are the same span: beside one without an id."""
    own = {"role": "Ada", "id": "run-1"}
    for event, status in (("start", None), ("end", "failed")):
        more = {"status": status} if status else {}
        said = mark(daemon, event, **own, **more)
        assert ("m:run-1", "Ada", status) == (said.id, said.role, said.status)
        daemon.kill()
        daemon.start()
        again = mark(daemon, event, **own, **more)
        assert (said.started_at, said.ended_at) == (again.started_at, again.ended_at)
    assert "failed" == mark(daemon, "start", role="Ada", id="m:run-1").status
    assert "m:1" == mark(daemon, "start", role="Ada").id
    assert daemon.stop() == 0
    assert ["m:run-1", "m:1"] == [span.id for span in spans(daemon)]


@pytest.mark.parametrize(
    "wrong", [{"id": "x"}, {"id": "m:7", "role": ""}, {"id": "7", "role": ""}, {"status": "failed"}]
)
def test_start_that_can_not_be(daemon: Keeper, wrong: dict[str, str]) -> None:
    """A start has no status, and an id of its own only with a role, and none that a span may get."""
    with pytest.raises(CallError) as refused:
        mark(daemon, "start", **wrong)
    assert "bad-params" == refused.value.code


def test_markers_by_command(daemon: Keeper) -> None:
    """Workflow and stage are told to start and end by command, in a line each; again changes nothing."""
    lines = [
        (("start", "w-1"), "Workflow w-1 has started."),
        (("start", "w-1", "--path", "full"), "Workflow w-1 has started (full)."),
        (
            ("stage", "w-1", "analyze", "start", "--agent", "analyst"),
            "Stage analyze of w-1 by analyst has started.",
        ),
        (
            ("stage", "w-1", "analyze", "start", "--agent", "analyst"),
            "Stage analyze of w-1 by analyst has started.",
        ),
        (
            ("stage", "w-1", "analyze", "end"),
            "Stage analyze of w-1 by analyst has ended: completed, after 0s.",
        ),
        (("end", "w-1", "--status", "failed"), "Workflow w-1 has ended: failed."),
    ]
    for arguments, line in lines:
        result = daemon.run("workflow", *arguments)
        assert (0, "", f"{line}\n") == (result.returncode, result.stderr, result.stdout)
    assert daemon.stop() == 0
    [span] = spans(daemon)
    assert (span.id, span.status, span.folder) == ("m:1", "completed", os.getcwd())


def test_stage_ends_with_its_workflow(daemon: Keeper) -> None:
    """When the workflow ends, so do its stages, and its agents belong to it no more."""
    started(daemon)
    with daemon.feed() as feed:
        mark(daemon, "start", agent="shop-1")
        assert (seen := stage_update(feed, "stage-started")) and seen.role == "shop-1"
        ended = daemon.json("workflow", "end", "w-1")
        assert (ended["status"], ended["workflow"]) == ("completed", "w-1")
        assert stage_update(feed, "stage-ended").status is None
    [seen] = daemon.toll.agents()
    assert (seen.workflow, seen.stage) == (None, None)


def test_end_of_what_never_was(daemon: Keeper) -> None:
    """A mistyped end is refused with what was meant, and remembered nowhere; an agent's label is enough to know it."""
    daemon.json("workflow", "start", ".claude-4nq")
    result = daemon.run("workflow", "end", ".claude-4n")
    said = "toll: no workflow '.claude-4n' is known; is it '.claude-4nq'?\n"
    assert (result.returncode, result.stderr) == (1, said)
    result = daemon.run("workflow", "stage", ".claude-4n", "plan", "end")
    assert (result.returncode, result.stderr) == (1, said)
    [path] = daemon.json("workflow", "paths")["paths"]
    assert path["workflows"] == 1
    started(daemon, {"TOLL_WORKFLOW": "w-9"})
    assert daemon.json("workflow", "end", "w-9")["status"] == "completed"


def test_stage_of_the_agent_that_calls(daemon: Keeper) -> None:
    """A marker that an agent itself sets is for that agent alone."""
    one, other = (
        started(daemon, {"TOLL_WORKFLOW": "w-1"}),
        started(daemon, {"TOLL_WORKFLOW": "w-1"}),
    )
    span = mark(daemon, "start", pids=[999_999_999, one.pid, os.getpid()])
    assert span.role == daemon.agent(one).name
    assert [daemon.agent(each).stage for each in (one, other)] == ["analyze", None]


def test_stage_of_all_agents_of_the_workflow(daemon: Keeper) -> None:
    """A marker that nobody is named in is for all agents of the workflow, and for no others."""
    ones = [started(daemon, {"TOLL_WORKFLOW": "w-1"}) for _ in range(2)]
    stranger = started(daemon, {"TOLL_WORKFLOW": "w-2"})
    assert mark(daemon, "start").role is None
    assert [daemon.agent(each).stage for each in (*ones, stranger)] == ["analyze"] * 2 + [None]
    mark(daemon, "end")
    assert [daemon.agent(each).stage for each in ones] == [None, None]


def test_workflow_that_goes_on(daemon: Keeper) -> None:
    """An agent that outlives its workflow is at it anew when that is started again."""
    agent = started(daemon, LABELS)
    mark(daemon, "start")
    for verb in ("end", "start"):
        daemon.json("workflow", verb, "w-1")
    agent.exit()
    daemon.wait_for(lambda status: status.agents[0].state == "exited")
    assert daemon.stop() == 0
    first, second = spans(daemon)
    assert (first.status, second.status) == ("", "completed")
    assert (first.id, second.id) == ("m:1", f"a:{second.agent}")
    assert first.ended <= second.started


def test_daemon_killed_in_the_midst_of_stages(daemon: Keeper) -> None:
    """Every stage is there once, with its end, when the daemon was killed between start and end."""
    marked, own, gone = (started(daemon, each) for each in (None, LABELS, LABELS))
    helper = marked.log.subagent("planner", "plan it")
    mark(daemon, "start", agent=str(marked.pid), stage="review")
    helper.reply()
    daemon.wait_for_requests(1)
    daemon.kill()
    gone.exit()
    daemon.start()
    marked.log.reply()
    daemon.wait_for_requests(2)
    mark(daemon, "end", agent=str(marked.pid), stage="review", status="completed")
    daemon.kill()
    daemon.start()
    own.exit()
    marked.exit()
    daemon.wait_for(lambda status: {each.state for each in status.agents} == {"exited"})
    assert daemon.stop() == 0
    found = {(span.labels.stage, span.role): span.status for span in spans(daemon)}
    assert found == {
        ("review", "shop-1"): "completed",
        ("plan", "planner"): "completed",
        ("analyze", "shop-2"): "completed",
        ("analyze", "shop-3"): "",
    }
    assert all(span.ended for span in spans(daemon))
    assert len(spans(daemon)) == 4


def test_agent_that_is_stopped(daemon: Keeper) -> None:
    """The stage of an agent that toll stop ends has failed."""
    agent = started(daemon, LABELS)
    assert daemon.run("stop", str(agent.pid)).returncode == 0
    assert daemon.stop() == 0
    assert ["failed"] == [span.status for span in spans(daemon)]


def test_subagent_of_a_workflow(daemon: Keeper) -> None:
    """A subagent is at the stage of its type; what it asks is what its span has used."""
    agent = started(daemon, {"TOLL_WORKFLOW": "w-1"})
    with daemon.feed() as feed:
        helper = agent.log.subagent("analyst", "analyse it", finished=True)
        agent.log.reply()
        running = agent.log.subagent("analyst", "and more")
        running.reply()
        assert stage_update(feed, "stage-started").role == "analyst"
        helper.reply()
        agent.exit()
        span = stage_update(feed, "stage-ended")
    assert (span.stage, span.role, span.status) == ("analyze", "analyst", "completed")
    assert (span.conversation, span.usage.requests) == (agent.conversation, 1)


def test_wrong_markers(daemon: Keeper) -> None:
    """What is no stage, or of nobody, is refused in one line."""
    started(daemon)
    for arguments, line in [
        (
            ("stage", "w-1", "plan", "start", "--agent", "99999"),
            "no agent 99999 is running; see: toll agents",
        ),
        (
            ("stage", "w-1", "plan", "start", "--status", "failed"),
            "--status says how a stage ended: this one starts",
        ),
        (("start", ""), "workflow is empty: name one"),
        (("start", 201 * "w"), "workflow is too long: 200 characters at the most"),
        (
            (),
            (
                "say one of start, stage, end, show, compare, top, stages, models, paths, "
                "forecast; see toll workflow --help"
            ),
        ),
    ]:
        result = daemon.run("workflow", *arguments)
        assert (result.stdout, result.stderr) == ("", f"toll: {line}\n")


def test_commands_for_ends(daemon: Keeper) -> None:
    """The settings' commands get each stage and workflow that ends."""
    told = daemon.root / "told"
    line = f'"cat >> {told}; echo >> {told}"'
    daemon.configure(f"[sources]\nprocesses = false\n[on]\nstage_ended = {line}\n")
    log = daemon.paths.log
    wait_until(lambda: log.exists() and "in force" in log.read_text())
    mark(daemon, "start")
    mark(daemon, "end", status="failed")
    daemon.json("workflow", "end", "w-1")
    wait_until(lambda: told.exists() and told.read_text().endswith("\n"))
    [update] = map(json.loads, told.read_text().splitlines())
    assert (update["topic"], update["event"], update["status"]) == (
        "workflow",
        "stage-ended",
        "failed",
    )

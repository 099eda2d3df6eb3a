"""Who runs: names, claims over conversations, states, and the run that spans them."""

import pytest
from msgspec.structs import replace

from tollkeeper_daemon.agents.live import LiveAgent
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.sources.processes import Process
from tollkeeper_daemon.sources.sessions import Session
from tollkeeper_daemon.store.schema import AgentRecord, RunRecord

from .lines import NINE_MS, NOW
from .machine import process, session

SECOND, MINUTE = 1_000, 60_000


def holder(roster: Roster, conversation: str, time: int) -> str | None:
    """The name of the agent that a request of this conversation and time is booked to."""
    agent = roster.agent_of(conversation, time)
    return agent.record.name if agent else None


def appear(
    roster: Roster, seen: Process, said: Session | None = None, now: int = NINE_MS
) -> LiveAgent:
    """The process is seen, by a client that pays by key."""
    return roster.appear(seen, said, False, now)


def test_name_by_label() -> None:
    """TOLL_AGENT names the agent, whatever its session is called later."""
    roster = Roster()
    agent = appear(roster, process(AGENT="worker"), session(name="other", nameSource="user"))
    assert "worker" == agent.record.name
    roster.hear(agent, session(name="third", nameSource="user"), NOW)
    assert "worker" == agent.record.name


def test_name_by_the_session() -> None:
    """A name that a person gave the session is the agent's, and so is the next one."""
    roster = Roster()
    agent = appear(roster, process(), session(name="Agent-1", nameSource="user"))
    assert "Agent-1" == agent.record.name
    assert roster.hear(agent, session(name="api", nameSource="user"), NOW)
    assert "api" == agent.record.name


@pytest.mark.parametrize("source", ["derived", None, "new"])
def test_derived_names_are_ignored(source: str | None) -> None:
    """A name that the client derived may hold words of the prompt: the project's name serves."""
    agent = appear(Roster(), process(), session(name="fix-the-login-bug", nameSource=source))
    assert "shop-1" == agent.record.name


def test_numbered_names() -> None:
    """Agents without a name are numbered by project; the number of one that left is free again."""
    roster = Roster()
    agents = [appear(roster, process(pid)) for pid in (1, 2, 3)]
    agents.append(appear(roster, process(4, cwd="/srv/api/")))
    agents.append(appear(roster, process(5, cwd="/")))
    assert ["shop-1", "shop-2", "shop-3", "api-1", "agent-1"] == [a.record.name for a in agents]
    roster.exit(agents[1], NOW)
    assert "shop-2" == appear(roster, process(6)).record.name


def test_clashing_names() -> None:
    """A second agent of the same name gets a number behind it, and keeps it."""
    roster = Roster()
    first, second, third = (
        appear(roster, process(pid), session(pid, name="A", nameSource="user")) for pid in (1, 2, 3)
    )
    assert ["A", "A-2", "A-3"] == [each.record.name for each in (first, second, third)]
    assert not roster.hear(second, session(2, name="A", nameSource="user"), NINE_MS)
    roster.exit(first, NOW)
    roster.hear(second, session(2, name="A", nameSource="user"), NOW)
    assert "A-2" == second.record.name


def test_clashing_labels() -> None:
    """Two agents with the same TOLL_AGENT are told apart."""
    roster = Roster()
    names = [appear(roster, process(pid, AGENT="w")).record.name for pid in (1, 2)]
    assert ["w", "w-2"] == names


@pytest.mark.parametrize(("before", "after"), [("api-gateway", "api"), ("Agent-1", "Agent")])
def test_renamed_to_a_shorter_name(before: str, after: str) -> None:
    """A session renamed to the beginning of its old name bears the new one."""
    roster = Roster()
    agent = appear(roster, process(), session(name=before, nameSource="user"))
    roster.hear(agent, session(name=after, nameSource="user"), NOW)
    assert after == agent.record.name


def test_named_like_its_project() -> None:
    """An agent numbered by its project that is then named like the project bears that name."""
    roster = Roster()
    agent = appear(roster, process(), session())
    roster.hear(agent, session(name="shop", nameSource="user"), NOW)
    assert "shop" == agent.record.name


def test_labels_and_budget() -> None:
    """Workflow, task, stage and budget come from the environment."""
    seen = process(WORKFLOW="shop-1", TASK="shop-1.2", STAGE="analyze", BUDGET_USD="2.50")
    record = appear(Roster(), seen).record
    assert ("shop-1", "shop-1.2", "analyze", 2_500_000_000) == (
        record.workflow,
        record.task,
        record.stage,
        record.budget,
    )


@pytest.mark.parametrize("budget", ["", "much", "-1", "nan", "inf", "1e30"])
def test_budgets_that_are_none(budget: str) -> None:
    """What is no sum of money is no budget."""
    assert appear(Roster(), process(BUDGET_USD=budget)).record.budget is None


@pytest.mark.parametrize(
    ("subscribed", "by_key", "source"),
    [(True, False, "subscription"), (True, True, "api"), (False, True, "api"), (False, False, "")],
)
def test_source(subscribed: bool, by_key: bool, source: str) -> None:
    """A subscription pays unless a key is in force; without either, the conversation has to tell."""
    agent = Roster().appear(process(pays_by_key=by_key), None, subscribed, NINE_MS)
    assert source == agent.record.source


def test_claim_from_the_start() -> None:
    """An agent's conversation is its own from the process's start on, not before."""
    roster = Roster()
    appear(roster, process(AGENT="a"), session(), NINE_MS + MINUTE)
    assert "a" == holder(roster, "conv-1", NINE_MS)
    assert holder(roster, "conv-1", NINE_MS - 1) is None
    assert holder(roster, "conv-2", NINE_MS) is None
    assert roster.is_held("conv-1")
    assert not roster.is_held("conv-2")


def test_clear_keeps_both_conversations() -> None:
    """After /clear the agent holds the new conversation, from a little before that was noticed."""
    roster = Roster()
    agent = appear(roster, process(AGENT="a"), session())
    assert roster.hear(agent, session(conversation="conv-2"), NINE_MS + MINUTE)
    assert "conv-2" == agent.record.conversation
    assert "a" == holder(roster, "conv-1", NINE_MS + SECOND)
    assert "a" == holder(roster, "conv-2", NINE_MS + MINUTE - 4 * SECOND)
    assert holder(roster, "conv-2", NINE_MS + 30 * SECOND) is None


def test_resumed_conversation_belongs_to_who_holds_it_then() -> None:
    """A conversation that another agent resumes is the first one's until then."""
    roster = Roster()
    appear(roster, process(1, AGENT="a"), session(1))
    appear(roster, process(2, AGENT="b", started=NINE_MS + MINUTE), session(2))
    assert "a" == holder(roster, "conv-1", NINE_MS + SECOND)
    assert "b" == holder(roster, "conv-1", NINE_MS + MINUTE)


def test_first_conversation_of_an_agent_seen_without_one() -> None:
    """The conversation that an agent is first heard to hold was its own from its start."""
    roster = Roster()
    agent = appear(roster, process(AGENT="a"))
    roster.hear(agent, session(), NOW)
    assert "a" == holder(roster, "conv-1", NINE_MS)


def test_conversation_named_on_the_command_line() -> None:
    """A client without a session file holds the conversation that its arguments name."""
    roster = Roster()
    appear(roster, process(AGENT="a", conversation="conv-7"))
    assert "a" == holder(roster, "conv-7", NINE_MS)


def test_conversation_found_later() -> None:
    """A conversation that is found to be an agent's was its own from its start."""
    roster = Roster()
    agent = appear(roster, process(AGENT="a"))
    roster.converses(agent, "conv-3")
    assert "a" == holder(roster, "conv-3", NINE_MS)


def test_late_lines_after_an_exit() -> None:
    """Lines of the last minute after an exit are the agent's, later ones are nobody's."""
    roster = Roster()
    agent = appear(roster, process(AGENT="a"), session())
    roster.exit(agent, NOW)
    assert "a" == holder(roster, "conv-1", NOW + MINUTE)
    assert holder(roster, "conv-1", NOW + MINUTE + 1) is None


def test_exit_ends_only_its_own_claims() -> None:
    """When one of two holders of a conversation exits, the other holds it on."""
    roster = Roster()
    first = appear(roster, process(1, AGENT="a"), session(1))
    appear(roster, process(2, AGENT="b", started=NINE_MS + MINUTE), session(2))
    roster.exit(first, NOW)
    assert "b" == holder(roster, "conv-1", NOW + 10 * MINUTE)


def test_same_process_is_the_same_agent() -> None:
    """A process that is seen again is no second agent; its news are taken."""
    roster = Roster()
    first = appear(roster, process(), session())
    again = appear(roster, process(), session(status="idle"))
    assert first is again
    assert "idle" == first.state(NOW)
    assert [first] == roster.alive()


def test_reused_pid_is_another_agent() -> None:
    """A pid with another start is another agent."""
    roster = Roster()
    first = appear(roster, process(1))
    roster.exit(first, NOW)
    second = appear(roster, process(1, started=NOW))
    assert first.record.id != second.record.id
    assert second is roster.with_pid(1)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("busy", "working"),
        ("idle", "idle"),
        ("waiting", "waiting"),
        ("brand-new", "idle"),
        (None, "idle"),
    ],
)
def test_states(status: str | None, state: str) -> None:
    """An agent's state is what its client says."""
    agent = appear(Roster(), process(), session(status=status, waitingFor="permission prompt"))
    assert state == agent.state(NOW)
    assert ("permission prompt" if state == "waiting" else "") == agent.waiting_for


def test_state_without_a_session_file() -> None:
    """Without its own word an agent works while its log grows."""
    agent = appear(Roster(), process())
    assert "working" == agent.state(NINE_MS + 14 * SECOND)
    assert "idle" == agent.state(NINE_MS + 15 * SECOND)
    agent.last_time = NOW
    assert "working" == agent.state(NOW + SECOND)


def test_frozen_and_gone_go_before_what_was_said() -> None:
    """A stopped process is paused and a gone one exited, whatever its file says."""
    roster = Roster()
    agent = appear(roster, process(), session())
    agent.stopped = True
    assert "paused" == agent.state(NOW)
    roster.exit(agent, NOW)
    assert "exited" == agent.state(NOW)


def test_run_ends_half_an_hour_after_the_last_agent() -> None:
    """A run lasts while agents live and half an hour longer; the next agent starts another."""
    roster = Roster()
    agent = appear(roster, process(1))
    assert roster.run
    first = roster.run.id
    assert first == agent.record.run
    assert ([], None) == roster.tick(NINE_MS + MINUTE)
    roster.exit(agent, NINE_MS + 2 * MINUTE)
    assert ([], None) == roster.tick(NINE_MS + 30 * MINUTE)
    assert first == appear(roster, process(2), now=NINE_MS + 30 * MINUTE).record.run
    roster.tick(NINE_MS + 30 * MINUTE)
    roster.exit(roster.alive()[0], NINE_MS + 31 * MINUTE)
    _, ended = roster.tick(NINE_MS + 60 * MINUTE)
    assert ended
    assert (first, NINE_MS + 30 * MINUTE) == (ended.id, ended.ended)
    assert roster.run is None
    assert first != appear(roster, process(3), now=NOW).record.run


def test_exited_agents_leave_after_half_an_hour() -> None:
    """An agent that exited is shown for half an hour, then it and its claims are let go."""
    roster = Roster()
    agent = appear(roster, process(), session())
    roster.exit(agent, NOW)
    assert [] == roster.tick(NOW + 30 * MINUTE)[0]
    assert [agent] == roster.tick(NOW + 30 * MINUTE + 1)[0]
    assert {} == roster.agents
    assert not roster.is_held("conv-1")


def record(pid: int, ended: int = 0) -> AgentRecord:
    """An agent that an earlier daemon saved."""
    conversation = f"conv-{pid}"
    return AgentRecord(
        f"{pid}-1",
        pid,
        f"a{pid}",
        NINE_MS,
        "run-1",
        ended=ended,
        conversation=conversation,
        turns=((conversation, NINE_MS),),
    )


def test_restored_agents() -> None:
    """A new daemon knows the agents of the last half hour, with what they held."""
    roster = Roster()
    gone, lately = NOW - 30 * MINUTE, NOW - 29 * MINUTE
    roster.restore([record(1), record(2, lately), record(3, gone)], [], NOW)
    assert ["a1", "a2"] == [agent.record.name for agent in roster.agents.values()]
    assert "a1" == holder(roster, "conv-1", NOW)
    assert "a2" == holder(roster, "conv-2", lately + MINUTE)
    assert holder(roster, "conv-2", lately + MINUTE + 1) is None


@pytest.mark.parametrize(
    ("run", "goes_on"),
    [
        (RunRecord("r", 1, NOW - 29 * MINUTE), True),
        (RunRecord("r", 1, NOW - 30 * MINUTE), False),
        (RunRecord("r", 1, NOW - MINUTE, ended=NOW), False),
    ],
)
def test_restored_run(run: RunRecord, goes_on: bool) -> None:
    """A run goes on after a restart of the daemon, unless it was over."""
    roster = Roster()
    roster.restore([], [replace(run, id="old", ended=1), run], NOW)
    roster.tick(NOW)
    assert (run if goes_on else None) == roster.run


@pytest.mark.parametrize(
    ("told", "since"),
    [(NOW - MINUTE, NOW - MINUTE), (None, NOW), (NOW + MINUTE, NOW), (1, NINE_MS)],
    ids=["told", "untold", "ahead", "before its start"],
)
def test_status_since(told: int | None, since: int) -> None:
    """Since when a status holds is what the session says, within the agent's life."""
    roster = Roster()
    agent = appear(roster, process(), session(status="busy"), NOW)
    roster.hear(agent, session(status="waiting", statusUpdatedAt=told), NOW)
    assert since == agent.status_since


def test_status_since_nobody_knows_when() -> None:
    """Since when a status holds that was found so is not known, and the same status again is no news."""
    roster = Roster()
    agent = appear(roster, process(), session(status="busy"), NOW)
    assert agent.status_since == 0
    roster.hear(agent, session(status="waiting"), NOW + SECOND)
    roster.hear(agent, session(status="waiting"), NOW + MINUTE)
    assert agent.status_since == NOW + SECOND

"""Plays a session with its subagents, or a fork of one."""

from collections import deque
from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from synth import ids
from synth.context import Habits
from synth.conversation import Conversation
from synth.copies import copied_lines, last_uuid, replayed_lines, request_count
from synth.lines import Log
from synth.spending import Spending
from synth.tools import Call
from synth.usage import RATES
from synth.world import Setting, World

AGENT_TYPES: Final = (b"analyst", b"Explore", b"reviewer", b"tester")
REPLAY_SHARE: Final = 0.03
WORKFLOW_SHARE: Final = 0.15


class AgentLog(Struct, frozen=True):
    """A subagent's log and its sidecar; `folder` lies under the session's own."""

    agent_id: bytes
    folder: str
    meta: bytes
    lines: list[bytes]
    end: int


class Session(Struct, frozen=True):
    """A session as it was left."""

    log: Log
    habits: Habits
    lines: list[bytes]
    agents: list[AgentLog]
    spending: Spending
    end: int


def play_session(setting: Setting, start: int, size: int, agent_sizes: Sequence[int]) -> Session:
    """Play a session until its log has so many bytes."""
    main = Conversation(setting, start)
    main.open()
    return _play(setting, main, size, agent_sizes)


def play_fork(world: World, parent: Session, start: int, size: int) -> Session:
    """Play a session that goes on from a copy of another one, for so many bytes."""
    log = replace(parent.log, session_id=ids.uuid(world.rng))
    setting = Setting(world, log, parent.habits, parent.spending.fork())
    main = Conversation(setting, start)
    main.open()
    copies = copied_lines(
        parent.lines,
        parent.log.session_id,
        log.session_id,
        ids.uuid(world.rng),
        is_marked=not parent.habits.is_older,
    )
    main.go_on(copies, last_uuid(copies))
    world.truth.odd.copied_requests += request_count(copies)
    return _play(setting, main, main.size + size, [])


def _play(setting: Setting, main: Conversation, size: int, agent_sizes: Sequence[int]) -> Session:
    waiting = deque(agent_sizes)
    folder = _agents_folder(setting.world)
    agents: list[AgentLog] = []
    main.turn(size)
    while waiting or main.size < size:
        if waiting:
            agents += _play_agent(setting, main, waiting.popleft(), folder)
        if main.size < size:
            main.turn(size)
    main.close()
    return Session(
        log=setting.log,
        habits=setting.habits,
        lines=main.lines,
        agents=agents,
        spending=setting.spending,
        end=main.clock,
    )


def _agents_folder(world: World) -> str:
    if world.rng.random() > WORKFLOW_SHARE:
        return "subagents"
    return f"subagents/workflows/wf_{world.rng.getrandbits(48):012x}"


def _play_agent(setting: Setting, main: Conversation, size: int, folder: str) -> list[AgentLog]:
    """Play one subagent to its end; the main conversation waits for it."""
    rng, habits = setting.world.rng, setting.habits
    agent_id, kind = ids.agent_id(rng), rng.choice(AGENT_TYPES)
    main.delegate(_agent_call(setting.world, agent_id, kind, habits))
    agent = Conversation(_agent_setting(setting, agent_id, kind), main.clock)
    agent.turn(size)
    while agent.size < size:
        agent.turn(size)
    meta = _meta(kind, main.last_call, habits)
    main.clock = agent.clock
    main.notify(_notification(agent_id, main.last_call))
    logs = [AgentLog(agent_id, folder, meta, agent.lines, agent.clock)]
    if habits.has_request_ids and rng.random() < REPLAY_SHARE:
        logs.append(_replay(setting.world, logs[0]))
    return logs


def _agent_setting(setting: Setting, agent_id: bytes, kind: bytes) -> Setting:
    habits = setting.habits
    can_be_fast = RATES[habits.agent_model].fast > 1
    speed = habits.speed if can_be_fast else "standard"
    return replace(
        setting,
        log=replace(setting.log, agent_id=agent_id, agent_type=kind),
        habits=replace(habits, model=habits.agent_model, speed=speed),
    )


def _agent_call(world: World, agent_id: bytes, kind: bytes, habits: Habits) -> Call:
    prompt = world.pools.prose.take(world.rng, 400)
    return Call(
        id=b"toolu_01" + ids.token(world.rng, 22),
        name=b"Agent",
        input=b'{"description":"look into it","prompt":"%b","subagent_type":"%b"}' % (prompt, kind),
        content=b'[{"type":"text","text":"Async agent launched successfully.\\nagentId: %b"}]'
        % agent_id,
        outcome=b'{"isAsync":true,"status":"async_launched","agentId":"%b","description":'
        b'"look into it","resolvedModel":"%b","prompt":"%b","canReadOutputFile":true,'
        b'"canContinueAgent":true}' % (agent_id, habits.agent_model.encode(), prompt),
    )


def _meta(kind: bytes, call_id: bytes, habits: Habits) -> bytes:
    return (
        b'{"agentType":"%b","isBuiltIn":false,"launchedWithDefaults":true,"description":'
        b'"look into it","toolUseId":"%b","spawnDepth":1,"requestShape":"background",'
        b'"requestNonInteractive":true,"model":"%b","pickedEffortModel":"%b","finished":true}'
        % (kind, call_id, habits.agent_model.encode(), habits.model.encode())
    )


def _notification(agent_id: bytes, call_id: bytes) -> bytes:
    return (
        b"<task-notification>\\n<task-id>%b</task-id>\\n<tool-use-id>%b</tool-use-id>\\n"
        b'<status>completed</status>\\n<summary>Agent \\"look into it\\" finished</summary>\\n'
        b"<result>done</result>\\n</task-notification>" % (agent_id, call_id)
    )


def _replay(world: World, agent: AgentLog) -> AgentLog:
    agent_id = ids.agent_id(world.rng)
    lines = replayed_lines(agent.lines, agent.agent_id, agent_id)
    world.truth.odd.replayed_requests += request_count(lines)
    return replace(agent, agent_id=agent_id, lines=lines)

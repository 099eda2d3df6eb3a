"""Made-up values of the wire, and a console that writes into a string."""

from io import StringIO

from msgspec.structs import replace
from rich.console import Console, RenderableType

from tollkeeper import wire
from tollkeeper.model import (
    Agent,
    DaemonInfo,
    Hold,
    HoldKind,
    Plan,
    Run,
    Status,
    Subagent,
    Today,
    Usage,
)

TIME = "2026-11-22T09:30:00.000+00:00"
USED = Usage(
    requests=3,
    messages=2,
    input_tokens=1_000,
    output_tokens=20_000,
    cache_read_tokens=300_000,
    cache_write_5m_tokens=4_000,
    cache_write_1h_tokens=5_000,
    web_searches=1,
    total_tokens=330_000,
    cost_usd=1.25,
    value_usd=1.25,
)


def agent(name: str = "Agent-1", **more: object) -> Agent:
    """A working agent that pays by key."""
    made = Agent(
        id=f"id-{name}",
        name=name,
        pid=100,
        state="working",
        source="api",
        model="claude-opus-5-5",
        cwd="/home/dev/src/shop",
        project="shop",
        conversation="conv-1",
        started_at="2026-11-22T09:00:00.000+00:00",
        last_activity_at="2026-11-22T09:29:18.000+00:00",
        lines_added=12,
        lines_removed=3,
        usage=USED,
    )
    return replace(made, **more)


def held(name: str, kind: HoldKind, reason: str = "It is reached.", **more: object) -> Agent:
    """An agent that is held."""
    return agent(name, held=Hold(kind=kind, since=TIME, reason=reason), **more)


def helper(id: str = "h1", type: str | None = "analyst") -> Subagent:
    """A working subagent."""
    return Subagent(id=id, type=type, state="working", usage=USED)


def today(subscription: Usage | None = None, api: Usage | None = None) -> Today:
    """A day's sums."""
    return Today(subscription=subscription or Usage(), api=api or Usage(), total=USED)


def status(*agents: Agent, **more: object) -> Status:
    """The state of a daemon with these agents."""
    made = Status(
        version="0.1.0",
        protocol=1,
        sequence=7,
        time=TIME,
        daemon=DaemonInfo(pid=1, started_at=TIME),
        agents=agents,
        plan=Plan(),
        today=today(),
        run=Run(id="run-1", started_at=TIME, usage=USED),
    )
    return replace(made, **more)


def beat_after(status: Status) -> wire.Heartbeat:
    """The heartbeat that follows it, and says nothing new."""
    return wire.Heartbeat(
        sequence=status.sequence + 1,
        time=status.time,
        daemon=status.daemon,
        agents=tuple(agent.id for agent in status.agents),
        today=status.today,
        run=status.run,
    )


def printed(what: RenderableType, width: int = 120) -> str:
    """What this looks like on a plain terminal of this width."""
    out = StringIO()
    plain = Console(
        file=out, width=width, color_system=None, highlight=False, markup=False, emoji=False
    )
    plain.print(what)
    return out.getvalue()

"""A made-up fleet: one agent in each state, with limits, a plan, subagents and labels."""

from client.making import TIME, USED, agent, helper, status, today
from tollkeeper.model import Agent, Alert, Hold, Limit, Plan, Status, Usage, Window

SMALL = Usage(requests=1, messages=1, total_tokens=2_000, cost_usd=0.02, value_usd=0.02)
PLAN = Plan(
    name="max",
    title="Claude Max",
    five_hour=Window(used_percent=67, resets_at="2026-11-22T12:00:00+00:00", observed_at=TIME),
    seven_day=Window(used_percent=31, resets_at="2026-11-26T12:00:00+00:00", observed_at=TIME),
    messages_today=127,
    opus_messages=142,
    opus_limit=200,
)


def limit(scope: str = "agent:Agent-1", used: float = 3.55, bound: float = 5.0) -> Limit:
    """A limit in dollars that pauses."""
    state = "reached" if used >= bound else "warned" if used >= 0.8 * bound else "under"
    return Limit(
        scope=scope,
        bound_usd=bound,
        used=used,
        fraction=used / bound,
        action="pause",
        state=state,
    )


def fleet() -> tuple[Agent, ...]:
    """An agent in each state."""
    return (
        agent(
            "Agent-1",
            task="Fix auth bypass",
            state_since="2026-11-22T09:18:00+00:00",
            source="subscription",
            lines_added=142,
            lines_removed=38,
            context_used_percent=62.0,
            limits=(limit(),),
            subagents=(helper("h1"), helper("h2", "planner")),
        ),
        agent(
            "Agent-2",
            workflow=".claude-4nq",
            stage="review",
            state="waiting",
            waiting_for="permission prompt",
            state_since="2026-11-22T08:05:00+00:00",
        ),
        agent("Agent-3", state="idle", usage=SMALL),
        agent(
            "Agent-4",
            state="paused",
            held=Hold(kind="paused", since=TIME, reason="Its limit is reached: $5.01 of $5.00."),
            limits=(limit("agent:Agent-4", 5.01),),
        ),
        agent(
            "Agent-5", held=Hold(kind="blocked", since=TIME, reason="The day's limit is reached.")
        ),
        agent("Agent-6", state="exited", usage=Usage()),
    )


def busy() -> Status:
    """The state of a daemon with that fleet, a plan, limits and an alert."""
    return status(
        *fleet(),
        plan=PLAN,
        plans=(PLAN,),
        today=today(USED, USED),
        limits=(limit("daily", 41.0, 50.0), limit("run", 2.5, 20.0)),
        alerts=(Alert(time=TIME, kind="warned", text="Agent-1 has used 80 % of $5.00."),),
    )

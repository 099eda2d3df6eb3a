"""The formats that have a name, and which of them suits a status. Pure."""

from tollkeeper.model import Status
from tollkeeper.segment.fields import alive

# The one that is chosen by who pays.
BRIEF = "brief"
# Only how many there are, for whoever wants to see no usage.
WITHOUT_USAGE = "agents"

PRESETS = {
    "subscription": "[{agents} | {pending} | {paused} | {plan} | {limited}]",
    "api": "[{agents} | {pending} | {paused} | {cost_today}]",
    "both": "[{agents} | {pending} | {paused} | {plan} | {limited} | {api}]",
    WITHOUT_USAGE: "[{agents} | {pending} | {paused} | {limited}]",
    "minimal": "{agents:short} {pending:short} {paused:short} {plan:short} {cost_today:short}",
    "statusline": "{name} | {model} | {context} | {limit,cost} | {plan} | {resets} | {limited}",
}


def chosen(name: str, status: Status) -> str:
    """The format of this name, or the format itself if it is none."""
    if name == BRIEF:
        name = _suiting(status)
    return PRESETS.get(name, name)


def _suiting(status: Status) -> str:
    sources = {agent.source for agent in alive(status)}
    plans = (status.plan, *status.plans)
    has_plan = any(plan.five_hour or plan.limited_until for plan in plans)
    subscribed = has_plan or status.today.subscription.requests or "subscription" in sources
    billed = status.today.api.requests or sources - {"subscription"}
    if subscribed and billed:
        return "both"
    return "subscription" if subscribed else "api"

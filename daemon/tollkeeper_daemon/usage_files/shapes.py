"""The usage files, as they are written: Opus Orchestra's own keys, and a few more; pure."""

from msgspec import Struct

from tollkeeper.model import Plan
from tollkeeper_daemon.ledger.books import API, SUBSCRIPTION

VERSION = 1


class Sum(Struct, frozen=True):
    """What was used of a kind of payer: ``cost`` is what is billed, ``value`` the list price, in dollars."""

    messages: int = 0
    requests: int = 0
    inputTokens: int = 0
    outputTokens: int = 0
    cacheReadTokens: int = 0
    cacheCreationTokens: int = 0
    cost: float = 0.0
    value: float = 0.0
    unpricedRequests: int = 0


class AgentUse(Sum, frozen=True):
    """The same of one agent: who pays, the model and task that most of it went to."""

    source: str = ""
    model: str | None = None
    task: str | None = None
    workflow: str | None = None
    stage: str | None = None


class PlanSnapshot(Struct, frozen=True):
    """How a subscription's plan stood: percentages of its windows, and this month's opus messages."""

    planUsagePercent: float | None = None
    sevenDayPercent: float | None = None
    resetsAt: str | None = None
    opusUsed: int = 0
    opusLimit: int | None = None
    messagesToday: int = 0


class SessionFile(Struct, frozen=True):
    """``sessions/<start>.json``: a run of agents; ``endTime`` is null while it lasts."""

    version: int
    sessionId: str
    startTime: str
    endTime: str | None
    authMode: str | None
    agents: dict[str, AgentUse]
    subscriptionSnapshot: PlanSnapshot | None
    subscriptionTotals: Sum
    apiTotals: Sum


class DailyFile(Struct, frozen=True):
    """``daily/<day>.json``: a local day; ``models`` are those of ``toll daily``."""

    version: int
    date: str
    authMode: str | None
    agents: dict[str, AgentUse]
    subscriptionTotals: Sum
    apiTotals: Sum
    totals: Sum
    models: dict[str, Sum]


def auth_mode(sources: set[str]) -> str | None:
    """Who pays, in one word: a subscription, the API, or both; None for nobody yet."""
    if sources >= {SUBSCRIPTION, API}:
        return "both"
    return min(sources, default=None)


def plan_snapshot(plan: Plan) -> PlanSnapshot | None:
    """The plan as it stands; None where nothing is known of one."""
    if not (plan.five_hour or plan.seven_day or plan.name):
        return None
    return PlanSnapshot(
        plan.five_hour and plan.five_hour.used_percent,
        plan.seven_day and plan.seven_day.used_percent,
        plan.five_hour and plan.five_hour.resets_at,
        plan.opus_messages,
        plan.opus_limit,
        plan.messages_today,
    )

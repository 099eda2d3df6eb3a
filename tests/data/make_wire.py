"""Writes the wire fixture: ``python tests/data/make_wire.py tests/data/wire-v1``.

Messages of version 1 of the protocol, which every later client must read. Those that are there stay
as they are, only others are added; a later version gets a folder of its own.
"""

import sys
from pathlib import Path

from msgspec import Raw

from tollkeeper import wire
from tollkeeper.model import (
    Action,
    Agent,
    Alert,
    DaemonInfo,
    Importing,
    Limit,
    Plan,
    Run,
    Status,
    Subagent,
    Today,
    Usage,
    Window,
)
from tollkeeper.proxies import AccountWindow, Proxy, ProxyAccount

TIME = "2026-11-22T09:30:00.000+00:00"
USED = Usage(
    requests=3,
    messages=2,
    input_tokens=44,
    output_tokens=1_222,
    cache_read_tokens=45_000,
    cache_write_5m_tokens=1_500,
    cache_write_1h_tokens=4_500,
    web_searches=1,
    total_tokens=52_266,
    cost_usd=0.0722896,
    value_usd=0.0722896,
    unpriced_requests=1,
)
LIMIT = Limit(
    scope="agent:Agent-1",
    bound_usd=0.09,
    used=0.0722896,
    fraction=0.8032,
    action="pause",
    state="warned",
)
HELPER = Subagent(id="a3a1", type="analyst", description="analyse it", state="done", usage=USED)
AGENT = Agent(
    id="4711-99",
    name="Agent-1",
    pid=4711,
    state="waiting",
    waiting_for="permission prompt",
    source="subscription",
    account="acc-1",
    model="claude-opus-5-5",
    cwd="/home/dev/src/shop",
    project="shop",
    conversation="473839a4-2603-4c7c-95bb-3f253017e44a",
    started_at=TIME,
    last_activity_at=TIME,
    workflow="shop-4nq",
    task="shop-4nq.1",
    stage="analyze",
    lines_added=12,
    lines_removed=3,
    context_used_percent=11.5,
    usage=USED,
    subagents=(HELPER,),
    limits=(LIMIT,),
)
WINDOW = Window(used_percent=42.5, resets_at=TIME, observed_at=TIME)
DAEMON = DaemonInfo(
    pid=1, started_at=TIME, importing=Importing(done_bytes=1_000, total_bytes=2_000)
)
TODAY = Today(subscription=USED, api=Usage(), total=USED)
RUN = Run(id="run-1", started_at=TIME, usage=USED)
STATUS = Status(
    version="0.1.0",
    protocol=1,
    sequence=41,
    time=TIME,
    daemon=DAEMON,
    agents=(AGENT,),
    plan=Plan(name="max", five_hour=WINDOW, seven_day=None, limited_until=TIME),
    today=TODAY,
    run=RUN,
    limits=(LIMIT,),
    alerts=(Alert(time=TIME, kind="unknown-model", text="no price for claude-opus-9"),),
)
CHARGED = wire.Charged(
    conversation="c", agent="4711-99", subagent="a3a1", model="m", source="api", usage=USED
)

MESSAGES = {
    "snapshot.json": wire.Reply("1", result=Raw(wire.encode(STATUS))),
    "error.json": wire.Reply(
        "2", error=wire.ErrorBody("bad-params", "no time zone 'Nowhere'", "name one like UTC")
    ),
    "usage.json": wire.UsageUpdate(
        sequence=42, time=TIME, charged=(CHARGED,), agents=(AGENT,), today=TODAY, run=RUN
    ),
    "agent.json": wire.AgentUpdate(sequence=42, time=TIME, agent=AGENT),
    "heartbeat.json": wire.Heartbeat(
        sequence=42, time=TIME, daemon=DAEMON, agents=("4711-99",), today=TODAY, run=None
    ),
    "limit.json": wire.LimitUpdate(
        sequence=42,
        time=TIME,
        limits=(
            LIMIT,
            Limit(
                scope="daily",
                bound_tokens=1_000,
                used=1_200,
                fraction=1.2,
                action="stop",
                state="reached",
            ),
        ),
    ),
    "action.json": wire.ActionUpdate(
        sequence=42,
        time=TIME,
        action=Action(
            number=7,
            time=TIME,
            kind="paused",
            text="Agent-1 is paused. The limit of Agent-1 is reached: $0.10 of $0.09.",
            cause="limit",
            id="4711-99",
            agent="Agent-1",
            pid=4711,
            conversation="473839a4-2603-4c7c-95bb-3f253017e44a",
            scope="agent:Agent-1",
            bound_usd=0.09,
            used=0.1,
            action="pause",
        ),
    ),
    "alert.json": wire.AlertUpdate(
        sequence=42,
        time=TIME,
        alert=Alert(time=TIME, kind="reached", text="The limit is reached.", agent="Agent-1"),
    ),
    "proxies.json": wire.ProxiesUpdate(
        sequence=42,
        time=TIME,
        proxies=(
            Proxy(
                server="127.0.0.1:8080",
                generation="H",
                live=True,
                observed_at=TIME,
                accounts=(
                    ProxyAccount(
                        account="proxy 127.0.0.1:8080/work",
                        name="work",
                        provider="anthropic",
                        tier="5",
                        source="subscription",
                        state="limited",
                        rate_limit="Rate limited (60m)",
                        limited_until=TIME,
                        five_hour=AccountWindow(used_percent=42.0, resets_at=TIME),
                        proxy_requests=7,
                    ),
                ),
            ),
        ),
    ),
    "usage-limits.json": wire.UsageUpdate(
        sequence=42,
        time=TIME,
        charged=(CHARGED,),
        agents=(AGENT,),
        today=TODAY,
        run=RUN,
        limits=(LIMIT,),
    ),
}

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    for name, message in MESSAGES.items():
        if not (folder / name).exists():
            (folder / name).write_bytes(wire.encode(message) + b"\n")

"""What ``toll doctor`` says of ccflare and better-ccflare, by what the daemon says, which alone asks them. Pure."""

from typing import Any

from tollkeeper.cli.facts import Facts
from tollkeeper.cli.finding import Finding

GENERATIONS = {"C": "ccflare", "B": "better-ccflare", "H": "better-ccflare"}
MEND = "see [ccflare] in docs/accounts.md"


def ccflare_findings(facts: Facts) -> list[Finding]:
    """A line for each proxy that agents ask, or that the settings name."""
    if facts.health is None or (proxies := facts.health.get("proxies")) is None:
        return []
    if not proxies:
        return [Finding(True, "ccflare: no agent asks one, and not needed")]
    return [judge_proxy(proxy) for proxy in proxies]


def judge_proxy(proxy: dict[str, Any]) -> Finding:
    """How the daemon fares with this proxy."""
    name = f"proxy {proxy['server']}"
    if proxy["trouble"]:
        return Finding(False, f"{name}: {proxy['trouble']}", MEND)
    unread = f", {proxy['bad']} of its entries can't be read" if proxy["bad"] else ""
    kind = GENERATIONS.get(proxy["generation"], "not heard of yet")
    return Finding(True, f"{name}: {kind}{unread}")

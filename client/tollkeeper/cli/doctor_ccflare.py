"""What ``toll doctor`` says of ccflare and better-ccflare, by what the daemon says, which alone asks them. Pure."""

from typing import Any

from tollkeeper.cli.facts import Facts
from tollkeeper.cli.finding import Finding

GENERATIONS = {"C": "ccflare", "B": "better-ccflare", "H": "better-ccflare"}
MENDS = {
    "settings": "see that it runs there; where it is not to be asked: toll config set ccflare.url=",
    "agents": "see that it runs there; where it is gone for good, start its agents anew, without it "
    "in ANTHROPIC_BASE_URL",
}


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
    if proxy["trouble"] and not proxy["asked_by"]:
        return Finding(True, f"{name}: {proxy['trouble']}; no agent that runs asks it")
    if proxy["trouble"]:
        return Finding(False, f"{name}: {proxy['trouble']}", MENDS[proxy["asked_by"]])
    unread = f", {proxy['bad']} of its entries can't be read" if proxy["bad"] else ""
    kind = GENERATIONS.get(proxy["generation"], "not heard of yet")
    return Finding(True, f"{name}: {kind}{unread}")

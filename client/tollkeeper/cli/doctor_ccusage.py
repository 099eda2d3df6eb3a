"""What ``toll doctor`` says of ccusage, which only ``toll ccusage`` needs, by what the daemon says. Pure."""

from typing import Any

from tollkeeper.cli.facts import Facts
from tollkeeper.cli.finding import Finding

MEND = "npm install -g ccusage, or name its path: toll config set ccusage.command=PATH"


def ccusage_findings(facts: Facts) -> list[Finding]:
    """By what the daemon would run it; where nobody asked for it nothing is wrong without."""
    told: dict[str, Any] | None = (facts.health or {}).get("ccusage")
    if told is None:
        return []
    if told["found"]:
        # npx and bunx are there without any ccusage; to ask them takes seconds.
        open_end = "; whether that has one says: toll ccusage" if " " in told["found"] else ""
        return [Finding(True, f"ccusage: by {told['found']}{open_end}")]
    if told["wanted"]:
        return [Finding(False, f"ccusage: {told['failing']}", MEND)]
    return [Finding(True, "ccusage: not installed, and not needed: npm install -g ccusage")]

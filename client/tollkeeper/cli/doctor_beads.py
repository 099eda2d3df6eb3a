"""What ``toll doctor`` says of Beads' own command, by what the daemon says. Pure."""

from typing import Any

from tollkeeper.cli.facts import Facts
from tollkeeper.cli.finding import Finding

MEND = "install it; the service has the PATH that it was installed with: toll service install; or: toll config set beads.comment=false"


def beads_findings(facts: Facts) -> list[Finding]:
    """Whether the daemon finds it, and whether comments get through."""
    health = facts.health or {}
    told: dict[str, Any] | None = health.get("beads")
    if told is None:
        return []
    if failing := health.get("exchange", {}).get("comments_failing"):
        return [Finding(False, f"Beads: the last comment failed: {failing}", "see tolld.log")]
    if told["found"]:
        return [Finding(True, f"Beads: {told['found']}")]
    if told["comment"]:
        return [Finding(False, f"Beads: the daemon finds no {told['command']}", MEND)]
    return [Finding(True, f"Beads: {told['command']} is not installed, and not needed")]

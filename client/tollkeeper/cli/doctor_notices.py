"""What ``toll doctor`` says of notifications, by what the daemon says. Pure."""

from typing import Any

from tollkeeper.cli.facts import Facts
from tollkeeper.cli.finding import Finding

OFF = "notifications: turned off: toll config set notify.desktop=true"
NO_PLACE = "notifications: the daemon is in no desktop session; docs/notifications.md says what else there is"
MEND = "start a notification service, or: toll config set notify.desktop=false"


def notice_findings(facts: Facts) -> list[Finding]:
    """Whether the desktop shows what is to be told."""
    told: dict[str, Any] | None = (facts.health or {}).get("notifications")
    if told is None:
        return []
    if told["failing"]:
        text = f"notifications: the last one could not be shown: {told['failing']}"
        return [Finding(False, text, MEND)]
    if told["desktop"] and told["has_desktop"]:
        return [Finding(True, "notifications: on the desktop")]
    if told["command"]:
        return [Finding(True, "notifications: by the command in notify.command")]
    return [Finding(True, NO_PLACE if told["desktop"] else OFF)]

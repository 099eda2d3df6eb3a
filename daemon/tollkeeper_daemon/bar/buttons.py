"""The buttons of a notification: which there are, and what a press of one does."""

from tollkeeper_daemon.outlets.notices import Button
from tollkeeper_daemon.rules.limits import Limit

ADDED_DOLLARS = 5
RESUME: Button = ("resume", "Resume")
ADD: Button = ("add", f"Add ${ADDED_DOLLARS}")
STOP: Button = ("stop", "Stop")


def buttons_of(limit: Limit | None) -> tuple[Button, ...]:
    """What may be answered when this limit holds an agent; tokens are not added by the dollar."""
    return (RESUME, ADD, STOP) if limit and limit.unit == "usd" else (RESUME, STOP)

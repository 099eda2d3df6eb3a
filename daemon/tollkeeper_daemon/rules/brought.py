"""The budget that an agent brings along in its environment, ``TOLL_BUDGET_USD``. Pure."""

import re

from tollkeeper_daemon.rules.settings import MOST_DOLLARS, nano_of

LABEL = "TOLL_BUDGET_USD"
LONGEST_SHOWN = 40
# float() takes more: digits of other scripts, underscores, names of numbers that are none.
NUMBER = re.compile(r"\+?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def budget_of(text: str | None) -> int | None:
    """The budget in nano-dollars; None when there is none, or it can't be one."""
    found = NUMBER.fullmatch((text or "").strip())
    dollars = float(found[0]) if found else 0.0
    return nano_of(dollars) if 0 < dollars < MOST_DOLLARS else None


def complaint(agent: str, text: str | None) -> str:
    """What is wrong with a budget that was given and is not in force; empty when nothing is."""
    if not text or budget_of(text) is not None:
        return ""
    shown = f"{text[:LONGEST_SHOWN]}{'…' if len(text) > LONGEST_SHOWN else ''}"
    return (
        f"the budget of {agent} is not in force: {LABEL} is {shown!r}, and not a number of dollars "
        f"above 0 such as 2.50; set one: toll limit set --agent {agent} --usd 2.50"
    )

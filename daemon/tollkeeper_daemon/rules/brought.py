"""The budget that an agent brings along in its environment, ``TOLL_BUDGET_USD``. Pure."""

import re

from tollkeeper_daemon.rules.settings import MOST_DOLLARS, nano_of

LABEL = "TOLL_BUDGET_USD"
LONGEST_SHOWN = 40
# float() takes more: digits of other scripts, underscores, names of numbers that are none.
NUMBER = re.compile(r"\+?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def budget_of(text: str | None) -> int | None:
    """The budget in nano-dollars, 0 for no limit; None when there is none, or it can't be one."""
    found = NUMBER.fullmatch((text or "").strip())
    if found is None:
        return None
    dollars, says_zero = float(found[0]), not set(found[1]) - set("0.")
    # What is too small to be a number above 0 is a mistake, and must not become no limit.
    return nano_of(dollars) if says_zero or 0 < dollars < MOST_DOLLARS else None


def complaint(agent: str, text: str | None) -> str:
    """What is wrong with a budget that was given and is not in force; empty when nothing is."""
    if not text or budget_of(text) is not None:
        return ""
    shown = f"{text[:LONGEST_SHOWN]}{'…' if len(text) > LONGEST_SHOWN else ''}"
    return (
        f"the budget of {agent} is not in force: {LABEL} is {shown!r}, and not a number of dollars "
        f"such as 2.50, or 0 for no limit; set one: toll limit set --agent {agent} --usd 2.50"
    )

"""What ``toll doctor`` says of ccusage, which nothing of ours needs."""

import shutil

from tollkeeper.cli.facts import Facts
from tollkeeper.cli.finding import Finding

# The program itself, else what fetches it when it is called.
RUNNERS = ("ccusage", "bunx", "npx")


def ccusage_findings(facts: Facts) -> list[Finding]:
    """By what it could be run."""
    found = next((path for name in RUNNERS if (path := shutil.which(name))), None)
    return [judge_ccusage(found)]


def judge_ccusage(found: str | None) -> Finding:
    """What the program that was found means. Pure."""
    if found is None:
        return Finding(True, "ccusage: not installed, and not needed: npm install -g ccusage")
    return Finding(True, f"ccusage: by {found}")

"""What ``toll doctor`` says of the clock, by which limits of a day and windows of a plan go."""

import subprocess
from datetime import datetime, timedelta

from tollkeeper.cli import words
from tollkeeper.cli.facts import Facts
from tollkeeper.cli.finding import Finding

# Clocks of two machines that share a home may differ by some seconds.
AHEAD = timedelta(minutes=2)
# No clock that is right shows an earlier time than that of this program.
EARLIEST = "2025-01-01T00:00:00+00:00"
SET = "look at date -u; timedatectl set-ntp true sets the clock by others"
PATIENCE_SECONDS = 2.0


def clock_findings(facts: Facts) -> list[Finding]:
    """Whether the clock is right, as far as it can be told."""
    latest: str | None = (facts.health or {}).get("latest_request")
    return judge_clocks(facts.now, datetime.fromisoformat(latest) if latest else None, _is_synced())


def judge_clocks(now: datetime, latest: datetime | None, synced: bool | None) -> list[Finding]:
    """What the time now, that of the latest request and the system's word on its clock mean. Pure."""
    if now < datetime.fromisoformat(EARLIEST):
        return [Finding(False, f"clock: it shows {now:%Y-%m-%d %H:%M}, which is long ago", SET)]
    if latest is not None and latest > now + AHEAD:
        ahead = words.span((latest - now).total_seconds())
        text = f"clock: a log tells of a request {ahead} ahead of it"
        return [Finding(False, text, SET)]
    behind = ", and no log is ahead of it" if latest is not None else ""
    unset = "; not set by NTP: timedatectl set-ntp true" if synced is False else ""
    return [Finding(True, f"clock: {now.astimezone():%Y-%m-%d %H:%M %z}{behind}{unset}")]


def _is_synced() -> bool | None:
    """Whether the system sets its clock by others; None where it does not say."""
    try:
        said = subprocess.run(
            ["timedatectl", "show", "--property=NTPSynchronized", "--value"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE_SECONDS,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {b"yes": True, b"no": False}.get(said.strip())

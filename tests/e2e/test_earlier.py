"""The real client's own statistics of days whose logs are gone, beside what is counted."""

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from flow.claude_home import ClaudeHome
from flow.keeper import Keeper
from tollkeeper_daemon.sources.stats_cache import FILE
from waiting import wait_until

from .client import Client
from .interactive import Interactive
from .replies import Tokens, bash, say
from .stand_in import StandIn

pytestmark = pytest.mark.e2e

DAYS = timedelta(days=40)


def move_back(log: Path) -> str:
    """Let the log be forty days older by its lines' times; the day that it is of then."""

    def moved(found: re.Match[str]) -> str:
        return f'"timestamp":"{(datetime.fromisoformat(found[1]) - DAYS).isoformat()}"'

    log.write_text(re.sub('"timestamp":"([^"]+)"', moved, log.read_text()))
    times: list[str] = re.findall('"timestamp":"([^"]+)"', log.read_text())
    return min(times)[:10]


def total(tokens: Tokens) -> int:
    """All tokens of a reply."""
    written = tokens.cache_write_5m + tokens.cache_write_1h
    return tokens.input + tokens.output + tokens.cache_read + written


@pytest.mark.usefixtures("tmux")
def test_day_whose_log_is_gone(stand_in: StandIn, client: Client) -> None:
    """What /stats wrote of a day is told when its log is gone, and is no part of what is counted."""
    stand_in.play("RUNBASH", bash("echo one"), say("Done."))
    old = client.run("RUNBASH, please")
    new = client.run("today")
    log = client.log_path(old.session_id)
    day = move_back(log)
    with Interactive(client) as session:
        session.send("/stats")
        wait_until((client.config_dir / FILE).exists, what="the client's statistics")
    log.unlink()
    with Keeper(ClaudeHome(client.config_dir, client.cwd)) as keeper:
        keeper.limit()
        keeper.start().wait_for_requests(1)
        [found] = keeper.report("earlier")["earlier"]
        [counted] = keeper.report("session")["sessions"]
    assert (found["date"], found["source"], found["sessions"]) == (day, "stats-cache", 1)
    assert counted["sessionId"] == new.session_id
    first, second = (each for each in stand_in.served if each.session_id == old.session_id)
    # The client counts every line of a reply, and the first stands on two: its text, and its call.
    tokens = 2 * total(first.tokens) + total(second.tokens)
    assert (found["models"], found["tokens"]) == ({first.model: tokens}, tokens)
    assert found["cacheCounted"]

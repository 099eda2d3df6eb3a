"""The ledger beside the client's own totals, in a real daemon."""

from typing import Any

import pytest

from tollkeeper.errors import TollError
from waiting import wait_until

from . import lines
from .claude_home import ClaudeHome, Log
from .keeper import Keeper
from .lines import OPUS, USUAL_USD

HIDDEN_OUTPUT = 100
HIDDEN_USD = 0.002


def conversation(home: ClaudeHome, replies: int, counted: int, hidden: bool = False) -> Log:
    """A conversation with so many replies, and totals of the client that count so many."""
    log = home.log()
    for number in range(replies):
        log.append(lines.reply(log.writer, when=lines.ago(minutes=replies - number)))
    dollars = counted * USUAL_USD + (HIDDEN_USD if hidden else 0)
    extra = HIDDEN_OUTPUT if hidden else 0
    log.append(lines.totals(log.writer, dollars, count=counted, hidden=extra))
    return log


def audit(keeper: Keeper, **params: Any) -> dict[str, Any]:
    """The report."""
    return keeper.report("audit", **params)


def test_agreement(daemon: Keeper, home: ClaudeHome) -> None:
    """A conversation that agrees is counted, listed on request, and no cause for a bad exit."""
    log = conversation(home, replies=3, counted=3)
    other = home.log()
    other.reply()
    daemon.wait_for_requests(4)
    report = audit(daemon)
    assert (1, 1, 0, 1) == tuple(
        report[name] for name in ("audited", "agree", "differ", "withoutTotals")
    )
    assert [] == report["conversations"]
    [row] = audit(daemon, all=True)["conversations"]
    assert (log.conversation, "none", True) == (row["sessionId"], row["cause"], row["explained"])
    result = daemon.run("audit")
    assert result.returncode == 0
    assert result.stdout == "1 agrees to the token, 0 differ, 1 without the client's totals\n"


def test_explained_difference(daemon: Keeper, home: ClaudeHome) -> None:
    """A request that no log holds is listed with its cause, told in an alert, and no failure."""
    conversation(home, replies=1, counted=1, hidden=True)
    daemon.wait_for_requests(1)
    [row] = audit(daemon)["conversations"]
    assert ("unlogged", True, HIDDEN_USD) == (row["cause"], row["explained"], row["differenceUSD"])
    [model] = row["models"]
    apart = model["client"]["outputTokens"] - model["ledger"]["outputTokens"]
    assert HIDDEN_OUTPUT == apart
    result = daemon.run("audit")
    assert result.returncode == 0
    assert "+$0.0020" in result.stdout
    status = daemon.wait_for(lambda status: any(a.kind == "audit" for a in status.alerts))
    [alert] = [alert for alert in status.alerts if alert.kind == "audit"]
    assert "requests that no log holds" in alert.text
    wait_until(lambda: daemon.report("health")["audit"]["audited"] == 1)
    assert "audit: 0 of 1 conversations agree" in daemon.run("doctor").stdout


def test_unexplained_difference(daemon: Keeper, home: ClaudeHome) -> None:
    """More in the ledger than the client counts fails the command and is told by name."""
    log = conversation(home, replies=3, counted=1)
    daemon.wait_for_requests(3)
    result = daemon.run("audit", log.conversation[:8])
    assert result.returncode == 1
    assert f"BAD   {log.conversation[:8]}" in result.stdout
    assert "      opus-5-5: " in result.stdout
    status = daemon.wait_for(lambda status: any(a.kind == "audit" for a in status.alerts))
    assert any(log.conversation[:8] in alert.text for alert in status.alerts)


def test_fork_and_restart(daemon: Keeper, home: ClaudeHome) -> None:
    """A fork agrees, whether it was read live or as history."""
    parent = conversation(home, replies=2, counted=2)
    daemon.wait_for_requests(2)
    daemon.stop()
    fork = home.log()
    fork.append(lines.forked(b"".join(_replies(parent)), fork.conversation))
    fork.append(lines.reply(fork.writer))
    fork.append(lines.totals(fork.writer, 3 * USUAL_USD, count=3))
    daemon.start()
    daemon.wait_for_requests(3)
    report = audit(daemon)
    assert (2, 2) == (report["audited"], report["agree"])


@pytest.mark.parametrize("restarted", [False, True])
def test_what_was_written_before_is_no_news(
    keeper: Keeper, home: ClaudeHome, restarted: bool
) -> None:
    """Nobody is told of last week, but once of what has no ordinary cause; what comes then is news."""
    if restarted:
        keeper.start()
        keeper.stop()
    conversation(home, replies=1, counted=1, hidden=True)
    for _ in range(2):
        conversation(home, replies=3, counted=1)
    keeper.start()
    status = keeper.wait_for(lambda status: bool(status.alerts))
    assert ["2 of 3 conversations differ"] == [alert.text[:27] for alert in status.alerts]
    conversation(home, replies=1, counted=1, hidden=True)
    status = keeper.wait_for(lambda status: len(status.alerts) > 1)
    assert "requests that no log holds" in status.alerts[1].text
    assert status.alerts[1].text.startswith("the client counts $0.0020 more")


def test_doctor_after_other_prices(daemon: Keeper, home: ClaudeHome) -> None:
    """The doctor's line keeps up with what is charged anew, and with an audit by hand."""
    conversation(home, replies=1, counted=1)
    daemon.wait_for_requests(1)
    assert 1 == audit(daemon)["agree"]
    counts = daemon.report("health")["audit"]
    assert (1, 1, 0) == (counts["audited"], counts["agree"], counts["unexplained"])
    assert counts["time"]
    assert "audit: 1 of 1 conversations agree with the client's totals (as of" in doctor(daemon)
    assert 0 == daemon.run("prices", "set", OPUS, "--input", "3000", "--output", "15").returncode
    assert 0 == daemon.run("reprice", "--yes").returncode
    wait_until(lambda: daemon.report("health")["audit"]["differ"] == 1)
    shown = daemon.run("audit").stdout
    assert "your own prices, or prices of another day" in " ".join(shown.split())


def test_doctor_warns_of_what_has_no_cause(daemon: Keeper, home: ClaudeHome) -> None:
    """A difference that nobody can explain needs a look."""
    conversation(home, replies=3, counted=1)
    daemon.wait_for_requests(3)
    assert 1 == audit(daemon)["totals"]["unexplained"]
    assert "BAD  audit: 0 of 1 conversations agree" in doctor(daemon)
    assert "mend: toll audit" in doctor(daemon)


def test_sums_of_forks(daemon: Keeper, home: ClaudeHome) -> None:
    """What forks inherited is told apart: without it the ledger's sum is what was used."""
    parent = conversation(home, replies=2, counted=2)
    daemon.wait_for_requests(2)
    fork = home.log()
    fork.append(lines.forked(b"".join(_replies(parent)), fork.conversation))
    fork.append(lines.reply(fork.writer))
    fork.append(lines.totals(fork.writer, 3 * USUAL_USD, count=3))
    daemon.wait_for_requests(3)
    totals = audit(daemon)["totals"]
    assert totals["inheritedUSD"] == pytest.approx(2 * USUAL_USD)
    used = daemon.report("daily")["totals"]["valueUSD"]
    assert used == pytest.approx(totals["ledgerUSD"] - totals["inheritedUSD"])


def doctor(daemon: Keeper) -> str:
    """What the doctor says."""
    return daemon.run("doctor").stdout


def _replies(log: Log) -> list[bytes]:
    written = log.path.read_bytes().splitlines(keepends=True)
    return [line for line in written if b'"type":"assistant"' in line]


def test_span(daemon: Keeper, home: ClaudeHome) -> None:
    """Only what was active since a day is audited when one is named."""
    conversation(home, replies=1, counted=1)
    daemon.wait_for_requests(1)
    assert 1 == audit(daemon, since="2020-01-01")["audited"]
    assert 0 == audit(daemon, since="9999-12-31")["audited"]


def test_unknown_conversation(daemon: Keeper) -> None:
    """A conversation that nobody knows is refused in one line."""
    result = daemon.run("audit", "nobody")
    assert (1, "") == (result.returncode, result.stdout)
    assert result.stderr == "toll: no conversation nobody; toll session lists them\n"


@pytest.mark.parametrize("params", [{"conversations": 7}, {"since": "yesterday"}, {"odd": 1}])
def test_bad_params(daemon: Keeper, params: dict[str, Any]) -> None:
    """Parameters that are none are refused."""
    with pytest.raises(TollError, match=r"Expected|Invalid|unknown field"):
        audit(daemon, **params)

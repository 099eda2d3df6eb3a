"""What is appended to a log comes out as figures, live and exactly once."""

from datetime import datetime, timedelta

import pytest

from tollkeeper import wire
from tollkeeper.errors import CallError
from waiting import wait_until

from . import lines
from .claude_home import ClaudeHome, replace_file
from .keeper import Keeper
from .lines import HAIKU, USUAL, USUAL_HAIKU_USD, USUAL_USD, Tokens


def test_reply_reaches_subscriber_and_command(daemon: Keeper, home: ClaudeHome) -> None:
    """An appended reply is published and shown by `toll status --json`, to the token and cent."""
    with daemon.feed() as feed:
        home.log().reply()
        change = wait_until(feed.next_change)
        while change and change.topic == "heartbeat":
            change = feed.next_change()
        assert change and isinstance(change.update, wire.UsageUpdate)
        [charged] = change.update.charged
        assert charged.usage == change.status.today.total
    usage = daemon.json("status")["today"]["api"]
    assert usage == {
        "requests": 1,
        "messages": 0,
        "input_tokens": 13,
        "output_tokens": 303,
        "cache_read_tokens": 15_000,
        "cache_write_5m_tokens": 500,
        "cache_write_1h_tokens": 1_500,
        "web_searches": 0,
        "total_tokens": USUAL.total,
        "cost_usd": USUAL_USD,
        "value_usd": USUAL_USD,
        "unpriced_requests": 0,
    }


def test_blocks_count_once(daemon: Keeper, home: ClaudeHome) -> None:
    """The lines of one reply count once, whether they come together or one by one."""
    log = home.log()
    for line in lines.reply(log.writer, blocks=4).splitlines(keepends=True):
        log.append(line)
        daemon.wait_for_requests(1)
    log.reply(blocks=3)
    status = daemon.wait_for_requests(2)
    assert status.today.total.total_tokens == 2 * USUAL.total


def test_partial_output_gives_way(daemon: Keeper, home: ClaudeHome) -> None:
    """Of a reply whose early blocks name a part of its output, the largest figure holds."""
    log = home.log()
    for line in lines.reply(log.writer, outputs=(1, 7, 500)).splitlines(keepends=True):
        log.append(line)
        daemon.wait_for_requests(1)
    daemon.wait_for(lambda status: status.today.total.output_tokens == 500)


def test_prompts_count_as_messages(daemon: Keeper, home: ClaudeHome) -> None:
    """A typed prompt is a message; a tool's result and a subagent's order are none."""
    log = home.log()
    log.append(lines.prompt(log.writer) + lines.tool_result(log.writer))
    helper = log.subagent("analyst", "look at it")
    helper.append(lines.prompt(helper.writer) + lines.reply(helper.writer))
    log.prompt()
    status = daemon.wait_for(
        lambda status: (status.today.total.messages, status.today.total.requests) == (2, 1)
    )
    assert status.today.total.total_tokens == USUAL.total


def test_half_line_waits(daemon: Keeper, home: ClaudeHome) -> None:
    """A line counts when its end is written, and not a byte before."""
    log = home.log()
    line = lines.reply(log.writer)
    log.append(lines.reply(log.writer) + line[:400])
    daemon.wait_for_requests(1)
    log.append(line[400:-1])
    other = home.log("other")
    other.reply()
    daemon.wait_for_requests(2)
    log.append(line[-1:])
    daemon.wait_for_requests(3)


def test_truncated_log_is_read_anew(daemon: Keeper, home: ClaudeHome) -> None:
    """A log cut to nothing and written again loses no old sums and counts its new lines."""
    log = home.log()
    for _ in range(3):
        log.reply()
    daemon.wait_for_requests(3)
    log.path.write_bytes(lines.reply(log.writer))
    daemon.wait_for_requests(4)
    log.reply()
    daemon.wait_for_requests(5)


def test_replaced_log_counts_once(daemon: Keeper, home: ClaudeHome) -> None:
    """A log replaced by a rewritten copy counts its old lines once and its new lines too."""
    log = home.log()
    log.reply()
    log.reply()
    daemon.wait_for_requests(2)
    replace_file(log.path, lambda old: lines.prompt(log.writer) + old + lines.reply(log.writer))
    status = daemon.wait_for_requests(3)
    assert status.today.total.messages == 1
    log.reply()
    daemon.wait_for_requests(4)


def test_deleted_log_keeps_its_sums(daemon: Keeper, home: ClaudeHome) -> None:
    """What a deleted log said stays in the ledger, over a restart as well."""
    log = home.log()
    log.reply()
    daemon.wait_for_requests(1)
    log.path.unlink()
    home.log("other").reply()
    daemon.wait_for_requests(2)
    assert daemon.restart().requests() == 2


def test_subscription_has_value_but_no_cost(keeper: Keeper, home: ClaudeHome) -> None:
    """Requests of a subscription show the list price as value, and cost nothing."""
    home.subscribe()
    keeper.start()
    home.log().reply()
    today = keeper.wait_for_requests(1).today
    assert (today.subscription.value_usd, today.subscription.cost_usd) == (USUAL_USD, 0)
    assert today.api.requests == 0


def test_login_while_the_daemon_runs(daemon: Keeper, home: ClaudeHome) -> None:
    """Agents and logs that come after somebody logged in are paid by the subscription."""
    first, second = daemon.start_agent("one"), daemon.start_agent("two")
    first.says("busy")
    first.log.reply()
    daemon.wait_for_requests(1)
    assert [each.source for each in daemon.toll.agents()] == ["api"]
    home.subscribe()
    second.says("busy")
    second.log.reply()
    home.log("three").reply()
    today = daemon.wait_for(lambda status: status.today.subscription.requests == 2).today
    assert (daemon.agent(second).source, today.api.requests) == ("subscription", 1)


def test_models_have_prices_of_their_own(daemon: Keeper, home: ClaudeHome) -> None:
    """Each model is charged at its own rates, and the report tells them apart."""
    log = home.log()
    log.reply()
    log.reply(model=HAIKU)
    daemon.wait_for_requests(2)
    [day] = daemon.json("daily")["daily"]
    costs = {each["modelName"]: each["cost"] for each in day["modelBreakdowns"]}
    assert costs == {lines.OPUS: USUAL_USD, HAIKU: pytest.approx(USUAL_HAIKU_USD)}


def test_unknown_model_is_charged_and_marked(daemon: Keeper, home: ClaudeHome) -> None:
    """A model without a price costs what its dearest kin does, and raises one alert."""
    log = home.log()
    log.reply(Tokens(1_000_000, 0, 0, 0, 0), "claude-opus-99")
    log.reply(Tokens(1_000_000, 0, 0, 0, 0), "claude-opus-99")
    status = daemon.wait_for(lambda status: status.today.total.unpriced_requests == 2)
    assert status.today.total.value_usd >= 2 * 4
    assert [alert.kind for alert in status.alerts] == ["unknown-model"]
    assert "~$" in daemon.run("daily").stdout


def test_unknown_models_are_told_by_the_doctor(keeper: Keeper, home: ClaudeHome) -> None:
    """Models without a price that stood in the history are named, also after a restart."""
    home.log().reply(model="claude-opus-99")
    keeper.start()
    for _ in range(2):
        assert keeper.report("health")["unpriced_models"] == ["claude-opus-99"]
        assert "claude-opus-99" in keeper.run("doctor").stdout
        keeper.restart()


def test_plan_that_refuses(daemon: Keeper, home: ClaudeHome) -> None:
    """A refusal is told until its reset; one whose reset no plan could have is passed over."""
    log = home.log()
    soon = lines.now().replace(microsecond=0) + timedelta(hours=3)
    for resets in (soon + timedelta(days=9), soon, soon + timedelta(days=3000)):
        log.append(lines.refusal(log.writer, resets))
        log.reply()
    daemon.wait_for_requests(3)
    status = daemon.wait_for(lambda status: status.plan.limited_until is not None)
    assert datetime.fromisoformat(status.plan.limited_until or "") == soon
    assert [alert.kind for alert in status.alerts] == ["limited"]
    after = daemon.restart().toll.status().plan
    assert after == status.plan


def test_burn(daemon: Keeper, home: ClaudeHome) -> None:
    """What was spent in each of the last minutes, each request at its own time; older ones are in none."""
    log = home.log()
    times = [lines.ago(minutes=minutes) for minutes in (90, 8, 3, 3)]
    for when in times:
        log.append(lines.reply(log.writer, when=when))
    daemon.wait_for_requests(len(times))
    told = daemon.report("burn", minutes=30)
    begins = datetime.fromisoformat(told["begins_at"])
    expected = [0.0] * 30
    for when in times[1:]:
        expected[int((when - begins).total_seconds() // 60)] += USUAL_USD
    assert told["minutes"] == pytest.approx(expected)
    assert 60 == len(daemon.report("burn")["minutes"])
    with pytest.raises(CallError, match="minutes"):
        daemon.report("burn", minutes=0)

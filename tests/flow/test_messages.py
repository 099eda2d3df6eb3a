"""Messages by model, as a daemon counts them while logs grow, end and are read late."""

from . import lines
from .claude_home import ClaudeHome
from .keeper import Keeper
from .lines import HAIKU, OPUS


def families(keeper: Keeper) -> dict[str, int]:
    """Messages by family of models, in all that is counted."""
    return keeper.report("daily")["totals"].get("messagesByFamily", {})


def wait_for_messages(keeper: Keeper, messages: int, requests: int) -> None:
    """Wait until so many are in the day's sums."""
    keeper.wait_for(
        lambda status: (
            (status.today.total.messages, status.today.total.requests) == (messages, requests)
        )
    )


def test_message_goes_to_the_model_that_answers(daemon: Keeper, home: ClaudeHome) -> None:
    """A message is counted at once, and belongs to a model when that replies."""
    log = home.log()
    log.prompt()
    wait_for_messages(daemon, 1, 0)
    assert families(daemon) == {}
    log.reply(model=OPUS)
    wait_for_messages(daemon, 1, 1)
    assert families(daemon) == {"opus": 1}
    log.prompt()
    wait_for_messages(daemon, 2, 1)
    log.reply(model=HAIKU)
    log.reply(model=OPUS)
    wait_for_messages(daemon, 2, 3)
    assert families(daemon) == {"opus": 1, "haiku": 1}


def test_subscribers_see_a_message_once(daemon: Keeper) -> None:
    """Of an agent's figures and of all that is told to listeners, a message is one in the end."""
    agent = daemon.start_agent()
    agent.says("idle")
    daemon.wait_for(lambda status: len(status.agents) == 1)
    log = agent.log
    told = 0
    with daemon.feed() as feed:
        log.prompt()
        wait_for_messages(daemon, 1, 0)
        log.reply()
        status = daemon.wait_for(lambda status: status.agents[0].usage.requests == 1)
        while change := feed.next_change(0.5):
            charged = getattr(change.update, "charged", ())
            told += sum(each.usage.messages for each in charged)
            if any(each.usage.requests for each in charged):
                break
    assert (told, status.agents[0].usage.messages) == (1, 1)


def test_reply_after_a_restart(daemon: Keeper, home: ClaudeHome) -> None:
    """A message that waited when one daemon ended is answered in the books of the next."""
    log = home.log()
    log.prompt()
    wait_for_messages(daemon, 1, 0)
    daemon.stop()
    log.reply(model=HAIKU)
    daemon.start()
    daemon.wait_for_requests(1)
    assert families(daemon) == {"haiku": 1}


def test_reply_far_behind_in_a_history(keeper: Keeper, home: ClaudeHome) -> None:
    """In an import a message finds its reply megabytes later, in another block and lot."""
    log = home.log()
    log.prompt()
    result = lines.tool_result(log.writer, "x" * 500_000)
    for _ in range(20):
        log.append(result)
    log.reply(model=HAIKU)
    keeper.start().wait_for_requests(1)
    assert families(keeper) == {"haiku": 1}
    assert keeper.report("daily")["totals"]["messages"] == 1

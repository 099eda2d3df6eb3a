"""Requests that the client makes by itself: paid for, in its totals, but in no line of the log."""

import pytest

from waiting import wait_until

from .client import Client
from .interactive import Interactive
from .logs import cost_state, logged_tokens
from .replies import COMPACTING, SEARCHING, TITLING, Reply, Tokens, say, search
from .stand_in import StandIn

pytestmark = pytest.mark.e2e

OPUS = "claude-opus-5-5"
HIDDEN = Tokens(input=100, output=50, web_searches=2)
SUMMARY = "<analysis>All of it.</analysis>\n<summary>We said hello.</summary>"


def test_web_search(stand_in: StandIn, client: Client) -> None:
    """The search itself is a request of its own, and only the totals tell of it."""
    client.configure(permissions={"allow": ["WebSearch"]})
    stand_in.play("LOOKUP", search("the news"), say("Found."))
    stand_in.play(SEARCHING, say("Some results.", tokens=HIDDEN))
    result = client.run("LOOKUP")
    _check(stand_in, client, result.session_id)
    assert result.tokens == stand_in.tokens()


def test_compaction(stand_in: StandIn, client: Client) -> None:
    """The summary that a compaction asks for stands in the totals alone."""
    stand_in.play(COMPACTING, say(SUMMARY, tokens=HIDDEN))
    first = client.run("hello")
    result = client.run("/compact", resume=first.session_id)
    _check(stand_in, client, first.session_id)
    assert result.tokens == stand_in.tokens()


@pytest.mark.usefixtures("tmux")
def test_title(stand_in: StandIn, client: Client) -> None:
    """A typed session asks for a title of its own, unless such traffic is switched off."""
    stand_in.play("HELLO", Reply(text="The answer."))
    stand_in.play(TITLING, say('{"title": "A greeting"}', tokens=HIDDEN))
    usual = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": ""}
    with Interactive(client, extra_env=usual) as session:
        session.send("HELLO, please mend the login button")
        session.wait_for("The answer.")
        wait_until(lambda: len(stand_in.served) == 2, what="the title")
    [session_id] = client.session_ids()
    _check(stand_in, client, session_id)


def _check(stand_in: StandIn, client: Client, session_id: str) -> None:
    lines = client.log(session_id)
    assert cost_state(lines) == stand_in.tokens(session_id)
    assert logged_tokens(lines)[OPUS] + HIDDEN == stand_in.tokens(session_id)[OPUS]

"""The stand-in by itself, without the client: which reply it picks, and what it answers."""

import json
from http.client import HTTPConnection
from typing import Any

import pytest

from .asked import Asked, read_request
from .plays import Plays
from .replies import Tokens, bash, say
from .stand_in import StandIn


def test_a_play_goes_on_over_prompts_without_a_keyword() -> None:
    """Replies are told off from the newest prompt with a keyword; what has none is passed over."""
    plays = Plays()
    plays.play("GO", say("one"), say("two"), say("three"))
    talk: list[tuple[str, str]] = [("user", "GO on"), ("assistant", "one"), ("user", "and")]
    told = [plays.decide(_asked(*talk[:length])).text for length in (1, 3)]
    talk += [("assistant", "two"), ("user", "GO again")]
    told.append(plays.decide(_asked(*talk)).text)
    assert told == ["one", "two", "one"]


def test_first_keyword_of_a_prompt_counts() -> None:
    """A prompt may bear a second keyword for a subagent; the first one decides."""
    plays = Plays()
    plays.play("SUB", say("sub"))
    plays.play("MAIN", say("main"))
    assert plays.decide(_asked(("user", "MAIN, then SUB"))).text == "main"
    assert plays.decide(_asked(("user", "neither"))).text == "Done."


def test_reminders_of_the_client_are_no_prompts() -> None:
    """A keyword within a system reminder decides nothing."""
    plays = Plays()
    plays.play("GO", say("gone"))
    reminder = "<system-reminder>\nGO\n</system-reminder>\n"
    assert plays.decide(_asked(("user", reminder))).text == "Done."
    assert plays.decide(_asked(("user", f"{reminder}GO"))).text == "gone"


def test_plain_reply() -> None:
    """Without `stream` the reply is one JSON body, and is counted all the same."""
    with StandIn() as stand_in:
        stand_in.play("GO", bash("true", tokens=Tokens(input=3, output=4)))
        status, body = _post(stand_in, "/v1/messages?beta=true", _body(("user", "GO")))
        [served] = stand_in.served
    assert (status, body["id"], body["stop_reason"]) == (200, served.message_id, "tool_use")
    assert body["usage"]["output_tokens"] == 4
    assert stand_in.tokens() == {"model-1": Tokens(input=3, output=4)}


def test_other_endpoints() -> None:
    """Tokens are counted on request; what is unknown gets a 404 and is noted."""
    with StandIn() as stand_in:
        status, body = _post(stand_in, "/v1/messages/count_tokens", _body(("user", "GO")))
        assert (status, set(body)) == (200, {"input_tokens"})
        assert _post(stand_in, "/v1/odd", b"")[0] == 404
    assert stand_in.strays == ("POST /v1/odd",)
    assert stand_in.served == ()


def test_a_failing_script_fails_the_test() -> None:
    """An error in a script is raised when the stand-in closes, not lost in its threads."""

    def broken(asked: Asked) -> None:
        raise KeyError(asked.prompt)

    with pytest.raises(ExceptionGroup, match="failed at a request"), StandIn() as stand_in:
        stand_in.script = broken
        assert _post(stand_in, "/v1/messages", _body(("user", "GO")))[0] == 400


def _body(*talk: tuple[str, str]) -> bytes:
    messages = [{"role": role, "content": text} for role, text in talk]
    return json.dumps({"model": "model-1", "messages": messages}).encode()


def _asked(*talk: tuple[str, str]) -> Asked:
    return read_request({}, _body(*talk))


def _post(stand_in: StandIn, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
    connection = HTTPConnection(*stand_in.address)
    connection.request("POST", path, body)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer

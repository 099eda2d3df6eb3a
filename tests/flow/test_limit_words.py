"""toll limit: the limits in force, set and taken back by hand, and what that does to whom."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tollkeeper.control import is_listening
from waiting import wait_until

from .adopted import state_of
from .keeper import Keeper
from .lines import USUAL, USUAL_USD
from .test_words import SETTINGS, Pair, refused, said, start


@pytest.fixture
def pair(keeper: Keeper) -> Iterator[Pair]:
    """Ada, who has had one reply, and Bob, who has had none."""
    keeper.configure(SETTINGS)
    keeper.start()
    pair = Pair(keeper, start(keeper, "Ada"), start(keeper, "Bob"))
    reply(pair)
    yield pair


def reply(pair: Pair) -> None:
    """Ada gets one more reply, and it is charged."""
    before = pair.keeper.agent(pair.ada).usage.requests
    pair.ada.log.reply()
    wait_until(lambda: pair.keeper.agent(pair.ada).usage.requests > before)


def limits(keeper: Keeper) -> dict[tuple[str, str], dict[str, Any]]:
    """The limits in force by scope and unit."""
    return {
        (each["scope"], "usd" if each["bound_tokens"] is None else "tokens"): each
        for each in keeper.json("limit")["limits"]
    }


def test_limits_are_listed(pair: Pair) -> None:
    """A line for each limit in force: what it bounds, used, bound, percent, action and state."""
    lines = [line.split() for line in said(pair.keeper, "limit").splitlines()]
    assert lines == [
        ["Of", "Used", "Limit", "%", "Then", "State"],
        ["agent", "Ada", "$0.0236", "$5.00", "0", "pause", "under"],
        ["agent", "Bob", "$0.00", "$5.00", "0", "pause", "under"],
        ["this", "run", "$0.0236", "$20.00", "0", "pause", "under"],
        ["today", "$0.0236", "$50.00", "0", "pause", "under"],
    ]
    listed = pair.keeper.json("limit")
    assert listed.keys() == {"limits", "by_hand"}
    assert listed["by_hand"] == []
    assert listed["limits"][0] == {
        "scope": "agent:Ada",
        "bound_usd": 5.0,
        "bound_tokens": None,
        "used": USUAL_USD,
        "fraction": round(USUAL_USD / 5, 4),
        "action": "pause",
        "state": "under",
        "waived": False,
        "by_hand": False,
    }


def test_limits_of_who_is_to_come(keeper: Keeper) -> None:
    """While nobody works the limits that each agent and each run will have are listed, too."""
    keeper.configure(SETTINGS)
    keeper.start()

    def listed() -> list[list[str]]:
        return [line.split() for line in said(keeper, "limit").splitlines()[1:]]

    today = ["today", "$0.00", "$50.00", "0", "pause", "under"]
    agent, run = ["each", "agent", "$5.00", "pause"], ["each", "run", "$20.00", "pause"]
    assert listed() == [today, agent, run]
    said(keeper, "limit", "set", "--run", "--usd", "40", "--action", "stop")
    assert listed() == [today, agent, ["each", "run", "$40.00", "stop", "by", "hand"]]
    said(keeper, "limit", "set", "--run", "--usd", "0")
    assert listed() == [today, agent, ["each", "run", "none", "by", "hand"]]


def test_two_units(pair: Pair) -> None:
    """A scope can have a limit in dollars and one in tokens at once; both are marked as one's own."""
    said(pair.keeper, "limit", "set", "--daily", "--usd", "0.1", "--action", "warn")
    told = said(pair.keeper, "limit", "set", "--daily", "--tokens", "20000", "--action", "warn")
    assert (
        told
        == "The daily limit is now 20.0K tokens, action warn; used so far: 17.3K tokens (86 %).\n"
    )
    today = [line.split() for line in said(pair.keeper, "limit").splitlines() if "today" in line]
    assert today == [
        ["today", "$0.0236", "$0.10", "23", "warn", "under", "by", "hand"],
        ["today", "17.3K", "tokens", "20.0K", "tokens", "86", "warn", "warned", "by", "hand"],
    ]
    assert limits(pair.keeper)["daily", "tokens"]["used"] == USUAL.total
    told = said(pair.keeper, "limit", "clear", "--daily", "--tokens")
    assert told == "The daily limit in tokens is cleared; there is no other in its place.\n"
    assert ("daily", "tokens") not in limits(pair.keeper)
    assert limits(pair.keeper)["daily", "usd"]["bound_usd"] == 0.1
    answer = pair.keeper.json("limit", "clear", "--daily")
    assert (answer["cleared"], answer["hit"], answer["offered"]) == (["usd"], [], [])
    assert answer["saved"]
    [instead] = answer["limits"]
    assert (instead["scope"], instead["bound_usd"], instead["by_hand"]) == ("daily", 50.0, False)
    assert limits(pair.keeper)["daily", "usd"]["bound_usd"] == 50
    assert refused(pair.keeper, 1, "limit", "clear", "--daily") == (
        "toll: no such limit was set by hand; see: toll limit\n"
    )


def test_dry_run(pair: Pair) -> None:
    """A dry run says whom the limit would hit, and neither sets it nor touches anybody."""
    before = pair.keeper.json("limit")
    new = ("limit", "set", "--agent", "Ada", "--usd", "0.01", "--dry-run")
    assert said(pair.keeper, *new).splitlines() == [
        "The limit of agent Ada would be $0.01, action pause; used so far: $0.0236 (236 %).",
        "It would pause Ada: The limit of Ada is reached: $0.02 of $0.01.",
        "Nothing was changed.",
    ]
    [hit] = pair.keeper.json(*new, "--action", "stop")["hit"]
    assert (hit["agent"], hit["pid"], hit["action"], hit["held"]) == (
        *("Ada", pair.ada.pid, "stop"),
        None,
    )
    assert said(pair.keeper, *new[:4], "--usd", "4", "--dry-run").splitlines()[1:] == [
        "It would hit nobody now.",
        "Nothing was changed.",
    ]
    assert said(pair.keeper, *new[:4], "--usd", "0", "--dry-run").splitlines()[0] == (
        "The limit of agent Ada in dollars would hold no more."
    )
    assert (state_of(pair.ada.pid), pair.keeper.json("limit")) == ("S", before)
    assert pair.keeper.report("log")["entries"] == []


def test_set_acts_at_once(pair: Pair) -> None:
    """Who has used up a new limit is dealt with at once; raised, it offers whom one may resume."""
    new = ("limit", "set", "--agent", str(pair.ada.pid))
    assert said(pair.keeper, *new, "--usd", "0.01").splitlines()[1:] == [
        "Ada is paused: The limit of Ada is reached: $0.02 of $0.01."
    ]
    assert (state_of(pair.ada.pid), state_of(pair.bob.pid)) == ("T", "S")
    assert said(pair.keeper, *new, "--usd", "1").splitlines()[1:] == [
        "Ada has room again: toll resume Ada"
    ]
    assert state_of(pair.ada.pid) == "T"
    assert said(pair.keeper, "resume", "Ada") == "Ada goes on.\n"


def test_a_waived_limit(pair: Pair) -> None:
    """A limit that a bare resume let an agent pass is waived, wherever it is shown, until it is set anew."""
    new = ("limit", "set", "--agent", "Ada", "--usd", "0.01")
    said(pair.keeper, *new)
    assert said(pair.keeper, "resume", "Ada") == (
        "Ada goes on. The limit of Ada is reached: $0.02 of $0.01. That limit holds it no more.\n"
    )
    ada = next(line for line in said(pair.keeper, "limit").splitlines() if "agent Ada" in line)
    assert ada.split()[-3:] == ["waived", "by", "hand"]
    assert limits(pair.keeper)["agent:Ada", "usd"]["state"] == "reached"
    assert "236 % of $0.01, waived" in said(pair.keeper, "status")
    said(pair.keeper, *new)
    assert limits(pair.keeper)["agent:Ada", "usd"]["waived"] is False


def test_more_for_who_is_not_held(pair: Pair) -> None:
    """The limit of an agent that is not held is raised, too, and it is told to how much."""
    assert said(pair.keeper, "resume", "Bob", "--add-usd", "2") == (
        "Bob: it was not held. The limit of Bob was raised to $7.00; used so far: $0.00.\n"
    )
    assert limits(pair.keeper)["agent:Bob", "usd"]["bound_usd"] == 7


def test_more_of_what_is_not_limited(pair: Pair) -> None:
    """Who is not held and has no limit of its own is told that nothing was raised."""
    said(pair.keeper, "limit", "set", "--agent", "Bob", "--usd", "0")
    assert said(pair.keeper, "resume", "Bob", "--add-usd", "2") == (
        "Bob: it was not held, and has no limit of its own in dollars to raise.\n"
    )


def test_more_of_a_shared_limit(pair: Pair) -> None:
    """What holds several is raised once for all; the limits that hold nobody stay as they are."""
    said(pair.keeper, "limit", "set", "--run", "--usd", "0.01")
    assert (state_of(pair.ada.pid), state_of(pair.bob.pid)) == ("T", "T")
    raised = "The limit of this run was raised to $2.02; used so far: $0.02."
    assert said(pair.keeper, "resume", "--all", "--add-usd", "2").splitlines() == [
        f"Ada goes on. {raised}",
        f"Bob goes on. {raised}",
    ]
    assert limits(pair.keeper)["run", "usd"]["bound_usd"] == pytest.approx(2 + USUAL_USD)
    assert {
        limits(pair.keeper)[f"agent:{name}", "usd"]["bound_usd"] for name in ("Ada", "Bob")
    } == {5}


def test_clear_says_whom_it_hits(pair: Pair) -> None:
    """Where the settings' own limit comes in force again, it is told whom that stops; or would."""
    said(pair.keeper, "limit", "set", "--agent", "Ada", "--usd", "1")
    pair.keeper.configure(SETTINGS + "per_agent = 0.01\n")
    pair.keeper.restart()
    pair.keeper.wait_for(lambda status: len(status.agents) == 2)
    clear = ("limit", "clear", "--agent", "Ada")
    assert said(pair.keeper, *clear, "--dry-run").splitlines() == [
        "The limit of agent Ada in dollars would be cleared.",
        "The limit of agent Ada would be $0.01, action pause; used so far: $0.0236 (236 %).",
        "It would pause Ada: The limit of Ada is reached: $0.02 of $0.01.",
        "Nothing was changed.",
    ]
    assert (state_of(pair.ada.pid), len(pair.keeper.json("limit")["by_hand"])) == ("S", 1)
    assert said(pair.keeper, *clear).splitlines() == [
        "The limit of agent Ada in dollars is cleared.",
        "The limit of agent Ada is now $0.01, action pause; used so far: $0.0236 (236 %).",
        "Ada is paused: The limit of Ada is reached: $0.02 of $0.01.",
    ]
    assert (state_of(pair.ada.pid), state_of(pair.bob.pid)) == ("T", "S")
    assert refused(pair.keeper, 1, *clear, "--dry-run").startswith("toll: no such limit was set")


def test_by_hand_is_for_one_agent(pair: Pair) -> None:
    """A later agent of the same name has no limit that was set by hand for the one before it."""
    said(pair.keeper, "limit", "set", "--agent", "Ada", "--usd", "3")
    pair.ada.exit()
    pair.keeper.wait_for(lambda status: "exited" in [each.state for each in status.agents])
    start(pair.keeper, "Ada")
    lines = [line.split() for line in said(pair.keeper, "limit").splitlines() if "Ada" in line]
    assert lines == [
        ["agent", "Ada", "$0.00", "$5.00", "0", "pause", "under"],
        ["agent", "Ada", "$3.00", "ended", "by", "hand"],
    ]


def test_a_limit_of_who_has_ended(pair: Pair) -> None:
    """The limit of an agent that has ended is listed as it was raised, and cleared by the name that is listed."""
    said(pair.keeper, "limit", "set", "--agent", "Ada", "--usd", "3")
    said(pair.keeper, "resume", "Ada", "--add-usd", "2")
    pair.ada.exit()
    pair.keeper.wait_for(lambda status: "exited" in [each.state for each in status.agents])
    lines = [line.split() for line in said(pair.keeper, "limit").splitlines() if "Ada" in line]
    assert lines == [["agent", "Ada", "$5.00", "ended", "by", "hand"]]
    start(pair.keeper, "Ada")
    clear = ("limit", "clear", "--agent", "Ada")
    cleared = "The limit of agent Ada in dollars is cleared; there is no other in its place.\n"
    assert said(pair.keeper, *clear) == cleared
    assert pair.keeper.json("limit")["by_hand"] == []
    assert refused(pair.keeper, 1, *clear).startswith("toll: no such limit was set")
    assert "no agent 'Eve' is running" in refused(pair.keeper, 1, *clear[:-1], "Eve")


def test_set_to_stop(pair: Pair) -> None:
    """With the action stop who has used it up is stopped, and told to be."""
    told = said(pair.keeper, "limit", "set", "--run", "--usd", "0.01", "--action", "stop")
    assert told.splitlines()[0].startswith("The limit of a run is now $0.01, action stop; ")
    assert any(line.startswith("Ada is being stopped: ") for line in told.splitlines())
    assert pair.ada.process.wait(10) == -15


def test_no_limit(pair: Pair) -> None:
    """A limit of 0 is none: the agent spends on, over what the settings ask for."""
    pair.keeper.configure(SETTINGS + "per_agent = 0.03\n")
    pair.keeper.restart()
    assert said(pair.keeper, "limit", "set", "--agent", "Ada", "--usd", "0") == (
        "The limit of agent Ada in dollars holds no more.\n"
    )
    reply(pair)
    assert state_of(pair.ada.pid) == "S"
    assert ("agent:Ada", "usd") not in limits(pair.keeper)
    [line] = [each for each in said(pair.keeper, "limit").splitlines() if "Ada" in each]
    assert line.split() == ["agent", "Ada", "none", "by", "hand"]
    said(pair.keeper, "limit", "clear", "--agent", "Ada")
    wait_until(lambda: state_of(pair.ada.pid) == "T")


def test_resume_with_more(pair: Pair) -> None:
    """--add-usd raises what holds an agent so that so much is left of it."""
    said(pair.keeper, "limit", "set", "--agent", "Ada", "--usd", "0.01")
    assert said(pair.keeper, "resume", "Ada", "--add-usd", "2") == (
        "Ada goes on. The limit of Ada was raised to $2.02; used so far: $0.02.\n"
    )
    assert state_of(pair.ada.pid) == "S"
    assert limits(pair.keeper)["agent:Ada", "usd"]["bound_usd"] == pytest.approx(2 + USUAL_USD)


def test_scopes(pair: Pair) -> None:
    """Tasks, workflows and conversations are limited too, also before anybody works on them."""
    begun = pair.ada.conversation[:8]
    said(pair.keeper, "limit", "set", "--conversation", begun, "--usd", "1")
    said(pair.keeper, "limit", "set", "--task", "-x.1", "--tokens", "5")
    said(pair.keeper, "limit", "set", "--workflow", "名前 \x1b[2J", "--usd", "1")
    shown = said(pair.keeper, "limit")
    assert f"conversation {pair.ada.conversation}" in shown
    assert limits(pair.keeper)[f"conversation:{pair.ada.conversation}", "usd"]["used"] == USUAL_USD
    assert "task -x.1" in shown
    assert "workflow 名前 ·[2J" in shown


def test_what_was_before_the_first_start(keeper: Keeper) -> None:
    """A day leaves out what was used before the first start; a limit on a conversation counts it all."""
    log = keeper.home.log()
    log.reply()
    keeper.start()
    keeper.wait_for_requests(1)
    said(keeper, "limit", "set", "--conversation", log.conversation, "--usd", "1")
    used = {scope: each["used"] for (scope, _), each in limits(keeper).items()}
    assert used == {"daily": 0, f"conversation:{log.conversation}": USUAL_USD}


@pytest.mark.parametrize(
    "arguments",
    [
        ["set", "--daily"],
        ["set", "--usd", "5"],
        ["set", "--daily", "--run", "--usd", "5"],
        ["set", "--daily", "--usd", "5", "--tokens", "5"],
        ["set", "--daily", "--usd", "-5"],
        ["set", "--daily", "--usd", "nan"],
        ["set", "--daily", "--usd", "1e400"],
        ["set", "--daily", "--usd", "five"],
        ["set", "--daily", "--tokens", "1.5"],
        ["set", "--daily", "--tokens", "²"],
        ["set", "--daily", "--usd", "5", "--action", "kill"],
        ["clear"],
        ["clear", "--daily", "--usd", "--tokens"],
        ["raise"],
    ],
)
def test_wrong_usage(keeper: Keeper, arguments: list[str]) -> None:
    """Wrong usage has exit status 2 and one line, and starts nothing."""
    refused(keeper, 2, "limit", *arguments)
    assert not is_listening(keeper.paths)


def test_no_scope(keeper: Keeper) -> None:
    """Who names a stage without its workflow, or nobody at all, is told what is missing."""
    told = refused(keeper, 2, "limit", "set", "--stage", "plan", "--usd", "1")
    assert told == "toll: a stage is one of a workflow: name that with --workflow\n"
    told = refused(keeper, 2, "limit", "clear")
    assert told.startswith("toll: whose limit? one of --agent --task --workflow --conversation ")


def test_refused_by_the_daemon(pair: Pair) -> None:
    """What only the daemon knows to be wrong is a line as well: 1 for nobody, 2 for nonsense."""
    new = ("limit", "set", "--usd", "5")
    assert "no agent 'Eve' is running" in refused(pair.keeper, 1, *new, "--agent", "Eve")
    refused(pair.keeper, 2, *new, "--task", "")
    refused(pair.keeper, 2, "limit", "set", "--daily", "--tokens", "9" * 30)
    refused(pair.keeper, 2, "limit", "set", "--daily", "--usd", "1e300")
    assert pair.keeper.json("limit")["by_hand"] == []


def test_limits_on_the_screen(pair: Pair) -> None:
    """The status shows a limit from half of it on, who is paused, and how to go on."""
    shown = said(pair.keeper, "status")
    assert [line for line in shown.splitlines() if line.startswith("Ada") and "%" in line] == []
    assert "0 % of $50" in shown
    said(pair.keeper, "limit", "set", "--agent", "Ada", "--usd", "0.03")
    assert "78 % of $0.03" in said(pair.keeper, "status")
    reply(pair)
    for verb in ("status", "agents"):
        shown = said(pair.keeper, verb)
        assert "157 % of $0.03" in shown
        assert "‖ Ada is paused: The limit of Ada is reached: $0.05 of $0.03.\n" in shown
        assert "\n  To go on: toll resume Ada (--add-usd 5 for more budget)\n" in shown
    findings = pair.keeper.json("doctor")
    [held] = [each for each in findings if each["text"].startswith("held: ")]
    assert (held["well"], held["text"].startswith("held: Ada (paused); ")) == (True, True)


def test_a_limit_set_by_hand_is_told(pair: Pair) -> None:
    """Who listens hears of a limit that was set on an agent, with the agent as it is then."""
    with pair.keeper.feed() as feed:
        said(pair.keeper, "limit", "set", "--agent", "Bob", "--usd", "7")

        def bound() -> list[float | None]:
            status = feed.latest(0.5)
            return [each.limits[0].bound_usd for each in status.agents if each.name == "Bob"]

        wait_until(lambda: bound() == [7.0])


def test_json_of_set(pair: Pair) -> None:
    """With --json setting a limit is answered by one value, with the effects of it."""
    answer = json.loads(
        pair.keeper.run("--json", "limit", "set", "--agent", "Ada", "--usd", "0.01").stdout
    )
    assert answer.keys() == {"limit", "hit", "offered", "saved"}
    assert (answer["limit"]["state"], answer["hit"][0]["held"], answer["offered"]) == (
        *("reached", "paused"),
        [],
    )
    assert pair.keeper.json("limit", "set", "--agent", "Ada", "--usd", "0") == {
        "limit": None,
        "hit": [],
        "offered": ["Ada"],
        "saved": True,
    }

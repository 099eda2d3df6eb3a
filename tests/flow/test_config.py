"""toll config in front of a real daemon: what is set is in force, written, and nothing else moves."""

import json
import os
from typing import Any

import pytest

from freezing import await_frozen
from tollkeeper.errors import CallError
from tollkeeper.settings import Settings

from .bounded import start_bounded, usual
from .keeper import Keeper

OWN = """# mine

[sources]
processes = false   # none

# what may be spent
[limits]
per_agent = 0
per_run = 0  # nothing
daily = 0

# whom I tell
[on]
"""


def refused(keeper: Keeper, **values: Any) -> CallError:
    with pytest.raises(CallError) as raised:
        keeper.report("config.set", values=values)
    return raised.value


def limits(keeper: Keeper) -> dict[str, Any]:
    return {each["scope"]: each["bound_usd"] for each in keeper.report("limit")["limits"]}


def test_limits_are_in_force_with_the_answer(keeper: Keeper) -> None:
    """A limit that is set is in force when the answer comes, and all else in the file stays."""
    keeper.configure(OWN)
    keeper.start()
    assert {} == limits(keeper)
    answer = keeper.toll.call(
        "config.set", Settings, values={"limits.daily": 7, "plan.name": "max"}
    )
    assert {"daily": 7} == limits(keeper)
    told = {each.name: (each.value, each.in_file) for each in answer.settings}
    assert {"limits.daily": (7, True), "plan.name": ("max", True)} == told
    text = OWN.replace("daily = 0", "daily = 7") + '\n[plan]\nname = "max"\n'
    assert text == keeper.paths.settings.read_text()
    assert keeper.toll.status().plan.name == "max"
    keeper.report("config.set", values={"limits.daily": None, "plan.name": None})
    assert {"daily": 50} == limits(keeper)
    assert {"daily": 50} == limits(keeper.restart())


def test_a_limit_acts_at_once(keeper: Keeper) -> None:
    """An agent that is over a limit as it is set is frozen by it."""
    keeper.configure(OWN)
    [agent] = start_bounded(keeper)
    agent.log.reply()
    keeper.wait_for_requests(1)
    keeper.json("config", "set", f"limits.per_agent={usual(1)}")
    await_frozen(agent.pid, timeout=2)


def test_all_or_nothing(keeper: Keeper) -> None:
    """One wrong value among others is told with its name, and none of them is set."""
    keeper.configure(OWN)
    keeper.start()
    error = refused(keeper, **{"limits.daily": 7, "limits.action": "kill"})
    assert error.code == "bad-params"
    assert (
        'limits.action must be "warn", "block", "pause" or "stop", and is "kill"' == error.message
    )
    error = refused(keeper, **{"limits.daily": 7, "limits.dialy": None})
    assert ("bad-params", "did you mean limits.daily?") == (error.code, error.hint)
    assert (OWN, {}) == (keeper.paths.settings.read_text(), limits(keeper))


def test_a_broken_file_is_not_touched(daemon: Keeper) -> None:
    """A file that was edited into nonsense is refused with the place, and what was before it holds."""
    daemon.report("config.set", values={"limits.daily": 7})
    daemon.configure("[limits]\ndaily = $9\n")
    error = refused(daemon, **{"limits.daily": 8})
    assert error.code == "broken-file"
    assert f"{daemon.paths.settings}: at line 2, column 9" in error.message
    assert "[limits]\ndaily = $9\n" == daemon.paths.settings.read_text()
    shown = daemon.run("config", "get", "limits.daily")
    assert shown.returncode == 0
    assert "70" not in shown.stdout and "7.0" in shown.stdout
    assert "at line 2" in shown.stderr


WRONG = "[sources]\nprocesses = false\n\n[limits]\nper_agent = '$4'\ndaily = 'x'\n"


def test_a_wrong_setting_is_mended(daemon: Keeper) -> None:
    """A setting that can't be is mended by setting it; what else is wrong is told, and the mend stays."""
    daemon.configure(WRONG)
    told = daemon.run("config", "set", "limits.per_agent=4")
    wrong = 'limits.daily must be a number from 0 to 1,000,000,000, and is "x"'
    file = daemon.paths.settings
    assert (1, f"Written to {file}\n") == (told.returncode, told.stdout)
    assert f"toll: {file}: {wrong}; what was set holds once that is mended, too\n" == told.stderr
    assert WRONG.replace("'$4'", "4") == file.read_text()
    assert 0 == daemon.run("config", "set", "limits.daily=9").returncode
    assert 9 == limits(daemon)["daily"]


def test_a_wrong_setting_is_mended_without_a_daemon(keeper: Keeper) -> None:
    """The same where no daemon starts for it: once all is mended it does."""
    keeper.configure(WRONG)
    told = keeper.run("config", "set", "limits.per_agent=4")
    assert (3, "") == (told.returncode, told.stdout)
    began = f"toll: written to {keeper.paths.settings}, but the daemon did not start: "
    assert told.stderr.startswith(began) and "limits.daily must be" in told.stderr
    assert WRONG.replace("'$4'", "4") == keeper.paths.settings.read_text()
    wrong = keeper.run("config", "set", "limits.daily=much")
    assert (2, "") == (wrong.returncode, wrong.stdout)
    assert 'limits.daily must be a number from 0 to 1,000,000,000, and is "much"' in wrong.stderr
    assert 0 == keeper.run("config", "set", "limits.daily=9").returncode
    assert 9 == limits(keeper)["daily"]


def test_the_file_and_its_link(keeper: Keeper) -> None:
    """A file that is made is its owner's alone; one that is a link stays one, with its mode."""
    keeper.paths.settings.unlink()
    keeper.start()
    keeper.json("config", "set", "sources.processes=false")
    assert 0o600 == keeper.paths.settings.stat().st_mode & 0o777
    elsewhere = keeper.root / "dotfiles.toml"
    keeper.paths.settings.rename(elsewhere)
    elsewhere.chmod(0o640)
    keeper.paths.settings.symlink_to(elsewhere)
    keeper.json("config", "set", "limits.daily=7")
    assert os.readlink(keeper.paths.settings) == str(elsewhere)
    assert 0o640 == elsewhere.stat().st_mode & 0o777
    assert "daily = 7" in elsewhere.read_text()


def test_what_counts_at_the_next_start(daemon: Keeper) -> None:
    """What is read at the start is told to wait for it, and holds after it."""
    shown = daemon.run("config", "set", "history.keep_requests_days=30").stdout
    assert "history.keep_requests_days is 30 from the daemon's next start on.\n" in shown
    [days] = daemon.json("config", "get", "history.keep_requests_days")
    assert (400, 30, "next start") == (days["value"], days["pending"], days["counts"])
    [days] = daemon.restart().json("config", "get", "history.keep_requests_days")
    assert (30, None) == (days["value"], days["pending"])


def test_the_page_of_settings(daemon: Keeper) -> None:
    """All that a page of settings shows can be set, and read back as it was set."""
    words = [
        "accounts.source=api",
        "plan.name=max",
        "plan.warn_at=[80]",
        'notify.off=["limited"]',
        "limits.per_agent=5",
        "limits.per_run=0",
        "limits.daily=50.5",
        "limits.action=stop",
    ]
    daemon.json("config", "set", *words)
    told = {each["name"]: each["value"] for each in daemon.json("config")}
    assert (
        told
        | {
            "accounts.source": "api",
            "plan.name": "max",
            "plan.warn_at": [80],
            "notify.off": ["limited"],
            "limits.per_agent": 5,
            "limits.per_run": 0,
            "limits.daily": 50.5,
            "limits.action": "stop",
        }
        == told
    )


def test_words_that_are_refused(daemon: Keeper) -> None:
    """Wrong words end with 2 and one line; without a daemon it is 3."""
    for arguments, told in (
        (
            ["set", "limits.daily=much"],
            'limits.daily must be a number from 0 to 1,000,000,000, and is "much"',
        ),
        (
            ["set", "limits.dialy=5"],
            "there is no setting 'limits.dialy'; did you mean limits.daily?",
        ),
        (
            ["set", "plan.name=Max"],
            "there is no plan 'Max'; known are max, max-20x and pro; did you mean max?",
        ),
        (
            ["set", "plan.name=team"],
            "there is no plan 'team'; known are max, max-20x and pro; add it first: toll plans set",
        ),
        (["get", "plan.nam"], "there is no setting 'plan.nam'; did you mean plan.name?"),
    ):
        found = daemon.run("config", *arguments)
        assert (2, "", f"toll: {told}\n") == (found.returncode, found.stdout, found.stderr)
    daemon.stop()
    assert 3 == daemon.run("config", "set", "limits.daily=5", "--no-start").returncode


def test_names_of_plans(daemon: Keeper) -> None:
    """A plan of one's own can be named once it is added; one that is gone since is told by the doctor."""
    assert 0 == daemon.run("plans", "set", "team", "--price", "30").returncode
    assert 0 == daemon.run("config", "set", "plan.name=team").returncode
    assert "plan that is not known" not in daemon.run("doctor").stdout
    daemon.json("plans", "remove", "team")
    assert "BAD  config.toml names a plan that is not known: team\n" in daemon.run("doctor").stdout
    assert 0 == daemon.run("config", "set", "plan.name=").returncode


def test_edit(daemon: Keeper) -> None:
    """After the editor the file is in force, or it is told where it is broken."""
    environment = {"EDITOR": "sed -i s/false/false\\\\n[limits]\\\\ndaily=7/"}
    shown = daemon.run("config", "edit", environment=environment)
    assert (0, "") == (shown.returncode, shown.stderr)
    assert shown.stdout.endswith(f"{daemon.paths.settings} is in force.\n")
    assert 7 == limits(daemon)["daily"]
    broken = daemon.run("config", "edit", environment={"EDITOR": "sed -i s/7/x/"})
    assert (1, "") == (broken.returncode, broken.stdout)
    assert f"{daemon.paths.settings}: at line 4, column 7: this is no value" in broken.stderr
    assert 7 == limits(daemon)["daily"]


def test_calls_that_are_none(daemon: Keeper) -> None:
    """What is no call of these verbs is refused, and harms nobody."""
    calls: list[dict[str, Any]] = [{}, {"values": []}, {"values": {}, "x": 1}]
    for params in calls:
        with pytest.raises(CallError) as raised:
            daemon.report("config.set", **params)
        assert raised.value.code == "bad-params"
    nested = json.loads("[" * 400 + "]" * 400)
    assert refused(daemon, **{"limits.daily": nested}).code == "bad-params"
    assert refused(daemon, **{"on.alert": "x" * 300_000}).code == "broken-file"
    with pytest.raises(CallError):
        daemon.report("config.get", names="limits")

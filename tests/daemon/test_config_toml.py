"""Edits of config.toml: what is set is there, and all else stays as it stood."""

import os
import re
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkeeper_daemon.config import MARK, ConfigError, config_of, found_in
from tollkeeper_daemon.own.catalogue import FORMS
from tollkeeper_daemon.own.config_toml import NEW_FILE, SettingError, with_values

from .config_texts import Written, texts, values_of

NAMES = st.sampled_from(sorted(FORMS))
CHANGES = st.lists(NAMES, min_size=1, max_size=4, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: st.none() | values_of(name) for name in names})
)


def said(text: str) -> dict[str, Any]:
    """What the text sets, by dotted names."""
    return {
        f"{section}.{key}": value
        for section, content in found_in(text).items()
        for key, value in content.items()
    }


def notes(text: str) -> list[str]:
    return re.findall(r"note \d+\.", text)


@given(texts(), CHANGES)
def test_what_is_set_is_there(written: Written, changes: dict[str, Any]) -> None:
    """However the file is written: it then says what was set, all else as before, and keeps every note."""
    assert written.values == said(written.text)
    changed = with_values(written.text, changes)
    expected = {**written.values, **changes}
    assert {name: each for name, each in expected.items() if each is not None} == said(changed)
    assert notes(written.text) == notes(changed)
    config_of(found_in(changed))


@given(texts(), NAMES, st.data())
def test_no_other_byte_is_touched(written: Written, name: str, data: st.DataObject) -> None:
    """One setting is written where it stands, or put between two lines; not a byte beside it changes."""
    before = written.text
    value = data.draw(st.none() | values_of(name))
    after = with_values(before, {name: value})
    if place := written.where(name):
        assert after.startswith(before[: place[0]])
        if value != {}:  # There is no form of an empty table key by key.
            assert after.endswith(before[place[1] :])
    else:
        start = os.path.commonprefix([before, after])
        assert after.endswith(before[len(start) :])
    if written.values.get(name) == value:
        assert before == after


@given(texts(), CHANGES)
def test_back_again(written: Written, changes: dict[str, Any]) -> None:
    """What was set can be set back; then the file says what it said, in the same lines or others."""
    back = {name: written.values.get(name) for name in changes}
    again = with_values(with_values(written.text, changes), back)
    assert written.values == said(again)
    assert notes(written.text) == notes(again)


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        (None, NEW_FILE + "\n[limits]\ndaily = 7.5\n"),
        ("", "[limits]\ndaily = 7.5\n"),
        ("# mine", "# mine\n\n[limits]\ndaily = 7.5\n"),
        ("[limits]", "[limits]\ndaily = 7.5"),
        (
            "limits.per_run = 1 # a\n[plan]\n",
            "limits.per_run = 1 # a\nlimits.daily = 7.5\n[plan]\n",
        ),
        ("limits = { daily = 5 } # a", "limits = { daily = 7.5 } # a"),
        ("[limits]\ndaily=5.0 # a\n\n# b\n[plan]\n", "[limits]\ndaily=7.5 # a\n\n# b\n[plan]\n"),
        (
            "[limits] # a\n  per_run = 1 # b\n\n# the plan\n[plan]\n",
            "[limits] # a\n  per_run = 1 # b\n  daily = 7.5\n\n# the plan\n[plan]\n",
        ),
        ("[limits]\r\nper_run = 1\r\n", "[limits]\r\nper_run = 1\r\ndaily = 7.5\r\n"),
        (f"{MARK}[limits]\n", f"{MARK}[limits]\ndaily = 7.5\n"),
        ("[limits]\ndaily = 7.50 # a\n", "[limits]\ndaily = 7.50 # a\n"),
    ],
)
def test_where_it_is_written(text: str | None, changed: str) -> None:
    """A setting that is there keeps its place, a new one stands behind the last of its section."""
    assert changed == with_values(text, {"limits.daily": 7.5})


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        (None, ""),
        ("[limits]\n# a\ndaily = 5 # b\nper_run = 1\n", "[limits]\n# a\nper_run = 1\n"),
        ("limits = { daily = 5, per_run = 1 }\n", "limits = { per_run = 1 }\n"),
        ("[plan]\nname = 'max'\n", "[plan]\nname = 'max'\n"),
    ],
)
def test_taken_out(text: str | None, changed: str) -> None:
    """What is taken out goes with its line, and with nothing else; what is not there is no file."""
    assert changed == with_values(text, {"limits.daily": None})


def test_a_table_keeps_its_notes() -> None:
    """A table is changed entry by entry, and its notes, and those of what follows, outlive it."""
    text = "[workflow.stages]\n# ours\nanalyst = 'a' # x\nold = 'b'\n\n# who pays\n[accounts]\n"
    new = with_values(text, {"workflow.stages": {"analyst": "a", "tester": "t"}})
    assert text.replace("old = 'b'", 'tester = "t"') == new
    assert "# ours\n\n# who pays\n[accounts]\n" == with_values(new, {"workflow.stages": None})
    none = with_values(text, {"workflow.stages": {}})
    assert {} == tomllib.loads(none)["workflow"]["stages"]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"limits.daily": -1}, "limits.daily must be a number from 0 to 1,000,000,000, and is -1"),
        ({"plan.name": "max", "limits.daily": "7"}, 'and is "7"'),
        ({"limits.action": "kill"}, 'must be "warn", "block", "pause" or "stop", and is "kill"'),
        ({"notify.off": ["waiting", "loud"]}, 'or "failed", and is ["waiting", "loud"]'),
        ({"notify.quiet": "22"}, "notify.quiet must be written as two times of the day"),
        (
            {"accounts.homes": {"~/a": "mine"}},
            "accounts.homes must be a table in { }, in which each",
        ),
        ({"segments.format": "{nam}"}, "segments.format: no field 'nam'"),
        ({"limits.warn_at": [None]}, "and is [null]"),
        ({"limits.warn_at": [[[1]]]}, "and is [[…]]"),
        ({"limits.daily": {"a": None}}, "and is a section"),
    ],
)
def test_what_can_not_be(values: dict[str, Any], told: str) -> None:
    """A wrong value is told with its name and what may stand there, whatever stands beside it."""
    with pytest.raises(SettingError) as raised:
        with_values("[limits]\nper_run = 1\n", values)
    assert told in str(raised.value)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    ("text", "values", "changed"),
    [
        ("[limits]\ndaily = 'x'\n", {"limits.daily": 7}, "[limits]\ndaily = 7\n"),
        ("[limits]\ndaily = 'x'\n", {"limits.daily": None}, "[limits]\n"),
        (
            "[limits]\ndaily = 'x'\ndialy = 1\n",
            {"limits.daily": 7},
            "[limits]\ndaily = 7\ndialy = 1\n",
        ),
    ],
)
def test_what_is_wrong_is_mended(text: str, values: dict[str, Any], changed: str) -> None:
    """A setting that can't be is set or taken out like any other, whatever else is wrong."""
    assert changed == with_values(text, values)


def test_sections_that_are_none() -> None:
    """Where a setting stands in the place of a section it is told, and nothing is edited."""
    with pytest.raises(ConfigError, match=r"limits must be a section, \[limits\], and is 5"):
        with_values("limits = 5\n", {"limits.daily": 7})

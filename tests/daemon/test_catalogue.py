"""Every setting as it is told: explained, with its form, and written down for people."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tollkeeper.settings import Form, Setting
from tollkeeper_daemon.config import AT_START, Config, config_of, found_in
from tollkeeper_daemon.own.catalogue import (
    FORMS,
    UnknownSettingError,
    all_settings,
    check_names,
    meant_by,
)

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"


def told(text: str = "", began_with: str = "") -> dict[str, Setting]:
    """The settings of a daemon that follows this file, and began with that."""
    found = found_in(text)
    settings = all_settings(config_of(found), config_of(found_in(began_with)), found)
    return {setting.name: setting for setting in settings}


@pytest.mark.parametrize("setting", told().values(), ids=lambda setting: setting.name)
def test_each_is_explained(setting: Setting) -> None:
    """Each setting has a line that says what it is, a form that its default fits, and a line in the docs."""
    assert setting.about[:1].isupper()
    assert setting.about.isprintable() and 10 < len(setting.about) < 80
    assert not setting.about.endswith(".")
    row = f"| `{setting.name}` | `{written(setting.default)}` | {setting.about}"
    assert row in DOCS.read_text("utf-8").replace("\\|", "|")
    assert msgspec.json.decode(msgspec.json.encode(setting), type=Setting).name == setting.name


def written(value: Any) -> str:
    return msgspec.json.encode(value).decode().replace(",", ", ").replace(":", " = ")


def test_forms() -> None:
    """A form says all that a page of settings needs: kind, bounds, words, and what lists and tables hold."""
    assert {
        "limits.per_agent": Form(kind="number", least=0, most=1_000_000_000),
        "history.keep_requests_days": Form(kind="number", whole=True, least=0),
        "plan.warn_at": Form(kind="list", each=Form(kind="number", above=0, most=100)),
        "limits.action": Form(kind="choice", choices=("warn", "block", "pause", "stop")),
        "workflow.projects": Form(kind="table", each=Form(kind="bool")),
        "plan.name": Form(kind="text"),
    }.items() <= FORMS.items()
    sources = FORMS["accounts.homes"].each
    assert (
        sources
        == FORMS["accounts.source"]
        == Form(kind="choice", choices=("auto", "both", "subscription", "api"))
    )


def test_what_is_in_force() -> None:
    """The value is what holds now; what counts from the next start on is told beside it."""
    text = "[limits]\ndaily = 7\n[history]\nkeep_requests_days = 30\n[plan]\nwarn_at = [80]\n"
    settings = told(text)
    daily, days = settings["limits.daily"], settings["history.keep_requests_days"]
    assert (7, 50, True, None, "at once") == (
        daily.value, daily.default, daily.in_file, daily.pending, daily.counts,
    )  # fmt: skip
    assert (400, 400, True, 30, "next start") == (
        days.value, days.default, days.in_file, days.pending, days.counts,
    )  # fmt: skip
    assert settings["plan.warn_at"].in_file and not settings["plan.name"].in_file
    assert (30, None) == (
        (again := told(text, text)["history.keep_requests_days"]).value,
        again.pending,
    )


def test_what_counts_at_the_start() -> None:
    """What is read at the start is a section."""
    assert {*AT_START} < {*Config.__struct_fields__}


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("limits.dialy", "did you mean limits.daily?"),
        ("daily", "did you mean limits.daily?"),
        ("warn_at", "did you mean limits.warn_at or plan.warn_at?"),
        ("zzz", "see: toll config"),
        ("limits", "see: toll config"),
        ("", "see: toll config"),
        ("workflow.stages.analyst", "did you mean workflow.stages?"),
    ],
)
def test_what_is_no_setting(name: str, hint: str) -> None:
    """A name that is none is told with the one that may be meant."""
    with pytest.raises(UnknownSettingError) as raised:
        check_names(["limits.daily", name])
    assert f"there is no setting {name!r}" == str(raised.value)
    if hint != "see: toll config" or name == "zzz":
        assert hint == raised.value.hint


def test_words() -> None:
    """A word is a setting or a section; no word is for all."""
    assert {"plan.name", "plan.warn_at", "limits.daily"} == meant_by(["plan", "limits.daily"])
    assert {*FORMS} == meant_by([])
    with pytest.raises(UnknownSettingError):
        meant_by(["plan", "pla"])

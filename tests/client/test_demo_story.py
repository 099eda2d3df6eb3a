"""The story of the demo, and its past: what happens when, without any clock."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile
from random import Random

from tollkeeper.demo import past
from tollkeeper.demo.story import (
    CAST,
    MOST_PERCENT,
    STAGES,
    Deed,
    Grant,
    Marker,
    Prompt,
    Reply,
    Says,
    Subagent,
    round_of,
    story,
    windows,
)

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
# Dollars per million tokens: the dearest part of what Agent-3 asks for.
OPUS_OUTPUT = 20


def told_within(seconds: float) -> list[Deed]:
    """What happens until this second."""
    return [*takewhile(lambda deed: deed.at <= seconds, story())]


def test_times_are_in_order() -> None:
    """Over ten minutes nothing happens before what was told before it, and all of it to the cast."""
    deeds = told_within(600)
    assert all(before.at <= after.at for before, after in pairwise(deeds))
    named = {deed.agent for deed in deeds if not isinstance(deed, Grant)}
    assert {part.name for part in CAST} == named


def test_all_there_is_to_see_comes_within_ten_seconds() -> None:
    """Within ten seconds there is every state, a subagent, a crossed budget, and a workflow from its start to its end."""
    deeds = told_within(10)
    assert {"busy", "idle", "waiting"} == {d.state for d in deeds if isinstance(d, Says)}
    assert any(isinstance(deed, Prompt) for deed in deeds)
    assert any(isinstance(deed, Subagent) and deed.finished for deed in deeds)
    marks = [(deed.stage, deed.event) for deed in deeds if isinstance(deed, Marker)]
    stages = [mark for stage in STAGES for mark in ((stage, "start"), (stage, "end"))]
    assert [("", "start"), *stages, ("", "end")] == marks
    for part in CAST:
        if part.budget_usd:
            output = sum(d.output for d in deeds if isinstance(d, Reply) and d.agent == part.name)
            assert output * OPUS_OUTPUT / 1e6 > part.budget_usd
            break
    else:
        raise AssertionError("nobody has a small budget")


def test_rounds_follow_each_other() -> None:
    """A round ends before the next one begins, with a workflow of its own, and lets go on whoever is held."""
    first, second = round_of(1), round_of(2)
    assert first[-1].at < second[0].at
    ids = [{d.workflow for d in deeds if isinstance(d, Marker)} for deeds in (first, second)]
    assert 1 == len(ids[0]) == len(ids[1])
    assert ids[0] != ids[1]
    assert 1 == sum(isinstance(deed, Grant) for deed in first)


def test_windows_fill_and_begin_anew() -> None:
    """The plan begins at 67 % of five hours, is never spent, and its windows begin anew, each ahead of now."""
    assert (67.0, 23.0) == tuple(window.percent for window in windows(0))
    for hour in range(400):
        at = hour * 3600.0
        for window, longest in zip(windows(at), (5, 7 * 24), strict=True):
            assert 0 <= window.percent <= MOST_PERCENT
            assert at < window.resets <= at + longest * 3600


def test_past_is_past() -> None:
    """History goes back four weeks and reaches up to now, never beyond, for any time of the day."""
    for when in (NOW, NOW.replace(hour=0, minute=1), NOW.replace(hour=23, minute=59)):
        asked = [*past.history(when, Random(1))]
        latest = max(each.when for each in asked) + timedelta(seconds=past.REPLIES_A_PROMPT)
        assert latest <= when
        assert timedelta(days=26) < when - min(each.when for each in asked)
        assert {True, False} == {past.PROJECTS[each.project] for each in asked}

"""The look through logs for what makes ccusage count otherwise."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkeeper_daemon.ccusage.counting import Feature, Tokens
from tollkeeper_daemon.ccusage.look import Answered, Look, Question, look

from .lines import OPUS, as_block, assistant, usage

DAY = "2026-11-22"
QUESTION = Question((), (date(2026, 11, 22),), "Pacific/Kiritimati")

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)
stamps = st.sampled_from(
    ("2026-11-22T09:00:00.000Z", "9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00Z", DAY, "soon")
)


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """A line of a log in which anything may stand in the place of anything."""
    said: dict[str, Any] = json.loads(assistant(usage(1, 2, 3, 4, 5)))
    said["timestamp"] = draw(stamps)
    # The day is named somewhere, so that the line is looked at.
    said["slug"] = DAY
    places = [said, said["message"], said["message"]["usage"]]
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.sampled_from(places))
        place[draw(st.sampled_from(sorted(place)))] = draw(values)
    said["type"] = draw(st.sampled_from(("assistant", "progress", "user")))
    return json.dumps(said).encode()


@given(st.lists(lines() | st.binary(max_size=80).map(lambda end: b'"usage"' + DAY.encode() + end)))
def test_any_lines(given: list[bytes]) -> None:
    """Whatever stands in a log is passed over or counted, on the days that were asked for alone."""
    taken = Look(QUESTION)
    for line in given:
        taken.take(line)
    for each in taken.found():
        assert each.day == DAY
        assert all(found.count or found.tokens != Tokens() for found in each.features.values())


def test_logs(tmp_path: Path) -> None:
    """The homes' logs are read to their ends, those of other days are told apart, and what is no log is passed."""
    folder = tmp_path / "projects" / "-p"
    folder.mkdir(parents=True)
    other = assistant(usage(1, 1), timestamp="2026-11-20T09:00:00.000Z", message="m0")
    replay = [assistant(usage(1, 1), request=name) for name in ("r1", "r2")]
    (folder / "conv-1.jsonl").write_bytes(as_block([other, *replay]))
    (folder / "conv-2.jsonl").mkdir()
    homes = (str(tmp_path), str(tmp_path / "gone"))
    found = look(Question(homes, (date(2026, 11, 22),), "UTC"))
    one = Tokens(1, 1)
    assert found == [
        Answered(
            DAY,
            OPUS,
            {"replay": Feature(1, one), "requests": Feature(1, one)},
        )
    ]
    assert look(Question(homes, (), "UTC")) == []


@pytest.mark.parametrize(
    ("zone", "day"), [("America/New_York", "2026-11-21"), ("Asia/Tokyo", "2026-11-22")]
)
def test_days_of_a_zone(tmp_path: Path, zone: str, day: str) -> None:
    """A reply is of the day that it is where was asked."""
    folder = tmp_path / "projects" / "-p"
    folder.mkdir(parents=True)
    line = assistant(usage(1, 1), timestamp="2026-11-22T03:00:00.000Z")
    (folder / "conv-1.jsonl").write_bytes(as_block([line]))
    days = (date(2026, 11, 21), date(2026, 11, 22))
    [found] = look(Question((str(tmp_path),), days, zone))
    assert found.day == day

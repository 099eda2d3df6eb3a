"""The plan on the screen: what was seen, what is an estimate, and that it fits."""

from datetime import datetime

import pytest
from msgspec.structs import replace
from rich.console import Group

from tollkeeper.cli import plan_screen
from tollkeeper.model import Plan, Window

from .making import printed, status

DAY = "2026-11-22T"
FIVE = Window(
    used_percent=67.9,
    resets_at=f"{DAY}11:40:00.000+00:00",
    observed_at=f"{DAY}09:29:18.000+00:00",
    value_since_usd=1.2,
    estimated_percent=71.4,
    percent_per_hour=18.25,
    runs_out_at=f"{DAY}11:05:00.000+00:00",
)
SEVEN = Window(
    used_percent=23,
    resets_at="2026-11-26T09:00:00.000+00:00",
    observed_at=f"{DAY}09:29:18.000+00:00",
    value_since_usd=1.2,
)
MAX = Plan(
    name="max",
    title="Claude Max",
    five_hour=FIVE,
    seven_day=SEVEN,
    messages_today=127,
    opus_messages=142,
    approximate_messages=4000,
    opus_limit=200,
    account="0b77fe09-aaaa-bbbb",
    home="/home/dev/.claude",
)
OTHER = Plan(
    account="6fd2a",
    home="/home/dev/" + "long/" * 30,
    five_hour=replace(FIVE, used_percent=100, estimated_percent=None, runs_out_at=None),
    limited_until=f"{DAY}14:00:00.000+00:00",
)


def shown(*plans: Plan, width: int = 120) -> list[str]:
    lines = plan_screen.lines(status(plan=plans[0], plans=plans), width)
    return printed(Group(*lines), width).splitlines()


def test_a_plan() -> None:
    """Each window has a bar, the figure seen and its age, the estimate, the rate, and what time brings."""
    out = datetime.fromisoformat(FIVE.runs_out_at or "").astimezone()
    five = "  5 hours  █████████████▒░░░░░░  67 %  ~71 % now  seen 42s ago  resets in 2h 10m  "
    assert [
        "SUBSCRIPTION (Claude Max)",
        f"{five}~18.2 %/h  runs out ~{out:%H:%M}",
        "  7 days   ████░░░░░░░░░░░░░░░░  23 %  seen 42s ago  $1.20 since  resets in 3d 23h",
        "  messages today 127 (~4,000 a month)  opus messages 142/~200 (71 %)  approximate",
    ] == shown(MAX)


def test_several_accounts() -> None:
    """With several accounts each block says whose it is, and which refuses until when."""
    until = datetime.fromisoformat(OTHER.limited_until or "").astimezone()
    lines = shown(MAX, OTHER, width=300)
    assert "SUBSCRIPTION (Claude Max)  account 0b77fe09  /home/dev/.claude" in lines
    assert f"SUBSCRIPTION  account 6fd2a  {OTHER.home}  limited until {until:%H:%M}" in lines


def test_a_status_of_an_earlier_daemon() -> None:
    """A daemon that tells of one plan alone is shown as well; without any nothing is."""
    lines = plan_screen.lines(status(plan=replace(MAX, account=None)), 120)
    assert lines[0].plain == "SUBSCRIPTION (Claude Max)"
    assert [] == plan_screen.lines(status(plan=Plan(name="max", opus_limit=0)), 120)


def test_a_plan_without_opus() -> None:
    """A plan of which no bound is known has its messages counted all the same."""
    plan = Plan(messages_today=3, opus_messages=2, opus_limit=0)
    assert ["SUBSCRIPTION", "  messages today 3  opus messages this month 2"] == shown(plan)


@pytest.mark.parametrize("width", [20, 40, 80, 120])
def test_it_fits(width: int) -> None:
    """No line is wider than the terminal, and none is torn where it has room."""
    lines = shown(MAX, OTHER, width=width)
    assert max(map(len, lines)) <= width
    assert width == 20 or any("resets in 2h 10m" in line for line in lines)


@pytest.mark.parametrize("used", [-5.0, 0.0, 99.99, 100.0, 250.0])
def test_any_figure_has_a_bar(used: float) -> None:
    """Whatever a daemon tells, the bar is as long as ever."""
    window = replace(FIVE, used_percent=used, estimated_percent=used / 2)
    [line] = [line for line in shown(Plan(five_hour=window)) if "5 hours" in line]
    assert sum(line.count(mark) for mark in "█▒░") == 20

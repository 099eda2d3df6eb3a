"""Segments: which words stand for which state of things, and that words of others stay words."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tollkeeper.cli import words
from tollkeeper.cli.segment import PROGRAMS
from tollkeeper.cli.segment import STYLES as STYLE_NAMES
from tollkeeper.cli.segment_snippets import RUN, SNIPPETS, USUAL_RUN, snippet, spelt
from tollkeeper.model import Limit, LimitState, Plan, Run, Status, Usage, Window
from tollkeeper.segment import FIELDS, PRESETS, STYLES, FormatError, Style, check, render

from .conftest import Run as RunToll
from .making import TIME, agent, status, today

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def window(percent: float, seen: timedelta = timedelta(), **more: float) -> Window:
    """A window that begins anew in 2 hours and 10 minutes."""
    resets = (NOW + timedelta(hours=2, minutes=10)).isoformat()
    return Window(
        used_percent=percent,
        resets_at=resets,
        observed_at=(NOW - seen).isoformat(),
        estimated_percent=more.get("estimated"),
    )


def spent(dollars: float, **more: int) -> Usage:
    """Usage that is worth so much, and billed."""
    return Usage(requests=1, cost_usd=dollars, value_usd=dollars, **more)


def limit(scope: str, state: LimitState = "under", used: float = 3.1) -> Limit:
    """A limit of five dollars."""
    return Limit(
        scope=scope, bound_usd=5, used=used, fraction=used / 5, action="pause", state=state
    )


FIVE_HOURS = Plan(five_hour=window(67))
THREE = (agent("one"), agent("two", state="waiting"), agent("three", state="waiting"))
SUBSCRIBED = tuple(replace(each, source="subscription") for each in THREE)


def shown(seen: Status, format: str, **more: object) -> str:
    """The plain line."""
    return render(seen, format, "plain", NOW, **more)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("preset", "seen", "line"),
    [
        (
            "subscription",
            status(*SUBSCRIBED, plan=FIVE_HOURS),
            "[🤖 3 agents | ⚠ 2 pending | Plan: 67%]",
        ),
        (
            "api",
            status(*THREE, today=today(api=spent(2.47))),
            "[🤖 3 agents | ⚠ 2 pending | $2.47 today]",
        ),
        (
            "both",
            status(*THREE, plan=FIVE_HOURS, today=today(api=spent(2.47))),
            "[🤖 3 agents | ⚠ 2 pending | Plan: 67% | API: $2.47]",
        ),
    ],
)
def test_bars_of_the_brief(preset: str, seen: Status, line: str) -> None:
    """The bars of the three modes read to the letter as they were asked for; brief finds the mode."""
    assert line == shown(seen, preset) == shown(seen, "brief")


def test_minimal() -> None:
    """The shortest preset has figures alone."""
    seen = status(*THREE, plan=FIVE_HOURS, today=today(api=spent(2.47)))
    assert "3 2! 67% $2.47" == shown(seen, "minimal")


def test_nothing_to_say() -> None:
    """Where there is nothing to tell, there is no bracket either."""
    for format in ("brief", *PRESETS, "x {agents}", "({plan})"):
        assert "" == shown(status(), format)


@pytest.mark.parametrize(
    ("format", "line"),
    [
        ("{agents} | {limited} | {plan}", "🤖 1 agent | Plan: 67%"),
        ("{limited} | {plan}", "Plan: 67%"),
        ("{plan} · {limited}", "Plan: 67%"),
        ("<{agents:short}  {limited}  {plan:short}>", "<1  67%>"),
        ("toll | {plan}", "toll | Plan: 67%"),
        ("{{{plan:short}}} ", "{67%}"),
        ("{limited,plan_week,plan}", "Plan: 67%"),
        ("used {plan:short} of it", "used 67% of it"),
        ("used {limited} of it | {agents}", "🤖 1 agent"),
    ],
)
def test_formats(format: str, line: str) -> None:
    """Parts that say nothing vanish with their mark, and spaces close up."""
    assert line == shown(status(agent(), plan=FIVE_HOURS), format)


@pytest.mark.parametrize(
    ("format", "text"),
    [
        ("{agent}", "no field 'agent'; there are agents, pending,"),
        ("{}", "no field ''"),
        ("{plan:long}", "no kind 'long'"),
        ("{plan", "a lone {"),
        ("plan}", "a lone }"),
        ("breif", "no format 'breif'"),
        ("", "the presets are brief, subscription"),
    ],
)
def test_wrong_formats(format: str, text: str, run: RunToll) -> None:
    """What is wrong with a format is said in one line, which names what there is."""
    with pytest.raises(FormatError, match=re.escape(text)) as caught:
        check(format)
    assert "\n" not in str(caught.value)
    assert (2, "", f"toll: {caught.value}\n") == run("segment", "--format", format)


@pytest.mark.parametrize(
    ("five_hour", "line"),
    [
        (window(67), "Plan: 67%"),
        (window(56.9), "Plan: 56%"),
        (window(0.57 * 100), "Plan: 57%"),
        (window(99.6), "Plan: 99%"),
        (window(67, estimated=71.2), "Plan: ~71%"),
        (window(67, estimated=67.4), "Plan: 67%"),
        (window(67, estimated=140), "Plan: ~100%"),
        (window(67, timedelta(hours=2, minutes=5)), "Plan: 67% (2h ago)"),
        (window(67, timedelta(minutes=45)), "Plan: 67% (45m ago)"),
        (window(67, timedelta(minutes=29)), "Plan: 67%"),
        (window(67, timedelta(hours=2), estimated=71), "Plan: ~71%"),
        (replace(window(67), resets_at=TIME), ""),
        (None, ""),
    ],
)
def test_plan(five_hour: Window | None, line: str) -> None:
    """What was seen is told as such, an estimate as one, an old sighting with its age, a past one not."""
    assert line == shown(status(plan=Plan(five_hour=five_hour)), "{plan}")


def test_plans_of_several_accounts() -> None:
    """All of them are told of everything, and its own of an agent; of one that pays by key, none."""
    plans = (Plan(account="a", five_hour=window(67)), Plan(account="b", five_hour=window(12)))
    one = agent(source="subscription", account="b")
    seen = status(one, plan=plans[0], plans=plans)
    assert "Plans: 67%, 12%" == shown(seen, "{plan}")
    assert "Plan: 12%" == shown(seen, "{plan}", agent=one)
    assert "" == shown(seen, "{plan}", agent=agent())
    unknown, another = replace(one, account=None), replace(one, account="c")
    assert "" == shown(seen, "{plan}", agent=unknown) == shown(seen, "{plan}", agent=another)
    alone = status(one, plan=plans[0], plans=plans[:1])
    assert "Plan: 67%" == shown(alone, "{plan}", agent=unknown)
    assert "" == shown(alone, "{plan}", agent=another)


def test_times() -> None:
    """When the plan begins anew, and until when it refuses, in the zone of who looks."""
    until = (NOW + timedelta(hours=3)).isoformat()
    plan = Plan(five_hour=window(100), seven_day=window(41), limited_until=until)
    seen = status(plan=plan)
    assert "resets in 2h 10m" == shown(seen, "{resets}")
    assert "Week: 41%" == shown(seen, "{plan_week}")
    assert "limited until 12:30" == shown(seen, "{limited}")
    east = NOW.astimezone(timezone(timedelta(hours=14)))
    assert "limited until Mon 02:30" == render(seen, "{limited}", "plain", east)
    late = NOW + timedelta(hours=3)
    assert "" == render(seen, "{limited}{resets}", "plain", late)
    west = NOW.astimezone(timezone(timedelta(hours=-9)))
    assert "limited until 03:30" == render(seen, "{limited}", "plain", west)


def test_sums() -> None:
    """Money by who is billed, to the cent, a guess marked; messages by count."""
    seen = status(
        today=replace(today(api=spent(1234.5)), total=spent(0.004, messages=1)),
        run=Run(id="r", started_at=TIME, usage=spent(2, unpriced_requests=1)),
    )
    assert "$1,234.50 today" == shown(seen, "{cost_today}")
    assert "worth <$0.01 today" == shown(seen, "{value_today}")
    assert "~$2.00 this run" == shown(seen, "{cost_run}")
    assert "1 message" == shown(seen, "{messages}")


def test_statusline() -> None:
    """A conversation's own line tells its agent's figures: of a limit, once anything of it is used."""
    one = agent(context_used_percent=42.7, limits=(limit("agent:x"),))
    seen = status(one, plan=FIVE_HOURS)
    assert "Agent-1 | opus-5-5 | ctx 42% | $3.10 of $5" == shown(seen, "statusline", agent=one)
    two = replace(one, source="subscription", limits=(limit("agent:x", used=0),))
    expected = "Agent-1 | opus-5-5 | ctx 42% | worth $1.25 | Plan: 67% | resets in 2h 10m"
    assert expected == shown(seen, "statusline", agent=two)
    assert "" == shown(seen, "{name}{cost}{state}{context}{limit}{model}")


def test_colours() -> None:
    """Yellow warns, red is for what is spent or held; all else keeps the colour of its line."""
    plan = Plan(five_hour=window(80))
    seen = status(agent(state="paused"), plan=plan, limits=(limit("daily", "reached", 5.1),))
    line = render(seen, "{agents} {plan} {paused} {reached}", "ansi", NOW)
    assert (
        "🤖 1 agent \x1b[33mPlan: 80%\x1b[0m \x1b[31m‖ 1 paused\x1b[0m \x1b[31mlimit reached\x1b[0m"
        == line
    )
    classes = [
        json.loads(render(status(plan=Plan(five_hour=window(used))), "{plan}", "waybar", NOW))[
            "class"
        ]
        for used in (79.9, 80, 100)
    ]
    assert ["calm", "warned", "spent"] == classes


NAMES = st.text(st.characters() | st.sampled_from("#%{}[]$`\\()\x1b\r\n\"'"), max_size=31)
# What each program makes of its own escapes, once every escape of ours is taken out.
READ: dict[Style, list[tuple[str, str]]] = {
    "plain": [],
    "ansi": [],
    "starship": [],
    "polybar": [],
    "tmux": [("##", "#")],
    "zsh": [("%{%}", ""), ("%%", "%")],
    "bash": [(r"\\\\", "\\"), (r"\\$", "$"), (r"\\`", "`")],
}
ACTIVE: dict[Style, re.Pattern[str]] = {
    "plain": re.compile(r"[\x00-\x1f\x7f-\x9f]"),
    "ansi": re.compile(r"[\x00-\x1f\x7f-\x9f]"),
    "starship": re.compile(r"[\x00-\x1f\x7f-\x9f\\]"),
    "polybar": re.compile(r"%\{"),
    "tmux": re.compile(r"(?<!#)(?:##)*#(?!#)"),
    "zsh": re.compile(r"(?<!%)(?:%%)*%(?![%{}])|`|[$\\](?!%\{%\})"),
    "bash": re.compile(r"(?<!\\)(?:\\\\\\\\)*(?:\\\\)?\\(?![\\$`])|(?<!\\)[$`]"),
}


@pytest.mark.parametrize("style", ACTIVE)
@given(name=NAMES)
def test_name_is_no_markup(style: Style, name: str) -> None:
    """No name, and no two pieces beside each other, begin markup; what can be read back is the name."""
    one = agent(name)
    line = render(status(one), "<%{name}{name}>", style, NOW, one)
    if line:
        assert not ACTIVE[style].search(line)
    for escaped, read in READ[style]:
        line = line.replace(escaped, read)
    if style in ("plain", "ansi", "tmux", "bash") and name:
        expected = words.plain(name)
        assert "".join(f"<%{expected}{expected}>".split()) == "".join(line.split())


@given(name=NAMES)
def test_name_is_no_markup_in_waybar(name: str) -> None:
    """Text and tooltip are markup whose words are the names, on one line of JSON."""
    one = agent(name)
    line = render(status(one), "{agents} {name}", "waybar", NOW, one)
    assert "\n" not in line
    shown = json.loads(line)
    assert not re.search(r"[<>]|&(?!lt;|gt;|amp;)", shown["text"] + shown["tooltip"])
    assert unescape(shown["tooltip"]) == f"{words.plain(name)}: working, $1.25 [API]"


def test_snippets_name_the_run_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a variable where that holds on the user's other machines too, quoted where it must be."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    monkeypatch.setenv("HOME", "/home/dev")
    assert "$XDG_RUNTIME_DIR/tollkeeper" == spelt("/run/user/7/tollkeeper")
    assert "$HOME/Library/Application Support/x" == spelt("/home/dev/Library/Application Support/x")
    assert r"/odd\$\"\`" == spelt('/odd$"`')
    for program in PROGRAMS:
        assert "@" not in snippet(program, "/run")


def test_names_are_the_same_everywhere() -> None:
    """The command, which loads little, knows the styles and the snippets by the same names."""
    assert tuple(STYLES) == STYLE_NAMES
    assert {*SNIPPETS} == {*PROGRAMS}
    assert all(name.isidentifier() for name in FIELDS)


DOCS = (Path(__file__).parents[2] / "docs" / "segments.md").read_text()


def test_documented_snippets() -> None:
    """The documentation has the snippets as the command prints them in the usual place, and no others."""
    fences = re.findall(r"^```\w+\n(.*?)\n```$", DOCS, re.MULTILINE | re.DOTALL)
    assert sorted(text.replace(RUN, USUAL_RUN) for text in SNIPPETS.values()) == sorted(fences)


def test_documented_fields_and_presets() -> None:
    """Every field, preset and style is documented, each preset as it is."""
    for name in (*FIELDS, *PRESETS, *STYLES):
        assert f"`{name}`" in DOCS
    for name, format in PRESETS.items():
        if name != "minimal":
            in_cell = format.replace("|", "\\|")
            assert f"| `{name}` | `{in_cell}` |" in DOCS

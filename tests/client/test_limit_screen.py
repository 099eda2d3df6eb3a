"""Limits on the screen, in tables and in sentences: who is near, who is paused, and how to go on."""

from datetime import datetime
from typing import Any

import pytest
from msgspec import to_builtins
from msgspec.structs import replace

from tollkeeper import wire
from tollkeeper.cli import limit_screen, limit_view, screen, watch, words
from tollkeeper.feed import Change
from tollkeeper.model import Action, Agent, Limit, LimitState, Span, Status, Usage

from .making import TIME, agent, held, printed, status

WIDTHS = [40, 80, 100, 116, 120, 200]


def limit(
    scope: str,
    fraction: float,
    usd: float | None = 5.0,
    tokens: int | None = None,
    state: LimitState = "under",
) -> Limit:
    """A limit of which this much is used."""
    bound = usd if usd is not None else tokens
    return Limit(
        scope=scope,
        bound_usd=usd,
        bound_tokens=tokens,
        used=(bound or 0) * fraction,
        fraction=fraction,
        action="pause",
        state=state,
    )


def limited(name: str, *limits: Limit, **more: object) -> Agent:
    """An agent with these limits of its own."""
    return agent(name, limits=limits, **more)


MANY = status(
    limited("far", limit("agent:far", 0.1)),
    limited("warned", limit("agent:warned", 0.85, state="warned")),
    limited(
        "spent",
        limit("agent:spent", 1.0042, state="reached"),
        limit("agent:spent", 0.6, None, 2_000_000),
        state="paused",
    ),
    limited("gone", limit("agent:gone", 2.0, state="reached"), state="exited"),
    limits=(
        limit("daily", 0.246, 50.0),
        limit("daily", 0.9, None, 1_000_000, "warned"),
        limit("run", 0.0, 20.0),
        limit("task:x.1", 0.62),
        limit("workflow:x", 0.1),
    ),
)


@pytest.mark.parametrize("width", WIDTHS)
def test_screen_with_limits_fits(width: int) -> None:
    """No line is wider than the terminal, whatever is shown of limits."""
    shown = printed(screen.status_screen(MANY, width), width)
    assert max(map(len, shown.splitlines())) <= width


@pytest.mark.parametrize("width", WIDTHS)
def test_names_and_states_stay(width: int) -> None:
    """However narrow the terminal is, it shows who it is and what it does."""
    lines = printed(screen.agents_table(MANY.agents, datetime.fromisoformat(TIME), width), width)
    told = [line.split()[:3] for line in lines.splitlines()[1:]]
    assert ["spent", "‖", "paused"] in told


@pytest.mark.parametrize("width", [80, 120])
def test_limits_of_agents(width: int) -> None:
    """An agent's own limit stands in its line from half of it on: the nearest, and not of the gone."""
    lines = printed(screen.status_screen(MANY, width), width).splitlines()
    told = {line.split()[0]: line for line in reversed(lines) if line.strip()}
    assert "85 % of $5" in told["warned"]
    assert "100 % of $5" in told["spent"]
    assert [name for name in ("far", "gone") if "%" in told[name]] == []


def test_limit_that_holds_comes_first() -> None:
    """Of an agent's limits the one is shown that holds it, and not one that was waived, however far it is passed."""
    waived = replace(limit("agent:a", 5.0, state="reached"), waived=True)
    holding = limit("stage:w/plan", 1.2, state="reached")
    assert limit_screen.of_agent(limited("a", waived, holding)) == holding
    assert limit_screen.of_agent(limited("a", waived)) == waived


@pytest.mark.parametrize("width", [80, 120])
def test_limits_in_the_sums(width: int) -> None:
    """The day and the run show their nearest limit as soon as anything of it is used, and what counts for it."""
    lines = printed(screen.status_screen(MANY, width), width).splitlines()
    [today] = [line for line in lines if line.startswith("Today")]
    [run] = [line for line in lines if line.startswith("This run")]
    assert ("90 % of 1.00M tokens" in today, "%" in run) == (True, False)
    assert ("900K, 90 %" in today) == (width > 80)
    assert [line for line in lines if line.startswith(("task", "workflow"))] == [
        "task x.1: 62 % of $5"
    ]


def test_limits_on_a_narrow_screen() -> None:
    """Where the sums have no room for them, limits that are near have a line each below."""
    shown = printed(screen.status_screen(MANY, 60), 60).splitlines()
    assert [line for line in shown if line.startswith(("today:", "this run:", "task"))] == [
        "today: 90 % of 1.00M tokens",
        "task x.1: 62 % of $5",
    ]
    assert [line.split()[0] for line in shown if line.startswith(("Today", "This"))] == [
        "Today",
        "This",
    ]


def test_nothing_near_is_no_clutter() -> None:
    """Limits that nobody came near, or that nothing is counted by, take no room at all."""
    far = status(
        limited("far", limit("agent:far", 0.49)),
        limits=(limit("daily", 0.0, 50.0), limit("run", 0.0, 20.0)),
    )
    without = replace(far, limits=(), agents=(agent("far"),))
    for width in WIDTHS:
        assert printed(screen.status_screen(far, width), width) == printed(
            screen.status_screen(without, width), width
        )


def test_paused_agents() -> None:
    """Who is paused is told with the way on, and with more budget where that is what is missing."""
    told = [line.plain for line in limit_screen.held_lines(MANY.agents)]
    assert told == ["‖ spent is paused; to go on: toll resume spent (--add-usd 5 for more budget)"]
    by_hand = agent("a b", state="paused")
    [line] = limit_screen.held_lines((by_hand, agent("c")))
    assert line.plain == "‖ a b is paused; to go on: toll resume 'a b'"
    tokens = limited("t", limit("agent:t", 1.0, None, 100, "reached"), state="paused")
    [line] = limit_screen.held_lines((tokens,))
    assert line.plain.endswith("toll resume t (--add-tokens N for more budget)")
    many = tuple(agent(f"a{number}", state="paused") for number in range(9))
    assert limit_screen.held_lines(many)[-1].plain == "‖ 4 more are held: toll resume --all"


def test_held_agents() -> None:
    """Who is blocked or paused by us is told with the reason; nobody who is being stopped, or is gone."""
    blocked = held(
        "b", "blocked", "It is\x1b reached.", limits=(limit("agent:b", 1.0, 5.0, None, "reached"),)
    )
    frozen = held("p", "paused", state="paused", limits=(replace(blocked.limits[0], waived=True),))
    others = (held("s", "stopping"), held("x", "blocked", state="exited"), agent("c"))
    told = [line.plain for line in limit_screen.held_lines((blocked, frozen, *others))]
    assert told == [
        "⊘ b is blocked: It is· reached.\n  To go on: toll resume b (--add-usd 5 for more budget)",
        "‖ p is paused: It is reached.\n  To go on: toll resume p",
    ]
    states = [words.state_of(each) for each in (blocked, frozen, *others)]
    assert states == ["blocked", "paused", "working", "exited", "working"]
    shown = printed(screen.status_screen(status(blocked, frozen, *others), 80), 80)
    assert "⊘ blocked" in shown


def test_waived_limits() -> None:
    """A limit that acts on nobody any more is shown as waived, and not in red."""
    waived = replace(limit("agent:a", 1.2, state="reached"), waived=True)
    cell = limit_screen.cell(waived)
    assert (cell.plain, cell.style) == ("120 % of $5, waived", "dim")


@pytest.mark.parametrize("name", ["-x", "\x1b[2J", "a\nb"])
def test_names_that_are_hard_to_type(name: str) -> None:
    """An agent whose name can't be typed is resumed by its pid."""
    [line] = limit_screen.held_lines((agent(name, state="paused"),))
    assert line.plain.endswith("to go on: toll resume 100")
    assert line.plain.isprintable()


def test_colours_of_limits() -> None:
    """A limit that is warned of is yellow, one that is reached red, others as they are."""
    styles = [
        limit_screen.cell(limit("run", 0.5, state=state)).style
        for state in ("under", "warned", "reached")
    ]
    assert styles == ["", "yellow", "bold red"]


@pytest.mark.parametrize(
    ("fraction", "told"), [(0.0, "0 %"), (0.999, "99 %"), (1.0, "100 %"), (2.5, "250 %")]
)
def test_percent(fraction: float, told: str) -> None:
    """A limit that is not reached is never told to be used by 100 %."""
    assert limit_screen.cell(limit("run", fraction)).plain == f"{told} of $5"


def own(
    scope: str,
    usd: float | None,
    tokens: int | None,
    action: str | None = None,
    in_force: bool = False,
) -> dict[str, Any]:
    """A limit that was set by hand, as the wire has it."""
    return {
        "scope": scope,
        "bound_usd": usd,
        "bound_tokens": tokens,
        "action": action,
        "in_force": in_force,
    }


def shown(capsys: pytest.CaptureFixture[str], *limits: Limit, by_hand: Any = ()) -> list[str]:
    """The lines of `toll limit`."""
    settings = {"limits.per_agent": 0.0, "limits.per_run": 0.0, "limits.action": "pause"}
    limit_view.print_limits({"limits": to_builtins(limits), "by_hand": by_hand}, settings)
    return capsys.readouterr().out.splitlines()


def test_table_of_limits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each limit is a line; those set by hand are marked, and idle ones told, of who has ended too."""
    monkeypatch.delenv("COLUMNS", raising=False)
    of_day = own("daily", None, 10**6, in_force=True)
    idle = [own("agent:-x", 0.0, None, "stop"), own("agent:y", 3.0, None)]
    limits = (MANY.limits[0], replace(MANY.limits[1], by_hand=True), MANY.limits[2])
    waived = replace(limit("run", 1.0, state="reached"), waived=True)
    lines = shown(capsys, *limits, waived, by_hand=[of_day, *idle])
    assert [line.split() for line in lines[1:]] == [
        ["today", "$12.30", "$50.00", "24", "pause", "under"],
        ["today", "900K", "tokens", "1.00M", "tokens", "90", "pause", "warned", "by", "hand"],
        ["this", "run", "$0.00", "$20.00", "0", "pause", "under"],
        ["this", "run", "$5.00", "$5.00", "100", "pause", "waived"],
        ["agent", "-x", "none", "stop", "by", "hand"],
        ["agent", "y", "$3.00", "ended", "by", "hand"],
    ]
    assert shown(capsys) == ["There is no limit. Set one with: toll limit set --daily --usd 50"]


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 120])
def test_table_of_limits_fits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int
) -> None:
    """No line is wider than the terminal; what is used of what stands in every one."""
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    long = limit("agent:an-agent-with-a-long-name-\x1b[2J-名前", 0.5)
    lines = shown(capsys, long, *MANY.limits)
    assert max(map(len, lines)) <= columns
    assert all("\x1b" not in line for line in lines)
    if columns >= 40:
        assert all("$50.00" in line for line in lines if "12.30" in line)


def test_effects_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    """What a limit did to whom is told by how the agent is now, and nothing else."""
    effects = [
        {"agent": name, "pid": 1, "action": action, "text": "It is reached.", "held": held}
        for name, action, held in (
            ("a", "pause", "paused"),
            ("b", "block", "blocked"),
            ("c", "stop", "stopping"),
            ("d", "warn", None),
            ("e", "pause", None),
            ("f", "warn", "paused"),
        )
    ]
    answer = {"limit": to_builtins(limit("daily", 1.5)), "hit": effects, "offered": ["g"]}
    limit_view.print_set(answer, "daily", "dollars", is_dry=False)
    assert capsys.readouterr().out.splitlines() == [
        "The daily limit is now $5.00, action pause; used so far: $7.50 (150 %).",
        "a is paused: It is reached.",
        "b has its tool calls refused: It is reached.",
        "c is being stopped: It is reached.",
        "d: It is reached.",
        "e was not touched: It is reached.",
        "f: It is reached.",
        "g has room again: toll resume g",
    ]
    limit_view.print_set(answer, "daily", "dollars", is_dry=True)
    assert capsys.readouterr().out.splitlines()[1:] == [
        "It would pause a: It is reached.",
        "It would refuse the tool calls of b: It is reached.",
        "It would stop c: It is reached.",
        "It would only warn of d: It is reached.",
        "It would pause e: It is reached.",
        "It would only warn of f: It is reached.",
        "Nothing was changed.",
    ]


def test_clearing_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    """What was taken back, what holds instead, and whom that hits."""
    hit = {"agent": "a", "pid": 1, "action": "pause", "text": "It is reached.", "held": "paused"}
    instead = to_builtins(limit("agent:a", 1.5))
    answer = {"cleared": ["usd", "tokens"], "limits": [instead], "hit": [hit], "offered": []}
    limit_view.print_cleared(answer, "agent:a", is_dry=False)
    assert capsys.readouterr().out.splitlines() == [
        "The limit of agent a in dollars and tokens is cleared.",
        "The limit of agent a is now $5.00, action pause; used so far: $7.50 (150 %).",
        "a is paused: It is reached.",
    ]
    none = {"cleared": ["tokens"], "limits": [], "hit": [], "offered": ["a"]}
    limit_view.print_cleared(none, "task:t", is_dry=True)
    assert capsys.readouterr().out.splitlines() == [
        "The limit of task t in tokens would be cleared; it would have no other in its place.",
        "It would hit nobody now.",
        "Nothing was changed.",
    ]


def test_what_could_not_be_saved(capsys: pytest.CaptureFixture[str]) -> None:
    """Who sets or clears a limit on a full disk is told so, and nobody else."""
    told = "It holds, but can't be saved now; that is tried again. See: toll doctor"
    for saved in (True, False):
        answer = {
            "limit": None,
            "hit": [],
            "cleared": ["usd"],
            "offered": [],
            "saved": saved,
            "limits": [],
        }
        limit_view.print_set(answer, "daily", "dollars", is_dry=False)
        limit_view.print_cleared(answer, "daily", is_dry=False)
        assert capsys.readouterr().out.splitlines().count(told) == 2 * (not saved)


def test_watched_actions_and_limits() -> None:
    """`toll watch` tells an action by its text, and of limits those that are near."""
    action = Action(number=1, time=TIME, kind="paused", text="a is paused.", cause="person")
    told = wire.ActionUpdate(sequence=8, time=TIME, action=action)
    limits = wire.LimitUpdate(sequence=8, time=TIME, limits=MANY.limits)

    def lines(topic: str, update: wire.Update) -> list[str]:
        return watch.lines_of(Change(topic, update, status()))

    assert lines("action", told) == ["09:30:00 action a is paused."]
    assert lines("limit", limits) == ["09:30:00 limit today: 90 % used, warned"]


def test_watched_workflows() -> None:
    """`toll watch` tells what begins and ends, and what a stage used that has ended."""
    span = Span(id="m:1", workflow="w-1", stage="plan", role="Ada", started_at=TIME)
    used = Usage(requests=3, total_tokens=61_000, value_usd=0.245)
    later = replace(span, status="failed", ended_at="2026-11-22T09:32:07+00:00", usage=used)

    def lines(event: wire.WorkflowEvent, span: Span | None = None, status: str = "") -> list[str]:
        update = wire.WorkflowUpdate(
            sequence=8, time=TIME, workflow="w-1", event=event, status=status or None, span=span
        )
        return watch.lines_of(Change("workflow", update, MANY))

    clock = MANY.time[11:19]
    assert lines("started") == [f"{clock} workflow w-1 has started"]
    assert lines("ended", status="failed") == [f"{clock} workflow w-1 has ended: failed"]
    assert lines("stage-started", span) == [f"{clock} workflow plan of w-1 by Ada has started"]
    assert lines("stage-ended", later, "failed") == [
        f"{clock} workflow plan of w-1 by Ada has ended: failed, after 2m 07s, 61.0K tokens, $0.2450"
    ]


def test_made_up_limits_are_of_the_wire() -> None:
    """The made-up status is one that a daemon could send."""
    assert wire.decode(wire.encode(MANY), Status) == MANY

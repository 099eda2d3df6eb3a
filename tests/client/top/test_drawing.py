"""What the dashboard draws, without a screen: bars, plots, cards, order, summary, burn rate."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len
from rich.text import Text

from client.making import USED, agent, helper, status, today
from tollkeeper.model import Status, Usage
from tollkeeper.top.burn import MINUTES, Burn
from tollkeeper.top.drawing.bars import bar, plot
from tollkeeper.top.drawing.cards import LINES, card
from tollkeeper.top.drawing.order import ORDERS, Order, after, arranged
from tollkeeper.top.drawing.summary import summary

from .fleet import busy, fleet
from .screens import NOW

WIDTH = 40


def plain(lines: Sequence[Text]) -> list[str]:
    """The lines as text."""
    return [line.plain for line in lines]


@given(st.floats(0, 3), st.integers(1, 80))
def test_bar(fraction: float, width: int) -> None:
    """A bar has its width, and is full from the bound on and not before."""
    drawn = bar(fraction, width)
    assert len(drawn) == width
    assert ("░" not in drawn) == (fraction >= 1)


@given(st.lists(st.floats(0, 1e6), max_size=50), st.integers(1, 60), st.integers(1, 8))
def test_plot(values: list[float], width: int, height: int) -> None:
    """A plot has its size; each value that is shown and not nothing stands in the lowest row."""
    rows = plot(values, width, height)
    assert [width] * height == [len(row) for row in rows]
    shown = values[-width:]
    seen = [letter != " " for letter in rows[-1]][width - len(shown) :]
    assert [value > 0 for value in shown] == seen


def test_plot_of_the_highest() -> None:
    """The highest value fills the height, half of it half."""
    assert ["   █", "  ██"] == plot([0.0, 2.0, 4.0], 4, 2)


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("started", "Agent-1 Agent-2 Agent-3 Agent-4 Agent-5 Agent-6"),
        ("name", "Agent-1 Agent-2 Agent-3 Agent-4 Agent-5 Agent-6"),
        ("state", "Agent-2 Agent-4 Agent-5 Agent-1 Agent-3 Agent-6"),
        ("spent", "Agent-1 Agent-2 Agent-4 Agent-5 Agent-3 Agent-6"),
        ("tokens", "Agent-1 Agent-2 Agent-4 Agent-5 Agent-3 Agent-6"),
    ],
)
def test_order(order: Order, names: str) -> None:
    """Agents are sorted by what was chosen; who exited comes last."""
    assert names.split() == [each.name for each in arranged(fleet(), order)]


def test_orders_go_round() -> None:
    """Each order is followed by the next, and the last by the first."""
    order = ORDERS[0]
    for expected in (*ORDERS[1:], ORDERS[0]):
        order = after(order)
        assert expected == order


@pytest.mark.parametrize(
    ("sought", "names"),
    [("AUTH", "Agent-1"), ("review 4nq", "Agent-2"), ("blocked", "Agent-5"), ("nobody", "")],
)
def test_filter(sought: str, names: str) -> None:
    """Those are shown that have every word that is sought, whatever its case."""
    assert names.split() == [each.name for each in arranged(fleet(), "name", sought)]


def test_card_of_a_subscription() -> None:
    """A card says what is done, how long, by whose money, what changed, and how near the limit is."""
    drawn = card(fleet()[0], NOW, WIDTH, unfolded=False)
    assert ("Agent-1", "working") == (drawn.title, drawn.state)
    assert plain(drawn.lines) == [
        "Task: Fix auth bypass",
        "● Working for 12m               opus-5-5",
        "Session: 2 messages ($1.25) [Sub]",
        "Changes: +142 -38          Context: 62 %",
        "Budget: ███████░░░ 71 % of $5",
        "▸ 2 subagents, 2 at work",
    ]


def test_card_of_a_key() -> None:
    """One who pays by key shows tokens and dollars; a long wait gives way to its age."""
    drawn = card(fleet()[1], NOW, 34, unfolded=False)
    assert plain(drawn.lines)[:3] == [
        "Workflow: .claude-4nq · review",
        "⚠ Waiting: permission … for 1h 25m",
        "Session: 330K tokens ($1.25) [API]",
    ]


def test_unfolded_card() -> None:
    """An unfolded card has a line for each subagent."""
    drawn = card(fleet()[0], NOW, WIDTH, unfolded=True)
    assert plain(drawn.lines)[LINES - 1 :] == [
        "▾ 2 subagents, 2 at work",
        "  ● planner $1.25 [Sub]",
        "  ● analyst $1.25 [Sub]",
    ]


def test_card_of_many_subagents() -> None:
    """Of many subagents those at work are shown, then the latest that are done, and how many more there are."""
    helpers = [helper(f"h{at}", f"type-{at}") for at in range(20)]
    done = [replace(each, state="done") if at != 4 else each for at, each in enumerate(helpers)]
    lines = plain(card(agent("a", subagents=tuple(done)), NOW, WIDTH, True).lines)[LINES - 1 :]
    assert lines == [
        "▾ 20 subagents, 1 at work",
        "  ● type-4 $1.25 [API]",
        *(f"  ○ type-{at} $1.25 [API]" for at in (19, 18, 17, 16, 15)),
        "  and 14 more",
    ]


def test_card_without_usage() -> None:
    """Where no usage is wanted there is none, but still what is done, what changed, and why it is held."""
    shown = (plain(card(each, NOW, WIDTH, True, with_usage=False).lines) for each in fleet())
    first, *_, held, _, _ = shown
    assert first == [
        "Task: Fix auth bypass",
        "● Working for 12m               opus-5-5",
        "Changes: +142 -38          Context: 62 %",
        "",
        "▾ 2 subagents, 2 at work",
        "  ● planner",
        "  ● analyst",
    ]
    assert held[3] == "Its limit is reached: $5.01 of $5.00."


@pytest.mark.parametrize(
    ("width", "told"),
    [
        (40, "Session: 1,234,567 msgs ($1.25) [Sub]"),
        (34, "1,234,567 messages ($1.25) [Sub]"),
        (28, "1,234,567 msgs ($1.25) [Sub]"),
    ],
)
def test_narrow_card(width: int, told: str) -> None:
    """However many messages there are, who pays for them is not what is cut off, nor the context."""
    many = replace(fleet()[0], usage=replace(USED, messages=1_234_567), lines_added=1_234)
    lines = plain(card(many, NOW, width, False).lines)
    assert told == lines[2]
    assert lines[3].endswith(" Context: 62 %")


def test_held_card_in_a_narrow_place() -> None:
    """A reason that does not fit gives way to the limit, which says the same in less room."""
    assert plain(card(fleet()[3], NOW, 34, False).lines)[4] == "Budget: ████████ 100 % of $5"


def test_held_card() -> None:
    """One that is held says why, where its budget stood."""
    assert plain(card(fleet()[3], NOW, WIDTH, False).lines)[4] == (
        "Its limit is reached: $5.01 of $5.00."
    )


@given(st.text(max_size=30), st.text(max_size=30), st.integers(10, 60), st.booleans())
def test_any_words(name: str, task: str, width: int, unfolded: bool) -> None:
    """Whatever agents are called, a card has its lines, none wider than it, and nothing that moves a cursor."""
    shown = replace(fleet()[0], name=name, task=task)
    drawn = card(shown, NOW, width, unfolded)
    assert len(drawn.lines) == LINES + 2 * unfolded
    assert all(line.cell_len <= width and line.plain.isprintable() for line in drawn.lines)
    assert drawn.title.isprintable()


@given(st.lists(st.text(max_size=30), min_size=1, max_size=5), st.integers(44, 120))
def test_names_of_any_width(names: list[str], width: int) -> None:
    """Whatever agents are called, their parts stand below each other."""
    agents = [agent(name or "a", usage=USED) for name in names]
    lines = plain(summary(status(*agents), width, [], 0.0))
    rows = lines[lines.index("BY AGENT") + 1 :]
    assert len({cell_len(row.partition("[API]")[0]) for row in rows}) == 1
    assert all(cell_len(row) <= width and "█" in row or len(agents) > 5 for row in rows)


@pytest.mark.parametrize("width", [46, 78])
def test_summary(width: int) -> None:
    """The panel has the plan, what was billed, the limits, the rate, and each agent's part."""
    lines = plain(summary(busy(), width, [0.5, 1.0], 45.0))
    assert all(Text(line).cell_len <= width for line in lines)
    text = "\n".join(lines)
    for words in (
        "SUBSCRIPTION (Claude Max)",
        "67 %",
        "messages today 127",
        "opus messages 142/~200 (71 %)",
        "API USAGE (today)",
        "Total cost: $1.25",
        "Total tokens: 330,000 (In: 310K, Out: 20.0K)",
        "Requests: 3",
        "82 % of $50",
        "BURN RATE   $45.00/h by list price",
        "BY AGENT",
    ):
        assert words in text
    assert text.index("Agent-1 ") < text.index("Agent-3 ")


def test_summary_of_nothing() -> None:
    """With nothing used there is nothing but zeros."""
    empty = status(run=None, today=today())
    assert "Total cost: $0.00   Requests: 0" in plain(summary(empty, 46, [0.0], 0.0))


def spent(dollars: float) -> Status:
    """A status of a day in which so much was spent."""
    total = replace(USED, value_usd=dollars)
    return status(today=replace(today(), total=total))


def test_burn() -> None:
    """What is spent is noted in its minute; what was spent before the first look is not."""
    burn = Burn()
    for now, dollars in ((600, 5.0), (610, 5.5), (661, 6.5), (785, 6.75), (786, 0.25)):
        burn.note(spent(dollars), now)
    assert burn.minutes == [0.5, 1.0, 0.0, 0.25]
    burn.note(spent(1.0), 787)
    assert burn.minutes == [0.5, 1.0, 0.0, 1.0]
    assert burn.per_hour == pytest.approx(2.5 / 4 * 60)


def test_burn_after_a_long_sleep() -> None:
    """A gap of days is a gap, and takes no more room than is kept; a clock set back adds to what is there."""
    burn = Burn()
    burn.note(spent(1.0), 1_000_000)
    burn.note(spent(2.0), 9_000_000)
    burn.note(spent(3.0), 1_000_000)
    assert (MINUTES, 2.0) == (len(burn.minutes), burn.minutes[-1])


def test_burn_from_the_books() -> None:
    """What the books say of the minutes before holds, and what is spent from then on goes on top."""
    burn = Burn()
    burn.note(spent(5.0), 600)
    burn.fill(480, [0.25, 0.0, 0.5])
    assert burn.minutes == [0.25, 0.0, 0.5]
    burn.note(spent(6.0), 610)
    burn.note(spent(6.5), 661)
    assert burn.minutes == [0.25, 0.0, 1.5, 0.5]
    burn.fill(540, [0.0, 1.25])
    assert burn.minutes == [0.0, 1.25, 0.5]


def test_no_usage_is_no_part() -> None:
    """Who used nothing has no part in what was used."""
    lines = plain(summary(status(agent("a", usage=Usage())), 46, [], 0.0))
    assert "BY AGENT" not in lines

"""Tables of reports: what a terminal of any width shows of the daemon's figures."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkeeper.cli import table
from tollkeeper.cli.report import Line, Look, report_lines, sections, with_splits


def row(**more: Any) -> dict[str, Any]:
    """A line of a report, or its totals."""
    return {
        "inputTokens": 1_000,
        "outputTokens": 20_000,
        "cacheCreationTokens": 9_000,
        "cacheReadTokens": 300_000,
        "totalTokens": 330_000,
        "costUSD": 0.5,
        "valueUSD": 1.25,
        "unpricedRequests": 0,
        "modelsUsed": ["claude-opus-5-5", "claude-haiku-5-5"],
        **more,
    }


def look(
    width: int,
    heads: tuple[str, ...] = ("Day",),
    compact: bool = False,
    money: bool = True,
    models: bool = False,
) -> Look:
    """How a report is shown in a terminal of this width, unless said otherwise by day."""
    return Look(
        [table.Column(head, cut=1, least=12) for head in heads], width, compact, money, models
    )


def shown(lines: list[Line], totals: dict[str, Any], how: Look) -> list[str]:
    """The lines of the table, without their styles."""
    return [line for line, _ in report_lines(lines, totals, how)]


def days(
    *rows: dict[str, Any], width: int = 200, compact: bool = False, money: bool = True
) -> list[str]:
    """The table of these days."""
    how = look(width, compact=compact, money=money)
    named = [{"date": f"2026-11-{21 + at}", **each} for at, each in enumerate(rows)]
    totals = row(
        totalTokens=sum(each["totalTokens"] for each in rows),
        valueUSD=sum(each["valueUSD"] for each in rows),
    )
    return shown(sections({"": named}, "date", how), totals, how)


@pytest.mark.parametrize("width", [80, 120, 200])
def test_report(width: int) -> None:
    """A report fits the terminal and has a line per row, and the totals below."""
    lines = days(row(unpricedRequests=1), row(), width=width)
    assert max(map(len, lines)) <= width
    assert ["Day", "2026-11-21", "2026-11-22", "Total"] == [line.split()[0] for line in lines]
    assert "~$0.5000" in lines[1]
    assert "~$1.25" in lines[1]
    assert "~" not in lines[2]
    assert ("660K" if width == 80 else "660,000") in lines[-1]


def test_wide_report_names_models() -> None:
    """A wide report names the models, as people say them, and each kind of tokens."""
    line = days(row())[1]
    for word in ("opus-5-5, haiku-5-5", "20,000", "300,000", "9,000"):
        assert word in line
    assert "opus-5-5" not in days(row(), compact=True)[1]


def test_figures_stand_in_line() -> None:
    """Figures of a column end in the same place, whatever their size."""
    lines = days(row(totalTokens=7), row(totalTokens=1_234_567))
    ends = [
        line.index(figure) + len(figure)
        for line, figure in zip(lines[1:], ("  7", "1,234,567"), strict=False)
    ]
    assert ends[0] == ends[1]


def test_share() -> None:
    """The bar shows each line's share of the whole: of the list price, or of the tokens."""
    lines = days(row(valueUSD=1.0, totalTokens=3), row(valueUSD=3.0, totalTokens=1))
    assert [2.5, 7.5] == [_bar(line) for line in lines[1:3]]
    lines = days(row(valueUSD=1.0, totalTokens=3), row(valueUSD=3.0, totalTokens=1), money=False)
    assert [7.5, 2.5] == [_bar(line) for line in lines[1:3]]
    assert not any("$" in line for line in lines)
    assert [0.0] == [_bar(line) for line in days(row(valueUSD=0.0))[1:2]]


def _bar(line: str) -> float:
    return line.count("█") + 0.5 * line.count("▌")


def test_splits_stand_below_their_line() -> None:
    """What a line is split into stands below it: by model with -b, and by what was asked for."""
    split = [{"by": {"agent": "Ada", "task": ""}, **row(totalTokens=5)}]
    models = [{"modelName": "claude-opus-5-5", **row(totalTokens=9)}]
    line = Line(["2026-11-22"], row(breakdown=split, modelBreakdowns=models))
    lines = shown(with_splits(line, look(200)), row(), look(200))
    assert [True, False] == [
        any(word in each for each in lines) for word in ("└ Ada / –", "└ opus")
    ]
    lines = shown(with_splits(line, look(200, models=True)), row(), look(200))
    assert lines[2].startswith("  └ opus-5-5")
    assert lines[3].startswith("  └ Ada / –")


def test_projects_are_headed() -> None:
    """The projects come one after the other, each under its name."""
    how = look(80)
    lines = sections(
        {"-a": [{"date": "d1", **row()}], "-b": [{"date": "d1", **row()}]}, "date", how
    )
    assert ["Day", "-a", "d1", "-b", "d1", "Total"] == [
        line.split()[0] for line in shown(lines, row(), how)
    ]


@pytest.mark.parametrize("width", [80, 120])
def test_long_words_give_way_to_figures(width: int) -> None:
    """A long title is cut short, on one line, so that every figure stays whole."""
    cells = ["a title that somebody wrote at length " * 3, "project" * 9, "2026-11-22 09:30"]
    how = look(width, heads=("Conversation", "Project", "Last"))
    line = shown([Line(cells, row())], row(), how)[1]
    assert table.cells(line) <= width
    for word in ("a title", "…", "330K" if width == 80 else "330,000", "$0.5000", "$1.25"):
        assert word in line


def test_escape_codes_of_others_do_nothing() -> None:
    """What stands in a name can't move the cursor."""
    split = [{"by": {"agent": "\x1b[2J"}, **row()}]
    lines = shown(with_splits(Line(["d"], row(breakdown=split)), look(200)), row(), look(200))
    assert "\x1b" not in "".join(lines)


@given(st.text(max_size=30), st.integers(1, 20))
def test_fit(text: str, room: int) -> None:
    """A text that is cut takes no more cells than there are, and one that fits stays as it is."""
    fitted = table.fit(text, room)
    assert table.cells(fitted) <= room
    assert fitted == text or table.cells(text) > room


@given(st.floats(-1, 2), st.integers(1, 30))
def test_bar_fits(share: float, room: int) -> None:
    """A bar is never longer than its room, and full only for the whole."""
    drawn = table.bar(share, room)
    assert len(drawn) <= room
    assert (drawn == "█" * room) == (round(share * room * 8) >= room * 8)


def test_columns_give_way_in_their_order() -> None:
    """First what may be cut is cut, then columns go, the least needed first; the figures stay."""
    columns = [
        table.Column("Name", cut=1, least=8),
        table.Column("Models", cut=2, least=6, drop=1),
        table.Column("Share", drop=2),
        table.Column("Tokens", right=True),
    ]
    rows = [table.Row(["a name of some length", "opus, sonnet", "█████", "1,234"])]

    def shown(width: int) -> list[str]:
        return [line for line, _ in table.lay_out(columns, rows, width)][1].split("  ")

    assert ["a name of some length", "opus, sonnet", "█████", " 1,234"] == shown(80)
    assert ["a name of some length", "opus,…", "█████", " 1,234"] == shown(44)
    assert ["a name o…", "opus,…", "█████", " 1,234"] == shown(32)
    assert ["a name of …", "opus,…", " 1,234"] == shown(27)
    assert ["a name of so…", " 1,234"] == shown(21)
    assert ["a na…", " 1,234"] == shown(13)


def test_a_path_keeps_its_end() -> None:
    """Of a path the end is what tells it from others."""
    assert "  └ …src/shop" == table.fit("  └ /home/dev/src/shop", 13)
    assert "/home" == table.fit("/home", 5)
    assert "/…" != table.fit("/home/dev", 2)


def test_total_below_one_line_is_not_split() -> None:
    """Below a single line its splits are not told a second time."""
    split = [{"by": {"agent": "Ada"}, **row()}]
    lines = with_splits(Line(["d"], row(breakdown=split)), look(200))
    assert 1 == sum("Ada" in each for each in shown(lines, row(breakdown=split), look(200)))


def test_wide_letters_take_two_cells() -> None:
    """Letters that terminals draw over two columns keep the columns in line."""
    rows = [table.Row(["漢字", "1"]), table.Row(["ab", "22"])]
    lines = table.lay_out([table.Column("A"), table.Column("B", right=True)], rows, 80)
    assert ["A      B", "漢字   1", "ab    22"] == [line for line, _ in lines]

"""Tables of reports: the daemon's JSON in, aligned lines out."""

from __future__ import annotations

from argparse import Namespace
from textwrap import wrap

from tollkeeper.cli import terminal, words
from tollkeeper.cli.table import Column, Row, bar, lay_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    Figures = dict[str, Any]

WIDE = 118
TINY = 60
BAR = 10
EARLIER = "Days whose logs are gone, by the client's own statistics (in no total above):"
SUB = "  └ "
NOTHING = "–"
TOKENS = (
    ("Input", "inputTokens"),
    ("Output", "outputTokens"),
    ("Cache write", "cacheCreationTokens"),
    ("Cache read", "cacheReadTokens"),
)


class Look:
    """How a report is shown: its columns of labels, how wide, with money or not, split or not."""

    def __init__(
        self, heads: list[Column], width: int, compact: bool, money: bool, models: bool
    ) -> None:
        # A very narrow terminal has room for the first label and the figures alone.
        self.tiny = width < TINY
        self.heads = heads[:1] if self.tiny else heads
        self.width = width
        self.wide = width >= WIDE and not compact
        self.money = money
        self.models = models

    @classmethod
    def of(cls, options: Namespace, heads: list[Column]) -> Look:
        """The look that the options ask for, on this terminal."""
        return cls(heads, terminal.width(), options.compact, not options.no_cost, options.breakdown)


class Line:
    """A line of a report: its labels, its figures (none for a heading), and its style."""

    def __init__(self, labels: list[str], figures: Figures | None, style: str = "") -> None:
        self.labels = labels
        self.figures = figures
        self.style = style


def sections(parts: dict[str, list[Figures]], key: str, look: Look) -> list[Line]:
    """The lines of each part, under its name if it has one, each with what it is split into."""
    lines: list[Line] = []
    for name, rows in parts.items():
        if name:
            lines.append(Line([words.plain(name)], None, "bold"))
        for row in rows:
            lines += with_splits(Line([str(row[key])], row), look)
    return lines


def with_splits(line: Line, look: Look) -> list[Line]:
    """The line, and below it its parts: by model, and by whatever was asked for."""
    figures = line.figures or {}
    lines = [line]
    if look.models:
        for each in figures.get("modelBreakdowns", ()):
            lines.append(Line([SUB + words.model_name(each["modelName"])], each, "dim"))
    for each in figures.get("breakdown", ()):
        lines.append(Line([SUB + split_name(each)], each, "dim"))
    return lines


def split_name(part: Figures) -> str:
    """What a part of a line is called: its value in each dimension."""
    names = {**part["by"]}
    if "model" in names:
        names["model"] = words.model_name(names["model"])
    return " / ".join(words.plain(name or NOTHING) for name in names.values())


def report_lines(lines: list[Line], totals: Figures, look: Look) -> list[tuple[str, str]]:
    """The table with its totals below, each line with its style."""
    columns = [*look.heads]
    if look.wide:
        columns.append(Column("Models", cut=2))
        columns += [Column(head, right=True) for head, _ in TOKENS]
    columns.append(Column("Tokens", right=True))
    if look.money:
        columns += [Column("Billed", right=True), Column("List price", right=True)]
    if not look.tiny:
        columns.append(Column("Share"))
    whole = _weight(totals, look)
    total = with_splits(Line(["Total"], {**totals, "modelBreakdowns": []}, "bold"), look)
    rows = [Row(_cells(line, look, whole), line.style) for line in (*lines, *total)]
    return lay_out(columns, rows, look.width)


def _cells(line: Line, look: Look, whole: float) -> list[str]:
    figures = line.figures
    labels = [*line.labels, *([""] * (len(look.heads) - len(line.labels)))][: len(look.heads)]
    room = (1 + len(TOKENS)) * look.wide + 1 + 2 * look.money + (not look.tiny)
    if figures is None:
        return [*labels, *([""] * room)]
    split: list[str] = []
    if look.wide:
        models = ", ".join(words.model_name(name) for name in figures.get("modelsUsed", ()))
        split = [models, *(f"{figures[key]:,}" for _, key in TOKENS)]
    tokens = figures["totalTokens"]
    money = [_money(figures, key) for key in ("costUSD", "valueUSD")] if look.money else []
    share = _weight(figures, look) / whole if whole else 0.0
    return [
        *labels,
        *split,
        f"{tokens:,}" if look.wide else words.tokens(tokens),
        *money,
        *([] if look.tiny else [bar(share, BAR)]),
    ]


def _weight(figures: Figures, look: Look) -> float:
    """What a line's share is a share of."""
    return figures["valueUSD"] if look.money else figures["totalTokens"]


def _money(row: Figures, key: str) -> str:
    return words.money(row[key], row["unpricedRequests"] > 0)


def print_report(lines: list[Line], totals: Figures, look: Look) -> None:
    """Print the report as a table; one without lines says so."""
    if not lines:
        print("Nothing was used in this span.")
        return
    print_lines(report_lines(lines, totals, look))


def print_lines(lines: Iterable[tuple[str, str]]) -> None:
    """Print these lines, with their styles where the terminal shows them."""
    colours = terminal.shows_colours()
    text = "\n".join(terminal.styled(line, style) if colours else line for line, style in lines)
    print(text)


def print_earlier(days: list[Figures]) -> None:
    """Print the days of which only the client's own statistics tell, apart from what was counted."""
    print()
    for line in wrap(EARLIER, terminal.width()):
        print(line)
    rows = [
        Row([day["date"], f"{day['tokens']:,}", f"{day['sessions']:,}", ", ".join(_models(day))])
        for day in days
    ]
    heads = [
        Column("Day"),
        Column("Tokens", right=True),
        Column("Sessions", right=True),
        Column("Models", cut=1),
    ]
    print_lines(lay_out(heads, rows, terminal.width()))


def _models(day: Figures) -> list[str]:
    return [words.model_name(name) for name in day["models"]]

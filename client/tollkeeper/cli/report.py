"""Tables of reports: the daemon's JSON in, aligned lines out."""

from __future__ import annotations

from argparse import Namespace

from tollkeeper.cli import terminal, words
from tollkeeper.cli.table import Column, Row, bar, lay_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    Figures = dict[str, Any]

WIDE = 118
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
        self.heads = heads
        self.width = width
        self.wide = width >= WIDE and not compact
        self.money = money
        self.models = models

    @classmethod
    def of(cls, options: Namespace, heads: list[Column]) -> Look:
        """The look that the options ask for, on this terminal."""
        models = options.breakdown and "model" not in (options.by or ())
        return cls(heads, terminal.width(), options.compact, not options.no_cost, models)


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
            lines += with_splits(Line([words.plain(str(row[key]))], row), look)
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
        columns.append(Column("Models", cut=3, least=12, drop=3))
        columns += [Column(head, right=True, drop=2) for head, _ in TOKENS]
    columns.append(Column("Tokens", right=True))
    if look.money:
        columns += [Column("Billed", right=True, drop=1), Column("List price", right=True)]
    columns.append(Column("Share", drop=4))
    whole = _weight(totals, look)
    total = with_splits(Line(["Total"], {**totals, "modelBreakdowns": []}, "bold"), look)
    below = total if len([line for line in lines if line.style == ""]) > 1 else total[:1]
    rows = [Row(_cells(line, look, whole), line.style) for line in (*lines, *below)]
    return lay_out(columns, rows, look.width)


def _cells(line: Line, look: Look, whole: float) -> list[str]:
    figures = line.figures
    labels = [*line.labels, *([""] * (len(look.heads) - len(line.labels)))]
    if figures is None:
        return [*labels, *([""] * ((1 + len(TOKENS)) * look.wide + 1 + 2 * look.money + 1))]
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
        bar(share, BAR),
    ]


def _weight(figures: Figures, look: Look) -> float:
    """What a line's share is a share of."""
    return figures["valueUSD"] if look.money else figures["totalTokens"]


def _money(row: Figures, key: str) -> str:
    return words.money(row[key], row["unpricedRequests"] > 0)


def print_report(lines: list[Line], totals: Figures, look: Look, nothing: str) -> None:
    """Print the report as a table; for one without lines, say ``nothing``."""
    if not lines:
        print(nothing)
        return
    print_lines(report_lines(lines, totals, look))


def nothing_of(options: Namespace, id: str | None = None) -> str:
    """What to say when a report has no lines: what was asked for, in case it was a slip."""
    what = "Nothing was used"
    if options.project is not None:
        what += f" by a project {words.plain(options.project)!r}"
    if options.source is not None:
        what += " by subscription" if options.source == "subscription" else " by API"
    if options.account is not None:
        what += f" by an account {words.plain(options.account)!r}"
    if id is not None:
        what += f" in a conversation {words.plain(id)!r}"
    spanned = options.since or options.until or options.last or getattr(options, "recent", False)
    return f"{what} in this span." if spanned else f"{what} so far."


def print_lines(lines: Iterable[tuple[str, str]]) -> None:
    """Print these lines, with their styles where the terminal shows them."""
    colours = terminal.shows_colours()
    text = "\n".join(terminal.styled(line, style) if colours else line for line, style in lines)
    print(text)


def print_earlier(days: list[Figures]) -> None:
    """Print the days of which only the client's own statistics tell, apart from what was counted."""
    print()
    print_lines(earlier_lines(days, terminal.width()))


def earlier_lines(days: Iterable[Figures], width: int) -> list[tuple[str, str]]:
    """These days in a table of their own, below a line that says what they are."""
    from textwrap import wrap

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
    return [*((line, "") for line in wrap(EARLIER, width)), *lay_out(heads, rows, width)]


def _models(day: Figures) -> list[str]:
    return [words.model_name(name) for name in day["models"]]

"""The reports by day, week and month."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, get_args

from tollkeeper_daemon.config import Weekday
from tollkeeper_daemon.ledger.books import Book
from tollkeeper_daemon.reports.choice import Choice, day_of
from tollkeeper_daemon.reports.line import Line
from tollkeeper_daemon.reports.sheet import Sheet, is_billed

WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)


class PeriodChoice(Choice, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a report by day, week or month was asked for; ``instances`` parts it by project."""

    instances: bool = False


class WeekChoice(PeriodChoice, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same by week; without ``start_of_week`` the settings say on which day weeks begin."""

    start_of_week: Weekday | None = None


def daily(sheet: Sheet, choice: PeriodChoice) -> dict[str, Any]:
    """A line per day, oldest first."""
    return _report(sheet, choice, "daily", "date", date.isoformat)


def weekly(sheet: Sheet, choice: WeekChoice, start: Weekday) -> dict[str, Any]:
    """A line per week, named by its first day."""
    first = WEEKDAYS.index(choice.start_of_week or start)

    def week(day: date) -> str:
        return (day - timedelta((day.weekday() - first) % 7)).isoformat()

    return _report(sheet, choice, "weekly", "week", week)


def monthly(sheet: Sheet, choice: PeriodChoice) -> dict[str, Any]:
    """A line per month, as 2026-11."""
    return _report(sheet, choice, "monthly", "month", lambda day: f"{day:%Y-%m}")


def _report(
    sheet: Sheet, choice: PeriodChoice, verb: str, key: str, name: Callable[[date], str]
) -> dict[str, Any]:
    lines = _lines(sheet, choice, name)
    names = sorted({name for _, name in lines})[-choice.last if choice.last else 0 :]
    total = Line()
    parts: dict[str, list[dict[str, Any]]] = {}
    for project, period in sorted(lines, key=lambda each: (each[0], each[1])):
        if period in names:
            line = lines[project, period]
            total.merge(line)
            named = {key: period, **({"project": project} if choice.instances else {})}
            parts.setdefault(project, []).append({**named, **line.as_json(choice)})
    if choice.order == "desc":
        parts = {project: rows[::-1] for project, rows in parts.items()}
    told = {"projects": parts} if choice.instances else {verb: parts.get("", [])}
    return {**told, "totals": total.totals_json(choice)}


def _lines(
    sheet: Sheet, choice: PeriodChoice, name: Callable[[date], str]
) -> dict[tuple[str, str], Line]:
    zone = choice.zone()

    def period_of(quarter: int) -> str | None:
        day = day_of(quarter, zone)
        return name(day) if choice.holds(day) else None

    def bucket_of(book: Book) -> tuple[str, str, bool, tuple[str, ...]] | None:
        if not choice.wants(book, sheet):
            return None
        project = sheet.place(book).project if choice.instances else ""
        return project, book.model, is_billed(book), choice.split(book, sheet)

    lines: dict[tuple[str, str], Line] = {}
    for (period, bucket), figures in sheet.gather(period_of, bucket_of).items():
        project, model, billed, split = bucket
        lines.setdefault((project, period), Line()).add(model, billed, split, figures)
    return lines

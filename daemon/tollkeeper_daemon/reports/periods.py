"""The reports by day, week and month."""

from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar, get_args

from msgspec.structs import replace

from tollkeeper_daemon.config import Weekday
from tollkeeper_daemon.ledger.books import Book, is_billed
from tollkeeper_daemon.reports.choice import Choice, day_of
from tollkeeper_daemon.reports.line import Line
from tollkeeper_daemon.reports.sheet import Sheet

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


def weekly(sheet: Sheet, choice: PeriodChoice, start: Weekday) -> dict[str, Any]:
    """A line per week that begins on this day, named by its first day."""
    return _report(
        sheet, choice, "weekly", "week", lambda day: first_of_week(day, start).isoformat()
    )


def monthly(sheet: Sheet, choice: PeriodChoice) -> dict[str, Any]:
    """A line per month, as 2026-11."""
    return _report(sheet, choice, "monthly", "month", lambda day: f"{day:%Y-%m}")


P = TypeVar("P", bound=PeriodChoice)


def lately(choice: P, today: date, first_of_last: Callable[[date, int], date]) -> P:
    """The choice with ``last`` as what it stands for: the span of so many periods up to today's.

    ``first_of_last`` says on which day the earliest of so many periods before today's began.
    """
    if choice.last is None:
        return choice
    first = first_of_last(today, choice.last - 1)
    return replace(choice, since=max(first, choice.since or first))


def days_ago(today: date, days: int) -> date:
    """The day so many days before."""
    return _earlier(today, days)


def weeks_ago(start: Weekday) -> Callable[[date, int], date]:
    """Says on which day the week began that lies so many weeks back."""
    return lambda today, weeks: _earlier(first_of_week(today, start), 7 * weeks)


def months_ago(today: date, months: int) -> date:
    """The first day of the month that lies so many months back."""
    count = max(today.year * 12 + today.month - 1 - months, 12)
    return date(count // 12, count % 12 + 1, 1)


def _earlier(day: date, days: int) -> date:
    return date.fromordinal(max(day.toordinal() - days, 1))


def first_of_week(day: date, start: Weekday) -> date:
    """The day on which the week of this day began."""
    return _earlier(day, (day.weekday() - WEEKDAYS.index(start)) % 7)


def _report(
    sheet: Sheet, choice: PeriodChoice, verb: str, key: str, name: Callable[[date], str]
) -> dict[str, Any]:
    lines = _lines(sheet, choice, name)
    total = Line()
    parts: dict[str, list[dict[str, Any]]] = {}
    for project, period in sorted(lines):
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

"""The report by conversation."""

from typing import Any

from tollkeeper_daemon.clock import iso
from tollkeeper_daemon.ledger.books import Book, is_billed
from tollkeeper_daemon.reports.choice import Choice, day_of
from tollkeeper_daemon.reports.line import Line
from tollkeeper_daemon.reports.sheet import Place, Sheet


class SessionChoice(Choice, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the report was asked for; ``id`` is the beginning of a conversation's id."""

    id: str | None = None


def session(sheet: Sheet, choice: SessionChoice) -> dict[str, Any]:
    """A line per conversation, the one with the earliest activity first."""
    lines = _lines(sheet, choice)
    names = sorted(lines, key=lambda name: (_first(sheet, name), name))
    names = names[-choice.last if choice.last else 0 :]
    total = Line()
    for name in names:
        total.merge(lines[name])
    if choice.order == "desc":
        names.reverse()
    return {
        "sessions": [
            {"sessionId": name, **_described(sheet, name, choice), **lines[name].as_json(choice)}
            for name in names
        ],
        "totals": total.totals_json(choice),
    }


def _lines(sheet: Sheet, choice: SessionChoice) -> dict[str, Line]:
    zone = choice.zone()
    bounded = choice.since or choice.until

    def period_of(quarter: int) -> bool | None:
        return True if not bounded or choice.holds(day_of(quarter, zone)) else None

    def bucket_of(book: Book) -> tuple[str, str, bool, tuple[str, ...]] | None:
        if choice.id is not None and not book.conversation.startswith(choice.id):
            return None
        if not choice.wants(book, sheet):
            return None
        return book.conversation, book.model, is_billed(book), choice.split(book, sheet)

    lines: dict[str, Line] = {}
    for (_, bucket), figures in sheet.gather(period_of, bucket_of).items():
        name, model, billed, split = bucket
        lines.setdefault(name, Line()).add(model, billed, split, figures)
    return lines


def _first(sheet: Sheet, name: str) -> int:
    place = sheet.places.get(name)
    return place.first_time if place else 0


def _described(sheet: Sheet, name: str, choice: Choice) -> dict[str, Any]:
    place = sheet.places.get(name) or Place()
    first = {} if choice.brief else {"firstActivity": _iso(place.first_time)}
    return {
        "projectPath": place.project,
        "cwd": place.cwd or None,
        "title": place.title or None,
        **first,
        "lastActivity": _iso(place.last_time),
    }


def _iso(time: int) -> str | None:
    return iso(time) if time else None

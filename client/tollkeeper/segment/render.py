"""A status in, one line out, in the markup of whoever shows it. Pure."""

from datetime import datetime

from tollkeeper.cli import words
from tollkeeper.model import Agent, Status
from tollkeeper.segment.fields import FIELDS, NOTHING, Said, Seen, alive, worst
from tollkeeper.segment.format import Field, Part, parse
from tollkeeper.segment.presets import chosen
from tollkeeper.segment.styles import STYLES, Style, waybar

MOST_ROWS = 20


def render(
    status: Status, format: str, style: Style, now: datetime, agent: Agent | None = None
) -> str:
    """The status by this format (or preset), in this style; empty when there is nothing to say.

    ``now`` has a zone, that of the times shown. Of an agent the fields of one agent are told.
    FormatError for a format that can't be shown.
    """
    seen = Seen(status, now, agent)
    read = parse(chosen(format, status))
    shown: list[Said] = []
    for part in read.parts:
        if said := _said(part, seen):
            shown += [Said(part.separator)] * bool(shown) + said
    if not any(piece.text.strip() for piece in shown):
        return ""
    line = [Said(read.opening), *shown, Said(read.closing)]
    if style == "waybar":
        tone = worst([piece.tone for piece in line])
        return waybar("".join(piece.text for piece in line), tone, _rows(status))
    dress = STYLES[style]
    return "".join(dress(words.plain(piece.text), piece.tone) for piece in line)


def _said(part: Part, seen: Seen) -> list[Said]:
    """What the part says; nothing when none of its fields, if it has any, does."""
    said: list[Said] = []
    has_fields, speaks = False, False
    for piece in part.pieces:
        if isinstance(piece, Field):
            told = _told(piece, seen)
            has_fields, speaks = True, speaks or bool(told.text)
            said.append(told)
        else:
            said.append(Said(piece))
    return _closed_up(said) if speaks or not has_fields else []


def _told(field: Field, seen: Seen) -> Said:
    for name in field.names:
        said = FIELDS[name](seen)
        if said.text:
            return said._replace(text=said.short) if field.short else said
    return NOTHING


def _closed_up(said: list[Said]) -> list[Said]:
    """Without the spaces that would stand around what says nothing."""
    closed: list[Said] = []
    for piece in said:
        text = piece.text
        if not closed or closed[-1].text.endswith(" "):
            text = text.lstrip(" ")
        if text:
            closed.append(piece._replace(text=text))
    if closed:
        closed[-1] = closed[-1]._replace(text=closed[-1].text.rstrip(" "))
    return closed


def _rows(status: Status) -> list[str]:
    """A line for each agent: what a tooltip has room for."""
    agents = sorted(alive(status), key=lambda agent: agent.started_at)
    rows = [
        f"{words.plain(each.name)}: {each.state}, {words.paid(each.usage, each.source)}"
        for each in agents[:MOST_ROWS]
    ]
    more = len(agents) - len(rows)
    return [*rows, f"{more} more"] if more else rows

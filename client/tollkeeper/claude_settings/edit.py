"""Puts our status line and hooks into the text of Claude Code's settings, and takes them out. Pure."""

import os

from tollkeeper.claude_settings.hooks import (
    events_of,
    groups_of,
    has_hook,
    places,
    with_hook,
    without_hook,
)
from tollkeeper.claude_settings.line import line_command, with_line, without_line
from tollkeeper.claude_settings.parts import EVENTS, STATUS_LINE, Ours, Record, parse_settings
from tollkeeper.claude_settings.verify import verify
from tollkeeper.json_text import read
from tollkeeper.ours import is_our_status_line, program_of

EMPTY = "{}\n"


def status_command(text: str) -> str | None:
    """The status line's command in these settings, if there is one. UnfitError when they are unfit."""
    value = line_command(text, parse_settings(text))
    return None if value is None else read(text, value)


def installed(
    before: str | None, ours: Ours, record: Record | None = None, inherited: str | None = None
) -> tuple[str, Record]:
    """The settings with what is ours, and what was put there, on top of an earlier record.

    ``before`` is None where there is no file yet. ``inherited`` is a status line that a new one of
    ours would hide, and so shows. UnfitError when the settings are not in order.
    """
    record = record or Record()
    if before is None:
        record = Record(created=True)
    text = EMPTY if before is None else before
    text, record = with_line(text, ours, record, inherited)
    for event in EVENTS:
        text, record = with_hook(text, ours, record, event)
    verify(EMPTY if before is None else before, text, record)
    return text, record


def removed(before: str, record: Record | None = None) -> str | None:
    """The settings without what was put there; None when nothing is left of a file of our own.

    Without a record: without all that is ours. UnfitError when the settings are not in order.
    """
    text = without_line(before, record)
    for event in events_of(text) if record is None else record.events:
        while (less := without_hook(text, record, event)) is not None:
            text = less
    verify(before, text, record)
    is_left = not (record and record.created) or parse_settings(text).children
    return text if is_left else None


def lacking(text: str) -> list[str]:
    """What is not in these settings: our status line, the events without a hook of ours.

    UnfitError when the settings are not in order.
    """
    command = line_command(text, parse_settings(text))
    has_line = command and is_our_status_line(read(text, command))
    lacks = [] if has_line else [STATUS_LINE]
    return lacks + [event for event in EVENTS if not has_hook(text, event)]


def has_any(text: str) -> bool:
    """Whether these settings hold anything of ours. UnfitError when they are not in order."""
    return len(lacking(text)) <= len(EVENTS)


def programs(text: str) -> set[str]:
    """The absolute paths that our commands in these settings run."""
    root = parse_settings(text)
    commands = [
        read(text, place.command)
        for event in events_of(text)
        if (groups := groups_of(text, root, event))
        for place in places(text, groups)
    ]
    command = line_command(text, root)
    if command and is_our_status_line(read(text, command)):
        commands.append(read(text, command))
    return {path for path in map(program_of, commands) if os.path.isabs(path)}

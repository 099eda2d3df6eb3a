"""The status line in the text of the settings: put there, beside one's own, and taken out. Pure."""

import json

from tollkeeper import status_script
from tollkeeper.claude_settings.parts import (
    STATUS_LINE,
    WHOLE,
    Ours,
    Record,
    UnfitError,
    child_of,
    need,
    parse_settings,
    quoted,
    space_of,
)
from tollkeeper.json_text import Mistake, Value, appended, raw, read, replaced, space_in, without
from tollkeeper.ours import is_our_status_line, runs_script, script_of, shown_beside


def with_line(text: str, ours: Ours, record: Record, inherited: str | None) -> tuple[str, Record]:
    """The text with our status line, which shows the former one as well, or else the inherited."""
    root = parse_settings(text)
    value = line_command(text, root)
    if value is None:
        command = status_script.command(ours.script, inherited)
        new = {"type": "command", "command": command}
        if not root.children:
            record = record.with_space(WHOLE, space_in(text, root))
        return appended(text, root, new, STATUS_LINE), record.with_line(None, is_made=True)
    command = read(text, value)
    if not is_our_status_line(command):
        new = quoted(status_script.command(ours.script, command))
        return replaced(text, value, new), record.with_line(raw(text, value), is_made=False)
    if not runs_script(command):
        return text, record  # One's own `toll statusline`.
    theirs = shown_beside(command)
    if not record.status_line:
        record = record.with_line(None, is_made=theirs is None)
    if script_of(command) != ours.script:
        text = replaced(text, value, quoted(status_script.command(ours.script, theirs)))
    return text, record


def without_line(text: str, record: Record | None) -> str:
    """The text with the former status line in the place of ours, or with none."""
    root = parse_settings(text)
    value = line_command(text, root)
    if value is None or (record and not record.status_line):
        return text
    command = read(text, value)
    if not is_our_status_line(command):
        return text
    theirs = shown_beside(command)
    if theirs is None or (record and STATUS_LINE in record.made):
        return without(text, root, root.names.index(STATUS_LINE), space_of(record, WHOLE))
    former = record.former if record else None
    is_it = former is not None and json.loads(former) == theirs
    return replaced(text, value, former if is_it and former else quoted(theirs))


def line_command(text: str, root: Value) -> Value | None:
    """The command of the status line as it stands in the text; None when there is no status line."""
    value = child_of(text, root, STATUS_LINE)
    if value is None:
        return None
    need(text, value, "object", f'"{STATUS_LINE}"')
    kind, command = (child_of(text, value, name) for name in ("type", "command"))
    if not (kind and command and read(text, kind) == "command" and command.kind == "string"):
        raise UnfitError(str(Mistake(text, value.start, f'"{STATUS_LINE}" names no command')))
    return command

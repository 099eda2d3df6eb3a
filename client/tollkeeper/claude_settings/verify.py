"""Whether an edit of the settings left all others as they were. Pure."""

import contextlib
from typing import Any, cast

from tollkeeper.claude_settings.parts import HOOKS, STATUS_LINE, Record, UnfitError, parse_settings
from tollkeeper.json_text import read
from tollkeeper.ours import is_our_status_line, is_ours, shown_beside


def verify(before: str, after: str, record: Record | None) -> None:
    """That nothing but what is ours differs; UnfitError when an edit went wrong."""
    made = record.made if record else ()
    with contextlib.suppress(ValueError, RecursionError):
        if _others(before, made) == _others(after, made):
            return
    raise UnfitError("it can't be edited without touching other settings: edit it by hand")


def _others(text: str, made: tuple[str, ...]) -> dict[str, Any]:
    """The settings without anything of ours, nor what is empty without it."""
    settings: dict[str, Any] = read(text, parse_settings(text))
    line = settings.get(STATUS_LINE)
    if STATUS_LINE in made:
        settings.pop(STATUS_LINE, None)
    elif line and is_our_status_line(line["command"]):
        theirs = shown_beside(line["command"])
        line["command"] = theirs
        if theirs is None:
            del settings[STATUS_LINE]
    hooks = {
        event: left
        for event, groups in settings.pop(HOOKS, {}).items()
        if (left := _other_groups(groups))
    }
    return {**settings, HOOKS: hooks}


def _other_groups(groups: Any) -> Any:
    """What is run at an event beside ours."""
    if not isinstance(groups, list):
        return groups
    each = cast("list[Any]", groups)
    return [left for group in each if (left := _other_hooks(group)) is not None]


def _other_hooks(group: Any) -> Any:
    if not isinstance(group, dict):
        return group
    fields = cast("dict[str, Any]", group)
    if not isinstance(fields.get("hooks"), list):
        return fields
    others = [hook for hook in fields["hooks"] if not _is_our_hook(hook)]
    return {**fields, "hooks": others} if others else None


def _is_our_hook(hook: Any) -> bool:
    if not isinstance(hook, dict):
        return False
    return is_ours(cast("dict[str, Any]", hook).get("command"))

"""The hooks in the text of the settings: put there, found, and taken out. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from tollkeeper.claude_settings.parts import (
    HOOKS,
    WHOLE,
    Ours,
    Record,
    child_of,
    need,
    parse_settings,
    quoted,
    space_of,
)
from tollkeeper.json_text import Value, appended, member, read, replaced, space_in, without
from tollkeeper.ours import is_hook_by_path, is_ours

EVERY_TOOL = ("", "*")


class Place(NamedTuple):
    """One of our hooks: which of the groups it is in, which of that group's hooks, its command."""

    group: int
    hook: int
    command: Value


def with_hook(text: str, ours: Ours, record: Record, event: str) -> tuple[str, Record]:
    """The text with our hook of this event; what holds nothing but ours counts as made by us."""
    group = {"hooks": [{"type": "command", "command": ours.hook}]}
    root = parse_settings(text)
    hooks = hooks_of(text, root)
    if hooks is None:
        record = record.with_event(event, HOOKS, event)
        return appended(text, root, {event: [group]}, HOOKS), record
    groups = groups_of(text, root, event)
    if groups is None:
        if not hooks.children and HOOKS not in record.made:
            record = record.with_space(HOOKS, space_in(text, hooks))
        return appended(text, hooks, [group], event), record.with_event(event, event)
    by_path = [each for each in places(text, groups) if is_hook_by_path(read(text, each.command))]
    if by_path:
        for place in reversed(by_path):
            if read(text, place.command) != ours.hook:
                text = replaced(text, place.command, quoted(ours.hook))
        is_alone = len(groups.children) == len(by_path)
        return text, _adopted(record, event, hooks, is_alone)
    if has_hook(text, event):
        return text, record
    if not groups.children and event not in record.made:
        record = record.with_space(event, space_in(text, groups))
    return appended(text, groups, group), record.with_event(event)


def _adopted(record: Record, event: str, hooks: Value, is_alone: bool) -> Record:
    """The record with a hook that names us by our path, of which nothing was known."""
    if event in record.events:
        return record
    record = record.with_event(event, *([event] if is_alone else []))
    are_alone = all(name in record.made for name in hooks.names)
    return record.with_event(event, *([HOOKS] if are_alone else []))


def without_hook(text: str, record: Record | None, event: str) -> str | None:
    """The text less one of our hooks of this event, and what is empty then; None if it has none.

    With a record one that somebody wrote by hand, without a path, is left alone.
    """
    root = parse_settings(text)
    groups = groups_of(text, root, event)
    found = places(text, groups) if groups else iter(())
    place = next(
        (each for each in found if record is None or is_hook_by_path(read(text, each.command))),
        None,
    )
    if groups is None or place is None:
        return None
    group = groups.children[place.group]
    inner = member(text, group, "hooks")
    assert inner is not None
    if len(inner.children) > 1:
        return without(text, inner, place.hook)
    if len(groups.children) > 1 or not _is_made(record, event):
        return without(text, groups, place.group, space_of(record, event))
    hooks = hooks_of(text, root)
    assert hooks is not None
    if len(hooks.children) > 1 or not _is_made(record, HOOKS):
        return without(text, hooks, hooks.names.index(event), space_of(record, HOOKS))
    return without(text, root, root.names.index(HOOKS), space_of(record, WHOLE))


def hooks_of(text: str, root: Value) -> Value | None:
    """What is run at which event."""
    value = child_of(text, root, HOOKS)
    if value is not None:
        need(text, value, "object", f'"{HOOKS}"')
    return value


def events_of(text: str) -> tuple[str, ...]:
    """The events at which something is run."""
    hooks = hooks_of(text, parse_settings(text))
    return hooks.names if hooks else ()


def groups_of(text: str, root: Value, event: str) -> Value | None:
    """The list of what is run at this event."""
    hooks = hooks_of(text, root)
    groups = child_of(text, hooks, event) if hooks else None
    if groups is not None:
        need(text, groups, "array", f'"{event}"')
    return groups


def places(text: str, groups: Value) -> Iterator[Place]:
    """Our hooks among these that are run in any case, not for some tools only."""
    for index, group in enumerate(groups.children):
        if group.kind != "object":
            continue
        matcher, inner = (child_of(text, group, name) for name in ("matcher", "hooks"))
        if inner is None or inner.kind != "array":
            continue
        if matcher is not None and read(text, matcher) not in EVERY_TOOL:
            continue
        for number, hook in enumerate(inner.children):
            command = child_of(text, hook, "command") if hook.kind == "object" else None
            if command is not None and is_ours(read(text, command)):
                yield Place(index, number, command)


def has_hook(text: str, event: str) -> bool:
    """Whether our hook is run at this event in any case."""
    groups = groups_of(text, parse_settings(text), event)
    return groups is not None and any(True for _ in places(text, groups))


def _is_made(record: Record | None, name: str) -> bool:
    return record is None or name in record.made

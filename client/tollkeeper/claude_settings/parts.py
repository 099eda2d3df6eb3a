"""What edits of the settings share: what is put there, the record of it, and complaints. Pure."""

from __future__ import annotations

import json

from msgspec import Struct
from msgspec.structs import replace

from tollkeeper.json_text import Mistake, Value, member, parse

EVENTS = (
    "SessionStart",
    "SessionEnd",
    "UserPromptSubmit",
    "PreToolUse",
    "PostToolUse",
    "Stop",
    "StopFailure",
    "SubagentStart",
    "SubagentStop",
    "Notification",
)
STATUS_LINE = "statusLine"
HOOKS = "hooks"
# The name of the whole among the members that were there and empty.
WHOLE = ""


class Ours(Struct, frozen=True):
    """What is put there: the command of the hooks, and the path of the status-line script."""

    hook: str
    script: str


class Record(Struct, frozen=True):
    """What was put into a file, so that just this can be taken out again.

    ``created`` is the file itself. ``made`` names the members that were not there before: of the
    whole, and the events of the hooks. ``spaces`` is what stood in those that were there and empty.
    ``former`` is the status line's command before ours, as it was written. ``project`` says that
    the file is a project's, not of a Claude home.
    """

    created: bool = False
    events: tuple[str, ...] = ()
    made: tuple[str, ...] = ()
    spaces: dict[str, str] = {}
    former: str | None = None
    status_line: bool = False
    project: bool = False

    def with_event(self, event: str, *made: str) -> Record:
        """Our hook is at this event, and these members were not there before."""
        return replace(self, events=_more(self.events, event), made=_more(self.made, *made))

    def with_line(self, former: str | None, is_made: bool) -> Record:
        """Our status line is there, in the place of this former one, or made."""
        others = tuple(name for name in self.made if name != STATUS_LINE)
        made = (*others, STATUS_LINE) if is_made else others
        return replace(self, made=made, former=former, status_line=True)

    def with_space(self, name: str, space: str) -> Record:
        """This member was there, empty but for this."""
        return replace(self, spaces={**self.spaces, name: space})


class UnfitError(ValueError):
    """The settings can't be edited; the message says where and why."""


def parse_settings(text: str) -> Value:
    """The object that the settings are; UnfitError when they are none."""
    try:
        root = parse(text)
        need(text, root, "object", "the whole")
        member(text, root, HOOKS)
        member(text, root, STATUS_LINE)
    except Mistake as mistake:
        raise UnfitError(str(mistake)) from None
    return root


def space_of(record: Record | None, name: str) -> str:
    """What stood in this member when it was empty."""
    return record.spaces.get(name, "") if record else ""


def child_of(text: str, value: Value, name: str) -> Value | None:
    """The object's member of this name; UnfitError when there are two."""
    try:
        return member(text, value, name)
    except Mistake as mistake:
        raise UnfitError(str(mistake)) from None


def need(text: str, value: Value, kind: str, what: str) -> None:
    """UnfitError unless the value is of this kind."""
    if value.kind != kind:
        raise UnfitError(str(Mistake(text, value.start, f"{what} is no {kind}")))


def quoted(command: str) -> str:
    """The command as it is written in JSON."""
    return json.dumps(command, ensure_ascii=False)


def _more(names: tuple[str, ...], *more: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*names, *more)))

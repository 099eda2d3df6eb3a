"""Task ids that lines name: in what a subagent is told to do, in the branch, in the folder. Pure.

The texts themselves are not kept.
"""

import msgspec
from msgspec import Raw, Struct

from tollkeeper_daemon.labels.task_ids import TaskIds
from tollkeeper_daemon.names import id_of
from tollkeeper_daemon.records import Mention
from tollkeeper_daemon.transcript.lines import Line

Place = tuple[str | None, str | None]
"""The folder and the branch."""


class _Text(Struct):
    text: str | None = None


def _is_order(line: Line) -> bool:
    """Whether a subagent is told here what to do: that is how its log begins."""
    return line.parentUuid is None and line.type == "user" and bool(line.agentId)


_decode_content = msgspec.json.Decoder(str | list[_Text]).decode


class Mentions:
    """The mentions in the lines of a block, in their order; ``found`` are those so far."""

    def __init__(self, ids: TaskIds) -> None:
        self.found: list[Mention] = []
        self._ids = ids
        self._place: Place = (None, None)

    def is_news(self, line: Line) -> bool:
        """Whether there is anything to be looked at in this line: few have, and it costs nothing to ask."""
        is_elsewhere = line.cwd is not None and (line.cwd, line.gitBranch) != self._place
        return is_elsewhere or (line.parentUuid is None and _is_order(line))

    def look_at(self, line: Line, time: int) -> None:
        """Note what this line names; each place is told of when it is come to."""
        conversation, subagent = id_of(line.sessionId), id_of(line.agentId)
        if _is_order(line) and line.message and (task := self._in_text(line.message.content)):
            self.found.append(Mention(conversation, time, subagent, task, in_order=True))
        place = (line.cwd, line.gitBranch)
        if line.cwd is not None and place != self._place:
            self._place = place
            task = self._ids.in_place(line.gitBranch or "", line.cwd)
            self.found.append(Mention(conversation, time, subagent, task))

    def _in_text(self, content: Raw) -> str:
        try:
            said = _decode_content(content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return ""
        if isinstance(said, str):
            return self._ids.find(said)
        return self._ids.first_in(each.text or "" for each in said)

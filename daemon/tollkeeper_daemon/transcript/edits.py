"""The edits that replies ask for: of which files, and how long each call is. Pure.

Neither a path nor a text is kept, and nothing is decoded: a line is looked at as it stands.
"""

import re
from zlib import crc32

from tollkeeper_daemon.names import id_of, name_of
from tollkeeper_daemon.records import Edit, Edits
from tollkeeper_daemon.transcript.lines import Line

# Quotation marks within a text stand behind a backslash there: nothing of this is found in a quotation.
CALL = re.compile(
    rb'\[\{"type":"tool_use","id":"[^"]{0,200}","name":"(?:Edit|MultiEdit|NotebookEdit|Write)"'
    rb'.*?"(?:file|notebook)_path":"([^"]+)"',
    re.DOTALL,
)

find_call = CALL.match

Owner = tuple[str | None, str | None, str | None]
"""The conversation, the subagent and its type, as the line has them."""


class EditCalls:
    """The edits that the lines of a block ask for."""

    def __init__(self) -> None:
        self._found: dict[Owner, list[Edit]] = {}

    def note(self, line: Line, call: re.Match[bytes], time: int) -> None:
        """The line, at this time (ms), calls a tool that edits."""
        owner = (line.requestSessionId or line.sessionId, line.agentId, line.attributionAgent)
        edit = Edit(time, crc32(call[1]), call.endpos)
        self._found.setdefault(owner, []).append(edit)

    @property
    def found(self) -> tuple[Edits, ...]:
        """Those so far, by whose they are."""
        return tuple(
            Edits(id_of(conversation), id_of(subagent), name_of(kind), tuple(edits))
            for (conversation, subagent, kind), edits in self._found.items()
        )

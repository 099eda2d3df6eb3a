"""Lines that say again what another log said: forks and replays."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

REQUEST_ID: Final = re.compile(rb'"requestId":"req_01\w\w(\w+)"')
UUID_LENGTH: Final = 36


def copied_lines(
    lines: Iterable[bytes], parent: bytes, session: bytes, prompt_id: bytes, *, is_marked: bool
) -> list[bytes]:
    """Copy a conversation as `--fork-session` does.

    Today's client marks each copied reply with the session that made the request.
    """
    old, new = b'"sessionId":"%b"' % parent, b'"sessionId":"%b"' % session
    mark = b',"requestSessionId":"%b"}\n' % parent
    copies: list[bytes] = []
    for line in lines:
        if not line.startswith(b'{"parentUuid"'):
            continue
        copy = _with_prompt_id(line.replace(old, new), prompt_id)
        if is_marked and _is_unmarked_reply(copy):
            copy = copy[:-2] + mark
        copies.append(copy)
    return copies


def replayed_lines(lines: Iterable[bytes], agent_id: bytes, new_id: bytes) -> list[bytes]:
    """Give a subagent's replies again under new request ids, as some clients log them."""
    return [
        REQUEST_ID.sub(rb'"requestId":"req_01RR\1"', line).replace(agent_id, new_id)
        for line in lines
    ]


def request_count(lines: Iterable[bytes]) -> int:
    """Count the distinct requests."""
    return len({found[1] for line in lines if (found := REQUEST_ID.search(line))})


def last_uuid(lines: Sequence[bytes]) -> bytes:
    """Find the last line's uuid."""
    return lines[-1].rpartition(b'"uuid":"')[2][:UUID_LENGTH] if lines else b""


def _is_unmarked_reply(line: bytes) -> bool:
    return b'"type":"assistant"' in line and b'"requestSessionId"' not in line


def _with_prompt_id(line: bytes, prompt_id: bytes) -> bytes:
    before, key, after = line.partition(b'"promptId":"')
    return before + key + prompt_id + after[UUID_LENGTH:] if key else line

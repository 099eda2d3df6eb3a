"""A line of a log in, the record that it holds out."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from tollkeeper_daemon.records import Advice, Profile, Prompt, Record, Refusal, Reply
from tollkeeper_daemon.transcript.lines import CacheCreation, Iteration, Line, LineUsage, Message

# A clock may run ahead by this much; a line from further in the future is dated when it is read.
CLOCK_LEEWAY_MS = 60 * 60 * 1000

SYNTHETIC = "<synthetic>"
UNKNOWN_MODEL = "unknown"

# Most bytes of a log are results of tools. This is how such a line begins, as every version of the
# client writes it: told from the line's head alone, it need not be decoded.
TOOL_RESULT = b'"type":"user","message":{"role":"user","content":[{"tool_use_id":'
HEAD = 1000

# How a prompt of the machinery begins (facts of the client: command echoes, task notifications).
MACHINERY = re.compile(
    rb'"\s*<(?:command-name|command-message|local-command-|task-notification|bash-|system-reminder)'
    rb'|"(?:Caveat: The messages below were generated|\[Request interrupted by user)'
)
# Before 2.1 a refusal was only this text, with the reset in epoch seconds.
OLD_REFUSAL = re.compile(rb"usage limit reached\|(\d{9,11})")

_decode = msgspec.json.Decoder(Line).decode


class BadLine(Exception):
    """A line that no record can be made of, though it may have held one."""


class Parser:
    """Parses the lines of one reading; ``now`` (ms) dates lines without a usable time.

    It remembers the last reply's line, because most replies come as several lines that say the
    same of their usage.
    """

    def __init__(self, now: int) -> None:
        self._now = now
        self._last = Line()

    def parse(self, line: bytes) -> Record | None:
        """The record in this line, None when it holds nothing new that counts.

        BadLine when the line is broken, though it may have held a record.
        """
        if _is_tool_result(line):
            return None
        try:
            decoded = _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadLine(str(error)) from None
        if decoded.type == "assistant":
            if _says_the_same(decoded, self._last):
                return None
            self._last = decoded
        read = READERS.get(decoded.type or "")
        return read(decoded, self._now) if read else None


def _is_tool_result(line: bytes) -> bool:
    """Whether the line's outermost object begins as a tool's result does."""
    start = line.find(TOOL_RESULT, 0, HEAD)
    return start > 0 and line.count(b"{", 0, start) == 1


def _says_the_same(line: Line, last: Line) -> bool:
    """Whether the line is a later block of the last one's reply, with the same usage."""
    message, before = line.message, last.message
    return (
        message is not None
        and before is not None
        and message.id is not None
        and message.id == before.id
        and line.requestId == last.requestId
        and message.usage == before.usage
        and message.model == before.model
        and line.sessionId == last.sessionId
        and line.requestSessionId == last.requestSessionId
        and line.agentId == last.agentId
        and line.attributionAgent == last.attributionAgent
        and line.isApiErrorMessage == last.isApiErrorMessage
        and line.timestamp is not None
        and last.timestamp is not None
        and len(line.timestamp) == len(last.timestamp)
        and line.timestamp >= last.timestamp
    )


def _reply(line: Line, now: int) -> Record | None:
    message = line.message
    if message is None or message.usage is None:
        return _refusal(line, now)
    if line.isApiErrorMessage or message.model == SYNTHETIC:
        return _refusal(line, now)
    usage = message.usage
    write_5m, write_1h = _cache_writes(usage.cache_creation, usage.cache_creation_input_tokens)
    searches = usage.server_tool_use.web_search_requests if usage.server_tool_use else 0
    return Reply(
        message=message.id or "",
        request=line.requestId or "",
        line="" if message.id or line.requestId else line.uuid or "",
        conversation=line.requestSessionId or line.sessionId or "",
        owned=bool(line.requestSessionId),
        time=_time(line.timestamp, now),
        model=message.model or UNKNOWN_MODEL,
        subagent=line.agentId or "",
        subagent_type=line.attributionAgent or "",
        input=usage.input_tokens or 0,
        output=usage.output_tokens or 0,
        cache_read=usage.cache_read_input_tokens or 0,
        cache_write_5m=write_5m,
        cache_write_1h=write_1h,
        web_searches=searches or 0,
        fast=usage.speed == "fast",
        us=usage.inference_geo == "us",
        advice=_advice(usage) if usage.iterations else (),
    )


def _cache_writes(split: CacheCreation | None, whole: int | None) -> tuple[int, int]:
    """Writes for five minutes and for an hour; what the split leaves over counts as the former."""
    write_5m = (split.ephemeral_5m_input_tokens or 0) if split else 0
    write_1h = (split.ephemeral_1h_input_tokens or 0) if split else 0
    return write_5m + max((whole or 0) - write_5m - write_1h, 0), write_1h


def _advice(usage: LineUsage) -> tuple[Advice, ...]:
    return tuple(
        _advised(each) for each in usage.iterations or () if each and each.type == "advisor_message"
    )


def _advised(iteration: Iteration) -> Advice:
    write_5m, write_1h = _cache_writes(
        iteration.cache_creation, iteration.cache_creation_input_tokens
    )
    return Advice(
        iteration.model or UNKNOWN_MODEL,
        iteration.input_tokens or 0,
        iteration.output_tokens or 0,
        iteration.cache_read_input_tokens or 0,
        write_5m,
        write_1h,
    )


def _refusal(line: Line, now: int) -> Record | None:
    """The refusal that an error line tells of, when a plan's window is what was spent."""
    conversation, time = line.sessionId or "", _time(line.timestamp, now)
    quota = line.quotaLimits
    if quota and quota.status == "rejected" and quota.resetsAt:
        resets_at = int(min(quota.resetsAt, 1e11) * 1000)
        return Refusal(conversation, time, quota.rateLimitType or "five_hour", resets_at)
    if line.isApiErrorMessage and line.message:
        if found := OLD_REFUSAL.search(bytes(line.message.content)):
            return Refusal(conversation, time, "five_hour", int(found[1]) * 1000)
    return None


def _prompt(line: Line, now: int) -> Record | None:
    """The prompt, unless it is a tool's result, a subagent's order, or the machinery speaking."""
    message = line.message
    if message is None or line.isMeta or line.isSidechain or line.agentId or line.isCompactSummary:
        return None
    if not line.uuid or line.promptSource == "system" or not _is_said(message):
        return None
    return Prompt(line.uuid, line.sessionId or "", _time(line.timestamp, now), line.cwd or "")


def _is_said(message: Message) -> bool:
    content = bytes(message.content)
    if not content or content == b"null":
        return False
    return not (b'"tool_result"' in content or MACHINERY.search(content[:200]))


def _cost_state(line: Line, now: int) -> Record | None:
    return Profile(
        line.sessionId or "",
        client_cost=None if line.totalCostUSD is None else round(line.totalCostUSD * 1e9),
        lines_added=line.totalLinesAdded or 0,
        lines_removed=line.totalLinesRemoved or 0,
    )


def _title(line: Line, now: int) -> Record | None:
    return Profile(line.sessionId or "", title=line.customTitle or line.agentName or "")


def _owner(line: Line, now: int) -> Record | None:
    return Profile(line.sessionId or "", account=line.accountUuid or "")


READERS: dict[str, Callable[[Line, int], Record | None]] = {
    "assistant": _reply,
    "user": _prompt,
    "cost-state": _cost_state,
    "custom-title": _title,
    "agent-name": _title,
    "session-owner": _owner,
}


def _time(stamp: str | None, now: int) -> int:
    """The time in ms; a stamp without a zone is UTC; none, a broken one or a future one is now."""
    if not stamp:
        return now
    try:
        moment = datetime.fromisoformat(stamp)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        milliseconds = int(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        return now
    return milliseconds if 0 <= milliseconds <= now + CLOCK_LEEWAY_MS else now

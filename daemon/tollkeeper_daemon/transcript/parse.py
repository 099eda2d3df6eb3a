"""Lines of a log in, the records that they hold out."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import msgspec

from tollkeeper_daemon.labels.task_ids import BUILT_IN_IDS, TaskIds
from tollkeeper_daemon.names import id_of, name_of, path_of
from tollkeeper_daemon.records import (
    Profile,
    Prompt,
    Record,
    Refusal,
    Reply,
    Spent,
    Statement,
)
from tollkeeper_daemon.transcript.answers import Answer
from tollkeeper_daemon.transcript.edits import EditCalls, find_call
from tollkeeper_daemon.transcript.lines import (
    UNKNOWN_MODEL,
    CacheCreation,
    Kind,
    Line,
    Message,
    ModelUsage,
)
from tollkeeper_daemon.transcript.mentions import Mentions
from tollkeeper_daemon.transcript.usage import advice, cache_writes, steps

# A clock may run ahead by this much; a line from further in the future is dated when it is read.
CLOCK_LEEWAY_MS = 60 * 60 * 1000

SYNTHETIC = "<synthetic>"
# Far more than any conversation has used.
MOST_MODELS = 100

# Most bytes of a log are results of tools. This is how such a line begins, as every version of the
# client writes it: told from the line's head alone, it need not be decoded.
TOOL_RESULT = b'"type":"user","message":{"role":"user","content":[{"tool_use_id":'
HEAD = 1000
TYPE = b'{"type":"'

# Who opened a turn, where the line says so and it was a person or an orchestrator. Other turns are
# the client's own: schedules, notifications, what agents say to each other.
SENDERS = frozenset((None, "human", "sdk", "unknown"))
# How a text of the machinery begins, where only the text tells (facts of the client: command echoes,
# task notifications). A quotation mark behind a backslash is one that a person typed.
BEGINNING = rb'(?<!\\)"(?:\s|\\[nrt])*'
MACHINERY = re.compile(
    BEGINNING + rb"(?:"
    rb"<(?:command-name|command-message|local-command-|task-notification|bash-|system-reminder)"
    rb"|Caveat: The messages below were generated|\[Request interrupted by user"
    rb"|This session is being continued from a previous conversation)"
)
# A skill, or a command that is a prompt, called by its name. The echo of a command that runs in the
# client itself begins with the name, and a skill that the model called bears no slash.
CALL = re.compile(
    BEGINNING + rb"<command-message>[^<]*</command-message>(?:\s|\\[nrt])*<command-name>/"
)
LONGEST_CALL = 1000
# Without limits of a plan beside it: the API has too much to do just now.
RATE_LIMIT = b'"rate_limit"'
# Before 2.1 a refusal was only this text, with the reset in epoch seconds.
OLD_REFUSAL = re.compile(rb"usage limit reached\|(\d{9,11})")

_decode = msgspec.json.Decoder(Line).decode
_decode_kind = msgspec.json.Decoder(Kind).decode


class BadLine(Exception):
    """A line that no record can be made of, though it may have held one."""


class Parser:
    """Parses a log block by block; ``now`` (ms) dates lines without a usable time.

    ``mentions`` has the task ids that the lines named. It remembers the last reply's line, because most replies come as several lines that say the
    same of their usage. ``bad_lines`` counts those that no record could be made of.
    """

    def __init__(self, now: int, ids: TaskIds = BUILT_IN_IDS) -> None:
        self.bad_lines = 0
        self.mentions = Mentions(ids)
        self.edits = EditCalls()
        self._now = now
        self._last = Line()
        self._answer: Answer | None = None

    def records(self, block: bytes) -> Iterator[Record]:
        """The records in these lines; a broken line costs that line alone."""
        for line in worthwhile_lines(block):
            try:
                record = self.parse(line)
            except BadLine:
                self.bad_lines += 1
            else:
                if record is not None:
                    yield record

    def parse(self, line: bytes) -> Record | None:
        """The record in this line, None when it holds nothing new that counts.

        BadLine when the line is broken, though it may have held a record.
        """
        try:
            decoded = _decode(line)
        except msgspec.ValidationError as error:
            if _is_read(line):
                raise BadLine(str(error)) from None
            return None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadLine(str(error)) from None
        try:
            return self._read(decoded)
        except (ValueError, TypeError, ArithmeticError) as error:
            # None is known: the last net, so that no line whatever ends the reading.
            raise BadLine(str(error)) from None

    def _read(self, line: Line) -> Record | None:
        if self.mentions.is_news(line):
            self.mentions.look_at(line, _time(line.timestamp, self._now))
        if line.type == "assistant":
            if self._answer is None:
                self._answer = _answer(line, self._now)
            if line.message is not None and (call := find_call(line.message.content)):
                self.edits.note(line, call, _time(line.timestamp, self._now))
            if _says_the_same(line, self._last):
                return None
            self._last = line
        read = READERS.get(line.type or "")
        return read(line, self._now) if read else None

    def take_answer(self) -> Answer | None:
        """The first line of a reply since the last call that answers the prompts before it.

        Every line counts here, also one that only repeats its reply: so it is the same line in
        whatever blocks a log is parsed.
        """
        answer, self._answer = self._answer, None
        return answer


def worthwhile_lines(block: bytes) -> Iterator[bytes]:
    """The whole lines of the block, less those whose head shows that nothing in them counts.

    Nine tenths of a log's bytes are passed over here without being copied or decoded.
    """
    find = block.find
    start = 0
    while (end := find(b"\n", start)) >= 0:
        if end > start and not (block.startswith(TYPE, start) and _is_other(block, start)):
            result = find(TOOL_RESULT, start, min(start + HEAD, end))
            # Behind a single brace it is the line's own beginning, not a part of something quoted.
            if result < 0 or block.count(b"{", start, result) != 1:
                yield block[start:end]
        start = end + 1


def _is_other(block: bytes, start: int) -> bool:
    """Whether the type that the line begins by naming holds nothing of interest."""
    name_at = start + len(TYPE)
    return block[name_at : block.find(b'"', name_at)] not in TYPES_READ


def _is_read(line: bytes) -> bool:
    """Whether a line with unforeseen fields is of a type that counts, or does not name its type."""
    try:
        return (_decode_kind(line).type or "") in READERS
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return True


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
        and line.timestamp[-1:] == last.timestamp[-1:] == "Z"
        and line.timestamp >= last.timestamp
    )


def _reply(line: Line, now: int) -> Record | None:
    message = line.message
    if message is None or message.usage is None:
        return _refusal(line, now)
    if line.isApiErrorMessage or message.model == SYNTHETIC:
        return _refusal(line, now)
    usage = message.usage
    write_5m, write_1h = cache_writes(usage.cache_creation, usage.cache_creation_input_tokens)
    searches = usage.server_tool_use.web_search_requests if usage.server_tool_use else 0
    return Reply(
        message=id_of(message.id),
        request=id_of(line.requestId),
        line="" if message.id or line.requestId else id_of(line.uuid or _place(line)),
        conversation=id_of(line.requestSessionId or line.sessionId),
        owned=bool(line.requestSessionId),
        time=_time(line.timestamp, now),
        model=_model(message),
        subagent=id_of(line.agentId),
        subagent_type=name_of(line.attributionAgent),
        input=usage.input_tokens or 0,
        output=usage.output_tokens or 0,
        cache_read=usage.cache_read_input_tokens or 0,
        cache_write_5m=write_5m,
        cache_write_1h=write_1h,
        web_searches=searches or 0,
        fast=usage.speed == "fast",
        us=usage.inference_geo == "us",
        advice=advice(usage) if usage.iterations else (),
        steps=steps(usage, write_1h) if usage.iterations else (),
    )


def _place(line: Line) -> str:
    """What tells a line without any id from another: its conversation and time."""
    return f"{line.sessionId or ''}@{line.timestamp or ''}"


def _answer(line: Line, now: int) -> Answer | None:
    """What this line answers prompts with; None for helpers, errors and what the client made up."""
    message = line.message
    if message is None or message.usage is None or line.isApiErrorMessage:
        return None
    if message.model == SYNTHETIC or line.agentId or line.isSidechain:
        return None
    return Answer(_time(line.timestamp, now), _model(message), id_of(line.requestSessionId))


def _model(message: Message) -> str:
    return name_of(message.model) or UNKNOWN_MODEL


def _refusal(line: Line, now: int) -> Record | None:
    """The refusal that an error line tells of: because a plan's window was spent, or for the moment."""
    conversation, time = id_of(line.sessionId), _time(line.timestamp, now)
    quota = line.quotaLimits
    if quota and quota.status == "rejected" and quota.resetsAt:
        window = name_of(quota.rateLimitType) or "five_hour"
        return Refusal(conversation, time, window, int(quota.resetsAt * 1000))
    text = bytes(line.message.content) if line.isApiErrorMessage and line.message else b""
    if found := OLD_REFUSAL.search(text):
        return Refusal(conversation, time, "five_hour", int(found[1]) * 1000)
    if quota is None and line.isApiErrorMessage and bytes(line.error) == RATE_LIMIT:
        return Refusal(conversation, time)
    return None


def _prompt(line: Line, now: int) -> Record | None:
    """The prompt, unless it is a tool's result, a subagent's order, or the machinery speaking."""
    message = line.message
    if message is None or line.isMeta or line.isSidechain or line.agentId or line.isCompactSummary:
        return None
    if line.promptSource == "system" or line.turnOrigin not in SENDERS:
        return None
    content = bytes(message.content)
    if b'"tool_result"' in content or not (line.promptSource or _is_said(content)):
        return None
    return _sent(line, content, now)


def _attachment(line: Line, now: int) -> Record | None:
    """A prompt that was sent while the agent worked, and that joined the running turn."""
    attached = line.attachment
    if attached is None or attached.type != "queued_command" or attached.isMeta:
        return None
    if line.isSidechain or line.agentId or attached.commandMode not in (None, "prompt"):
        return None
    if attached.origin and attached.origin.kind not in SENDERS:
        return None
    content = bytes(attached.prompt)
    return _sent(line, content, now) if _is_said(content) else None


def _is_said(content: bytes) -> bool:
    """Whether somebody said this, as far as the text tells."""
    return not MACHINERY.search(content[:200]) or bool(CALL.search(content[:LONGEST_CALL]))


def _sent(line: Line, content: bytes, now: int) -> Prompt | None:
    if not line.uuid or content in (b"", b"null"):
        return None
    return Prompt(
        id_of(line.uuid), id_of(line.sessionId), _time(line.timestamp, now), path_of(line.cwd)
    )


def _cost_state(line: Line, now: int) -> Record | None:
    return Profile(
        id_of(line.sessionId),
        client_cost=None if line.totalCostUSD is None else round(line.totalCostUSD * 1e9),
        lines_added=line.totalLinesAdded or 0,
        lines_removed=line.totalLinesRemoved or 0,
        statement=_statement(line),
    )


def _statement(line: Line) -> Statement | None:
    """The totals by model; None where there are none, or the client does not write them."""
    if not line.modelUsage or line.totalCostUSD is None:
        return None
    used = [(name, each) for name, each in line.modelUsage.items() if each][:MOST_MODELS]
    return Statement(
        models=tuple((name_of(name), _spent(each)) for name, each in used),
        value=round(line.totalCostUSD * 1e9),
        started=int(line.startTime or 0),
        unpriced=bool(line.hasUnknownModelCost),
        unsplit=any(each.cacheCreationEphemeral1hInputTokens is None for _, each in used),
        duration=int(line.totalDuration or 0),
    )


def _spent(usage: ModelUsage) -> Spent:
    split = CacheCreation(
        usage.cacheCreationEphemeral5mInputTokens, usage.cacheCreationEphemeral1hInputTokens
    )
    write_5m, write_1h = cache_writes(split, usage.cacheCreationInputTokens)
    return Spent(
        usage.inputTokens or 0,
        usage.outputTokens or 0,
        usage.cacheReadInputTokens or 0,
        write_5m,
        write_1h,
        usage.webSearchRequests or 0,
        round((usage.costUSD or 0.0) * 1e9),
    )


def _title(line: Line, now: int) -> Record | None:
    return Profile(id_of(line.sessionId), title=name_of(line.customTitle or line.agentName))


def _owner(line: Line, now: int) -> Record | None:
    return Profile(id_of(line.sessionId), account=id_of(line.accountUuid))


READERS: dict[str, Callable[[Line, int], Record | None]] = {
    "assistant": _reply,
    "user": _prompt,
    "attachment": _attachment,
    "cost-state": _cost_state,
    "custom-title": _title,
    "agent-name": _title,
    "session-owner": _owner,
}
TYPES_READ = frozenset(name.encode() for name in READERS)


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

"""Reads a log on from its mark into a scan: what its new lines say, merged line by line.

Runs in the daemon for what is appended, and in worker processes for what is history.
"""

import os

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tollkeeper_daemon.labels.task_ids import BUILT_IN_IDS, TaskIds
from tollkeeper_daemon.ledger.requests import identity, join
from tollkeeper_daemon.names import id_of, name_of
from tollkeeper_daemon.records import (
    Edits,
    FileId,
    FileMark,
    Mention,
    Owner,
    Profile,
    Prompt,
    Refusal,
    Reply,
    Statement,
)
from tollkeeper_daemon.sources.files import read_small
from tollkeeper_daemon.sources.tail import Reading, read_on
from tollkeeper_daemon.transcript.answers import Prompts
from tollkeeper_daemon.transcript.parse import Parser

LARGEST_SIDECAR = 1 << 16
SUBAGENTS = f"{os.sep}subagents{os.sep}"


class Sidecar(Struct, frozen=True):
    """The note beside a subagent's log, ``agent-<id>.meta.json``."""

    agentType: str | None = None
    description: str | None = None
    finished: bool | None = None


class Helper(Struct, frozen=True, array_like=True):
    """Which subagent a log is of, and what its sidecar says; ``task`` is one that the note names."""

    id: str
    type: str
    description: str
    finished: bool
    task: str = ""


class Stated(Struct, frozen=True, array_like=True, gc=False):
    """The client's totals of a conversation; ``after`` counts the scan's replies before them."""

    conversation: str
    statement: Statement
    after: int


class Scan(Struct, frozen=True, array_like=True, gc=False):
    """What some new lines of one log say. ``bytes`` is how far the reading went."""

    path: str
    file: FileId
    mark: FileMark
    bytes: int
    replies: tuple[Reply, ...]
    prompts: tuple[Prompt, ...]
    profiles: tuple[Profile, ...]
    refusals: tuple[Refusal, ...]
    bad_lines: int = 0
    more: bool = False
    helper: Helper | None = None
    stated: tuple[Stated, ...] = ()
    owners: tuple[Owner, ...] = ()
    mentions: tuple[Mention, ...] = ()
    edits: tuple[Edits, ...] = ()

    @property
    def is_first(self) -> bool:
        """Whether these are the first lines of the log."""
        return self.mark.offset == self.bytes


class Owners:
    """Dates the accounts that a log names, by the line that comes next: theirs bear no time.

    The client writes the same one again and again, also when somebody else pays by then; only
    another one is news. ``last`` is the one before the block, which ``waits`` for its date or not.
    """

    def __init__(self, last: tuple[str, str], waits: bool) -> None:
        self.last = last
        self.waits = waits
        self.found: list[Owner] = []

    def name(self, conversation: str, account: str) -> None:
        """A line names this account."""
        if account and (conversation, account) != self.last:
            self.last, self.waits = (conversation, account), True

    def date(self, time: int) -> None:
        """A line bears this time (ms)."""
        if self.waits:
            conversation, account = self.last
            self.found.append(Owner(conversation, time, account))
            self.waits = False


def scan_log(
    path: str, mark: FileMark | None, now: int, ids: TaskIds = BUILT_IN_IDS
) -> Scan | None:
    """The next block of the log from its mark; None when the file is gone. OSError is passed on."""
    reading = read_on(path, mark)
    return None if reading is None else scan(reading, now, ids)


def scan(reading: Reading, now: int, ids: TaskIds = BUILT_IN_IDS) -> Scan:
    """What the lines of this reading say, the lines of one request merged."""
    replies: dict[tuple[str, str], Reply] = {}
    prompts = Prompts(reading.mark.open)
    profiles: dict[str, Profile] = {}
    refusals: list[Refusal] = []
    stated: list[Stated] = []
    owners = Owners(reading.mark.owner, reading.mark.owner_waits)
    parser = Parser(now, ids)
    for record in parser.records(reading.block):
        match record:
            case Reply():
                owners.date(record.time)
                key = identity(record)
                known = replies.get(key)
                replies[key] = join(known, record) if known else record
            case Prompt():
                owners.date(record.time)
                prompts.answer(parser.take_answer())
                prompts.add(record)
            case Profile():
                owners.name(record.conversation, record.account)
                known_profile = profiles.get(record.conversation)
                profiles[record.conversation] = _update(known_profile, record)
                if record.statement:
                    stated.append(Stated(record.conversation, record.statement, len(replies)))
            case Refusal():
                refusals.append(record)
    prompts.answer(parser.take_answer())
    path = reading.mark.path
    helper = read_helper(path, ids) if SUBAGENTS in path else None
    found = tuple(replies.values())
    return Scan(
        path=path,
        file=reading.file,
        mark=replace(reading.mark, open=prompts.open, owner=owners.last, owner_waits=owners.waits),
        bytes=reading.bytes,
        replies=_with_helper(found, helper) if helper else found,
        prompts=tuple(prompts.news),
        profiles=tuple(profiles.values()),
        refusals=tuple(refusals),
        bad_lines=reading.too_long + parser.bad_lines,
        more=reading.more,
        helper=helper,
        stated=tuple(stated),
        owners=tuple(owners.found),
        mentions=tuple(parser.mentions.found),
        edits=_of_helper(parser.edits.found, helper),
    )


def _update(known: Profile | None, new: Profile) -> Profile:
    """What is known of the conversation after this line; a later line wins."""
    if known is None:
        return new
    totals = new if new.client_cost is not None else known
    return Profile(
        new.conversation,
        new.title or known.title,
        new.account or known.account,
        totals.client_cost,
        totals.lines_added,
        totals.lines_removed,
        totals.statement,
    )


def _with_helper(replies: tuple[Reply, ...], helper: Helper) -> tuple[Reply, ...]:
    """The replies of a subagent's log; what the lines leave unsaid, the file's name and note say."""
    return tuple(
        reply
        if reply.subagent and reply.subagent_type
        else replace(
            reply,
            subagent=reply.subagent or helper.id,
            subagent_type=reply.subagent_type or helper.type,
        )
        for reply in replies
    )


def _of_helper(found: tuple[Edits, ...], helper: Helper | None) -> tuple[Edits, ...]:
    """The edits in a log; of a subagent's, what the lines leave unsaid, the file's name and note say."""
    if helper is None:
        return found
    return tuple(
        replace(
            each,
            subagent=each.subagent or helper.id,
            subagent_type=each.subagent_type or helper.type,
        )
        for each in found
    )


def read_helper(path: str, ids: TaskIds = BUILT_IN_IDS) -> Helper:
    """Which subagent this log is of; what its sidecar does not say stays empty."""
    stem = path.removesuffix(".jsonl")
    try:
        content = read_small(stem + ".meta.json", LARGEST_SIDECAR)
        note = msgspec.json.decode(content, type=Sidecar)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        note = Sidecar()
    return Helper(
        id=id_of(os.path.basename(stem).removeprefix("agent-")),
        type=name_of(note.agentType),
        description=name_of(note.description),
        finished=bool(note.finished),
        task=ids.find(note.description or ""),
    )


def place_of(path: str) -> tuple[str, str]:
    """The conversation whose log this is, and the project folder it lies in."""
    _, found, inside = path.rpartition("/projects/")
    if not found:
        return "", ""
    project, _, rest = inside.partition("/")
    first, _, _ = rest.partition("/")
    return id_of(first.removesuffix(".jsonl")), project

"""What is saved, and under which version: every type here stays readable, or gets a migration.

All are MessagePack arrays: fields are only ever added at the end, with a default.
"""

from typing import Literal

from msgspec import Struct, field

from tollkeeper_daemon.labels.labels import Fact, Labels
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.records import FileId, Statement
from tollkeeper_daemon.rules.windows import Point

# Counts up when a stored form changes in a way that new defaults can't bridge.
VERSION = 4


class Standing(Struct, frozen=True, array_like=True, gc=False):
    """How far one log of a conversation has followed the client's own totals (see statements.py).

    ``statement`` is the last of them. Of the replies after it, ``open_message`` is the last,
    ``open_output`` the output of all, ``open_since`` and ``open_until`` (ms) the first and the last
    time. ``lost_output`` is the output of those that the totals of a later client passed over.
    """

    statement: Statement | None = None
    open_message: str = ""
    open_output: int = 0
    open_since: int = 0
    open_until: int = 0
    lost_output: int = 0


class Told(Struct, frozen=True, array_like=True, gc=False):
    """What a conversation's logs say of the client's own totals.

    The first fields are those of the ``Standing`` of the log that has come furthest, which is
    ``file``; ``others`` are those of more logs of that name, such as copies in another home.
    ``parents`` are the conversations that made what it copied; ``unreadable`` says that its logs
    hold lines that could not be read.
    """

    statement: Statement | None = None
    open_message: str = ""
    open_output: int = 0
    open_since: int = 0
    open_until: int = 0
    lost_output: int = 0
    parents: tuple[str, ...] = ()
    unreadable: bool = False
    file: FileId = (0, 0)
    others: tuple[tuple[FileId, Standing], ...] = ()


class Payer(Struct, frozen=True, array_like=True, gc=False, order=True):
    """Who is known to pay from a time (ms) on: the source, and its account where that is known."""

    since: int
    source: str
    account: str = ""


class Conversation(Struct, frozen=True, array_like=True, gc=False):
    """What is known of a conversation beyond its sums; times in ms, money in nano-dollars.

    ``project`` is the log's folder, ``client_cost`` the client's own total so far. ``payers`` say who
    pays, oldest first, ``source`` and ``account`` who paid before the first of them. ``told_by`` says who
    told of any of them, but for the home: ``log``, else ``agent``. ``last_prompt`` is the time of the
    latest message. ``labels`` say to which work it belongs, oldest first.
    """

    project: str = ""
    cwd: str = ""
    title: str = ""
    source: str = ""
    account: str = ""
    first_time: int = 0
    last_time: int = 0
    client_cost: int | None = None
    lines_added: int = 0
    lines_removed: int = 0
    told: Told = Told()
    payers: tuple[Payer, ...] = ()
    last_prompt: int = 0
    told_by: Literal["", "agent", "log"] = ""
    labels: tuple[Fact, ...] = ()


class AgentRecord(Struct, frozen=True, array_like=True, gc=False):
    """An agent that was seen: its process, names and labels; times in ms, 0 for not yet.

    ``source`` is empty while the conversation has to tell it, ``budget`` is in nano-dollars;
    ``named_by_label`` says that ``TOLL_AGENT`` gave the name, ``turns`` to which conversations the
    agent turned, and when; ``home`` is the Claude home that it was found in. ``keys`` are the names in
    its environment by which it pays, ``by_home`` says that there are none, ``by_token`` that a
    subscription's token is there, ``server`` which one it asks in the place of Anthropic's. ``home_said``
    is who pays by its home and settings at the last look, ``home_set`` what ``[accounts]`` said of the home
    then, ``on_plan`` that its client showed a plan's windows, ``one_payer`` that it was not seen to change
    hands since its start, ``changed_hands`` when it last was (ms). ``workflow``, ``task`` and ``stage`` are
    its labels now, and ``told`` what was told of them, oldest first.
    """

    id: str
    pid: int
    name: str
    started: int
    run: str
    ended: int = 0
    cwd: str = ""
    conversation: str = ""
    source: str = ""
    account: str = ""
    workflow: str = ""
    task: str = ""
    stage: str = ""
    budget: int | None = None
    named_by_label: bool = False
    model: str = ""
    turns: tuple[tuple[str, int], ...] = ()
    home: str = ""
    by_home: bool = False
    by_token: bool = False
    server: str = ""
    home_said: tuple[str, str] | None = None
    on_plan: bool = False
    one_payer: bool = False
    told: tuple[Fact, ...] = ()
    keys: tuple[str, ...] = ()
    home_set: str = ""
    changed_hands: int = 0


class RunRecord(Struct, frozen=True, array_like=True, gc=False):
    """A span in which agents work; ``ended`` is 0 while it lasts, ``last_lived`` when one last did."""

    id: str
    started: int
    last_lived: int
    ended: int = 0


class PlanWindow(Struct, frozen=True, array_like=True, gc=False):
    """A window of a plan, as the API named it when it refused a request; times in ms.

    ``kind`` is the API's own name, such as ``five_hour``; ``seen`` is when it was first named.
    """

    kind: str
    account: str
    resets_at: int
    seen: int


class LimitRecord(Struct, frozen=True, array_like=True, gc=False):
    """A limit that was set by hand: on what, in ``usd`` (``bound`` in nano-dollars) or ``tokens``.

    An empty ``action`` is the settings' own; a ``bound`` of 0 is no limit. ``touched`` (ms) is when a
    person set or raised it.
    """

    kind: str
    name: str
    unit: str
    bound: int
    action: str = ""
    touched: int = 0


class MemoryRecord(Struct, frozen=True, array_like=True, gc=False):
    """What is remembered of one limit: the highest fraction told of, what it was raised by, and the
    agents that it was carried out on. ``actions`` says with which action each, in the same order.
    ``seen`` (ms) is when it last changed.
    """

    kind: str
    name: str
    unit: str
    seen: int
    told: float = 0.0
    granted: int = 0
    acted: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()


class ExcusedRecord(Struct, frozen=True, array_like=True, gc=False):
    """What was used of a scope before anybody watched: nano-dollars billed and at list price, tokens.

    ``seen`` (ms) is when it was noted.
    """

    kind: str
    name: str
    seen: int
    cost: int
    value: int
    tokens: int


class HoldRecord(Struct, frozen=True, array_like=True, gc=False):
    """An agent that is held: frozen (``paused``), with its tool calls refused (``blocked``), or told to
    end and not gone yet (``stopping``).

    ``processes`` are those that were frozen, the agent's own first. ``denied`` is the conversation
    whose tool calls are refused, ``cause`` as in the journal. ``family`` are those that are to end:
    the agent, and all that descended from it when it was told so. ``freezing`` says that not all
    which is frozen below it was noted yet, but for ``others``, whom somebody else had frozen before.
    """

    agent: str
    kind: str
    since: int
    reason: str
    cause: str
    processes: tuple[str, ...] = ()
    denied: str = ""
    family: tuple[str, ...] = ()
    freezing: bool = False
    others: tuple[str, ...] = ()


class JournalRecord(Struct, frozen=True, array_like=True, gc=False):
    """An entry of the journal; time in ms, ``bound`` and ``used`` in nano-dollars or tokens."""

    number: int
    time: int
    kind: str
    text: str
    cause: str
    id: str = ""
    agent: str = ""
    pid: int = 0
    conversation: str = ""
    scope: str = ""
    unit: str = ""
    bound: int = 0
    used: int = 0
    action: str = ""


class GaugeRecord(Struct, frozen=True, array_like=True, gc=False):
    """A window of a plan as it was last seen: times in ms; ``told`` is the percentage warned of.

    ``account`` is empty where it is not known, or that of a token, which nobody names (``by_token``);
    ``home`` is the Claude home that it was seen in, and ``points`` the sightings of this window, the
    latest last.
    """

    kind: str
    used_percent: float
    resets_at: int
    seen: int
    told: float = 0.0
    account: str = ""
    home: str = ""
    points: tuple[Point, ...] = ()
    by_token: bool = False


class WorkflowRecord(Struct, frozen=True, array_like=True, gc=False):
    """A workflow as its markers tell of it; times in ms, 0 for not yet.

    ``path`` is the way that it goes, such as ``fast-track`` or ``full``, ``status`` how it ended, and
    ``folder`` where it was started. One that no marker told of has no record.
    """

    id: str
    started: int
    ended: int = 0
    path: str = ""
    status: str = ""
    folder: str = ""


class SpanRecord(Struct, frozen=True, array_like=True, gc=False):
    """A stretch of work at one stage: once for each time that the stage is gone through; times in ms.

    ``id`` is unique within the workflow, and tells by its beginning where the span comes from: a marker
    (``m:``), an agent that bears the labels (``a:``) or a subagent (``s:``). ``role`` is who does the work:
    the subagent's type, or the agent's name. ``worked``, ``waited`` (for people) and ``held`` (at limits)
    are parts of the time between ``started`` and ``ended`` (0 while it lasts). ``reported`` is what the
    line about it in workflow-metrics.jsonl said, by model; ``commented`` that its task has the comment.
    ``presumed`` says that nobody told of its end. ``before`` is what was booked before it began under the
    same labels, in the quarter of an hour in which it did, and ``before_cost`` what of that is billed.
    ``heard`` is when a subagent that is done was heard of last, until its end is told.
    """

    workflow: str
    id: str
    labels: Labels
    role: str
    started: int
    ended: int = 0
    status: str = ""
    worked: int = 0
    waited: int = 0
    held: int = 0
    conversation: str = ""
    agent: str = ""
    subagent: str = ""
    folder: str = ""
    reported: tuple[tuple[str, Totals], ...] = ()
    commented: bool = False
    presumed: bool = False
    before: Totals = field(default_factory=Totals)
    before_cost: int = 0
    heard: int = 0


class WorkSum(Struct, frozen=True, array_like=True, gc=False):
    """What a part of a workflow has come to: one task, stage, role, model and payer.

    ``agent`` is an agent's id, ``subagent_type`` the helper's; ``first`` and ``last`` are the quarters
    of an hour (since 1970) in which the first and the last of it was booked.
    """

    task: str
    stage: str
    agent: str
    subagent_type: str
    model: str
    source: str
    first: int
    last: int
    totals: Totals


class WorkRow(Struct, frozen=True, array_like=True, gc=False):
    """A part of a workflow, as it is kept."""

    workflow: str
    sum: WorkSum


class WorkBrief(Struct, frozen=True, array_like=True, gc=False):
    """What one agent, or its helpers of one type, came to at one stage, in brief: over all tasks, models
    and payers.

    ``agent`` is its id, and ``name`` how it was called when the last of it was booked, empty where that
    was not known; for ``helper``, a type, both are empty. ``last`` is the latest quarter of an hour in
    which any of it was booked; ``cost`` is what is billed of the ``value`` (nano-dollars).
    """

    stage: str
    agent: str
    helper: str
    name: str
    last: int
    requests: int
    messages: int
    tokens: int
    cost: int
    value: int
    unpriced: int

    @property
    def is_nothing(self) -> bool:
        """Whether all of it was taken back."""
        return not (self.requests or self.messages or self.tokens or self.value or self.unpriced)


class WorkInBrief(Struct, frozen=True, array_like=True, gc=False):
    """What a workflow has come to, in brief: for who looks at all of them, and there may be very many.

    Of its spans ``is_open`` says that one lasts, ``last`` in which quarter of an hour one last began or
    ended, ``duration`` how long any lasted (ms), ``stages`` and ``roles`` how long those of each did. The
    one that is open is in none of these times. What is of no workflow has no times here.
    """

    workflow: str
    briefs: tuple[WorkBrief, ...] = ()
    is_open: bool = False
    last: int = 0
    duration: int | None = None
    stages: dict[str, int] = {}
    roles: dict[str, int] = {}

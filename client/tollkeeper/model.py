"""Every value that crosses the wire: agents, usage, plan, limits, and the status that holds them.

Units, for all of them: tokens are counts; ``*_usd`` are US dollars rounded to nine places
(one nano-dollar); ``*_percent`` runs from 0 to 100; ``*_at`` and ``time`` are ISO 8601 with a zone.
"""

from typing import Literal

from msgspec import Struct

from tollkeeper.proxies import Proxy

AgentState = Literal["working", "idle", "waiting", "paused", "exited"]
LimitState = Literal["under", "warned", "reached"]
HoldKind = Literal["paused", "blocked", "stopping"]
LimitAction = Literal["warn", "block", "pause", "stop"]
ActionKind = Literal[
    "warned",
    "reached",
    "blocked",
    "unblocked",
    "paused",
    "resumed",
    "stopped",
    "killed",
    "failed",
    "limit-set",
    "limit-cleared",
    "granted",
]
AlertKind = Literal[
    "warned",
    "reached",
    "paused",
    "limited",
    "reset",
    "account-limited",
    "accounts-limited",
    "waiting",
    "unknown-model",
    "prices",
    "audit",
    "command",
    "watches",
    "failed",
]


class Usage(Struct, frozen=True, kw_only=True):
    """What was used: tokens, requests and money over some span.

    ``cost_usd`` is what is billed (requests by API key), ``value_usd`` the list price of everything.
    ``unpriced_requests`` counts requests charged at a guessed price: show such sums with ``~``.
    """

    requests: int = 0
    messages: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    web_searches: int = 0
    total_tokens: int = 0
    cost_usd: float = 0.0
    value_usd: float = 0.0
    unpriced_requests: int = 0


class Limit(Struct, frozen=True, kw_only=True):
    """A bound on spending and how near it is: ``fraction`` 1.0 is the bound itself.

    ``scope`` is ``run``, ``daily``, or ``agent``, ``workflow``, ``stage`` (``stage:WORKFLOW/STAGE``),
    ``task`` or ``conversation`` with a name behind a colon. ``waived`` says that it is reached and acts on nobody that it binds now, since
    a person let them go on; ``by_hand`` that a person set it.
    """

    scope: str
    bound_usd: float | None = None
    bound_tokens: int | None = None
    used: float
    fraction: float
    action: LimitAction
    state: LimitState
    waived: bool = False
    by_hand: bool = False


class Subagent(Struct, frozen=True, kw_only=True):
    """A helper inside a conversation, with its own log and usage."""

    id: str
    type: str | None = None
    description: str | None = None
    state: Literal["working", "done"]
    usage: Usage


class Hold(Struct, frozen=True, kw_only=True):
    """How Tollkeeper holds an agent, since when (ISO), and why: frozen (``paused``), with its tool calls
    refused (``blocked``), or told to end and not gone yet (``stopping``).
    """

    kind: HoldKind
    since: str
    reason: str


class Agent(Struct, frozen=True, kw_only=True):
    """One running Claude Code process and what it does.

    ``id`` stays the same for the life of the process and is never given to another one.
    ``state_since`` is null where it is not known since when its state is that. ``usage`` is what this
    process has used since it started, its subagents included. ``held`` is null while it may go on; ``state`` is ``paused`` also for one that somebody else froze.
    """

    id: str
    name: str
    pid: int
    state: AgentState
    state_since: str | None = None
    waiting_for: str | None = None
    source: str
    account: str | None = None
    model: str | None = None
    cwd: str | None = None
    project: str | None = None
    conversation: str | None = None
    started_at: str
    last_activity_at: str | None = None
    workflow: str | None = None
    task: str | None = None
    stage: str | None = None
    lines_added: int = 0
    lines_removed: int = 0
    context_used_percent: float | None = None
    usage: Usage
    subagents: tuple[Subagent, ...] = ()
    limits: tuple[Limit, ...] = ()
    held: Hold | None = None


class Window(Struct, frozen=True, kw_only=True):
    """How much of a plan's window is used, and when that was seen.

    ``value_since_usd`` is the list price of what was spent of it since then, as far as we see it.
    The others are estimates, and None where there is nothing to tell them from: ``estimated_percent``
    what is used by now, ``percent_per_hour`` at which rate lately, ``runs_out_at`` when the window is
    spent at this rate, if before its reset.
    """

    used_percent: float
    resets_at: str
    observed_at: str
    value_since_usd: float = 0.0
    estimated_percent: float | None = None
    percent_per_hour: float | None = None
    runs_out_at: str | None = None


class Plan(Struct, frozen=True, kw_only=True):
    """A subscription's windows; ``limited_until`` is set while the plan refuses requests.

    ``account`` is the id of the subscription's account, where it is known, and ``home`` the Claude
    home that it is used in. ``title`` is the plan's name for people. ``messages_today`` and
    ``opus_messages`` (of this calendar month) are counted; ``approximate_messages`` a month and
    ``opus_limit`` are what the plan's table says, and approximate.
    """

    name: str | None = None
    five_hour: Window | None = None
    seven_day: Window | None = None
    limited_until: str | None = None
    account: str | None = None
    home: str | None = None
    title: str | None = None
    messages_today: int = 0
    opus_messages: int = 0
    approximate_messages: int | None = None
    opus_limit: int | None = None


class Importing(Struct, frozen=True, kw_only=True):
    """How far the reading of the history has come, in bytes of logs."""

    done_bytes: int
    total_bytes: int


class DaemonInfo(Struct, frozen=True, kw_only=True):
    """The daemon that answers."""

    pid: int
    started_at: str
    importing: Importing | None = None


class Today(Struct, frozen=True, kw_only=True):
    """What was used since local midnight, by who pays."""

    subscription: Usage
    api: Usage
    total: Usage


class AccountToday(Struct, frozen=True, kw_only=True):
    """What was used since local midnight, by one account of a source.

    ``account`` is None where it is not known which, ``home`` the Claude home that names it.
    """

    account: str | None = None
    source: str
    home: str | None = None
    usage: Usage


class Run(Struct, frozen=True, kw_only=True):
    """The span in which agents work: ends when none has lived for 30 minutes."""

    id: str
    started_at: str
    usage: Usage


class Alert(Struct, frozen=True, kw_only=True):
    """Something that a person should know.

    ``kind`` is an ``AlertKind``, or one of a later version; ``agent`` is the name of whom it is about.
    """

    time: str
    kind: str
    text: str
    agent: str | None = None


class Action(Struct, frozen=True, kw_only=True):
    """An entry of the journal: a verdict, or what was done to an agent or a limit, and why.

    ``cause`` is ``limit``, ``person`` (a command, a button, a program on the control socket), or
    ``elsewhere`` when somebody else signalled the agent. ``number`` grows with each entry.
    """

    number: int
    time: str
    kind: ActionKind
    text: str
    cause: Literal["limit", "person", "elsewhere"]
    id: str | None = None
    agent: str | None = None
    pid: int | None = None
    conversation: str | None = None
    scope: str | None = None
    bound_usd: float | None = None
    bound_tokens: int | None = None
    used: float | None = None
    action: LimitAction | None = None


class Span(Struct, frozen=True, kw_only=True):
    """A stretch of work at one stage of a workflow: once for each time that the stage is gone through.

    ``role`` is who does the work: a subagent's type, or an agent's name. ``status`` is null while it lasts,
    and when nobody said how it ended. ``worked_seconds``, ``waited_seconds`` (for people) and
    ``held_seconds`` (at limits) are parts of the time since ``started_at``. ``usage`` is what it has used.
    """

    id: str
    workflow: str | None = None
    task: str | None = None
    stage: str | None = None
    role: str | None = None
    conversation: str | None = None
    status: str | None = None
    started_at: str
    ended_at: str | None = None
    worked_seconds: float = 0.0
    waited_seconds: float = 0.0
    held_seconds: float = 0.0
    usage: Usage = Usage()


class Tagged(Struct, frozen=True, kw_only=True):
    """What came of labels that were said of an agent: those that hold now, or why they don't (``error``).

    ``moved_requests`` were booked under other labels before, since the time that was asked for.
    """

    id: str
    agent: str
    pid: int
    workflow: str | None = None
    task: str | None = None
    stage: str | None = None
    moved_requests: int = 0
    error: str | None = None


class Done(Struct, frozen=True, kw_only=True):
    """What came of a word to one agent: ``kind`` says what was done, ``error`` why it was not.

    ``note`` is what the person has to know or do next, such as typing ``fg``.
    """

    id: str
    agent: str
    pid: int
    kind: ActionKind | None = None
    note: str | None = None
    error: str | None = None


class Status(Struct, frozen=True, kw_only=True):
    """The state of everything at one moment: what a snapshot answers and updates change.

    ``plan`` is the one that was seen last; ``plans`` has one for each account of a subscription.
    ``accounts`` parts ``today`` by who pays, the dearest first. ``proxies`` are those with several
    accounts that agents ask.
    """

    version: str
    protocol: int
    sequence: int
    time: str
    daemon: DaemonInfo
    agents: tuple[Agent, ...]
    plan: Plan
    today: Today
    run: Run | None
    limits: tuple[Limit, ...] = ()
    alerts: tuple[Alert, ...] = ()
    plans: tuple[Plan, ...] = ()
    accounts: tuple[AccountToday, ...] = ()
    proxies: tuple[Proxy, ...] = ()


class Piece(Struct, frozen=True, kw_only=True):
    """A piece of work that is over: a workflow, or one stage of it.

    ``files`` were changed, in so many ``lines``, which are None where Claude Code's own totals are
    missing; ``turns`` are replies of the model. Money is in dollars, rounded to nine places: ``value_usd``
    is the list price, ``cost_usd`` what of it is billed. ``last_used_at`` is exact to a quarter of an hour.
    """

    workflow: str
    last_used_at: str
    files: int
    lines: int | None
    turns: int
    tokens: int
    cost_usd: float
    value_usd: float
    unpriced_requests: int = 0


class Pieces(Struct, frozen=True, kw_only=True):
    """The latest pieces of work, the earliest of them first; ``under_way`` are not over, and left out."""

    stage: str | None
    pieces: tuple[Piece, ...]
    under_way: int = 0

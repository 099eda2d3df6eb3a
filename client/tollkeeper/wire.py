"""The wire: what control.sock and updates.sock carry, as JSON, and how it is written and read.

The protocol is described in docs/protocol.md and versioned apart from the package.
"""

from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Raw, Struct

from tollkeeper.errors import ProtocolError
from tollkeeper.model import (
    AccountToday,
    Action,
    Agent,
    Alert,
    DaemonInfo,
    Limit,
    Plan,
    Run,
    Span,
    Today,
    Usage,
)
from tollkeeper.proxies import Proxy

PROTOCOL = 1

Topic = Literal[
    "agent.started",
    "agent.changed",
    "agent.exited",
    "usage",
    "plan",
    "limit",
    "action",
    "alert",
    "workflow",
    "proxies",
    "heartbeat",
]


WorkflowEvent = Literal["started", "stage-started", "stage-ended", "ended"]


class Request(Struct, frozen=True):
    """One call on control.sock; ``id`` comes back in the reply."""

    id: str
    method: str
    params: dict[str, Any] = {}


class ErrorBody(Struct, frozen=True):
    """Why a call failed: a code for programs, a line for people, and the way out."""

    code: str
    message: str
    hint: str | None = None


class Reply(Struct, frozen=True, omit_defaults=True):
    """The answer to one call: a result, or an error."""

    id: str
    result: Raw = Raw()
    error: ErrorBody | None = None


class Charged(Struct, frozen=True, kw_only=True):
    """What newly read log lines added to the account of one conversation and model."""

    conversation: str
    agent: str | None = None
    subagent: str | None = None
    model: str
    source: str
    usage: Usage


class Update(Struct, frozen=True, kw_only=True):
    """What every update bears: a sequence that grows by one with each, and its time."""

    sequence: int
    time: str


class AgentUpdate(Update, frozen=True, kw_only=True):
    """An agent started, changed or exited (the topic says which)."""

    agent: Agent


class UsageUpdate(Update, frozen=True, kw_only=True):
    """Requests were charged: what each added, and the agents, day, run and limits after it."""

    charged: tuple[Charged, ...]
    agents: tuple[Agent, ...]
    today: Today
    run: Run | None
    limits: tuple[Limit, ...] = ()
    accounts: tuple[AccountToday, ...] = ()


class PlanUpdate(Update, frozen=True, kw_only=True):
    """The plan's windows were seen anew."""

    plan: Plan
    plans: tuple[Plan, ...] = ()


class LimitUpdate(Update, frozen=True, kw_only=True):
    """A limit was set, neared, reached or cleared."""

    limits: tuple[Limit, ...]


class ActionUpdate(Update, frozen=True, kw_only=True):
    """The journal has a new entry."""

    action: Action


class AlertUpdate(Update, frozen=True, kw_only=True):
    """Something that a person should know."""

    alert: Alert


class WorkflowUpdate(Update, frozen=True, kw_only=True):
    """A workflow, or a stage of one (``span``), started or ended."""

    workflow: str
    event: WorkflowEvent
    status: str | None = None
    span: Span | None = None


class ProxiesUpdate(Update, frozen=True, kw_only=True):
    """Of the proxies that are followed, or of an account of theirs, something is otherwise."""

    proxies: tuple[Proxy, ...]


class Heartbeat(Update, frozen=True, kw_only=True):
    """The daemon lives; also says how far an import has come and what the day adds up to.

    ``agents`` are the ids of all that are still in the status: others exited long ago.
    """

    daemon: DaemonInfo
    agents: tuple[str, ...]
    today: Today
    run: Run | None
    limits: tuple[Limit, ...] = ()
    accounts: tuple[AccountToday, ...] = ()


UPDATES: dict[str, type[Update]] = {
    "agent.started": AgentUpdate,
    "agent.changed": AgentUpdate,
    "agent.exited": AgentUpdate,
    "usage": UsageUpdate,
    "plan": PlanUpdate,
    "limit": LimitUpdate,
    "action": ActionUpdate,
    "alert": AlertUpdate,
    "workflow": WorkflowUpdate,
    "proxies": ProxiesUpdate,
    "heartbeat": Heartbeat,
}

T = TypeVar("T")


def encode(value: Any) -> bytes:
    """The value as JSON."""
    return msgspec.json.encode(value)


def decode(data: bytes | Raw, kind: type[T]) -> T:
    """The value of this kind that the JSON holds; ProtocolError when it holds something else."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"not a {kind.__name__}: {error}") from None


def decode_update(topic: str, data: bytes) -> Update:
    """The update that a frame pair holds; a topic of a later protocol yields a bare Update."""
    return decode(data, UPDATES.get(topic, Update))

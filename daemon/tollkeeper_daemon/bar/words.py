"""What people read of limits and of what was done: one plain sentence each. Pure."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from tollkeeper.cli.words import typed
from tollkeeper.model import ActionKind
from tollkeeper_daemon.budgets.board import Stand
from tollkeeper_daemon.rules.limits import Scope, Unit
from tollkeeper_daemon.rules.over import UNUSED_DAYS
from tollkeeper_daemon.rules.settings import NANO

MOST_NAMED = 5
DENIED = "Tollkeeper: "
WAY_ON = " To go on: toll resume"
DONE: dict[ActionKind, str] = {
    "blocked": "Its tool calls are refused",
    "paused": "It is paused",
    "stopped": "It is being stopped",
    "failed": "Nothing could be done to it",
}
DONE_TO_MANY: dict[ActionKind, str] = {
    "blocked": "Tool calls refused",
    "paused": "Paused",
    "stopped": "Being stopped",
    "failed": "Nothing could be done to",
}
HAPPENED: dict[ActionKind, str] = {
    "blocked": "has its tool calls refused",
    "unblocked": "may call tools again",
    "paused": "is paused",
    "resumed": "goes on",
    "stopped": "is stopped",
    "killed": "did not stop by itself and was killed",
    "failed": "could not be dealt with",
}


def amount(unit: Unit, value: int) -> str:
    """Nano-dollars or tokens as people read them; cents, or as much as shows what is less than that."""
    if unit == "tokens":
        return f"{value:,} tokens"
    dollars = value / NANO
    if dollars >= 0.01 or not value:
        return f"${dollars:,.2f}"
    return f"${dollars:.4f}" if dollars >= 0.0001 else f"${dollars:.9f}"


def whose(scope: Scope, name: str) -> str:
    """The limit, named by what it bounds; ``name`` is that of an agent."""
    match scope.kind:
        case "agent":
            return f"the limit of {name or scope.name}"
        case "daily":
            return "today's limit"
        case "run":
            return "the limit of this run"
        case kind:
            return f"the limit of {kind} {scope.name}"


def share(stand: Stand) -> str:
    """How much of the limit is used: ``$5.02 of $5.00``."""
    unit = stand.limit.unit
    return f"{amount(unit, stand.used)} of {amount(unit, stand.limit.bound)}"


def reached(
    stand: Stand, name: str, done: Mapping[str, ActionKind | None] = MappingProxyType({})
) -> str:
    """That a limit is reached, and what was done to whom, by their names."""
    text = f"{upper(whose(stand.limit.scope, name))} is reached: {share(stand)}."
    if stand.limit.scope.kind == "agent":
        return " ".join([text, *(f"{DONE[kind]}." for kind in done.values() if kind in DONE)])
    for kind, deed in DONE_TO_MANY.items():
        if names := [each for each, was in done.items() if was == kind]:
            text += f" {deed}: {_listed(names)}."
    return text


def warned(stand: Stand, name: str) -> str:
    """That a limit is near."""
    percent = 100 * stand.used // stand.limit.bound
    return f"{upper(whose(stand.limit.scope, name))} is used by {percent} %: {share(stand)}."


def raised(stand: Stand, name: str) -> str:
    """That a limit was raised, and to how much."""
    unit, limit = stand.limit.unit, stand.limit
    bound, used = amount(unit, limit.bound), amount(unit, stand.used)
    return f"{upper(whose(limit.scope, name))} was raised to {bound}; used so far: {used}."


def forgotten(scope: Scope) -> str:
    """That a limit set by hand is no more, since nobody needs it."""
    whom = upper(whose(scope, ""))
    return f"{whom} is forgotten: nothing was spent under it for {UNUSED_DAYS} days."


def happened(agent: str, kind: ActionKind, reason: str) -> str:
    """What was done to an agent, and why."""
    return f"{agent} {HAPPENED[kind]}. {upper(reason)}".rstrip()


def offered(agent: str) -> str:
    """That the limits leave a held agent room again."""
    return f"{agent} is held, and has room again: toll resume {typed(agent)}"


def denial(agent: str, reasons: Sequence[str]) -> str:
    """What Claude Code tells the person whose agent's tool calls are refused."""
    return (
        f"{DENIED}{' '.join(reasons)}{WAY_ON} {typed(agent)}, "
        f"or with more money: toll resume --add-usd 5 {typed(agent)}"
    )


def why(reason: str) -> str:
    """Why an agent is held, without what a denial adds for the person in front of it."""
    return upper(reason.removeprefix(DENIED).partition(WAY_ON)[0])


def upper(text: str) -> str:
    """The text as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:MOST_NAMED])
    more = len(names) - MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown

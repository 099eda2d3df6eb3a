"""Whose limit a verb is about: the options that name it, and how it is called."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from tollkeeper.cli.context import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAMED = {
    "agent": ("NAME", "of this agent: its name, pid or conversation"),
    "task": ("ID", "of this task, wherever it is worked at"),
    "workflow": ("ID", "of this workflow; with --stage, of that stage of it"),
    "conversation": ("ID", "of this conversation"),
}
EVERY = {"run": "of every run, in which agents work together", "daily": "of every day"}


def scope_options(parser: ArgumentParser) -> None:
    """At most one of all that can have a limit; ``scope_params`` refuses none."""
    scopes = parser.add_mutually_exclusive_group()
    for name, (placeholder, told) in NAMED.items():
        scopes.add_argument(f"--{name}", metavar=placeholder, help=told)
    for name, told in EVERY.items():
        scopes.add_argument(f"--{name}", action="store_true", help=told)
    parser.add_argument("--stage", metavar="NAME", help="of this stage of the workflow alone")


def scope_params(options: Namespace) -> dict[str, Any]:
    """The scope, as a parameter of a call; UsageError when none is named."""
    if options.stage is not None and options.workflow is None:
        raise UsageError("a stage is one of a workflow: name that with --workflow")
    given = {name: getattr(options, name) for name in (*NAMED, "stage", *EVERY)}
    params = {name: value for name, value in given.items() if value not in (None, False)}
    if not params:
        scopes = " ".join(f"--{name}" for name in (*NAMED, *EVERY))
        raise UsageError(f"whose limit? one of {scopes} is required")
    return params


def scope_of(options: Namespace) -> str:
    """The scope that was named, as the wire would call it."""
    params = scope_params(options)
    if "stage" in params:
        return f"stage:{params['workflow']}/{params['stage']}"
    [(kind, name)] = params.items()
    return kind if kind in EVERY else f"{kind}:{name}"


def limit_of(scope: str) -> str:
    """The limit of this scope, at the beginning of a sentence."""
    kind, _, name = scope.partition(":")
    match kind:
        case "daily":
            return "The daily limit"
        case "run":
            return "The limit of a run"
        case _:
            return f"The limit of {kind} {name}"


def called(scope: str) -> str:
    """The scope, in a table."""
    kind, _, name = scope.partition(":")
    return {"daily": "today", "run": "this run"}.get(kind) or f"{kind} {name}"

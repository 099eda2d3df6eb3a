"""What every verb shares: how it was asked, the daemon behind it, and how it answers."""

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click
import msgspec
from msgspec import Struct

from tollkeeper.control import Toll
from tollkeeper.paths import Paths, find_paths
from tollkeeper.start import ensure_daemon

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


REPORTS = ("daily", "session")
REPORT_SECONDS = 60.0


class Ask(Struct):
    """How the command was asked. Mutable: options may stand before or after the verb."""

    as_json: bool = False
    may_start: bool = True

    def paths(self) -> Paths:
        """The directories, with a daemon listening in them if one may be started."""
        paths = find_paths()
        if self.may_start:
            ensure_daemon(paths)
        return paths

    def toll(self, timeout: float = 10.0) -> Toll:
        """A client to the daemon."""
        return Toll(self.paths(), timeout)

    def call(self, method: str, kind: type[T], **params: Any) -> T:
        """Ask the daemon once; a report may take longer than other answers."""
        with self.toll(REPORT_SECONDS if method in REPORTS else 10.0) as toll:
            return toll.call(method, kind, **params)


def verb_options(command: F) -> F:
    """Let ``--json`` and ``--no-start`` stand behind the verb as well; pass the Ask first."""

    def set_json(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        ctx.obj.as_json = ctx.obj.as_json or value

    def set_start(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        ctx.obj.may_start = ctx.obj.may_start and not value

    for option in (
        click.option(
            "--no-start",
            is_flag=True,
            expose_value=False,
            callback=set_start,
            help="Do not start the daemon when none runs.",
        ),
        click.option(
            "-j",
            "--json",
            is_flag=True,
            expose_value=False,
            callback=set_json,
            help="Answer with JSON on stdout.",
        ),
    ):
        command = option(command)
    return click.pass_obj(command)  # pyright: ignore[reportReturnType]


def print_json(value: Any) -> None:
    """One JSON value on stdout, on one line."""
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
    sys.stdout.buffer.flush()

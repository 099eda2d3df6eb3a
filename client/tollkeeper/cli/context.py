"""What every verb shares: how it was asked, the daemon behind it, and how it answers."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser, HelpFormatter

from tollkeeper.cli import link, terminal
from tollkeeper.errors import NoDaemonError
from tollkeeper.places import find_places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, NoReturn, TypeVar

    from tollkeeper.control import Toll
    from tollkeeper.paths import Paths

    T = TypeVar("T")

ANSWER_SECONDS = 10.0
# Lines of help that are longer are hard to read.
MOST_HELP = 100
# A report over a long history, asked for while the daemon imports.
REPORT_SECONDS = 60.0
# A daemon that ends may refuse calls for a moment, before the next one can be started.
PAUSES_SECONDS = (0.0, 0.1, 0.5, 2.0)
# What Python raises when an answer is not built as whoever shows it expects.
MISREAD = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
NOT_OURS = "the daemon's answer is not of this protocol"


class UsageError(Exception):
    """The command was called wrongly; the text says how."""


class Parser(ArgumentParser):
    """Options of one verb; wrong usage is one line, and exit status 2."""

    def _get_formatter(self) -> HelpFormatter:
        # With a width of its own it loads no shutil, which would take longer than all the parsing.
        return HelpFormatter(self.prog, width=min(terminal.width(), MOST_HELP) - 2)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")

    def joined(self, arguments: Iterable[str]) -> list[str]:
        """The arguments, with a value that begins with ``-`` joined to its option by ``=``.

        A project's slug begins like that, and argparse would take it for an option. What stands behind
        ``--`` is left as it is.
        """
        joined: list[str] = []
        rest = iter(arguments)
        for argument in rest:
            if argument == "--":
                return [*joined, argument, *rest]
            before = joined[-1] if joined else ""
            if self._takes_value(before) and argument.startswith("-") and not self._knows(argument):
                joined[-1] = f"{before}={argument}"
            else:
                joined.append(argument)
        return joined

    def _takes_value(self, argument: str) -> bool:
        action = self._option_string_actions.get(argument)
        return action is not None and action.nargs is None

    def _knows(self, argument: str) -> bool:
        return argument.partition("=")[0] in self._option_string_actions


class Ask:
    """How the command was asked; ``asked`` says whether the daemon was turned to by now."""

    def __init__(self, as_json: bool = False, may_start: bool = True) -> None:
        self.as_json = as_json
        self.may_start = may_start
        self.asked = False

    def paths(self) -> Paths:
        """The directories, with a daemon listening in them if one may be started."""
        from tollkeeper.paths import find_paths
        from tollkeeper.start import ensure_daemon

        self.asked = True
        paths = find_paths()
        if self.may_start:
            ensure_daemon(paths)
        return paths

    def toll(self, timeout: float = ANSWER_SECONDS) -> Toll:
        """A client to the daemon."""
        from tollkeeper.control import Toll

        return Toll(self.paths(), timeout)

    def call(self, method: str, kind: type[T], **params: Any) -> T:
        """Ask the daemon once for a value of this kind."""
        with self.toll() as toll:
            return toll.call(method, kind, **params)

    def raw(
        self, method: str, params: dict[str, Any] | None = None, timeout: float = REPORT_SECONDS
    ) -> bytes:
        """Ask the daemon for JSON; starts one when none runs, and asks again when it goes away."""
        self.asked = True
        run = find_places()[2]
        for pause in PAUSES_SECONDS if self.may_start else ():
            try:
                return link.ask(run, method, params or {}, timeout)
            except NoDaemonError:
                self.paths()
                time.sleep(pause)
        return link.ask(run, method, params or {}, timeout)

    def plain(self, method: str, params: dict[str, Any] | None = None) -> Any:
        """The same, as plain dicts and lists."""
        return json.loads(self.raw(method, params))


def print_json(value: Any) -> None:
    """One JSON value on stdout, on one line."""
    import msgspec

    print_raw(msgspec.json.encode(value))


def print_raw(value: bytes) -> None:
    """A JSON value that is encoded already, on one line of stdout."""
    sys.stdout.buffer.write(value + b"\n")
    sys.stdout.buffer.flush()

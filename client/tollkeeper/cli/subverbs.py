"""Verbs below a verb, as in ``toll prices set``: each a file of its own, with HELP, options and run."""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser, Namespace

from tollkeeper.cli.context import Parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType
    from typing import Any

    from tollkeeper.cli.context import Ask


class Subparser(Parser):
    """Options of a verb below a verb: what it does not know it refuses itself, with its own help."""

    def parse_known_args(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        given = None if args is None else self.joined(args)
        found, unknown = super().parse_known_args(given, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, unknown


def add_subverbs(parser: ArgumentParser, subverbs: dict[str, ModuleType]) -> None:
    """Let each of these stand behind the verb, with the options that all verbs have."""
    below = parser.add_subparsers(
        dest="subverb", metavar="|".join(subverbs), parser_class=Subparser
    )
    for name, module in subverbs.items():
        short = module.HELP.partition(". ")[0].partition(":")[0].partition(";")[0]
        sub = below.add_parser(name, description=module.HELP, help=short, allow_abbrev=False)
        # The verb's own defaults hold where they are not given here.
        sub.add_argument(
            "-j",
            "--json",
            dest="as_json",
            action="store_true",
            default=SUPPRESS,
            help="answer with JSON on stdout",
        )
        sub.add_argument(
            "--no-start",
            dest="may_start",
            action="store_false",
            default=SUPPRESS,
            help="do not start the daemon when none runs",
        )
        module.options(sub)


def run_subverb(ask: Ask, options: Namespace, subverbs: dict[str, ModuleType]) -> int | None:
    """Run the one that was named."""
    return subverbs[options.subverb].run(ask, options)

"""``toll plans remove``: a plan of one's own, no more."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from tollkeeper.cli.context import Ask, print_raw

HELP = "Remove a plan of your own; the built-in one of its name holds again."


def options(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="which one")


def run(ask: Ask, options: Namespace) -> None:
    params = {"name": options.name}
    if ask.as_json:
        print_raw(ask.raw("plans.remove", params))
        return
    answer = ask.plain("plans.remove", params)
    again = "; the built-in one holds again" if answer["built_in"] else ""
    print(f"The plan {options.name} is removed{again}.")

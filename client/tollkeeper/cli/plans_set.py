"""``toll plans set``: a plan of one's own."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace

from tollkeeper.cli.context import Ask, print_raw
from tollkeeper.cli.prices_set import figure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HELP = (
    "Set a plan, built in or new; it goes into your plans.toml. What is left out stays as it is "
    "known; a new plan needs a price."
)


def options(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="such as max, or a new one")
    parser.add_argument("--price", metavar="USD", type=figure, help="dollars a month")
    parser.add_argument(
        "--messages", metavar="N", type=limit, help="about so many messages a month, or none"
    )
    parser.add_argument(
        "--opus", metavar="N", type=limit, help="so many of them by Opus, or none for no limit"
    )
    parser.add_argument(
        "--models", metavar="NAME,…", help="the model families that it has, with commas between"
    )
    parser.add_argument("--title", metavar="TEXT", help="what people call it")


def limit(value: str) -> int | str:
    """A number of zero or more, or ``none``."""
    if value == "none":
        return value
    if not (value.isascii() and value.isdecimal()):
        raise ArgumentTypeError(f"{value!r} is neither a number of zero or more nor none")
    return int(value)


def run(ask: Ask, options: Namespace) -> None:
    params = as_params(options)
    if ask.as_json:
        print_raw(ask.raw("plans.set", params))
        return
    from tollkeeper.cli.plans_view import print_plans

    answer = ask.plain("plans.set", params)
    print_plans([answer["plan"]])
    print("Written to", answer["file"])


def as_params(options: Namespace) -> dict[str, Any]:
    """What was said, as parameters of the call: ``none`` is null there."""
    limits = {"approximate_messages": options.messages, "opus_limit": options.opus}
    params: dict[str, Any] = {"name": options.name}
    if options.price is not None:
        params["monthly_price"] = options.price
    if options.title is not None:
        params["title"] = options.title
    if options.models is not None:
        models = (model.strip() for model in options.models.split(","))
        params["models"] = [model for model in models if model]
    for name, value in limits.items():
        if value is not None:
            params[name] = None if value == "none" else value
    return params

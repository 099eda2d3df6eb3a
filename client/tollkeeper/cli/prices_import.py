"""``toll prices import``: the prices of LiteLLM's list that are news."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from tollkeeper.cli.context import Ask, print_raw
from tollkeeper.cli.offer import look_for_others
from tollkeeper.errors import TollError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HELP = (
    "Take the prices of Claude models from LiteLLM's model_prices_and_context_window.json into "
    "your prices.toml: those that differ from what is known. Says what became of each entry."
)
FAMILY = "claude"
FIELDS = (
    "litellm_provider",
    "input_cost_per_token",
    "output_cost_per_token",
    "cache_read_input_token_cost",
    "cache_creation_input_token_cost",
    "cache_creation_input_token_cost_above_1hr",
    "input_cost_per_token_above_100k_tokens",
    "output_cost_per_token_above_100k_tokens",
    "provider_specific_entry",
)
# A call is at most 1 MiB.
MOST_BYTES = 1_000_000


def options(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="the list, as a file")
    parser.add_argument(
        "--all", action="store_true", help="also those that cost what is known already"
    )


def run(ask: Ask, options: Namespace) -> None:
    params = {"entries": read_list(options.file), "all": options.all}
    if len(json.dumps(params)) > MOST_BYTES:
        raise TollError(f"{options.file} has too many models named {FAMILY}", "cut it down")
    answer = ask.plain("prices.import", params)
    others = look_for_others(ask)
    if ask.as_json:
        print_raw(json.dumps({**answer, **others}).encode())
        return
    from tollkeeper.cli.prices_view import print_imported, print_offer

    print_imported(answer)
    print_offer(others)


def read_list(path: str) -> dict[str, Any]:
    """The entries in this file that may be of Claude models, with what matters of each.

    Numbers come as the text that stands there, to the last digit. TollError when it is no list.
    """
    try:
        with open(path, encoding="utf-8") as file:
            entries: dict[str, Any] = json.load(
                file, parse_float=str, parse_int=str, parse_constant=str
            )
    except OSError as error:
        raise TollError(f"can't read {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise TollError(f"{path} is not JSON: {error}") from None
    if not _is_object(entries):
        raise TollError(f"{path} is no list of prices: it holds no object")
    return {
        name: {field: entry[field] for field in FIELDS if field in entry}
        if _is_object(entry)
        else None
        for name, entry in entries.items()
        if FAMILY in name.lower()
    }


def _is_object(value: object) -> bool:
    return isinstance(value, dict)

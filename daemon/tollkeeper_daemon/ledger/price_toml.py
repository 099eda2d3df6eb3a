"""Edits the text of prices.toml."""

from collections.abc import Callable, Sequence
from typing import Any

from tollkeeper_daemon.ledger.price_entry import Entry
from tollkeeper_daemon.ledger.prices import canonical
from tollkeeper_daemon.toml_text import edit, fill, parse

NEW_FILE = """\
# Your own prices, in US dollars per million tokens; they go on top of the built-in ones.
# `toll prices set` and `toll prices import` write here as well.

version = 1
"""

Place = tuple[str, str]
"""What a price is for: the model's canonical name, and the day from which it holds, or nothing."""


def with_prices(text: str, entries: Sequence[Entry]) -> str:
    """The file's text with these entries; one of the same model and day is replaced in its place.

    The text must be a good prices.toml; EditError when it can't be edited.
    """
    import tomlkit
    from tomlkit.items import AoT

    if not entries:
        return text
    says = parse(text)
    told = says.setdefault("prices", [])
    # The last one of a place counts.
    index_of = {place_of(table): index for index, table in enumerate(told)}
    for entry in entries:
        index = index_of.setdefault(place_of(entry), len(told))
        told[index : index + 1] = [entry]

    def change(document: Any) -> None:
        if "prices" not in document:
            document["prices"] = tomlkit.aot()
        tables = document["prices"]
        is_list_of_tables = isinstance(tables, AoT)
        there = len(tables)
        for index in dict.fromkeys(index_of[place_of(entry)] for entry in entries):
            if index < there:
                fill(tables[index], told[index])
                continue
            table: Any = tomlkit.table() if is_list_of_tables else tomlkit.inline_table()
            fill(table, told[index])
            tables.append(table)

    return edit(text, change, says)


def without_prices(text: str, is_meant: Callable[[Place], bool]) -> str:
    """The file's text without the prices that are meant; EditError when it can't be edited."""
    says = parse(text)
    told = says["prices"]
    gone = [index for index, table in enumerate(told) if is_meant(place_of(table))]
    for index in reversed(gone):
        del told[index]

    def change(document: Any) -> None:
        for index in reversed(gone):
            del document["prices"][index]
        if not document["prices"]:
            del document["prices"]

    if not told:
        del says["prices"]
    return edit(text, change, says)


def place_of(table: Any) -> Place:
    """What the price in this table of prices.toml is for."""
    return canonical(str(table["model"])), str(table.get("since", ""))[:10]

"""Edits the text of prices.toml."""

from collections.abc import Sequence
from typing import Any

from tollkeeper_daemon.ledger.price_entry import Entry
from tollkeeper_daemon.ledger.prices import canonical
from tollkeeper_daemon.toml_text import edit, fill, parse

NEW_FILE = """\
# Your own prices, in US dollars per million tokens; they go on top of the built-in ones.
# `toll prices set` and `toll prices import` write here as well.

version = 1
"""


def with_prices(text: str, entries: Sequence[Entry]) -> str:
    """The file's text with these entries; one of the same model and day is replaced in its place.

    The text must be a good prices.toml; EditError when it can't be edited.
    """
    import tomlkit
    from tomlkit.items import AoT

    says = parse(text)
    for entry in entries:
        tables = says.setdefault("prices", [])
        if (index := _index(tables, entry)) is None:
            tables.append(entry)
        else:
            tables[index] = entry

    def change(document: Any) -> None:
        if "prices" not in document:
            document["prices"] = tomlkit.aot()
        tables = document["prices"]
        is_list_of_tables = isinstance(tables, AoT)
        for entry in entries:
            index = _index(tables, entry)
            if index is not None:
                fill(tables[index], entry)
                continue
            table: Any = tomlkit.table() if is_list_of_tables else tomlkit.inline_table()
            fill(table, entry)
            tables.append(table)

    return edit(text, change, says) if entries else text


def _index(tables: Sequence[Any], entry: Entry) -> int | None:
    """Where the price stands that this one takes the place of; the last one counts."""
    same = [index for index, table in enumerate(tables) if _place(table) == _place(entry)]
    return same[-1] if same else None


def _place(table: Any) -> tuple[str, str]:
    """What a price is for: the model, and the day from which it holds."""
    return canonical(str(table["model"])), str(table.get("since", ""))[:10]

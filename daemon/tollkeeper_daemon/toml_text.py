"""Edits the text of a TOML file and leaves what else is in it as it stands: comments, order, form."""

import tomllib
from collections.abc import Callable
from decimal import Decimal
from typing import Any

# Far below what any figure is rounded to.
FINEST = Decimal("1e-12")


class EditError(ValueError):
    """The text can't be edited by a program; one line for people."""


def parse(text: str) -> dict[str, Any]:
    """What the text says, fractions as Decimal."""
    return tomllib.loads(text, parse_float=Decimal)


def edit(text: str, change: Callable[[Any], None], says: dict[str, Any]) -> str:
    """The text after this change of its tomlkit document; EditError unless it then ``says`` that."""
    import tomlkit  # Takes as long to import as the rest of an edit: only who edits waits for it.

    try:
        document = tomlkit.parse(text.rstrip("\n") + "\n\n" if text.strip() else "")
        change(document)
        changed = document.as_string().rstrip("\n") + "\n"
        if parse(changed) == says:
            return changed
    except (ValueError, LookupError, AttributeError, TypeError):
        pass  # There are forms of TOML that tomlkit reads but can't change.
    raise EditError("it is written in a form that only you can edit")


def fill(table: Any, entry: dict[str, Any]) -> None:
    """Let the tomlkit table say this and no more; what it says already stays as it is written."""
    for name in [name for name in table if name not in entry]:
        del table[name]
    for name, value in entry.items():
        if table.get(name) != value:
            table[name] = _written(value)


def rounded(value: Decimal) -> Decimal:
    """The number with no more digits than are written."""
    return value.quantize(FINEST).normalize()


def _written(value: Any) -> Any:
    """The value as TOML writes it; a number with its own digits."""
    import tomlkit

    if isinstance(value, Decimal):
        digits = f"{rounded(value):f}"
        return tomlkit.value(digits if "." in digits else digits + ".0")
    return value

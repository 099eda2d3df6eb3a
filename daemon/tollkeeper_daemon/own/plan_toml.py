"""Edits the text of plans.toml."""

from typing import Any

from tollkeeper_daemon.toml_text import edit, fill, parse

NEW_FILE = """\
# Your own plans, in US dollars a month; they go on top of the built-in ones.
# `toll plans set` writes here as well.

version = 1
"""


def with_plan(text: str, name: str, entry: dict[str, Any]) -> str:
    """The file's text with this plan, in the place of one of the same name.

    The text must be a good plans.toml; EditError when it can't be edited.
    """
    import tomlkit

    says = parse(text)
    says["plans"] = {**says.get("plans", {}), name: entry}

    def change(document: Any) -> None:
        if "plans" not in document:
            document["plans"] = tomlkit.table(is_super_table=True)
        if name not in document["plans"]:
            document["plans"][name] = tomlkit.table()
        fill(document["plans"][name], entry)

    return edit(text, change, says)


def without_plan(text: str, name: str) -> str:
    """The file's text without this plan, which must be in it; EditError when it can't be edited."""
    says = parse(text)
    del says["plans"][name]

    def change(document: Any) -> None:
        del document["plans"][name]
        if not document["plans"]:
            del document["plans"]

    if not says["plans"]:
        del says["plans"]
    return edit(text, change, says)

"""What turns hooks and status lines off in Claude Code's settings. Pure."""

from collections.abc import Iterable, Sequence
from typing import Literal, TypeVar

from msgspec import Struct

# What a lock of `strictPluginOnlyCustomization` names that is on hooks.
HOOKS = "hooks"

V = TypeVar("V")


class Switches(Struct, frozen=True):
    """Those in one file of settings; None where it says nothing of one."""

    disableAllHooks: bool | None = None
    allowManagedHooksOnly: bool | None = None
    strictPluginOnlyCustomization: bool | list[str] | None = None


Word = Literal["", "disableAllHooks", "allowManagedHooksOnly", "strictPluginOnlyCustomization"]


class Ruling(Struct, frozen=True):
    """Whose hooks run, and the word in the settings that says so; none where all do."""

    running: Literal["all", "managed", "none"]
    word: Word = ""


def ruling(managed: Sequence[Switches], own: Sequence[Switches]) -> Ruling:
    """Whose hooks run: those of all settings, of managed ones alone, or none at all.

    ``managed`` are the switches of the managed settings, ``own`` of all others, each before those that
    it goes before. As the client has it (version 2.1.330): who turns all hooks off spares those of
    managed settings, but for managed settings themselves, which may also have no others run than their
    own. Status lines go with the hooks, except where ``strictPluginOnlyCustomization`` locks these alone.
    """
    if _first(each.disableAllHooks for each in managed):
        return Ruling("none", "disableAllHooks")
    if _first(each.allowManagedHooksOnly for each in managed):
        return Ruling("managed", "allowManagedHooksOnly")
    locked = _first(each.strictPluginOnlyCustomization for each in managed)
    if locked is True or (isinstance(locked, list) and HOOKS in locked):
        return Ruling("managed", "strictPluginOnlyCustomization")
    if _first(each.disableAllHooks for each in (*managed, *own)):
        return Ruling("managed", "disableAllHooks")
    return Ruling("all")


def _first(said: Iterable[V | None]) -> V | None:
    """What the first file says that says anything of it."""
    return next((each for each in said if each is not None), None)

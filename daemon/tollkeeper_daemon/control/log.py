"""``log``: the journal, what the limits and people did to agents."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from tollkeeper.model import Action
from tollkeeper_daemon.control.refusal import params_as
from tollkeeper_daemon.daemon import Daemon


class Which(Struct, frozen=True, forbid_unknown_fields=True):
    """The entries behind the number ``after``; so many, the latest."""

    after: Annotated[int, Meta(ge=0)] = 0
    last: Annotated[int, Meta(ge=1, le=20_000)] = 100


def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, list[Action]]:
    """The entries, oldest first."""
    which = params_as(Which, params)
    return {"entries": daemon.budgets.journal.read(which.after, which.last)}

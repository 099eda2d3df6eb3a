"""``plans.remove``: a plan of the user's own, out of plans.toml."""

from typing import Any

from msgspec import Struct

from tollkeeper_daemon.control.refusal import Refused, editing, params_as
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.own.plan_toml import without_plan
from tollkeeper_daemon.own.plans import PlanTerms, load_plans


class Named(Struct, frozen=True, forbid_unknown_fields=True):
    """Which plan."""

    name: str


async def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """The plan that was removed, and the built-in one of its name that holds again, or null."""
    name = params_as(Named, params).name
    builtin = load_plans().get(name)
    file = daemon.own_plans

    def change(text: str | None) -> tuple[str, PlanTerms]:
        plan = load_plans(text, str(file.path)).get(name)
        if text is None or plan is None or not plan.own:
            reason = "is built in: only your own can be removed" if plan else "is not known"
            raise Refused("bad-params", f"the plan {name[:40]!r} {reason}", "see: toll plans")
        return without_plan(text, name), plan

    with editing(file.path):
        plan = await file.edit(change)
    return {
        "removed": plan.as_json(),
        "built_in": builtin.as_json() if builtin else None,
        "file": str(file.path),
    }

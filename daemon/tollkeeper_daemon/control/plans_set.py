"""``plans.set``: a plan of the user's own, into plans.toml."""

from decimal import Decimal
from typing import Any

from msgspec import UNSET, Struct, UnsetType, structs

from tollkeeper_daemon.control.refusal import Refused, editing, params_as
from tollkeeper_daemon.daemon import Daemon
from tollkeeper_daemon.own.plan_toml import NEW_FILE, with_plan
from tollkeeper_daemon.own.plans import PlanError, PlanTerms, load_plans, plan_of


class Offer(Struct, frozen=True, forbid_unknown_fields=True):
    """A plan's terms; what is left out stays as it is known, null is none that is known."""

    name: str
    monthly_price: Decimal | UnsetType = UNSET
    approximate_messages: int | None | UnsetType = UNSET
    opus_limit: int | None | UnsetType = UNSET
    models: tuple[str, ...] | UnsetType = UNSET
    title: str | UnsetType = UNSET


async def answer(daemon: Daemon, params: dict[str, Any]) -> dict[str, Any]:
    """The plan as it was written."""
    offer = params_as(Offer, params)
    file = daemon.own_plans

    def change(text: str | None) -> tuple[str, PlanTerms]:
        entry = _entry(offer, load_plans(text, str(file.path)).get(offer.name))
        try:
            plan = plan_of(offer.name, entry)
        except PlanError as error:
            raise Refused("bad-params", str(error)) from None
        changed = with_plan(NEW_FILE if text is None else text, offer.name, entry)
        load_plans(changed, str(file.path))
        return changed, plan

    with editing(file.path):
        plan = await file.edit(change)
    return {"plan": plan.as_json(), "file": str(file.path)}


def _entry(offer: Offer, known: PlanTerms | None) -> dict[str, Any]:
    """The table of plans.toml: what was said, else what is known."""
    before: dict[str, Any] = {}
    if known:
        before = {
            "title": known.title,
            "monthly_price": Decimal(known.monthly_price) / 10**9,
            "approximate_messages": known.approximate_messages,
            "opus_limit": known.opus_limit,
            "models": known.models,
            "approximate": known.approximate or None,
        }
        if offer.approximate_messages is not UNSET or offer.opus_limit is not UNSET:
            del before["approximate"]
    said = {
        name: value
        for name, value in structs.asdict(offer).items()
        if name != "name" and value is not UNSET
    }
    merged = {**before, **said}
    if "monthly_price" not in merged:
        raise Refused(
            "bad-params", f"no plan {offer.name[:40]!r} is known; a new one needs a price"
        )
    entry = {name: value for name, value in merged.items() if value is not None}
    return {**entry, "models": list(entry.get("models", ()))}

"""The subscription plans: what each costs a month and about how much it gives, from plans.toml."""

import re
import tomllib
from collections.abc import Collection
from decimal import Decimal
from difflib import get_close_matches
from importlib import resources
from typing import Any

import msgspec
from msgspec import Struct

FORMAT = 1
TABLE_KEYS = frozenset({"version", "plans"})
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
LONGEST_TITLE = 80
MOST_MODELS = 20
LONGEST_MODEL = 60
MOST_DOLLARS = 1_000_000
MOST_MESSAGES = 10**9


class PlanError(ValueError):
    """A file of plans can't be used; the text says in one line where and why."""


class UnknownPlanError(ValueError):
    """There is no such plan; the text says in one line which there are, and ``hint`` what to do."""

    def __init__(self, name: str, plans: Collection[str]) -> None:
        *others, last = sorted(plans)
        known = f"{', '.join(others)} and {last}"
        super().__init__(f"there is no plan {name[:40]!r}; known are {known}")
        near = get_close_matches(name.lower(), plans, 1)
        self.hint = f"did you mean {near[0]}?" if near else "add it first: toll plans set"


def check_plan(name: object, plans: Collection[str]) -> None:
    """UnknownPlanError for a text that names none of these plans; an empty one names none on purpose."""
    if isinstance(name, str) and name and name not in plans:
        raise UnknownPlanError(name, plans)


class PlanTerms(Struct, frozen=True, kw_only=True):
    """One plan. ``monthly_price`` is in nano-dollars; None is for no limit, or none that is known.

    ``approximate_messages`` and ``opus_limit`` are messages a month, ``models`` the families that
    the plan has. ``approximate`` marks terms that are no more than a guess, ``own`` the user's.
    """

    name: str
    title: str
    monthly_price: int
    approximate_messages: int | None = None
    opus_limit: int | None = None
    models: tuple[str, ...] = ()
    approximate: bool = False
    own: bool = False

    def as_json(self) -> dict[str, Any]:
        """The plan as it is told."""
        return {
            "name": self.name,
            "title": self.title,
            "monthly_price_usd": self.monthly_price / 1e9,
            "approximate_messages": self.approximate_messages,
            "opus_limit": self.opus_limit,
            "models": self.models,
            "approximate": self.approximate,
            "whose": "own" if self.own else "built-in",
        }


class _Table(Struct, frozen=True, forbid_unknown_fields=True):
    """A plan as plans.toml has it."""

    monthly_price: Decimal
    title: str = ""
    approximate_messages: int | None = None
    opus_limit: int | None = None
    models: tuple[str, ...] = ()
    approximate: bool = False


def load_plans(own: str | None = None, name: str = "plans.toml") -> dict[str, PlanTerms]:
    """The built-in plans, with those of the user's own file (its text) on top.

    PlanError, which calls the file by this name, when it is broken.
    """
    builtin = resources.files("tollkeeper_daemon.own").joinpath("plans.toml").read_text("utf-8")
    plans = _parse(builtin, "the built-in plans", own=False)
    if own is not None:
        plans |= _parse(own, name, own=True)
    return plans


def _parse(text: str, name: str, own: bool) -> dict[str, PlanTerms]:
    try:
        table: dict[str, Any] = tomllib.loads(text, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PlanError(f"{name}: {error}") from None
    if table.get("version", FORMAT) != FORMAT:
        raise PlanError(f"{name}: version {str(table['version'])[:40]} is not known; {FORMAT} is")
    if unknown := table.keys() - TABLE_KEYS:
        raise PlanError(f"{name}: {min(unknown)[:40]!r} is not known")
    try:
        plans = msgspec.convert(table.get("plans", {}), dict[str, dict[str, Any]])
    except msgspec.ValidationError:
        raise PlanError(
            f"{name}: plans are written as [plans.NAME], a table for each plan"
        ) from None
    try:
        return {plan: plan_of(plan, entry, own) for plan, entry in plans.items()}
    except PlanError as error:
        raise PlanError(f"{name}: {error}") from None


def plan_of(name: str, entry: dict[str, Any], own: bool = True) -> PlanTerms:
    """The plan that the table of this name says; PlanError when it is broken."""
    if not NAME.fullmatch(name):
        raise PlanError(f"{name[:40]!r} is not a plan's name: small letters, digits and dashes are")
    try:
        table = msgspec.convert(entry, _Table)
    except msgspec.ValidationError as error:
        raise PlanError(f"the plan {name}: {error}") from None
    price, counts = table.monthly_price, (table.approximate_messages, table.opus_limit)
    if not price.is_finite() or not 0 <= price <= MOST_DOLLARS:
        raise PlanError(f"the plan {name}: {str(price)[:40]!r} is not a price")
    if any(count is not None and not 0 <= count <= MOST_MESSAGES for count in counts):
        raise PlanError(f"the plan {name}: a number of messages is negative or absurd")
    if len(table.models) > MOST_MODELS or any(len(m) > LONGEST_MODEL for m in table.models):
        raise PlanError(
            f"the plan {name}: its models are more than {MOST_MODELS}, or a name is longer than "
            f"{LONGEST_MODEL} characters"
        )
    if len(table.title) > LONGEST_TITLE:
        raise PlanError(f"the plan {name}: its title is longer than {LONGEST_TITLE} characters")
    return PlanTerms(
        name=name,
        title=table.title or name,
        monthly_price=int((price * 10**9).to_integral_value()),
        approximate_messages=table.approximate_messages,
        opus_limit=table.opus_limit,
        models=table.models,
        approximate=table.approximate,
        own=own,
    )

"""A line of a report as it is summed up, and its form in JSON: ccusage's keys, and ours beside."""

from typing import Any

from msgspec import Struct, field

from tollkeeper_daemon.ledger.prices import family_of
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.reports.choice import Choice
from tollkeeper_daemon.reports.sheet import VALUE, Figures, Sums
from tollkeeper_daemon.tally import dollars

REQUESTS = Totals.__struct_fields__.index("requests")
MESSAGES = Totals.__struct_fields__.index("messages")


class Line(Struct):
    """One line as it is summed up. Mutable: it grows cell by cell."""

    sums: Sums = field(default_factory=Sums)
    models: dict[str, Sums] = field(default_factory=dict[str, Sums])
    splits: dict[tuple[str, ...], Sums] = field(default_factory=dict[tuple[str, ...], Sums])

    def add(self, model: str, billed: bool, split: tuple[str, ...], figures: Figures) -> None:
        """Add what was used of this model, for this split."""
        self.sums.put(figures, billed)
        if model:
            self.models.setdefault(model, Sums()).put(figures, billed)
        if split:
            self.splits.setdefault(split, Sums()).put(figures, billed)

    def merge(self, other: "Line") -> None:
        """Add another line."""
        self.sums.merge(other.sums)
        for name, sums in other.models.items():
            self.models.setdefault(name, Sums()).merge(sums)
        for split, sums in other.splits.items():
            self.splits.setdefault(split, Sums()).merge(sums)

    def as_json(self, choice: Choice) -> dict[str, Any]:
        """The line, its models from the dearest down."""
        # A message may stand alone, the day before its answer: that is no use of the model.
        used = {name: sums for name, sums in self.models.items() if sums.figures[REQUESTS]}
        models = _dearest_first(used)
        return {
            **sums_json(self.sums, choice),
            **self._splits_json(choice),
            "modelsUsed": [name for name, _ in models],
            **({} if choice.brief else {"modelBreakdowns": _breakdowns(models, choice)}),
        }

    def totals_json(self, choice: Choice) -> dict[str, Any]:
        """The line as the totals of a report."""
        return {**sums_json(self.sums, choice), **self._splits_json(choice)}

    def _splits_json(self, choice: Choice) -> dict[str, Any]:
        families = {} if choice.brief else messages_by_family(self.models)
        found: dict[str, Any] = {"messagesByFamily": families} if families else {}
        if choice.by:
            found["breakdown"] = [
                {"by": dict(zip(choice.by, split, strict=True)), **sums_json(sums, choice)}
                for split, sums in _dearest_first(self.splits)
            ]
        return found


def sums_json(sums: Sums, choice: Choice) -> dict[str, Any]:
    """Sums under ccusage's keys. ``totalCost`` is the list price of everything, as there."""
    # In the order of the fields of Totals: by name they would take twice as long.
    requests, messages, prompt, output, read, write_5m, write_1h, searches, value, unpriced = (
        sums.figures
    )
    told: dict[str, Any] = {
        "inputTokens": prompt,
        "outputTokens": output,
        "cacheCreationTokens": write_5m + write_1h,
        "cacheReadTokens": read,
        "totalTokens": prompt + output + read + write_5m + write_1h,
        "requests": requests,
        "unpricedRequests": unpriced,
    }
    if choice.cost:
        told["valueUSD"] = price = dollars(value)
        told["costUSD"] = dollars(sums.cost)
        if not choice.brief:
            told["totalCost"] = price
    if not choice.brief:
        told["cacheWrite5mTokens"] = write_5m
        told["cacheWrite1hTokens"] = write_1h
        told["webSearches"] = searches
        told["messages"] = messages
    return told


def messages_by_family(models: dict[str, Sums]) -> dict[str, int]:
    """How many messages each family of models answered."""
    found: dict[str, int] = {}
    for name, sums in models.items():
        if messages := sums.figures[MESSAGES]:
            family = family_of(name) or name
            found[family] = found.get(family, 0) + messages
    return found


def _breakdowns(models: list[tuple[str, Sums]], choice: Choice) -> list[dict[str, Any]]:
    return [
        {"modelName": name, **sums_json(sums, choice), **_cost(sums, choice)}
        for name, sums in models
    ]


def _cost(sums: Sums, choice: Choice) -> dict[str, float]:
    return {"cost": dollars(sums.figures[VALUE])} if choice.cost else {}


def _dearest_first(tallies: "dict[Any, Sums]") -> "list[tuple[Any, Sums]]":
    if len(tallies) < 2:
        return [*tallies.items()]
    return sorted(tallies.items(), key=lambda item: (-item[1].figures[VALUE], item[0]))

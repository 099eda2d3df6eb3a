"""Which model has been cheaper for each stage so far, across the workflows that went through it. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any

from msgspec import Struct

from tollkeeper_daemon.ledger.books import is_billed
from tollkeeper_daemon.reports.spread import Piece, spreads_json
from tollkeeper_daemon.store.schema import WorkSum


class ModelChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One stage, or all; of the workflows that were worked on since this day."""

    since: date | None = None
    stage: str | None = None


def models(
    works: Iterable[tuple[str, tuple[WorkSum, ...]]], choice: ModelChoice, first: int
) -> dict[str, Any]:
    """For each stage its models, that with the least median first; ``first`` is the quarter of the day.

    A workflow's stage counts as a whole for the model that most of its money went to, at list price.
    """
    found: dict[str, dict[str, list[Piece]]] = defaultdict(lambda: defaultdict(list))
    for workflow, sums in works:
        if workflow and any(each.last >= first for each in sums):
            for stage, parts in _by_stage(sums).items():
                if stage and choice.stage in (None, stage):
                    found[stage][_main_model(parts)].append(_piece(parts))
    return {
        "since": choice.since,
        "stages": [_stage(stage, by_model) for stage, by_model in sorted(found.items())],
    }


def _stage(stage: str, by_model: dict[str, list[Piece]]) -> dict[str, Any]:
    lines: list[dict[str, Any]] = [
        {"model": model, "workflows": len(pieces), **spreads_json(pieces)}
        for model, pieces in by_model.items()
        if model
    ]
    lines.sort(key=lambda line: (line["value_usd"]["median"], line["model"]))
    return {"stage": stage, "cheapest": lines[0]["model"] if lines else None, "models": lines}


def _by_stage(sums: Iterable[WorkSum]) -> dict[str, list[WorkSum]]:
    found: dict[str, list[WorkSum]] = defaultdict(list)
    for each in sums:
        if each.totals.requests:
            found[each.stage].append(each)
    return found


def _main_model(parts: list[WorkSum]) -> str:
    values: dict[str, int] = defaultdict(int)
    for each in parts:
        values[each.model] += each.totals.value
    return max(values, key=lambda model: (values[model], model))


def _piece(parts: list[WorkSum]) -> Piece:
    return {
        "cost": sum(each.totals.value for each in parts if is_billed(each)),
        "value": sum(each.totals.value for each in parts),
        "tokens": sum(each.totals.tokens for each in parts),
        "duration": None,
    }

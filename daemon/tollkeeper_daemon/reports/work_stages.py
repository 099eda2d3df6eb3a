"""Each stage across the workflows that went through it: what it takes as a rule, and how far that varies."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any

from msgspec import Struct

from tollkeeper_daemon.reports.spread import Piece, piece_of, spreads_json
from tollkeeper_daemon.store.schema import WorkBrief, WorkInBrief


class StageChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One stage, or all; of the workflows that were worked on since this day."""

    since: date | None = None
    stage: str | None = None


def stages(works: Iterable[WorkInBrief], choice: StageChoice) -> dict[str, Any]:
    """A line per stage, from the dearest down; what is of no workflow is left out."""
    found: dict[str, list[Piece]] = defaultdict(list)
    for work in works:
        if work.workflow:
            for stage, piece in _pieces(work).items():
                found[stage].append(piece)
    wanted = [stage for stage in found if choice.stage is None or stage == choice.stage]
    wanted.sort(key=lambda stage: (-sum(piece["value"] or 0 for piece in found[stage]), stage))
    return {
        "since": choice.since,
        "stages": [
            {"stage": stage or None, "workflows": len(found[stage]), **spreads_json(found[stage])}
            for stage in wanted
        ],
    }


def _pieces(work: WorkInBrief) -> dict[str, Piece]:
    """What the workflow took at each of its stages."""
    own: dict[str, list[WorkBrief]] = {stage: [] for stage in work.stages}
    for brief in work.briefs:
        own.setdefault(brief.stage, []).append(brief)
    return {stage: piece_of(briefs, work.stages.get(stage)) for stage, briefs in own.items()}

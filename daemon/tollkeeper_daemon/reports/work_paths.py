"""The paths that workflows go beside each other, such as fast-track and full: does the short one pay?"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from msgspec import Struct

from tollkeeper_daemon.reports.spread import piece_of, spreads_json
from tollkeeper_daemon.store.schema import WorkflowRecord, WorkInBrief

FAILED = "failed"


class PathChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of the workflows that were worked on since this day."""

    since: date | None = None


def paths(
    works: Iterable[WorkInBrief], records: Mapping[str, WorkflowRecord], choice: PathChoice
) -> dict[str, Any]:
    """A line per path, the most used first; workflows of which no marker told a path are one too."""
    found: dict[str, list[WorkInBrief]] = defaultdict(list)
    for work in works:
        if work.workflow:
            record = records.get(work.workflow)
            found[record.path if record else ""].append(work)
    return {
        "since": choice.since,
        "paths": [
            {
                "path": path or None,
                "workflows": len(own),
                **_endings([records[each.workflow] for each in own if each.workflow in records]),
                **spreads_json([piece_of(each.briefs, each.duration) for each in own]),
            }
            for path, own in sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
        ],
    }


def _endings(records: list[WorkflowRecord]) -> dict[str, Any]:
    """How many have ended, how many of them failed, and which share that is."""
    ended = [record for record in records if record.ended]
    failed = sum(record.status == FAILED for record in ended)
    share = failed / len(ended) if ended else None
    return {"ended": len(ended), "failed": failed, "failed_share": share}

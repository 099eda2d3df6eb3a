"""Workflows side by side, stage by stage: what each took, and by how much that differs from the first."""

from collections.abc import Sequence
from typing import Any

from tollkeeper_daemon.reports.work import KEYS, MEASURES, Work, in_words, workflow_json
from tollkeeper_daemon.reports.work_show import Known, Line, line_json, lines_of, total_of
from tollkeeper_daemon.tally import Tally


def compare(works: Sequence[Work], known: Known) -> dict[str, Any]:
    """For each stage that any of them has, and in all, a cell for each workflow."""
    lines = [lines_of(work, known) for work in works]
    totals = [total_of(work, own, known) for work, own in zip(works, lines, strict=True)]
    named = [{line.stage: line for line in own} for own in lines]
    return {
        "workflows": [workflow_json(work.name, work.record) for work in works],
        "stages": [
            {
                "stage": stage or None,
                "cells": _cells([own.get(stage) or nothing(stage) for own in named], totals),
            }
            for stage in _in_order(lines)
        ],
        "totals": _cells(totals, totals),
    }


def _in_order(lines: list[list[Line]]) -> list[str]:
    """Every stage once: those of the first as they stand there, then what only the others have."""
    stages = dict.fromkeys(line.stage for own in lines for line in own)
    return sorted(stages, key=lambda stage: not stage)


def nothing(stage: str) -> Line:
    """A stage that a workflow did not go through."""
    return Line(stage, (), (), (), Tally(), None, None, 0, 0, 0, 0, None)


def _cells(lines: list[Line], totals: list[Line]) -> list[dict[str, Any]]:
    measure = "cost" if any(total.tally.cost for total in totals) else "value"
    return [
        {
            **line_json(line, measure, total.amount(measure) or 0),
            **_differences(line, lines[0]),
        }
        for line, total in zip(lines, totals, strict=True)
    ]


def _differences(line: Line, first: Line) -> dict[str, Any]:
    """By how much this line is more than the first, and by how many percent of it."""
    more: dict[str, float | None] = {}
    percent: dict[str, float | None] = {}
    for measure in MEASURES:
        own, base, key = line.amount(measure), first.amount(measure), KEYS[measure]
        if own is None or base is None:
            more[key] = percent[key] = None
        else:
            more[key] = in_words(measure, own - base)
            percent[key] = _percent(own - base, base)
    return {"difference": more, "difference_percent": percent}


def _percent(difference: int, base: int) -> float | None:
    """A difference in percent; none of nothing, unless it is nothing itself."""
    if base:
        return difference / base * 100
    return None if difference else 0.0

"""What the reports by day, week and month share: asking for one, and showing it."""

from __future__ import annotations

import json
from argparse import Namespace

from tollkeeper.cli.context import Ask, print_raw
from tollkeeper.cli.period import report_params
from tollkeeper.cli.whole import whole_report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def show(ask: Ask, options: Namespace, verb: str, key: str, head: str, **more: Any) -> None:
    """Ask for the report and print it; ``key`` names its lines, ``head`` their column."""
    params = report_params(options, instances=options.instances or None, **more)
    answer = whole_report(ask, verb, params)
    if ask.as_json:
        print_raw(answer)
        return
    from tollkeeper.cli.report import Look, nothing_of, print_report, sections
    from tollkeeper.cli.table import Column

    report = json.loads(answer)
    parts = report.get("projects") or {"": report.get(verb, [])}
    look = Look.of(
        options, [Column(head, cut=2, least=24 if options.by or options.breakdown else 10)]
    )
    print_report(sections(parts, key, look), report["totals"], look, nothing_of(options))
    if earlier := report.get("earlier"):
        from tollkeeper.cli.report import print_earlier

        print_earlier(earlier)

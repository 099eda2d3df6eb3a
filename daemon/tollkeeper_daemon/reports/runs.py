"""The report of one run: what its agents came to."""

from collections.abc import Collection
from typing import Any

from tollkeeper_daemon.ledger.books import Book, is_billed
from tollkeeper_daemon.reports.choice import Choice
from tollkeeper_daemon.reports.line import Line
from tollkeeper_daemon.reports.sheet import Sheet


def run_report(sheet: Sheet, agents: Collection[str], choice: Choice) -> dict[str, Any]:
    """All that these agents (ids) used, as one line of a report; split as the choice says."""

    def bucket_of(book: Book) -> tuple[str, bool, tuple[str, ...]] | None:
        if book.agent not in agents:
            return None
        return book.model, is_billed(book), choice.split(book, sheet)

    line = Line()
    for (_, bucket), figures in sheet.gather(lambda quarter: 0, bucket_of).items():
        line.add(*bucket, figures)
    return line.as_json(choice)

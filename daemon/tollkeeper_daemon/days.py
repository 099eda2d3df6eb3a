"""Begins each local day: what is counted by the day starts anew, and what is over is dropped."""

from tollkeeper_daemon.bar.build import Budgets
from tollkeeper_daemon.clock import local_day
from tollkeeper_daemon.marks import Marks
from tollkeeper_daemon.pipeline import Pipeline
from tollkeeper_daemon.retention import Retention


class Days:
    """The day that it is, for all who have to know that another one began."""

    def __init__(
        self, pipeline: Pipeline, marks: Marks, retention: Retention, budgets: Budgets
    ) -> None:
        self._pipeline = pipeline
        self._marks = marks
        self._retention = retention
        self._budgets = budgets
        self._next_midnight = 0

    def check(self, now: int) -> None:
        """Begin the day of ``now`` (ms) unless it was begun already."""
        if now < self._next_midnight:
            return
        midnight, self._next_midnight = local_day(now)
        self._pipeline.begin_day(midnight, self._next_midnight)
        self._marks.forget_deleted()
        self._retention.call()
        self._budgets.begin_day(now)

"""Follows the journal: each entry once, whatever was missed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from msgspec import to_builtins

from tollkeeper.cli import words
from tollkeeper.cli.context import Ask
from tollkeeper.cli.log_view import MOST
from tollkeeper.control import Toll
from tollkeeper.errors import NoAnswerError, NoDaemonError
from tollkeeper.feed import Feed
from tollkeeper.model import Action
from tollkeeper.wire import ActionUpdate

Show = Callable[[list[dict[str, Any]]], None]
PATIENCE_SECONDS = 3600.0
# Longer than the daemon is ever silent.
SILENCE_SECONDS = 15.0


def follow(ask: Ask, last: int, show: Show) -> None:
    """Show so many of the latest entries, then every one that comes; until Ctrl-C.

    A daemon that goes away is waited for; NoDaemonError when there is none to begin with, or when
    it does not return within an hour.
    """
    with Feed(ask.paths()) as feed, Toll(feed.paths) as toll:
        feed.next_change()
        journal = Journal(toll, show)
        journal.read(last)
        while True:
            try:
                _go_on(feed, journal)
            except (NoDaemonError, NoAnswerError) as error:
                print(f"toll: {words.plain(error.message)}; waiting for it", file=sys.stderr)
                if not feed.wait_for_daemon(PATIENCE_SECONDS):
                    raise


def _go_on(feed: Feed, journal: Journal) -> None:
    journal.read(MOST)
    while True:
        change = feed.next_change(SILENCE_SECONDS)
        if change is None or change.update is None:  # Is it gone? Or something was missed.
            journal.read(MOST)
        elif isinstance(change.update, ActionUpdate):
            journal.take(change.update.action)


class Journal:
    """What was shown of the journal so far, by the numbers of its entries.

    It is read after the subscription began, and each entry is saved before it is told: so what is
    not read comes as an update, and what comes twice bears a number that was shown.
    """

    def __init__(self, toll: Toll, show: Show) -> None:
        self._toll = toll
        self._show = show
        self._shown = 0

    def read(self, last: int) -> None:
        """Show those that came since, the latest so many."""
        answer = self._toll.call("log", dict[str, Any], after=self._shown, last=last)
        if entries := answer["entries"]:
            self._shown = entries[-1]["number"]
            self._show(entries)

    def take(self, entry: Action) -> None:
        """Show this one, unless it was; with those before it that never came."""
        if entry.number > self._shown + 1:
            self.read(MOST)
        elif entry.number > self._shown:
            self._shown = entry.number
            self._show([to_builtins(entry)])

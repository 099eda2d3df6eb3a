"""Logs as the clients of 2025 wrote them: fewer fields, no request ids, and costs of their own."""

import itertools
import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.records import Refusal

from .lines import DATA, scanned
from .shelf import DictShelf, added_up, post

LOGS = sorted((DATA / "claude-home-2025").rglob("*.jsonl"))
APRIL, JUNE, RESUMED, AUGUST = (path.stem for path in LOGS)

SONNET_37, SONNET_4 = "claude-3-7-sonnet-20250219", "claude-sonnet-4-20250514"
HAIKU_35 = "claude-3-5-haiku-20241022"
OPUS_4, OPUS_41 = "claude-opus-4-20250514", "claude-opus-4-1-20250805"

# By conversation and model, as one counts them by hand. One prompt was refused: no model replied.
EXPECTED = {
    (APRIL, SONNET_37): Totals(1, 1, 4, 112, 0, 14_210, value=54_979_500),
    (JUNE, OPUS_4): Totals(2, 1, 9, 451, 16_337, 16_747, value=372_471_750),
    (JUNE, SONNET_4): Totals(2, 0, 10, 136, 29_812, 3_232, value=23_133_600),
    (JUNE, HAIKU_35): Totals(1, 0, 310, 12, value=296_000),
    (RESUMED, SONNET_4): Totals(2, 1, 15, 351, 17_020, 17_370, value=75_553_500),
    (AUGUST, OPUS_41): Totals(2, 2, 13, 497, 12_900, 2_900, 12_900, 2, value=518_195_000),
    (AUGUST, ""): Totals(messages=1),
}


def told(paths: Iterable[Path]) -> DictShelf:
    """The shelf after these logs were read, one after the other."""
    scans = [scanned(path.read_bytes().splitlines(), str(path)) for path in paths]
    return post(*([*scan.replies, *scan.prompts] for scan in scans))


def by_book(shelf: DictShelf) -> dict[tuple[str, str], Totals]:
    """Sums by conversation and model."""
    found: dict[tuple[str, str], list[Totals]] = {}
    for (_, number), totals in shelf.sums.items():
        book = shelf.book(number)
        found.setdefault((book.conversation, book.model), []).append(totals)
    return {key: added_up(each) for key, each in found.items()}


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_sums(order: tuple[int, ...]) -> None:
    """In any order: sidechains in the main log count, what a resumed session copied counts once."""
    assert EXPECTED == by_book(told(LOGS[index] for index in order))


def test_line_by_line() -> None:
    """The replies of each line read by itself, the last one first, come to the same."""
    lines = [(path, line) for path in LOGS for line in path.read_bytes().splitlines()]
    whole, single = (
        post(*(scan.replies for scan in scans))
        for scans in (
            [scanned(path.read_bytes().splitlines(), str(path)) for path in LOGS],
            [scanned([line], str(path)) for path, line in reversed(lines)],
        )
    )
    assert by_book(whole) == by_book(single)


def test_costs_of_the_client_of_then() -> None:
    """Where the client of that time wrote what a reply cost, we come to the same."""
    costs: dict[str, float] = {}
    for path in LOGS[:2]:
        for line in path.read_bytes().splitlines():
            fields = json.loads(line)
            if "costUSD" in fields:
                name = fields["message"]["id"]
                costs[name] = max(costs.get(name, 0), fields["costUSD"])
    assert 6 == len(costs)
    assert round(sum(costs.values()) * 1e9) == told(LOGS[:2]).total().value


def test_refusal() -> None:
    """The line of text that told of a spent plan tells when it resets."""
    (refusal,) = scanned(LOGS[3].read_bytes().splitlines(), str(LOGS[3])).refusals
    assert Refusal(AUGUST, 1_754_510_822_000, "five_hour", 1_754_517_600_000) == refusal

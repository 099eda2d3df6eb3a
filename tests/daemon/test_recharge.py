"""Charging anew: the sums follow, and the ledger is that of the new prices from the start."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tollkeeper_daemon.ledger.ledger import Ledger, Posting
from tollkeeper_daemon.ledger.prices import PriceList, load_prices
from tollkeeper_daemon.ledger.recharge import recharge_all
from tollkeeper_daemon.ledger.requests import resolve

from .entries import entries
from .lines import NINE_MS, OPUS
from .shelf import (
    PRICES,
    DictShelf,
    Entry,
    account_of_shelf,
    book_of_prompt,
    book_of_reply,
    new_ledger,
    post,
)
from .test_ledger import reply
from .test_prices import entry

LISTS = [
    PRICES,
    load_prices(entry(OPUS, "40") + entry("claude-haiku-9", "0.5")),
    load_prices(entry(OPUS, "7", "since = 2026-11-22\nfast = 3") + entry("unknown", "3")),
    load_prices("web_search = 2\nus_inference = 3\n" + entry("claude-opus-9", "50")),
]
lists = st.sampled_from(LISTS)
spans = st.sampled_from([0, NINE_MS, NINE_MS + 20 * 60_000, 1 << 60])
steps = st.lists(st.tuples(lists, entries) | st.tuples(lists, spans), max_size=6)

Step = tuple[PriceList, list[Entry]] | tuple[PriceList, int]


def recharge(shelf: DictShelf, prices: PriceList, since: int = 0) -> Posting:
    """Charge everything on the shelf anew."""
    (history, counted), _ = recharge_all(shelf.groups.items(), prices, since)
    shelf.save(history)
    shelf.save(counted)
    return counted


def ledger(prices: PriceList) -> Ledger:
    """The rules, with these prices."""
    return Ledger(prices, book_of_reply, book_of_prompt)


@settings(max_examples=200)
@given(steps)
def test_sums_follow_whatever_is_posted_and_charged_anew(steps: list[Step]) -> None:
    """After any postings and repricings the sums are those of the groups' charges."""
    shelf = DictShelf()
    for prices, what in steps:
        if isinstance(what, int):
            recharge(shelf, prices, what)
        else:
            shelf.save(ledger(prices).post(what, shelf))
    charges = [made for group in shelf.groups.values() for made in group.charges]
    paid = [each for group in shelf.groups.values() for each in resolve(group.entries)]
    total = shelf.total()
    assert len(paid) == len(charges) == total.requests
    assert sum(made.value for made in charges) == total.value
    assert sum(made.unpriced for made in charges) == total.unpriced
    assert sum(each.output for each in paid) == total.output


@settings(max_examples=200)
@given(lists, lists, st.lists(entries, max_size=3))
def test_repriced_ledger_is_that_of_the_prices_from_the_start(
    first: PriceList, then: PriceList, batches: list[list[Entry]]
) -> None:
    """Charging everything anew gives the ledger that would be if these prices always held."""
    repriced, expected = DictShelf(), DictShelf()
    for batch in batches:
        repriced.save(ledger(first).post(batch, repriced))
        expected.save(ledger(then).post(batch, expected))
    recharge(repriced, then)
    assert account_of_shelf(expected) == account_of_shelf(repriced)
    again = recharge(repriced, then)
    assert ({}, {}) == (again.groups, again.sums)


def test_requests_from_before_the_day_keep_their_price() -> None:
    """Only requests of that time or later are charged anew."""
    told = [reply(output=5), reply("m2", "r2", output=5, time=NINE_MS + 1)]
    shelf = post(told)
    before = {key: group.charges[0].value for key, group in shelf.groups.items()}
    recharge(shelf, LISTS[1], NINE_MS + 1)
    assert before["m:m1"] == shelf.groups["m:m1"].charges[0].value
    assert 10 * 40_000 + 5 * 2_000 == shelf.groups["m:m2"].charges[0].value


def test_a_guess_that_was_right_is_no_longer_marked() -> None:
    """A model that has a price by now is charged by it, though it costs the same."""
    shelf = post([reply(model="claude-opus-9", output=5)])
    guess = shelf.total()
    assert 1 == guess.unpriced
    same = PRICES.price("claude-opus-9", NINE_MS)
    priced = load_prices(
        '[[prices]]\nmodel = "claude-opus-9"\n'
        + "".join(
            f"{name} = {getattr(same, name) / 1e6}\n"
            for name in ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
        )
    )
    posting = recharge(shelf, priced)
    assert ["m:m1"] == list(posting.groups)
    assert (guess.value, 0) == (shelf.total().value, shelf.total().unpriced)


def test_earlier_line_moves_a_request_to_the_price_of_its_day() -> None:
    """A request whose earlier line comes later costs what it cost on its day."""
    prices = load_prices(entry(OPUS, "7", "since = 2026-11-22") + entry(OPUS, "3"))
    early = reply(output=5, time=NINE_MS - 86_400_000)
    told = [reply(output=5), early]
    values: set[int] = set()
    for order in (told, told[::-1]):
        shelf = DictShelf()
        for each in order:
            shelf.save(ledger(prices).post([each], shelf))
        values.add(shelf.total().value)
    assert {10 * 3_000 + 5 * 2_000} == values


def test_posting_by_new_prices_leaves_what_was_booked() -> None:
    """A changed list alone moves nothing: a request grows, and only it is charged anew."""
    shelf = post([reply(output=5), reply("m2", "r2", output=5)])
    before = shelf.groups["m:m2"]
    shelf.save(ledger(LISTS[1]).post([reply(output=6), reply("m2", "r2", output=5)], shelf))
    assert before == shelf.groups["m:m2"]
    assert 10 * 40_000 + 6 * 2_000 == shelf.groups["m:m1"].charges[0].value


def test_empty_groups_are_passed() -> None:
    """A group whose lines were joined to another is nothing to charge."""
    shelf = DictShelf()
    for each in (reply("", "r1", output=5), reply(output=5)):
        shelf.save(new_ledger().post([each], shelf))
    assert () == shelf.groups["r:r1"].entries
    assert ["m:m1"] == list(recharge(shelf, LISTS[1]).groups)

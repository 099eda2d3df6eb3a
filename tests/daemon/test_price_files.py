"""The user's own prices.toml: edited without loss, written at once, followed as it changes."""

import asyncio
import os
import stat
import time
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.ledger.price_entry import Entry, Offer, fill_in, price_json
from tollkeeper_daemon.ledger.price_toml import NEW_FILE, with_prices, without_prices
from tollkeeper_daemon.ledger.prices import (
    MOST_FACTOR,
    Price,
    PriceError,
    PriceList,
    canonical,
    load_prices,
    price_of,
)
from tollkeeper_daemon.own.file import LARGEST, OwnFile, OwnFileError
from tollkeeper_daemon.pipeline import Pipeline
from tollkeeper_daemon.pricing import Pricing
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.toml_text import EditError, parse

from .lines import NOW, OPUS
from .shelf import PRICES
from .test_prices import day, entry

MINE = """\
# My prices.
version = 1   # as ever
web_search = 0.02

[[prices]]  # the first
# because
model = "claude-opus-9-20260101"   # named so
output = 2
input = 1 # in
cache_read = 3
cache_write_5m = 4
cache_write_1h = 5
fast = 2
# before the second
[[prices]]
model = "z"
since = 2026-01-01
input = 1
output = 1
cache_read = 3
cache_write_5m = 4
cache_write_1h = 5
# the end"""


def offer(model: str = "claude-opus-9", **more: object) -> Offer:
    """A price of $2.50 and $5."""
    return replace(Offer(model=model, input=Decimal("2.5"), output=Decimal(5)), **more)


# What is left out.


def test_cache_rates_left_out_are_the_usual_multiples() -> None:
    """A tenth of the input's rate, a quarter more, and twice of it; and that is told."""
    filled = fill_in(offer(), None)
    price = price_of(filled.entry)
    assert (250_000, 3_125_000, 5_000_000) == (
        price.cache_read,
        price.cache_write_5m,
        price.cache_write_1h,
    )
    assert ["cache_read", "cache_write_5m", "cache_write_1h"] == filled.assumed
    assert ["cache_write_1h"] == fill_in(
        offer(cache_read=Decimal(1), cache_write_5m=Decimal(0)), None
    ).assumed


def test_factors_left_out_stay() -> None:
    """A model that costs more when it is fast goes on so, unless another factor is named."""
    known = PRICES.price(OPUS, NOW)
    assert ["fast"] == fill_in(offer(OPUS), known).kept
    assert 2000 == price_of(fill_in(offer(OPUS), known).entry).fast
    assert [] == fill_in(offer(OPUS, fast=Decimal(3)), known).kept


@pytest.mark.parametrize("factor", ["0", "-0", "1e-15"])
def test_factor_of_zero(factor: str) -> None:
    """A rate may be zero, a factor on whole requests never: it would make them free."""
    assert 0 == price_of(fill_in(offer(input=Decimal(0)), None).entry).input
    for name in ("fast", "above_100k"):
        with pytest.raises(PriceError, match=name):
            fill_in(replace(offer(), **{name: Decimal(factor)}), None)


@pytest.mark.parametrize("figure", ["nan", "inf", "-1", "10001", "1e999999", "snan"])
@pytest.mark.parametrize("name", ["input", "output", "cache_read", "fast"])
def test_figures_that_are_no_price(name: str, figure: str) -> None:
    """A figure that no price can have is refused in one line that names it."""
    with pytest.raises(PriceError, match=f"claude-opus-9: {name}"):
        fill_in(replace(offer(), **{name: Decimal(figure)}), None)


def test_price_as_it_is_told() -> None:
    """Rates in dollars per million tokens, factors as such, the day, and whose it is."""
    assert {
        "model": OPUS,
        "input": 4.0,
        "output": 20.0,
        "cache_read": 0.2,
        "cache_write_5m": 5.0,
        "cache_write_1h": 8.0,
        "fast": 2.0,
        "above_100k": 1.0,
        "since": None,
        "whose": "built-in",
    } == price_json(PRICES.price(OPUS, NOW))
    own = price_json(load_prices(entry("m", "1", "since = 2026-03-01")).price("m", NOW))
    assert ("2026-03-01", "own") == (own["since"], own["whose"])


# Editing the text.


def test_edit_keeps_everything_else() -> None:
    """Comments, order, other entries, and numbers that stay are as they were."""
    changed = with_prices(MINE, [fill_in(offer(), None).entry])
    assert MINE.replace("claude-opus-9-20260101", "claude-opus-9").replace(
        "output = 2", "output = 5.0"
    ).replace("input = 1 # in", "input = 2.5 # in").replace(
        "cache_read = 3", "cache_read = 0.25", 1
    ).replace("cache_write_5m = 4", "cache_write_5m = 3.125", 1).replace("fast = 2\n", "") == (
        changed.removesuffix("\n")
    )


def test_edit_adds_at_the_end() -> None:
    """A price of another model or day comes behind the others, after what stands there."""
    changed = with_prices(MINE, [fill_in(offer(since=date(2027, 1, 1)), None).entry])
    assert changed.startswith(MINE + "\n\n[[prices]]\n")
    assert changed.endswith("cache_write_1h = 5.0\n")
    prices = load_prices(changed)
    assert 1_000_000 == prices.price("claude-opus-9", NOW).input
    assert 2_500_000 == prices.price("claude-opus-9", day("2027-01-01")).input


def test_new_file() -> None:
    """The first price makes a file that says what it is."""
    changed = with_prices(NEW_FILE, [fill_in(offer(), None).entry])
    assert changed.startswith("# Your own prices")
    assert 2_500_000 == load_prices(changed).price("claude-opus-9", NOW).input


rates = st.decimals(0, 1000, places=6)
offers = st.builds(
    Offer,
    model=st.sampled_from(["claude-opus-9", "claude-opus-9-20260101", "z", OPUS, 'odd "\n\t'])
    | st.text(min_size=1, max_size=8),
    input=rates,
    output=rates,
    cache_read=st.none() | rates,
    fast=st.none() | st.decimals(1, MOST_FACTOR, places=3),
    since=st.none() | st.dates(date(1971, 1, 1)),
)
INLINE = (
    'prices = [{model = "z", input = 1, output = 1, cache_read = 1, '
    "cache_write_5m = 1, cache_write_1h = 1}] # so"
)
texts = st.sampled_from(
    ["", "# nothing", "version = 1", NEW_FILE, MINE, MINE + "\n\n\n", INLINE, entry()]
)


def own_prices(text: str) -> dict[tuple[str, int], Price]:
    """The user's prices in this text, by what they are for."""
    return {(canonical(each.model), each.since): each for each in load_prices(text) if each.own}


@settings(max_examples=150)
@given(texts, st.lists(offers, max_size=4))
def test_edit_says_what_was_asked(text: str, told: list[Offer]) -> None:
    """After any edits the last price told for a model and day holds, and all else is the same."""
    changed, expected = text, own_prices(text)
    for each in told:
        written = fill_in(each, None).entry
        changed = with_prices(changed, [written])
        price = price_of(written)
        expected[canonical(price.model), price.since] = price
    assert expected == own_prices(changed)
    assert {**parse(text), "prices": 0} == {**parse(changed), "prices": 0}
    comments = ("# My", "# as", "# because", "# the end", "# so")
    assert [each for each in comments if each in text] == [
        each for each in comments if each in changed
    ]


def test_form_that_can_not_be_edited() -> None:
    """A file that only a person can edit is refused instead of spoiled."""
    from tollkeeper_daemon.own.plan_toml import with_plan

    with pytest.raises(EditError):
        with_plan(
            "plans.x.monthly_price = 1\nplans.x.title = 't'\nplans.y = {monthly_price = 3}",
            "z",
            {"monthly_price": 1},
        )


# The file.


def test_write_keeps_mode_and_link(tmp_path: Path) -> None:
    """The file's mode stays, and a link to it stays one; nothing is left beside it."""
    real, link = tmp_path / "dotfiles" / "prices.toml", tmp_path / "prices.toml"
    real.parent.mkdir()
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    OwnFile(link).write("new\r\nlines")
    assert link.is_symlink()
    assert b"new\r\nlines" == real.read_bytes()
    assert 0o640 == stat.S_IMODE(real.stat().st_mode)
    assert ["prices.toml"] == os.listdir(real.parent)


def test_new_file_is_private(tmp_path: Path) -> None:
    """A file that is made is for its user alone, and so is its folder."""
    file = OwnFile(tmp_path / "config" / "prices.toml")
    assert file.read() is None
    assert file.stamp() is None
    file.write("x")
    assert "x" == file.read()
    assert 0o600 == stat.S_IMODE(file.path.stat().st_mode)


def test_failed_write_leaves_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the file can't be put in place, the old one is as it was, and nothing is beside it."""
    file = OwnFile(tmp_path / "prices.toml")
    file.write("old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        with pytest.raises(OwnFileError, match="No space left"):
            file.write("new")
    assert "old" == file.read()
    assert ["prices.toml"] == os.listdir(tmp_path)


@pytest.mark.parametrize("content", [b"\xff", b"x" * (LARGEST + 1), None])
def test_unreadable_file(tmp_path: Path, content: bytes | None) -> None:
    """What is no text, too long, or no file at all is told in one line that names it."""
    path = tmp_path / "prices.toml"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(OwnFileError) as raised:
        OwnFile(path).read()
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


# Following it.


class Followed:
    """Prices that follow a file, and the alerts that came of it."""

    def __init__(self, store: Store, path: Path) -> None:
        self.file = OwnFile(path)
        self.alerts: list[str] = []
        self.river = Pipeline(store, Roster(), PRICES, lambda path: ("api", ""))
        self.pricing = Pricing(self.file, self.river, lambda kind, text: self.alerts.append(text))

    def opus(self) -> int:
        """What the file's model costs now, after a look."""
        self.pricing.look()
        return self.river.prices.price(OPUS, NOW).input // 10**6


@pytest.fixture
def followed(tmp_path: Path) -> Iterator[Followed]:
    with Store(tmp_path / "ledger") as store:
        yield Followed(store, tmp_path / "prices.toml")


def test_file_is_followed(followed: Followed) -> None:
    """A file that comes, changes and goes puts its prices in force each time."""
    assert 4 == followed.opus()
    followed.file.path.write_text(entry(OPUS, "7"))
    assert 7 == followed.opus()
    followed.file.path.write_text(entry(OPUS, "70"))
    assert 70 == followed.opus()
    followed.file.path.unlink()
    assert 4 == followed.opus()
    assert [] == followed.alerts


def test_broken_file_is_told_once(followed: Followed) -> None:
    """What is wrong and where is told once, and again only when something else is wrong."""
    followed.file.path.write_text(entry(OPUS, "7"))
    assert 7 == followed.opus()
    followed.file.path.write_text(entry(OPUS, "-7"))
    assert (7, 7) == (followed.opus(), followed.opus())
    assert [
        f"{followed.file.path}: the price of {OPUS}: '-7' is not a price; the prices from before the mistake stay in"
    ] == [text.removesuffix(" force") for text in followed.alerts]
    assert followed.pricing.broken
    followed.file.path.write_text("version = 1\nprices = ]\n")
    assert 7 == followed.opus()
    assert "line 2" in followed.alerts[1]
    followed.file.path.write_text(entry(OPUS, "8"))
    assert 8 == followed.opus()
    assert followed.pricing.broken is None
    followed.file.path.write_text(entry(OPUS, "-7"))
    assert 8 == followed.opus()
    assert 3 == len(followed.alerts)


def test_file_that_is_still_written(followed: Followed) -> None:
    """A glance leaves a file alone until another one finds it the same; a look does not wait."""
    followed.file.path.write_text(entry(OPUS, "7"))
    assert 7 == followed.opus()
    before = followed.river.prices
    followed.file.path.write_text("")
    followed.pricing.glance()
    assert before is followed.river.prices
    followed.file.path.write_text(entry(OPUS, "70"))
    followed.pricing.glance()
    assert before is followed.river.prices
    followed.pricing.glance()
    assert before is not followed.river.prices
    assert 70 == followed.opus()


def test_unchanged_file_is_not_read(followed: Followed) -> None:
    """A list in force stays the very same until the file changes."""
    followed.pricing.look()
    before = followed.river.prices
    followed.pricing.look()
    assert before is followed.river.prices


def test_edits_come_one_after_the_other(followed: Followed) -> None:
    """Edits at the same time all stand in the file, and are in force at once."""

    def adding(model: str) -> Callable[[str, PriceList], tuple[str, str]]:
        def change(text: str, prices: PriceList) -> tuple[str, str]:
            return with_prices(text, [fill_in(offer(model), None).entry]), model

        return change

    async def work() -> list[str]:
        return await asyncio.gather(
            *(followed.pricing.edit(adding(f"claude-opus-{each}")) for each in range(90, 95))
        )

    assert [f"claude-opus-{each}" for each in range(90, 95)] == asyncio.run(work())
    assert all(followed.river.prices.knows(f"claude-opus-{each}") for each in range(90, 95))


def test_broken_file_is_not_edited(followed: Followed) -> None:
    """A broken file is left to the person who wrote it."""
    followed.file.path.write_text("prices = 5 # mine")

    async def work() -> None:
        await followed.pricing.edit(lambda text, prices: ("", None))

    with pytest.raises(PriceError):
        asyncio.run(work())
    assert "prices = 5 # mine" == followed.file.read()


# Large files, and files at their limit.


def many(first: int, count: int, dollars: int = 1) -> list[Entry]:
    """So many entries of models that go by number."""
    return [
        fill_in(offer(f"claude-opus-{number}", input=Decimal(dollars)), None).entry
        for number in range(first, first + count)
    ]


def test_large_file_is_edited_quickly() -> None:
    """300 prices go into a file of 900 in about a second, new ones and changed ones alike."""
    text = with_prices(NEW_FILE, many(1000, 900))
    began = time.process_time()
    changed = with_prices(text, many(1750, 300, dollars=9))
    assert time.process_time() - began < 3
    prices = load_prices(changed)
    found = {n: prices.price(f"claude-opus-{n}", NOW).input for n in (1749, 1750, 1899, 2049)}
    assert {1749: 10**6, 1750: 9 * 10**6, 1899: 9 * 10**6, 2049: 9 * 10**6} == found
    assert 1050 == changed.count("[[prices]]")


def test_file_that_would_outgrow_its_limit(followed: Followed) -> None:
    """What could not be read again is refused in a line, and the file stays good."""
    followed.file.path.write_text(entry(OPUS, "7"))

    async def work() -> None:
        grown = "# " + "x" * LARGEST + "\n"
        await followed.pricing.edit(lambda text, prices: (grown + text, None))

    with pytest.raises(OwnFileError, match="would become larger"):
        asyncio.run(work())
    assert 7 == followed.opus()
    assert followed.pricing.broken is None
    assert entry(OPUS, "7") == followed.file.read()
    followed.file.write("#" * LARGEST)
    assert LARGEST == len(followed.file.read() or "")


def test_removed_prices() -> None:
    """Those that are meant go, also where a file has two of one place; all else stays."""
    twice = MINE + "\n\n" + entry("z", "9", "since = 2026-01-01")
    changed = without_prices(twice, lambda place: place == ("z", "2026-01-01"))
    assert {("claude-opus-9", 0)} == own_prices(changed).keys()
    assert changed.startswith("# My prices.\nversion = 1   # as ever\n")
    emptied = without_prices(changed, lambda place: True)
    assert "prices" not in parse(emptied)
    assert Decimal("0.02") == parse(emptied)["web_search"]
    assert {} == own_prices(without_prices(INLINE, lambda place: True))

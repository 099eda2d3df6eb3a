"""Where ccusage and the ledger differ, and which causes are named for it."""

from msgspec.structs import replace

from daemon.lines import NINE_MS
from tollkeeper_daemon.ccusage.differences import Cause, Difference, compare, explained, is_told
from tollkeeper_daemon.ccusage.evidence import Extra, Ours, Paid, paid
from tollkeeper_daemon.ccusage.shapes import Figures, Reading
from tollkeeper_daemon.ledger.charge import charge
from tollkeeper_daemon.ledger.prices import load_prices
from tollkeeper_daemon.records import Reply

PRICES = load_prices()
PLACE = ("2026-11-22", "claude-opus-4-6")
OURS = Ours(Figures(10, 500, 0, 0, 12_550_000), requests=2)


def reply(**fields: object) -> Reply:
    """A paid request of Opus 4.6."""
    plain = Reply(
        "m", "r", "l", "c", True, NINE_MS, PLACE[1], "", "", 10, 500, 7, 20, 30, 0, False, False
    )
    return replace(plain, **fields)


def difference(theirs: Figures, ours: Ours = OURS) -> tuple[Difference, Reading]:
    reading = Reading({PLACE: theirs})
    [found] = compare(reading, {PLACE: ours})
    return found, reading


def causes(theirs: Figures, held: Paid | None = None, **features: int) -> list[Cause]:
    found, reading = difference(theirs)
    counts = {"requests": 2, **features}
    return list(explained(found, reading, held or Paid(), counts, False).causes)


def test_who_agrees() -> None:
    """A millionth of a dollar is no difference; a token is, and so is a day that only one has."""
    near = replace(OURS.figures, nano=OURS.figures.nano + 1_000)
    assert compare(Reading({PLACE: near}), {PLACE: OURS}) == []
    token = Reading({PLACE: replace(OURS.figures, input=11)})
    assert [each.place for each in compare(token, {PLACE: OURS})] == [PLACE]
    assert len(compare(Reading({}), {PLACE: OURS})) == len(compare(token, {})) == 1


def test_a_model_without_a_price_there() -> None:
    """What it charges nothing for needs no look at ledger or logs."""
    found, reading = difference(replace(OURS.figures, nano=0))
    assert is_told(found, reading)
    assert not is_told(found, replace(reading, unpriced=frozenset({"claude-other"})))
    assert causes(found.theirs) == [Cause("no-price", 2, -12_550_000)]


def test_the_way_of_a_cause() -> None:
    """A cause by which ccusage tells more is not named where it tells less."""
    less = replace(OURS.figures, output=400)
    assert [each.name for each in causes(less, null=1, replay=3)][:1] == ["null"]
    more = replace(OURS.figures, output=600)
    assert [each.name for each in causes(more, null=1, replay=3)][:1] == ["replay"]


def test_requests_of_one_side() -> None:
    """Requests whose logs are gone, and those that were not read, are counted."""
    fewer = replace(OURS.figures, output=1, nano=OURS.figures.nano)
    assert Cause("gone", 2) in causes(fewer, requests=0)
    more = replace(OURS.figures, output=501)
    assert Cause("unread", 3) in causes(more, requests=5)


def test_no_cause() -> None:
    """Other tokens with nothing to tell why are said to be unknown; other money alone is other rates."""
    assert causes(replace(OURS.figures, output=501))[:1] == [Cause("unknown")]
    dearer = replace(OURS.figures, nano=OURS.figures.nano + 1_000_000)
    assert causes(dearer) == [Cause("rates", 2, 1_000_000)]


def test_a_moving_ledger() -> None:
    """What came while ccusage ran explains what it does not tell."""
    found, reading = difference(replace(OURS.figures, output=400))
    told = explained(found, reading, Paid(), {"requests": 2}, True)
    assert Cause("moving") in told.causes


def test_known_amounts() -> None:
    """What requests hold that ccusage does not charge is told to the nano-dollar, and nothing else then."""
    held = Paid(2, {"web-searches": Extra(3, -30_000_000), "fast": Extra(1)})
    cheaper = replace(OURS.figures, nano=OURS.figures.nano - 30_000_000)
    assert causes(cheaper, held) == [Cause("web-searches", 3, -30_000_000)]


def test_what_is_accounted_for() -> None:
    """Logs need be looked at only where the ledger's requests do not come to the whole difference."""
    held = Paid(2, {"web-searches": Extra(3, -30_000_000)})

    def is_accounted_for(nano: int, tokens: int = 500) -> bool:
        theirs = replace(OURS.figures, output=tokens, nano=OURS.figures.nano + nano)
        found, reading = difference(theirs)
        return explained(found, reading, held, {"requests": 2}, False).is_accounted_for

    assert is_accounted_for(-30_000_000)
    assert not is_accounted_for(-40_000_000)
    assert not is_accounted_for(-30_000_000, tokens=501)


def test_what_requests_hold() -> None:
    """Each cause comes to what the charge would be without it."""
    whole = reply(web_searches=2, us=True, fast=True)
    found = paid([whole], PRICES, folds_writes=False)
    rest = replace(whole, web_searches=0)
    home = replace(rest, us=False)
    assert found.extras["web-searches"] == Extra(2, -20_000_000)
    assert found.extras["us"].nano == charge(home, PRICES)[0] - charge(rest, PRICES)[0] < 0
    assert found.extras["fast"] == Extra(1, 0)
    assert found.extras.keys() == {"web-searches", "us", "fast"}


def test_older_versions_fold_writes() -> None:
    """Before version 20 writes for an hour were charged like those for five minutes."""
    found = paid([reply()], PRICES, folds_writes=True)
    folded = reply(cache_write_5m=50, cache_write_1h=0)
    assert (
        found.extras["hour-writes"].nano == charge(folded, PRICES)[0] - charge(reply(), PRICES)[0]
    )

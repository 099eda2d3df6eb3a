"""Where ccusage and the ledger differ, and which causes are named for it."""

from msgspec.structs import replace

from daemon.lines import NINE_MS
from tollkeeper_daemon.ccusage.counting import Feature, Features, Tokens
from tollkeeper_daemon.ccusage.differences import (
    UNEXPLAINED,
    Cause,
    Difference,
    compare,
    explained,
    is_told,
    with_rest,
)
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


def features(**found: tuple[int, Tokens | None]) -> Features:
    """What the logs hold: all that the ledger has, and these."""
    whole = {"requests": (2, OURS.tokens), **found}
    return {name: Feature(*each) for name, each in whole.items()}


def value(tokens: Tokens) -> int:
    """A thousand nano-dollars each."""
    return 1_000 * sum(tokens.kinds)


def told(
    theirs: Figures, found: Features, held: Paid | None = None, moved: bool = False
) -> list[Cause]:
    """The causes of this difference, with what is left over."""
    apart, reading = difference(theirs)
    made = explained(apart, reading, held or Paid(), found, moved, value)
    return list(with_rest(made).causes)


def other(output: int, nano: int = 0) -> Figures:
    """Our figures, with so much more of output and money."""
    ours = OURS.figures
    return replace(ours, output=ours.output + output, nano=ours.nano + nano)


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
    assert told(found.theirs, features()) == [Cause("no-price", 2, nano=-12_550_000)]


def test_what_a_cause_comes_to() -> None:
    """A cause is named for what it comes to, in tokens and money; one that comes to nothing is not."""
    found = features(null=(1, Tokens(output=-100)), replay=(3, Tokens()))
    less = told(other(-100, -100_000), found)
    assert less == [Cause("null", 1, Tokens(output=-100), -100_000)]


def test_the_way_of_a_cause() -> None:
    """Where it is not known how a version counts, a cause by which it tells more is not named where it tells less."""
    found = features(null=(1, None), replay=(3, None))
    assert [each.name for each in told(other(-100), found)] == ["null"]
    assert [each.name for each in told(other(100), found)] == ["replay"]


def test_the_only_cause_that_is_untold() -> None:
    """What is left over is of the only cause that does not tell what it comes to; several share it, untold."""
    one = features(null=(1, Tokens(output=-70)), time=(2, None))
    rest = Tokens(output=-30)
    assert told(other(-100, -95_000), one) == [
        Cause("null", 1, Tokens(output=-70), -70_000),
        Cause("time", 2, rest, -25_000),
    ]
    two = features(null=(1, None), time=(2, None))
    assert told(other(-100, -95_000), two) == [Cause("null", 1), Cause("time", 2)]


def test_requests_of_one_side() -> None:
    """Requests whose logs are gone, and those that were not read, are counted, with what they came to."""
    none = {"requests": Feature(0)}
    gone = told(Figures(), none)
    assert gone == [
        Cause("gone", 2, Tokens(input=-10, output=-500), -510_000),
        Cause(UNEXPLAINED, nano=-12_550_000 + 510_000),
    ]
    more = {"requests": Feature(5, OURS.tokens.plus(Tokens(output=1)))}
    assert told(other(1, 1_000), more) == [Cause("unread", 3, Tokens(output=1), 1_000)]


def test_what_is_unexplained() -> None:
    """What no cause comes to is told as that, in tokens and money; other money alone is other rates."""
    assert told(other(1), features()) == [Cause(UNEXPLAINED, 0, Tokens(output=1), 0)]
    found = features(null=(1, Tokens(output=-100)))
    assert told(other(-120, -110_000), found) == [
        Cause("null", 1, Tokens(output=-100), -100_000),
        Cause(UNEXPLAINED, 0, Tokens(output=-20), -10_000),
    ]
    assert told(other(0, 1_000_000), features()) == [Cause("rates", 2, nano=1_000_000)]


def test_a_moving_ledger() -> None:
    """What came while ccusage ran explains what it does not tell."""
    rest = Tokens(output=-100)
    assert told(other(-100, -7), features(), moved=True) == [Cause("moving", 0, rest, -7)]


def test_known_amounts() -> None:
    """What requests hold that ccusage does not charge is told to the nano-dollar, and nothing else then."""
    held = Paid(2, {"web-searches": Extra(3, -30_000_000), "fast": Extra(1)})
    cheaper = replace(OURS.figures, nano=OURS.figures.nano - 30_000_000)
    assert told(cheaper, features(), held) == [Cause("web-searches", 3, nano=-30_000_000)]


def test_what_is_accounted_for() -> None:
    """Logs need be looked at only where the ledger's requests do not come to the whole difference."""
    held = Paid(2, {"web-searches": Extra(3, -30_000_000)})

    def is_accounted_for(nano: int, tokens: int = 500) -> bool:
        theirs = replace(OURS.figures, output=tokens, nano=OURS.figures.nano + nano)
        found, reading = difference(theirs)
        return explained(found, reading, held, features(), False, value).is_accounted_for

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

"""The judgement: whether ledger and client agree, and if not, the likely cause."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkeeper_daemon.ledger.audit import WORDS, Case, Cause, judge
from tollkeeper_daemon.records import Spent, Statement

from .lines import HAIKU, OPUS
from .statements import STARTED, opus, replies_of, statement

ONE = Spent(100, 200, 300, 400, 500, 1, 1_000_000_000)
HIDDEN = Spent(input=7, output=3, value=2_000_000)


def plus(one: Spent, other: Spent) -> Spent:
    """Both in one."""
    return Spent(
        one.input + other.input,
        one.output + other.output,
        one.cache_read + other.cache_read,
        one.cache_write_5m + other.cache_write_5m,
        one.cache_write_1h + other.cache_write_1h,
        one.web_searches + other.web_searches,
        one.value + other.value,
    )


def worth(value: int) -> Spent:
    """The same tokens at another price."""
    return Spent(100, 200, 300, 400, 500, 1, value)


def cause(client: Spent, booked: Spent = ONE, **more: Any) -> Cause:
    """What the judgement says where only Opus was used."""
    told = statement(claude_opus_5_5=client)
    return judge(Case(told, opus(booked), **more)).cause


def test_agreement() -> None:
    """Equal sums agree, and there is nothing to list."""
    found = judge(Case(statement(claude_opus_5_5=ONE), opus(ONE)))
    assert (Cause.NONE, 0, ()) == (found.cause, found.difference, found.models)
    assert found.agrees
    assert found.explained


@pytest.mark.parametrize(
    ("value", "apart", "expected"),
    [
        (1_000_000_000, 1_000, Cause.NONE),
        (1_000_000_000, -1_000, Cause.NONE),
        (1_000_000_000, 1_001, Cause.PRICES),
        (5_000_000_000_000, 5_000, Cause.NONE),
        (5_000_000_000_000, 5_002, Cause.PRICES),
    ],
)
def test_rounding(value: int, apart: int, expected: Cause) -> None:
    """A millionth of a dollar, or a thousand-millionth of a large sum, is the same."""
    assert expected == cause(worth(value + apart), worth(value))


def test_words_name_own_prices() -> None:
    """Own prices are a reason that charging anew does not mend."""
    assert "your own prices" in WORDS[Cause.PRICES]


def test_other_prices() -> None:
    """The same tokens for other money were charged at other prices."""
    assert Cause.PRICES == cause(worth(900_000_000))


@pytest.mark.parametrize("who", ["ledger", "client"])
def test_model_without_a_price(who: str) -> None:
    """Where either of them had to guess a price, that is why money differs."""
    told = Statement(((OPUS, worth(5)),), 5, STARTED, unpriced=who == "client")
    assert Cause.UNPRICED == judge(Case(told, opus(ONE), unpriced=who == "ledger")).cause


def test_requests_that_no_log_holds() -> None:
    """Where the client has more of some kinds and less of none, it asked for more than it logged."""
    found = judge(Case(statement(claude_opus_5_5=plus(ONE, HIDDEN)), opus(ONE)))
    assert (Cause.UNLOGGED, 2_000_000) == (found.cause, found.difference)
    [model] = found.models
    assert (OPUS, ONE, plus(ONE, HIDDEN)) == (model.model, model.ledger, model.client)


def test_hidden_requests_of_another_model() -> None:
    """A title written by a small model is such a request as well."""
    told = statement(claude_opus_5_5=ONE, claude_haiku_5_5=HIDDEN)
    found = judge(Case(told, opus(ONE)))
    assert Cause.UNLOGGED == found.cause
    assert [HAIKU] == [each.model for each in found.models]


def test_more_tokens_for_less_money() -> None:
    """Requests that no log holds do not explain that the client counts less money."""
    client = plus(worth(900_000_000), HIDDEN)
    assert Cause.PRICES == cause(client)
    assert Cause.UNPRICED == cause(client, unpriced=True)


def test_open_totals() -> None:
    """While replies came after the last totals, no difference means anything."""
    assert Cause.PENDING == cause(ONE, plus(ONE, HIDDEN), open=True)
    assert Cause.PENDING == cause(plus(ONE, HIDDEN), plus(ONE, replies_of(1)), open=True)
    assert Cause.NONE == cause(ONE, ONE, open=True)


def test_another_model() -> None:
    """Tokens that agree only over all models were those of another model than was asked for."""
    told = statement(claude_opus_5_5=ONE)
    assert Cause.OTHER_MODEL == judge(Case(told, {HAIKU: worth(50_000)})).cause


def test_lines_and_logs_that_are_missing() -> None:
    """What was not read is not in the ledger."""
    assert Cause.UNREADABLE == cause(plus(ONE, HIDDEN), unreadable=True)
    assert Cause.MISSING == judge(Case(statement(claude_opus_5_5=ONE), {})).cause


def test_requests_that_are_kept_no_longer() -> None:
    """Where the base lacks something, nothing else is said to be the cause."""
    assert Cause.OLDER == cause(plus(ONE, HIDDEN), older=True)
    assert Cause.PENDING == cause(plus(ONE, HIDDEN), older=True, open=True)
    assert Cause.NONE == cause(ONE, older=True)
    assert Cause.UNKNOWN == cause(ONE, plus(ONE, HIDDEN), older=True)


def test_killed_client() -> None:
    """What the totals passed over explains no more than that."""
    booked = plus(ONE, HIDDEN)
    assert Cause.UNKNOWN == cause(ONE, booked)
    assert Cause.LOST == cause(ONE, booked, lost_output=3)
    assert Cause.UNKNOWN == cause(ONE, booked, lost_output=2)
    assert Cause.LOST == cause(ONE, booked, lost_output=2, helpers_output=1)


def test_totals_that_begin_later() -> None:
    """Totals that began after the conversation did can't hold what came before."""
    assert Cause.LOST == cause(ONE, plus(ONE, HIDDEN), first_time=STARTED - 1)
    assert Cause.UNKNOWN == cause(ONE, plus(ONE, HIDDEN), first_time=STARTED + 1)


def test_unknown_is_unexplained() -> None:
    """More in the ledger for no reason is what an audit is there to find."""
    found = judge(Case(statement(claude_opus_5_5=ONE), opus(plus(ONE, ONE))))
    assert (Cause.UNKNOWN, False, False) == (found.cause, found.explained, found.agrees)
    assert -1_000_000_000 == found.difference


def test_fork() -> None:
    """The base that leaves the least to explain is the one that the totals began with."""
    bases = (opus(replies_of(1)), opus(replies_of(3)), opus(replies_of(9)))
    client = plus(ONE, replies_of(3))
    found = judge(Case(statement(claude_opus_5_5=client), opus(ONE), bases))
    assert (Cause.NONE, client.value) == (found.cause, found.ledger)
    assert replies_of(3).value == found.inherited
    assert Cause.NONE == cause(ONE, ONE, bases=bases)
    assert Cause.UNLOGGED == cause(plus(client, HIDDEN), ONE, bases=bases)


def test_names_of_models() -> None:
    """Provider, date and context size do not make another model."""
    told = Statement((("us.anthropic.claude-opus-5-5-20261001-v1:0", ONE),), ONE.value)
    assert Cause.NONE == judge(Case(told, {f"{OPUS}[1m]": ONE})).cause


def test_client_that_does_not_split_cache_writes() -> None:
    """Then only the sum of the writes is compared."""
    whole = Spent(100, 200, 300, 900, 0, 1, ONE.value)
    assert Cause.UNKNOWN == cause(whole)
    told = Statement(((OPUS, whole),), whole.value, unsplit=True)
    assert Cause.NONE == judge(Case(told, opus(ONE))).cause


def test_every_cause_has_words() -> None:
    """People read words, not names of causes."""
    assert set(Cause) == WORDS.keys()


small = st.integers(0, 5)
spent = st.builds(Spent, small, small, small, small, small, small, small.map(lambda n: n * 10**9))
sums = st.dictionaries(st.sampled_from([OPUS, HAIKU]), spent)


@given(sums, sums, sums)
def test_ledger_on_top_of_its_base_agrees(
    booked: dict[str, Spent], base: dict[str, Spent], other: dict[str, Spent]
) -> None:
    """Totals that are the ledger on top of a base agree, whatever other bases there are."""
    both = {
        model: plus(booked.get(model, Spent()), base.get(model, Spent()))
        for model in booked.keys() | base.keys()
    }
    told = Statement(tuple(both.items()), sum(each.value for each in both.values()))
    found = judge(Case(told, booked, (base,)))
    assert found.agrees
    tokens = [list(each.values()) for each in (base, other)]
    if tokens[0] != tokens[1]:
        assert judge(Case(told, booked, (other, base))).cause in (Cause.NONE, Cause.PRICES)


@given(sums, sums, st.booleans())
def test_every_difference_is_judged(
    booked: dict[str, Spent], client: dict[str, Spent], is_open: bool
) -> None:
    """Any two sums come to a cause, and to no difference exactly when they are the same."""
    told = Statement(tuple(client.items()), sum(each.value for each in client.values()))
    found = judge(Case(told, booked, open=is_open))
    held = {model: each for model, each in booked.items() if each != Spent()}
    said = {model: each for model, each in client.items() if each != Spent()}
    assert found.agrees == (held == said)
    assert found.agrees == (not found.models)

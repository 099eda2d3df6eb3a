"""Charging anew in a store: chunk by chunk, whatever is posted meanwhile and wherever it ends."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleeting import fleeting_folder
from tollkeeper_daemon import repricing
from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.ledger.books import Group
from tollkeeper_daemon.ledger.prices import PriceList, load_prices
from tollkeeper_daemon.pipeline import Outcome, Pipeline
from tollkeeper_daemon.repricing import Repricer, RepricingError, walk
from tollkeeper_daemon.store.store import Store

from .lines import HAIKU, OPUS, assistant
from .shelf import Account, account_of_store, added_up, post_to_store
from .test_ledger import reply
from .test_pipeline import agent_in, pipeline, post
from .test_prices import entry

DEARER = load_prices(entry(OPUS, "41") + entry("claude-opus-9", "50"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "ledger") as store:
        yield store


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repricing, "CHUNK_GROUPS", 3)
    monkeypatch.setattr(repricing, "PAUSE_SECONDS", 0)


class Bench:
    """A pipeline with some requests in it, and a repricer whose telling is kept."""

    def __init__(self, store: Store, requests: int = 10) -> None:
        self.roster = Roster()
        self.agent = agent_in(self.roster)
        self.river: Pipeline = pipeline(store, self.roster)
        for number in range(requests):
            self.post(number)
        self.told: list[Outcome] = []
        self.stopping = False
        self.repricer = Repricer(self.river, self.told.append, lambda: self.stopping)

    def post(self, number: int, model: str = OPUS) -> None:
        """Post one more request."""
        post(self.river, assistant(message=f"m{number:03}", request=f"r{number:03}", model=model))

    def run(self, since: int = 0) -> repricing.Repriced:
        """Charge everything anew."""
        return asyncio.run(self.repricer.run(since))


def consistent(store: Store) -> None:
    """The sums are those of the groups' charges."""
    total = store.read(lambda transaction: added_up(sums for _, sums in transaction.rows()))
    charges = store.read(lambda t: [made for _, group in t.all_groups() for made in group.charges])
    assert sum(made.value for made in charges) == total.value
    assert sum(made.unpriced for made in charges) == total.unpriced
    assert len(charges) == total.requests


@given(st.sets(st.integers(0, 30)), st.integers(1, 8))
def test_walk_meets_every_group_once(numbers: set[int], size: int) -> None:
    """Groups come once each, in the order of their keys, whatever the size of the chunks."""

    with (
        pytest.MonkeyPatch.context() as patch,
        fleeting_folder() as folder,
        Store(Path(folder)) as store,
    ):
        patch.setattr(repricing, "CHUNK_GROUPS", size)
        told = [reply(f"m{number}", f"r{number}", output=1) for number in numbers]
        post_to_store(store, [[*told, reply("ümläut", "r", output=1)]])
        keys = [key for groups in walk(store, lambda: None) for key, _ in groups]
    assert sorted([*(f"m:m{number}" for number in numbers), "m:ümläut"]) == keys


@pytest.mark.usefixtures("small_chunks")
def test_look_says_what_the_run_does(store: Store) -> None:
    """The look changes nothing, and tells the differences that the run then makes."""
    bench = Bench(store)
    bench.post(900, HAIKU)
    bench.river.prices = DEARER
    before = account_of_store(store)
    look = bench.repricer.preview(0)
    assert before == account_of_store(store)
    assert look == bench.run()
    assert {OPUS} == look.models.keys()
    change = look.total
    # 10 input tokens and 20 output tokens each: $4 and $20 before, $41 and $2 after.
    assert (10, 10 * 440_000, 10 * 450_000) == (
        change.requests,
        change.value_before,
        change.value_after,
    )
    consistent(store)
    assert 0 == bench.repricer.preview(0).total.requests
    assert 0 == bench.run().total.requests


@pytest.mark.usefixtures("small_chunks")
def test_running_sums_follow(store: Store) -> None:
    """Day, run and agent come to what a daemon that comes up now would read."""
    bench = Bench(store)
    bench.river.prices = load_prices(entry(OPUS, "99"))
    bench.run()
    again = pipeline(store, bench.roster)
    assert again.today == bench.river.today
    value = 10 * (10 * 99_000 + 20 * 2_000)
    assert value == bench.agent.tally.totals.value == bench.river.run.totals.value
    assert {bench.agent.record.id} == {
        agent.record.id for outcome in bench.told for agent in outcome.agents
    }
    assert [] == [outcome.charged for outcome in bench.told if outcome.charged]


@pytest.mark.usefixtures("small_chunks")
def test_unpriced_models_are_brought_up_to_date(store: Store) -> None:
    """A model that got its price is no longer named; one still without, or still charged so, is."""
    bench = Bench(store, 2)
    for number, model in enumerate(("claude-opus-9", "claude-opus-8"), 50):
        bench.post(number, model)
    bench.river.prices = DEARER
    bench.run(since=1 << 60)
    assert {"claude-opus-8", "claude-opus-9"} == bench.river.unpriced_models
    bench.run()
    assert {"claude-opus-8"} == bench.river.unpriced_models
    assert ["claude-opus-8"] == store.read(lambda t: t.meta("unpriced_models"))


@pytest.mark.usefixtures("small_chunks")
def test_posting_meanwhile(store: Store, tmp_path: Path) -> None:
    """What is posted between the chunks, before or behind them, is charged right in the end."""
    bench = Bench(store)
    bench.river.prices = DEARER

    async def work() -> None:
        task = asyncio.create_task(bench.repricer.run(0))
        for number in (500, 0, 5, 501, 9, -1):
            post(
                bench.river,
                assistant(
                    {"input_tokens": 10, "output_tokens": 30},
                    message=f"m{number:03}",
                    request=f"r{number:03}",
                ),
            )
            await asyncio.sleep(0)
        await task

    asyncio.run(work())
    consistent(store)
    assert 0 == bench.repricer.preview(0).total.requests
    assert _values_of(account_of_store(store)) == {
        10 * 41_000 + 30 * 2_000,
        10 * 41_000 + 20 * 2_000,
    }


def _values_of(account: Account) -> set[int]:
    return {value for _, charges in account["groups"].values() for _, value, _ in charges}


@pytest.mark.usefixtures("small_chunks")
def test_broken_off(store: Store) -> None:
    """A run that is broken off leaves a consistent ledger, and the next one completes it."""
    bench = Bench(store)
    bench.river.prices = load_prices(entry(OPUS, "99"))
    look = bench.repricer.preview(0).total

    def stop(outcome: Outcome) -> None:
        bench.stopping = len(bench.told) == 2
        bench.told.append(outcome)

    bench.repricer = Repricer(bench.river, stop, lambda: bench.stopping)
    with pytest.raises(RepricingError):
        bench.run()
    consistent(store)
    left = bench.repricer
    bench.stopping = False
    rest = left.preview(0).total
    assert 0 < rest.requests < look.requests
    assert rest == bench.run().total
    consistent(store)


@pytest.mark.usefixtures("small_chunks")
def test_one_run_at_a_time(store: Store) -> None:
    """A second run is refused while one is under way, and goes afterwards."""
    bench = Bench(store)
    bench.river.prices = DEARER

    async def work() -> None:
        first = asyncio.create_task(bench.repricer.run(0))
        await asyncio.sleep(0)
        with pytest.raises(RepricingError, match="already"):
            await bench.repricer.run(0)
        await first
        await bench.repricer.run(0)

    asyncio.run(work())


def test_billed_apart_from_list_price(store: Store) -> None:
    """What a subscription pays for changes in value, and costs nothing before and after."""
    river = pipeline(store, source="subscription")
    post(river, assistant())
    river.prices = load_prices(entry(OPUS, "99"))
    tell: Callable[[Outcome], None] = lambda outcome: None
    total = Repricer(river, tell, lambda: False).preview(0).as_json()["total"]
    assert (1, 0.00044, 0.00103) == (
        total["requests"],
        total["value_before_usd"],
        total["value_after_usd"],
    )
    assert (0.0, 0.0, 0.0) == tuple(
        total[f"cost_{name}_usd"] for name in ("before", "after", "difference")
    )


def change_prices(bench: Bench, when: int, to: PriceList | None = None) -> None:
    """Let the prices become others when so many chunks were told; each time without a list."""

    def tell(outcome: Outcome) -> None:
        bench.told.append(outcome)
        if to is None:
            bench.river.prices = load_prices(entry(OPUS, str(len(bench.told))))
        elif len(bench.told) == when:
            bench.river.prices = to

    bench.repricer = Repricer(bench.river, tell, lambda: bench.stopping)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("when", [1, 2, 4])
def test_prices_that_change_meanwhile(store: Store, when: int) -> None:
    """When the prices become others in the midst, all requests come to the last ones, and the
    models that are told as charged at a guess are those of the last ones."""
    bench = Bench(store)
    bench.post(800, "claude-opus-9")
    bench.river.prices = load_prices(entry(OPUS, "99"))
    before = sum(made.value for _, group in all_groups(store) for made in group.charges)
    change_prices(bench, when, DEARER)
    change = bench.run().total
    consistent(store)
    assert 0 == bench.repricer.preview(0).total.requests
    assert not any(made.unpriced for _, group in all_groups(store) for made in group.charges)
    assert set() == bench.river.unpriced_models
    after = sum(made.value for _, group in all_groups(store) for made in group.charges)
    assert after - before == change.value_after - change.value_before


@pytest.mark.usefixtures("small_chunks")
def test_prices_that_never_stay(store: Store) -> None:
    """When the prices change all the time the run ends in the end, and says so."""
    bench = Bench(store)
    bench.river.prices = DEARER
    change_prices(bench, 0)
    with pytest.raises(RepricingError, match="again and again"):
        bench.run()
    consistent(store)


@pytest.mark.usefixtures("small_chunks")
def test_look_that_may_not_take_long(store: Store) -> None:
    """A look with no time is not complete; with time enough, or without a bound, it is."""
    bench = Bench(store)
    bench.river.prices = DEARER
    look = bench.repricer.preview(0, 0)
    assert (False, 0) == (look.complete, look.total.requests)
    for most in (60, None):
        look = bench.repricer.preview(0, most)
        assert (True, 10) == (look.complete, look.total.requests)


def all_groups(store: Store) -> list[tuple[str, Group]]:
    """Every group with its key."""
    return store.read(lambda transaction: list(transaction.all_groups()))

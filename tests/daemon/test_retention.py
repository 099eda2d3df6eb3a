"""Retention: what is dropped stays in the sums, and is never counted a second time."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleeting import fleeting_folder
from tollkeeper_daemon import retention
from tollkeeper_daemon.config import ConfigError, load_config
from tollkeeper_daemon.ledger.books import Book
from tollkeeper_daemon.ledger.ledger import Row
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.records import Prompt, Reply
from tollkeeper_daemon.retention import DAY_MS, Retention
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction

from .entries import REQUESTS, entries
from .lines import NINE_MS
from .shelf import Entry, new_ledger, post_to_store
from .test_ledger import reply
from .test_timeline import timeline_of

TABLES = ("groups", "prompts", "timeline", "gone")


def drop(store: Store, before: int) -> None:
    """A round that drops what is from before this time."""
    asyncio.run(Retention(store, 1).drop(before))


def sums_of(store: Store) -> dict[tuple[int, Book], Totals]:
    """The sums, without the numbers of the books."""

    def work(transaction: Transaction) -> dict[tuple[int, Book], Totals]:
        rows: Iterable[tuple[Row, Totals]] = transaction.rows()
        return {(quarter, transaction.book(number)): totals for (quarter, number), totals in rows}

    return store.read(work)


def counts_of(store: Store) -> tuple[int, ...]:
    """How much is in the tables that a drop changes."""
    return store.read(lambda transaction: tuple(map(transaction.count, TABLES)))


def cluster_of(entry: Entry) -> str:
    """What an entry can ever be joined with: the message whose request it is, or itself."""
    if isinstance(entry, Prompt):
        return entry.line
    if not entry.message and not entry.request:
        return entry.line
    found = (name for name in ("m1", "m2") if entry.request in REQUESTS[name] and entry.request)
    return entry.message or next(found)


@settings(max_examples=300)
@given(entries, st.data())
def test_sums_are_as_if_nothing_was_dropped(told: list[Entry], data: st.DataObject) -> None:
    """Whatever is dropped between whatever lines come again, no sum moves.

    A request is dropped when all that is ever told of it was told.
    """
    again = data.draw(st.lists(st.sampled_from(told), max_size=12)) if told else []
    order = data.draw(st.permutations([*told, *again]))
    with (
        fleeting_folder() as folder,
        Store(Path(folder) / "whole") as whole,
        Store(Path(folder) / "dropped") as dropped,
    ):
        left = list(told)
        for entry in order:
            if entry in left:
                left.remove(entry)
            post_to_store(whole, [[entry]])
            post_to_store(dropped, [[entry]])
            awaited = {cluster_of(each) for each in left}
            complete = [each for each in told if cluster_of(each) not in awaited]
            if data.draw(st.booleans()):
                drop_some(dropped, complete, data.draw(st.integers(0, 3)))
        assert sums_of(whole) == sums_of(dropped)


def drop_some(store: Store, complete: list[Entry], luck: int) -> None:
    """Drop some of the groups, and of the prompts, of which everything was told."""
    clusters = {cluster_of(each) for each in complete}

    def work(transaction: Transaction) -> None:
        for number, (key, group) in enumerate(list(transaction.all_groups())):
            told = group.entries and all(cluster_of(each) in clusters for each in group.entries)
            if number % 4 >= luck and told:
                transaction.drop_group(key)
        for number, noted in enumerate(list(transaction.prompts())):
            if number % 4 >= luck and noted.prompt.line in clusters:
                transaction.drop_prompt(noted.prompt)

    store.write(work)


@settings(max_examples=100)
@given(entries, st.data())
def test_rounds_at_any_time(told: list[Entry], data: st.DataObject) -> None:
    """Rounds up to any time between readings of the same logs change no sum."""
    with (
        fleeting_folder() as folder,
        Store(Path(folder) / "whole") as whole,
        Store(Path(folder) / "dropped") as dropped,
    ):
        post_to_store(whole, [told])
        post_to_store(dropped, [told])
        for _ in range(3):
            drop(dropped, NINE_MS + data.draw(st.integers(-1, 50)) * 60_000)
            post_to_store(dropped, [data.draw(st.permutations(told))])
            assert sums_of(whole) == sums_of(dropped)


@given(entries)
def test_dropping_everything_leaves_only_sums(told: list[Entry]) -> None:
    """A round over everything leaves no group, prompt, link or time, and goes on from there."""
    with fleeting_folder() as folder, Store(Path(folder)) as store:
        post_to_store(store, [told, told])
        sums = sums_of(store)
        drop(store, NINE_MS * 2)
        assert (0, 0, 0) == counts_of(store)[:3]
        links = store.read(lambda t: [t.messages_of(f"r{each}") for each in range(1, 5)])
        assert [[], [], [], []] == links
        post_to_store(store, [[reply("new", "new", output=1)]])
        assert sums_of(store) != sums
        assert (1, 0, 1) == counts_of(store)[:3]


def test_only_what_is_older_is_dropped(tmp_path: Path) -> None:
    """A round drops what is from before its time, and leaves what is from that time on."""
    told: list[Entry] = [
        entry
        for each in range(6)
        for entry in (reply(f"m{each}", f"r{each}", time=each), Prompt(f"p{each}", "c", each, ""))
    ]
    with Store(tmp_path) as store:
        post_to_store(store, [told])
        drop(store, 4)
        assert [4, 5] == [time for time, _ in timeline_of(store)]
        prompts = store.read(lambda transaction: list(transaction.prompts()))
        assert ["p4", "p5"] == [noted.prompt.line for noted in prompts]


def test_group_is_dropped_as_a_whole(tmp_path: Path) -> None:
    """A message with an old and a new request stays until both are old."""
    told = [reply(time=5), reply(request="r2", input=11, time=9)]
    with Store(tmp_path) as store:
        post_to_store(store, [told])
        drop(store, 9)
        assert [(5, "m:m1"), (9, "m:m1")] == timeline_of(store)
        drop(store, 10)
        assert [] == timeline_of(store)


def test_many_lots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A round goes through lot by lot, and others get their turn between them."""
    monkeypatch.setattr(retention, "DROPPED_AT_ONCE", 3)
    turns = 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def work(store: Store) -> None:
        other = asyncio.create_task(take_turns())
        await Retention(store, 1).drop(NINE_MS + 1)
        other.cancel()

    told: list[Entry] = [
        entry
        for each in range(20)
        for entry in (reply(f"m{each}", f"r{each}"), Prompt(f"p{each}", "c", NINE_MS, ""))
    ]
    with Store(tmp_path) as store:
        post_to_store(store, [told])
        asyncio.run(work(store))
        assert (0, 0, 0) == counts_of(store)[:3]
    assert turns >= 14


def test_old_line_that_was_never_counted(tmp_path: Path) -> None:
    """An old line of a request that nobody knew is counted, and dropped by the next round."""
    with Store(tmp_path) as store:
        post_to_store(store, [[reply("m1", "r1", time=5)]])
        drop(store, 9)
        post_to_store(store, [[reply("m2", "r2", time=5)], [reply("m1", "r1", time=5)]])
        assert [(5, "m:m2")] == timeline_of(store)
        assert 2 == sum(totals.requests for totals in sums_of(store).values())
        drop(store, 9)
        assert [] == timeline_of(store)


def test_late_line_of_a_dropped_request(tmp_path: Path) -> None:
    """A line that says more of a dropped request is ignored, whatever time and ids it bears."""
    late: list[Reply] = [
        reply(output=50, time=5),
        reply(output=50, time=NINE_MS),
        reply(request="", output=50),
        reply("", output=50),
    ]
    with Store(tmp_path) as store:
        post_to_store(store, [[reply(time=5)]])
        drop(store, 9)
        before = sums_of(store)
        post_to_store(store, [late])
        assert before == sums_of(store)


def test_message_of_a_dropped_stray(tmp_path: Path) -> None:
    """The message whose request was dropped as a stray is not counted again."""
    with Store(tmp_path) as store:
        post_to_store(store, [[reply("", time=5)]])
        drop(store, 9)
        before = sums_of(store)
        post_to_store(store, [[reply(output=9)]])
        assert before == sums_of(store)


def test_another_message_under_a_dropped_request_id(tmp_path: Path) -> None:
    """A gateway that gives every request the same id does not make later messages vanish."""
    with Store(tmp_path) as store:
        post_to_store(store, [[reply("m1", "same", time=5)]])
        drop(store, 9)
        post_to_store(store, [[reply("m2", "same")]])
        assert [(NINE_MS, "m:m2")] == timeline_of(store)


def test_tombstones_survive_reopening(tmp_path: Path) -> None:
    """What was dropped stays dropped over a restart."""
    told: list[Entry] = [reply(time=5), Prompt("p", "conv-1", 5, "")]
    with Store(tmp_path) as store:
        post_to_store(store, [told])
        drop(store, 9)
        before = sums_of(store)
    with Store(tmp_path) as store:
        post_to_store(store, [told])
        assert before == sums_of(store)
        assert (0, 0, 0, 3) == counts_of(store)


def test_rebooking_what_was_dropped(tmp_path: Path) -> None:
    """An agent that is found too late for a dropped request gets nothing of it, and loses nothing."""
    with Store(tmp_path) as store:
        post_to_store(store, [[reply(time=5), Prompt("p", "conv-1", 5, "")]])
        drop(store, 9)
        before = sums_of(store)
        store.write(lambda t: t.save(new_ledger().rebook(["m:m1"], ["p"], t)))
        assert before == sums_of(store)


def test_rounds_come_when_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A round drops what is older than so many days, and one that fails does not end the rounds."""
    now = NINE_MS + 3 * DAY_MS
    monkeypatch.setattr(retention, "now_ms", lambda: now)
    writes = 0

    async def work(store: Store) -> None:
        rounds = Retention(store, 3)
        task = asyncio.create_task(rounds.run())
        for _ in range(2):
            rounds.call()
            for _ in range(20):
                await asyncio.sleep(0)
        task.cancel()

    with Store(tmp_path) as store:
        post_to_store(store, [[reply("m1", "r1", time=NINE_MS - 1), reply("m2", "r2")]])
        write = store.write

        def fail_once(work: object) -> object:
            nonlocal writes
            writes += 1
            if writes == 1:
                raise OSError("on purpose")
            return write(work)  # pyright: ignore

        monkeypatch.setattr(store, "write", fail_once)
        asyncio.run(work(store))
        assert [(NINE_MS, "m:m2")] == timeline_of(store)


def test_rounds_wait_while_a_history_is_read(tmp_path: Path) -> None:
    """Of old requests lines may still come while a history is read: none is dropped until its end."""

    async def work(store: Store) -> None:
        rounds = Retention(store, 1)
        rounds.pause()
        rounds.call()
        task = asyncio.create_task(rounds.run())
        for _ in range(20):
            await asyncio.sleep(0)
        assert 1 == len(timeline_of(store))
        rounds.go_on()
        for _ in range(20):
            await asyncio.sleep(0)
        assert [] == timeline_of(store)
        task.cancel()

    with Store(tmp_path) as store:
        post_to_store(store, [[reply(time=5)]])
        asyncio.run(work(store))


def test_nothing_is_dropped_when_kept_for_ever(tmp_path: Path) -> None:
    """With 0 days no round is ever done."""

    async def work(store: Store) -> None:
        rounds = Retention(store, 0)
        rounds.call()
        await rounds.run()

    with Store(tmp_path) as store:
        post_to_store(store, [[reply(time=5)]])
        asyncio.run(work(store))
        assert [(5, "m:m1")] == timeline_of(store)


@pytest.mark.parametrize(
    ("text", "days"), [("", 400), ("[history]\nkeep_requests_days = 0\n", 0), ("[history]\n", 400)]
)
def test_setting(tmp_path: Path, text: str, days: int) -> None:
    """Requests are kept for 400 days unless the settings say otherwise."""
    (tmp_path / "config.toml").write_text(text)
    assert days == load_config(tmp_path / "config.toml").history.keep_requests_days


@pytest.mark.parametrize("value", ["-1", "1.5", '"400"', "true"])
def test_broken_setting(tmp_path: Path, value: str) -> None:
    """A number of days that is none is refused with the file's name."""
    (tmp_path / "config.toml").write_text(f"[history]\nkeep_requests_days = {value}\n")
    with pytest.raises(ConfigError, match=r"config\.toml"):
        load_config(tmp_path / "config.toml")

"""The time line: the time of every paid request, in step with the groups, oldest first."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleeting import fleeting_folder
from tollkeeper_daemon.clock import FAR
from tollkeeper_daemon.ledger.ledger import Moment
from tollkeeper_daemon.ledger.requests import resolve
from tollkeeper_daemon.records import Advice, Prompt
from tollkeeper_daemon.store import upgrade as upgrade_module
from tollkeeper_daemon.store.schema import VERSION
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction

from .entries import entries_twice
from .lines import DATA, HAIKU, NINE_MS
from .shelf import Entry, account_of_store, new_ledger, post_to_store
from .test_ledger import reply


def timeline_of(store: Store, since: int = 0, until: int = FAR, after: bytes = b"") -> list[Moment]:
    """The time line as times and groups."""

    def work(transaction: Transaction) -> list[Moment]:
        return [(time, group) for _, time, group in transaction.timeline(since, until, after)]

    return store.read(work)


def moments_of_groups(store: Store) -> list[Moment]:
    """The times of the paid requests of all groups, each group's once, in order."""

    def work(transaction: Transaction) -> set[Moment]:
        return {
            (request.time, key)
            for key, group in transaction.all_groups()
            for request in resolve(group.entries)
        }

    return sorted(store.read(work))


def rebook_all(store: Store) -> None:
    """Book everything anew, as when an agent is found that made it."""

    def work(transaction: Transaction) -> None:
        keys = [key for key, _ in transaction.all_groups()]
        transaction.save(new_ledger().rebook(keys, [], transaction))

    store.write(work)


@settings(max_examples=150)
@given(entries_twice(), st.booleans())
def test_holds_exactly_the_times_of_the_requests(
    tellings: tuple[list[list[Entry]], list[list[Entry]]], rebook: bool
) -> None:
    """After any postings, in any order, booked anew or not, the times are those of the requests."""
    with fleeting_folder() as folder, Store(Path(folder)) as store:
        for telling in tellings:
            post_to_store(store, telling)
            if rebook:
                rebook_all(store)
            assert moments_of_groups(store) == timeline_of(store)


def test_group_with_several_requests(tmp_path: Path) -> None:
    """A group stands at each time at which it has a request, once where there are two at one."""
    with Store(tmp_path) as store:
        advised = reply(advice=(Advice(HAIKU, 5),))
        post_to_store(store, [[advised, reply(request="r2", input=11, time=NINE_MS - 5)]])
        assert [(NINE_MS - 5, "m:m1"), (NINE_MS, "m:m1")] == timeline_of(store)


def test_an_earlier_line_moves_the_request(tmp_path: Path) -> None:
    """A request whose earlier line is read later stands at the earlier time alone."""
    with Store(tmp_path) as store:
        post_to_store(store, [[reply(time=9)], [reply(time=5)], [reply(time=7)]])
        assert [(5, "m:m1")] == timeline_of(store)


def test_stray_leaves_its_place(tmp_path: Path) -> None:
    """A stray that joins its message stands on the time line as the message alone."""
    with Store(tmp_path) as store:
        post_to_store(store, [[reply("", time=5)], [reply(time=7)]])
        assert [(5, "m:m1")] == timeline_of(store)


def test_prompts_have_no_place(tmp_path: Path) -> None:
    """A prompt has no place on the time line, nor has a ledger without requests."""
    with Store(tmp_path) as store:
        post_to_store(store, [[Prompt("p", "conv-1", NINE_MS, "")]])
        assert [] == timeline_of(store)
        assert store.read(lambda transaction: transaction.request_times(0, FAR)) is None


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (0, FAR, (5, 9)),
        (5, 9, (5, 7)),
        (6, 10, (7, 9)),
        (6, 8, (7, 7)),
        (9, FAR, (9, 9)),
        (10, FAR, None),
        (0, 5, None),
        (8, 9, None),
        (7, 7, None),
    ],
)
def test_first_and_last_time(
    tmp_path: Path, since: int, until: int, expected: tuple[int, int] | None
) -> None:
    """The span of the requests reaches from its start to before its end."""
    with Store(tmp_path) as store:
        post_to_store(store, [[reply(str(time), str(time), time=time) for time in (7, 5, 9)]])
        assert expected == store.read(lambda t: t.request_times(since, until))
        times = [time for time, _ in timeline_of(store, since, until)]
        assert ((times[0], times[-1]) if times else None) == expected


def test_goes_on_behind_a_place(tmp_path: Path) -> None:
    """A walk that is taken up behind any of its places misses nothing and repeats nothing."""
    with Store(tmp_path) as store:
        told = [reply(str(each), str(each), time=5 + each // 3) for each in range(9)]
        post_to_store(store, [told])
        places = store.read(lambda transaction: list(transaction.timeline(6, 8)))
        assert 6 == len(places)
        for number, (place, _, _) in enumerate(places, 1):
            rest = store.read(lambda t, place=place: list(t.timeline(6, 8, place)))
            assert places[number:] == rest
        assert places == store.read(lambda t: list(t.timeline(6, 8, after=b"\0")))


def test_old_ledger_gets_its_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening a ledger of version 1 puts its requests on the time line, lot by lot."""
    monkeypatch.setattr(upgrade_module, "GROUPS_AT_ONCE", 2)
    shutil.copytree(DATA / "ledger-v1", tmp_path / "old")
    shutil.copytree(DATA / "ledger-v2", tmp_path / "new")
    with Store(tmp_path / "old") as old, Store(tmp_path / "new") as new:
        assert VERSION == old.read(lambda transaction: transaction.meta("schema"))
        assert account_of_store(new) == account_of_store(old)
        assert 5 == len(timeline_of(new))
        assert timeline_of(new) == timeline_of(old) == moments_of_groups(old)

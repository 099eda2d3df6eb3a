"""The store: what is saved comes back, the file grows, and old files load."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from tollkeeper_daemon.bar.journal import Journal
from tollkeeper_daemon.budgets.memories import Memories
from tollkeeper_daemon.ledger.books import Book
from tollkeeper_daemon.ledger.ledger import Posting
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.records import FileMark, Prompt
from tollkeeper_daemon.rules.limits import STRICTEST, Scope, Used
from tollkeeper_daemon.rules.terms import Memory, Own
from tollkeeper_daemon.store import bookings
from tollkeeper_daemon.store import store as store_module
from tollkeeper_daemon.store.schema import (
    VERSION,
    AgentRecord,
    Conversation,
    LimitRecord,
    RunRecord,
)
from tollkeeper_daemon.store.store import Store, StoreError
from tollkeeper_daemon.store.transaction import Transaction

from .lines import DATA, NINE_MS
from .shelf import (
    account_of_shelf,
    account_of_store,
    added_up,
    new_ledger,
    post,
    post_to_store,
)
from .test_ledger import reply

VERSIONS = [
    "ledger-v1",
    "ledger-v2",
    "ledger-v2-bar",
    "ledger-v3",
    "ledger-v3-proxied",
    "ledger-v4",
]
AGENT = AgentRecord("4711-99", 4711, "Agent-1", NINE_MS, "run-1", budget=5, named_by_label=True)


def total_of(store: Store) -> Totals:
    """All sums in one."""
    return store.read(lambda transaction: added_up(sums for _, sums in transaction.rows()))


def test_round_trips(tmp_path: Path) -> None:
    """Everything that is saved comes back after the store was closed and opened."""
    mark = FileMark("/h/projects/p/c.jsonl", 2**40, 2**32 - 1, True)
    conversation = Conversation("p", "/a", "title", "api", "acc", 1, 2, 3, 4, 5)
    run = RunRecord("run-1", 1, 2, 3)

    def fill(transaction: Transaction) -> None:
        transaction.save_file((2**64 - 1, 5), mark)
        transaction.save_conversation("c", conversation)
        transaction.save_agent(AGENT)
        transaction.save_run(run)
        transaction.set_meta("bad_lines", 7)

    def check(transaction: Transaction) -> None:
        assert {(2**64 - 1, 5): mark} == transaction.files()
        assert conversation == transaction.conversation("c")
        assert transaction.conversation("d") is None
        assert [AGENT] == transaction.agents()
        assert [run] == transaction.runs()
        assert 7 == transaction.meta("bad_lines")
        assert transaction.meta("none") is None
        assert 1 == transaction.count("agents")

    with Store(tmp_path / "l") as store:
        store.write(fill)
        store.read(check)
    with Store(tmp_path / "l") as store:
        store.read(check)


def test_runs_come_oldest_first(tmp_path: Path) -> None:
    """The last run is the latest one."""
    with Store(tmp_path) as store:
        for start in (1_800_000_000, 1_700_000_000):
            run = RunRecord(f"run-{start}", start, start)
            store.write(lambda transaction, run=run: transaction.save_run(run))
        found = store.read(lambda transaction: transaction.runs())
    assert [1_700_000_000, 1_800_000_000] == [run.started for run in found]


def test_ledger_survives_reopening(tmp_path: Path) -> None:
    """The same lines after a restart change nothing, and new ones join what was there."""
    told = [reply(output=1), reply("", "r1", output=9), Prompt("p", "c", NINE_MS, "")]
    with Store(tmp_path) as store:
        post_to_store(store, [told])
    with Store(tmp_path) as store:
        post_to_store(store, [told, [reply(output=20)]])
        assert account_of_shelf(post([*told, reply(output=20)])) == account_of_store(store)


def save(store: Store, posting: Posting) -> None:
    """Save what stands in the first book."""

    def work(transaction: Transaction) -> None:
        assert 1 == transaction.number_of(Book("conv-1", "opus", "api"))
        transaction.save(posting)

    store.write(work)


def test_rows_of_a_span(tmp_path: Path) -> None:
    """Rows come oldest first, from the first quarter to before the last."""
    quarters = (9, 3, 5, 4)
    posting = Posting()
    for quarter in quarters:
        posting.add((quarter, 1), Totals(requests=quarter))
    with Store(tmp_path) as store:
        save(store, posting)
        for span, expected in (((0, 99), [3, 4, 5, 9]), ((4, 9), [4, 5]), ((-5, 4), [3])):
            rows = store.read(lambda transaction, span=span: list(transaction.rows(*span)))
            assert expected == [row[0] for row, _ in rows]
            assert expected == [totals.requests for _, totals in rows]


def test_empty_rows_are_deleted(tmp_path: Path) -> None:
    """A row from which everything was taken away is no longer there."""
    with Store(tmp_path) as store:
        for times in (1, -1):
            posting = Posting()
            posting.add((1, 1), Totals(requests=2, value=5), times)
            save(store, posting)
        assert [] == store.read(lambda transaction: list(transaction.rows()))


def test_map_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch far larger than the map is saved whole, after the map was made to fit."""
    monkeypatch.setattr(store_module, "FIRST_MAP_SIZE", 256 << 10)
    told = [reply(f"m{each}", f"r{each}", output=1) for each in range(4_000)]
    with Store(tmp_path) as store:
        post_to_store(store, [told])
        assert (4_000, 4_000) == (total_of(store).requests, total_of(store).output)
    assert (tmp_path / "data.mdb").stat().st_size > 256 << 10
    with Store(tmp_path) as store:
        assert 4_000 == total_of(store).requests


def test_map_grows_behind_a_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that reads while the map grows reads on undisturbed, and sees what it saw."""
    monkeypatch.setattr(store_module, "FIRST_MAP_SIZE", 256 << 10)
    reading, saved = threading.Event(), threading.Event()

    def read_slowly(transaction: Transaction) -> int:
        groups = transaction.all_groups()
        next(groups)
        reading.set()
        saved.wait(0.5)  # In vain, since who saves waits for this.
        return 1 + sum(1 for _ in groups)

    with Store(tmp_path) as store, ThreadPoolExecutor() as threads:
        post_to_store(store, [[reply(f"a{each}") for each in range(100)]])
        seen = threads.submit(store.read, read_slowly)
        assert reading.wait(10)
        post_to_store(store, [[reply(f"b{each}") for each in range(4_000)]])
        saved.set()
        assert 100 == seen.result(10)
        assert 4_100 == total_of(store).requests


def test_closing_waits_for_those_who_read(tmp_path: Path) -> None:
    """A report that runs in a thread comes to its end before the file is closed under it."""
    reading, closed = threading.Event(), threading.Event()

    def read_slowly(transaction: Transaction) -> int:
        groups = transaction.all_groups()
        next(groups)
        reading.set()
        assert not closed.wait(0.2)
        return 1 + sum(1 for _ in groups)

    store = Store(tmp_path)
    post_to_store(store, [[reply(f"a{each}") for each in range(100)]])
    with ThreadPoolExecutor() as threads:
        seen = threads.submit(store.read, read_slowly)
        assert reading.wait(10)
        store.close()
        closed.set()
        assert 100 == seen.result(10)


def test_readers_let_the_map_grow(tmp_path: Path) -> None:
    """Who wants to map the file anew waits for those who read now, not for all who come later."""
    begun, over = threading.Semaphore(0), threading.Event()

    def read_on(store: Store) -> None:
        while not over.is_set():
            store.read(lambda transaction: begun.release())

    with Store(tmp_path) as store, ThreadPoolExecutor(4) as threads:
        readers = [threads.submit(read_on, store) for _ in range(3)]
        assert begun.acquire(timeout=10)
        store.let_go()  # Among readers that follow on each other without an end.
        over.set()
        for reader in readers:
            reader.result(10)


def test_work_that_fails_saves_nothing(tmp_path: Path) -> None:
    """A transaction in which anything goes wrong leaves the ledger as it was."""

    def work(transaction: Transaction) -> None:
        transaction.save(new_ledger().post([reply(output=1)], transaction))
        transaction.save_agent(AGENT)
        raise RuntimeError("on purpose")

    with Store(tmp_path) as store:
        with pytest.raises(RuntimeError):
            store.write(work)
        assert not total_of(store)
        assert [] == store.read(lambda transaction: transaction.agents())
        post_to_store(store, [[reply(output=1)]])
        assert 1 == total_of(store).requests


def test_books_opened_in_vain_are_forgotten(tmp_path: Path) -> None:
    """A book's number that was not saved is not remembered for another book's entries."""
    first, second = Book("c1", "m", "api"), Book("c2", "m", "api")

    def fail(transaction: Transaction) -> None:
        transaction.number_of(first)
        raise RuntimeError("on purpose")

    with Store(tmp_path) as store:
        with pytest.raises(RuntimeError):
            store.write(fail)
        number = store.write(lambda transaction: transaction.number_of(second))
        other = store.write(lambda transaction: transaction.number_of(first))
        assert number != other
        assert second == store.read(lambda transaction: transaction.book(number))
        assert first == store.read(lambda transaction: transaction.book(other))


def test_books_cache_overflows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Books keep their numbers when the cache overflows, and over a restart."""
    monkeypatch.setattr(bookings, "MOST_BOOKS_CACHED", 3)
    books = [Book(f"c{each}", "m", "api") for each in range(10)]

    def numbers(transaction: Transaction) -> list[int]:
        return [transaction.number_of(book) for book in books]

    with Store(tmp_path) as store:
        first = [
            store.write(lambda transaction, book=book: transaction.number_of(book))
            for book in books
        ]
        assert first == store.write(numbers)
        assert len(books) == len(set(first))
    with Store(tmp_path) as store:
        assert first == store.write(numbers)
        found = store.read(lambda transaction: [transaction.book(number) for number in first])
    assert books == found


@pytest.mark.parametrize("length", [80, 395, 400, 511, 5_000])
@pytest.mark.parametrize("letter", ["x", "é", "\U0001f600"])
def test_absurdly_long_ids(tmp_path: Path, length: int, letter: str) -> None:
    """Ids longer than any key may be are told apart, found again, and joined with strays."""
    ids = [letter * length + end for end in "ab"]
    told = [
        *(reply(each, each, output=5) for each in ids),
        *(reply("", each, output=7) for each in ids),
        *(Prompt(each, each, NINE_MS, "") for each in ids),
    ]
    for batches in ([told], [[each] for each in told], [[each] for each in reversed(told)]):
        with Store(tmp_path / str(len(batches)) / str(batches[0] == told)) as store:
            post_to_store(store, batches)
            found = total_of(store)
            for each in ids:
                conversation = Conversation(title=each)
                store.write(
                    lambda transaction, name=each, known=conversation: (
                        transaction.save_conversation(name, known)
                    )
                )
            titles = store.read(lambda t: [t.conversation(each) for each in ids])
        assert (2, 14, 2) == (found.requests, found.output, found.messages)
        assert [Conversation(title=each) for each in ids] == titles


def test_empty_names(tmp_path: Path) -> None:
    """A conversation without a name has a place too."""
    with Store(tmp_path) as store:
        store.write(lambda transaction: transaction.save_conversation("", Conversation("p")))
        found = store.read(lambda transaction: transaction.conversation(""))
    assert Conversation("p") == found


def test_strays_are_noticed_within_a_transaction(tmp_path: Path) -> None:
    """A stray of an earlier transaction is seen by the next, and before that there is none."""
    with Store(tmp_path) as store:
        assert not store.read(lambda transaction: transaction.has_strays)
        post_to_store(store, [[reply(output=1)]])
        assert not store.read(lambda transaction: transaction.has_strays)
        post_to_store(store, [[reply("", "r9")]])
        assert store.read(lambda transaction: transaction.has_strays)


@pytest.mark.parametrize("version", VERSIONS)
def test_old_ledger_loads(tmp_path: Path, version: str) -> None:
    """The ledger of each version loads and says what it said when it was written."""
    folder = tmp_path / "ledger"
    shutil.copytree(DATA / version, folder)
    with Store(folder) as store:
        assert Totals(
            requests=6,
            messages=1,
            input=1_050,
            output=1_550,
            value=52_046_000,
            unpriced=1,
        ) == total_of(store)
        books = store.read(lambda t: {t.book(number) for (_, number), _ in t.rows()})
        assert {"conv-1", "conv-2"} == {book.conversation for book in books}
        assert {("shop-1", "shop-1.1", "s"), ("", "", "")} == {
            (book.workflow, book.task, book.stage) for book in books
        }
        (agent,) = store.read(lambda transaction: transaction.agents())
        (run,) = store.read(lambda transaction: transaction.runs())
        assert ("Agent-1", 5_000_000_000, True) == (agent.name, agent.budget, agent.named_by_label)
        assert "run-1" == run.id == agent.run
        assert 3 == store.read(lambda transaction: transaction.meta("bad_lines"))
        assert {(64_769, 123): FileMark("/h/projects/p/conv-1.jsonl", 4_096, 77)} == store.read(
            lambda transaction: transaction.files()
        )


@pytest.mark.parametrize("version", ["ledger-v1", "ledger-v2"])
def test_ledgers_without_limits_get_them(tmp_path: Path, version: str) -> None:
    """A ledger from before there were limits has none, and takes them as any other does."""
    folder = tmp_path / "ledger"
    shutil.copytree(DATA / version, folder)
    limit = LimitRecord("task", "shop-1.1", "usd", 5)
    with Store(folder) as store:
        assert ([], [], [], [], [], 0) == store.read(
            lambda transaction: (
                transaction.bar.limits(),
                transaction.bar.memories(),
                transaction.bar.excused(),
                transaction.bar.holds(),
                transaction.bar.gauges(),
                transaction.bar.last_journal_number(),
            )
        )
        store.write(lambda transaction: transaction.bar.save_limit(limit))
    with Store(folder) as store:
        assert [limit] == store.read(lambda transaction: transaction.bar.limits())


def test_old_limits_load(tmp_path: Path) -> None:
    """All that the first ledger with limits remembers of them is there."""
    folder = tmp_path / "ledger"
    shutil.copytree(DATA / "ledger-v2-bar", folder)
    with Store(folder) as store:
        memories = Memories(store)
        (held, blocked) = store.read(lambda transaction: transaction.bar.holds())
        (gauge,) = store.read(lambda transaction: transaction.bar.gauges())
        entries = Journal(store, lambda action: None).read(0, 10)
    agent = Scope("agent", "4711-99")
    assert {
        (Scope("task", "shop-1.1"), "tokens"): Own(5_000_000, "stop"),
        (Scope("daily", ""), "usd"): Own(7_000_000_000),
    } == memories.own
    memory = Memory(1.0, 2_000_000_000, {"4711-99": STRICTEST, "4712-3": STRICTEST})
    assert {(agent, "usd"): memory} == memories.of_limits
    assert {Scope("run", "run-1"): Used(1_000, 2_000, 30)} == memories.excused
    assert ("paused", ("4711-99", "4713-100"), "") == (held.kind, held.processes, held.denied)
    assert ("blocked", (), "conv-2") == (blocked.kind, blocked.processes, blocked.denied)
    assert ("five_hour", 81.5, 80.0) == (gauge.kind, gauge.used_percent, gauge.told)
    assert ("", "", (), False) == (gauge.account, gauge.home, gauge.points, gauge.by_token)
    assert [(1, "limit-set", None), (2, "paused", 5.02)] == [
        (entry.number, entry.kind, entry.used) for entry in entries
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_old_ledger_goes_on(tmp_path: Path, version: str) -> None:
    """A line that joins a request in the ledger of each version is taken into it."""
    folder = tmp_path / "ledger"
    shutil.copytree(DATA / version, folder)
    with Store(folder) as store:
        post_to_store(store, [[reply("msg_1", "req_1", output=101), reply("m", "req_stray")]])
        found = total_of(store)
    assert (6, 1_551) == (found.requests, found.output)


@pytest.mark.parametrize("version", [VERSION + 1, 99, "2"])
def test_newer_ledger_is_refused(tmp_path: Path, version: object) -> None:
    """A ledger of a later version is refused in one line, and left as it is."""
    with Store(tmp_path) as store:
        store.write(lambda transaction: transaction.set_meta("schema", version))
    for _ in range(2):
        with pytest.raises(StoreError) as raised:
            Store(tmp_path)
        assert str(version) in str(raised.value)
        assert "\n" not in str(raised.value)
        assert raised.value.hint


def test_what_is_no_ledger_is_refused(tmp_path: Path) -> None:
    """A file that is no ledger, or a file where the folder should be, is refused in one line."""
    (tmp_path / "data.mdb").write_bytes(b"nothing of the kind" * 1000)
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file"):
        with pytest.raises(StoreError) as raised:
            Store(path)
        assert "\n" not in str(raised.value)
        assert raised.value.hint


def test_cut_off_ledger_is_refused(tmp_path: Path) -> None:
    """A ledger whose file was cut off is refused, not read."""
    shutil.copytree(DATA / "ledger-v1", tmp_path / "l")
    content = (tmp_path / "l" / "data.mdb").read_bytes()
    (tmp_path / "l" / "data.mdb").write_bytes(content[:100])
    with pytest.raises(StoreError):
        Store(tmp_path / "l")


def test_files_are_private(tmp_path: Path) -> None:
    """Nobody else can read the ledger."""
    with Store(tmp_path / "l"):
        assert 0 == (tmp_path / "l").stat().st_mode & 0o077
        assert 0 == (tmp_path / "l" / "data.mdb").stat().st_mode & 0o077


STORED: list[Struct] = [
    AGENT,
    Conversation("p", "/a", "title"),
    RunRecord("run-1", 1, 2, 3),
    FileMark("/p", 1, 2, True),
    Book("c", "m", "api", agent="a"),
    Totals(1, 2, 3),
]


@pytest.mark.parametrize("form", STORED, ids=lambda form: type(form).__name__)
def test_stored_forms_may_grow(form: Struct) -> None:
    """What was stored before a form got its later fields is read with their defaults."""
    values = list(msgspec.structs.astuple(form))
    fields = msgspec.structs.fields(form)
    needed = sum(field.required for field in fields)
    for length in range(needed, len(fields) + 1):
        found = msgspec.msgpack.decode(msgspec.msgpack.encode(values[:length]), type=type(form))
        assert type(form)(*values[:length]) == found

"""What logs may hold without harm: names, figures and numbers of things out of all bounds."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import lmdb
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tollkeeper_daemon.agents.roster import Roster
from tollkeeper_daemon.ledger.books import Book
from tollkeeper_daemon.ledger.charge import MOST_VALUE, charge
from tollkeeper_daemon.ledger.ledger import Posting
from tollkeeper_daemon.ledger.prices import (
    MOST_DOLLARS,
    MOST_FACTOR,
    MOST_MODELS_CACHED,
    PriceError,
    load_prices,
)
from tollkeeper_daemon.ledger.requests import MOST_ENTRIES, file_under
from tollkeeper_daemon.ledger.totals import MOST_SAVED, Totals
from tollkeeper_daemon.names import LONGEST_NAME, LONGEST_PATH
from tollkeeper_daemon.pipeline import Pipeline
from tollkeeper_daemon.reading.salvage import salvage
from tollkeeper_daemon.reading.scan import Scan, place_of, read_helper
from tollkeeper_daemon.reading.stats_caches import SAVED_AT_ONCE, StatsCaches
from tollkeeper_daemon.records import Record, Refusal, Reply
from tollkeeper_daemon.sources.homes import Home
from tollkeeper_daemon.sources.sessions import read_session
from tollkeeper_daemon.sources.stats_cache import FILE, MOST_DAYS, MOST_MODELS, read_stats_cache
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction
from tollkeeper_daemon.transcript import parse
from tollkeeper_daemon.transcript.lines import MOST_ITERATIONS, MOST_TOKENS, Line
from tollkeeper_daemon.transcript.parse import BadLine, Parser
from tollkeeper_daemon.unpriced import AND_MORE, MOST_NAMES, ToldModels, bounded

from .lines import NINE_MS, NOW, OPUS, Json, as_line, assistant, parsed, scanned, usage, user

LOG = "/h/projects/-p/conv-1.jsonl"
LONG = "x" * 1_000_000
TODAY = date(2026, 11, 22)

DEAREST = f"""web_search = {MOST_DOLLARS}
us_inference = {MOST_FACTOR}
[[prices]]
model = "dear"
input = {MOST_DOLLARS}
output = {MOST_DOLLARS}
cache_read = {MOST_DOLLARS}
cache_write_5m = {MOST_DOLLARS}
cache_write_1h = {MOST_DOLLARS}
fast = {MOST_FACTOR}
above_100k = {MOST_FACTOR}
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "ledger") as store:
        yield store


def river(store: Store, prices: str = "") -> Pipeline:
    """A pipeline with these prices of the user's own."""
    made = Pipeline(store, Roster(), load_prices(prices), lambda path: ("api", ""))
    made.begin_day(NOW - 12 * 3_600_000, NOW + 12 * 3_600_000)
    return made


def rows(store: Store) -> list[Totals]:
    """The sums as they are saved."""
    return store.read(lambda transaction: [totals for _, totals in transaction.rows()])


# Lines.


def refusal(resets: str) -> bytes:
    """A refusal of the plan until then, the number as it stands in the line."""
    line = as_line(
        {
            "type": "assistant",
            "sessionId": "s",
            "isApiErrorMessage": True,
            "quotaLimits": {"status": "rejected", "resetsAt": "RESETS"},
            "message": {"id": "m", "model": "<synthetic>", "content": []},
        }
    )
    return line.replace(b'"RESETS"', resets.encode())


@pytest.mark.parametrize("resets", ["-1e300", "-1", "1e12", "1e308", "9" * 400])
def test_reset_out_of_all_bounds(resets: str) -> None:
    """A refusal until before 1970, or until ages from now, is a bad line."""
    with pytest.raises(BadLine):
        Parser(NOW).parse(refusal(resets))


def test_reset_at_the_bound() -> None:
    """The latest reset that is taken can be sent and saved."""
    [found] = parsed(refusal("1e11"))
    assert Refusal("s", NOW, "five_hour", 10**14) == found
    assert found == msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=Refusal)


@pytest.mark.parametrize("error", [ValueError, OverflowError, ZeroDivisionError, TypeError])
def test_nothing_in_a_line_ends_the_reading(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    """Whatever goes wrong with a line that could be decoded makes it a bad one, and the next counts."""

    def fail(line: Line, now: int) -> Record | None:
        raise error("on purpose")

    monkeypatch.setitem(parse.READERS, "user", fail)
    found = scanned([user(), assistant()])
    assert (1, 1) == (found.bad_lines, len(found.replies))


def test_reply_of_endless_steps() -> None:
    """A reply may have as many steps as any has, and no more."""
    step = {"type": "message", "input_tokens": 1}
    most = usage(iterations=[step] * MOST_ITERATIONS)
    assert 1 == len(parsed(assistant(most)))
    with pytest.raises(BadLine):
        Parser(NOW).parse(assistant({**most, "iterations": [step] * (MOST_ITERATIONS + 1)}))


NAMES = [
    *("uuid", "sessionId", "requestSessionId", "requestId", "agentId", "attributionAgent"),
    *("customTitle", "agentName", "accountUuid", "cwd", "timestamp"),
]
ALL_LONG: Json = dict.fromkeys(NAMES, LONG)


@pytest.mark.parametrize(
    "line",
    [
        assistant(message=LONG, model=LONG, request=None, **ALL_LONG),
        assistant(message=None, request=LONG, sessionId=LONG),
        assistant(message=None, request=None, uuid=LONG),
        assistant(message=None, request=None, uuid=None, sessionId=LONG),
        assistant(usage(iterations=[{"type": "advisor_message", "model": LONG}])),
        user(uuid=LONG, sessionId=LONG, cwd=LONG),
        as_line({"type": "custom-title", "sessionId": LONG, "customTitle": LONG}),
        as_line({"type": "agent-name", "sessionId": LONG, "agentName": LONG}),
        as_line({"type": "session-owner", "sessionId": LONG, "accountUuid": LONG}),
        as_line(
            {
                "type": "cost-state",
                "sessionId": LONG,
                "totalCostUSD": 1,
                "modelUsage": {LONG: {"inputTokens": 1}},
            }
        ),
        refusal('1e9,"rateLimitType":"' + LONG + '"').replace(b'"s"', f'"{LONG}"'.encode()),
    ],
    ids=range(11),
)
def test_long_names_do_not_fill_the_ledger(line: bytes) -> None:
    """However long the names, ids and paths in a line are, little of them is kept."""
    scan = scanned([line])
    assert 0 == scan.bad_lines
    assert scan.replies or scan.prompts or scan.profiles or scan.refusals
    assert 2 * LONGEST_PATH + 20 * LONGEST_NAME > len(msgspec.msgpack.encode(scan))


def test_long_ids_are_told_apart() -> None:
    """Ids that differ only far behind, where they are cut, are two."""
    lines = [assistant(message=LONG + end, request=LONG + end) for end in "ab"]
    assert 2 == len({(each.message, each.request) for each in scanned(lines).replies})


def test_long_names_in_sidecars_and_sessions(tmp_path: Path) -> None:
    """What a sidecar or a session file names is cut like what a log does."""
    sidecar = tmp_path / "agent-h1.meta.json"
    sidecar.write_text(json.dumps({"agentType": "t" * 30_000, "description": "d" * 30_000}))
    helper = read_helper(str(tmp_path / "agent-h1.jsonl"))
    assert (LONGEST_NAME, LONGEST_NAME) == (len(helper.type), len(helper.description))
    (tmp_path / "7.json").write_text(
        json.dumps({"pid": 7, **dict.fromkeys(("sessionId", "cwd", "name"), "n" * 30_000)})
    )
    session = read_session(str(tmp_path / "7.json"))
    assert session
    assert LONGEST_NAME == len(session.name or "")
    assert LONGEST_PATH == len(session.cwd or "")
    assert session.sessionId == place_of(f"/h/projects/-p/{'n' * 30_000}.jsonl")[0]


@pytest.mark.parametrize("field", ["pid", "startedAt", "procStart", "statusUpdatedAt"])
def test_numbers_in_sessions(tmp_path: Path, field: str) -> None:
    """A number that no process can have makes a bad session file, and nothing worse."""
    path = tmp_path / f"{'9' * 100 if field == 'pid' else '7'}.json"
    path.write_text('{"pid": 7, "' + field + '": ' + "9" * 100 + "}")
    with pytest.raises(ValueError, match=path.name):
        read_session(str(path))


# Money.


def dear(**more: object) -> Reply:
    """A request for all the tokens there can be, at the dearest price there can be."""
    most = usage(*[MOST_TOKENS] * 4, speed="fast", inference_geo="us")
    [found] = parsed(assistant(most, model="dear"))
    assert isinstance(found, Reply)
    return replace(found, web_searches=MOST_TOKENS, **more)


def test_no_request_costs_more_than_can_be_counted() -> None:
    """At the highest prices and factors, the value of a request still fits a float to the last digit."""
    assert (MOST_VALUE, False) == charge(dear(), load_prices(DEAREST))
    assert MOST_VALUE < 2**53


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("input = 10000", "10001"),
        ("output = 10000", "1e300"),
        ("fast = 100", "100.001"),
        ("above_100k = 100", "1000000"),
        ("us_inference = 100", "101"),
        ("web_search = 10000", "1e9"),
        ("input = 10000", "9" * 5000),
        ("input = 10000", "0x" + "f" * 5000),
    ],
)
def test_prices_above_all_bounds(line: str, value: str) -> None:
    """A price or a factor far above any that there is is refused in one line."""
    load_prices(DEAREST)
    name, _, _ = line.partition(" = ")
    with pytest.raises(PriceError) as raised:
        load_prices(DEAREST.replace(line, f"{name} = {value}"))
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 200


def test_dearest_requests_are_booked(store: Store) -> None:
    """Requests beyond all measure are booked at the most there can be, and counted as bad lines."""
    pipeline = river(store, DEAREST)
    lines = [
        assistant(usage(MOST_TOKENS, MOST_TOKENS), model="dear", message=f"m{i}", request=f"r{i}")
        for i in range(12)
    ]
    pipeline.post([scanned(lines, LOG)], NOW)
    [row] = rows(store)
    assert (12, 12 * MOST_TOKENS, 12 * MOST_VALUE) == (row.requests, row.input, row.value)
    assert 12 == pipeline.bad_lines


def test_no_row_overflows(store: Store) -> None:
    """However much is booked in a row, it can be saved, read and added to."""

    def book(value: int) -> None:
        def work(transaction: Transaction) -> None:
            posting = Posting()
            number = transaction.number_of(Book("conv-1", "opus", "api", workflow="w"))
            posting.add((1, number), Totals(requests=1, value=value))
            transaction.save(posting)

        store.write(work)

    for value in (MOST_SAVED, MOST_SAVED, 2**70, 5):
        book(value)
    assert [Totals(requests=4, value=MOST_SAVED)] == rows(store)
    book(-(2**70))
    assert [Totals(requests=5, value=-MOST_SAVED)] == rows(store)
    [part] = store.read(lambda transaction: transaction.work.sums_of("w"))
    assert Totals(requests=5, value=-MOST_SAVED) == part.totals


# Many of something.


def test_many_conversations_in_a_log(store: Store) -> None:
    """A log that names another conversation in each line takes no longer for that."""
    lines = [
        assistant(message=f"m{i}", request=f"r{i}", requestSessionId=f"own-{i}")
        for i in range(20_000)
    ]
    scan = scanned([*lines, user()], LOG)
    began = time.perf_counter()
    river(store).post([scan], NOW)
    assert time.perf_counter() - began < 20
    found = store.read(lambda transaction: dict(transaction.conversations()))
    assert 20_001 == len(found)
    assert (NINE_MS, NINE_MS, "") == (
        found["own-7"].first_time,
        found["own-7"].last_time,
        found["own-7"].cwd,
    )
    assert "/home/dev/src/shop" == found["conv-1"].cwd


def test_many_request_ids_of_a_message(store: Store) -> None:
    """A message that names another request in each line takes no longer for that."""
    lines = [assistant(usage(i), request=f"r{i:05}") for i in range(3_000)]
    scan = scanned(reversed(lines), LOG)
    began = time.perf_counter()
    river(store).post([scan], NOW)
    assert time.perf_counter() - began < 20
    group = store.read(lambda transaction: transaction.group("m:msg_1"))
    assert group
    assert [f"r{i:05}" for i in range(MOST_ENTRIES)] == [each.request for each in group.entries]


@given(st.permutations(range(MOST_ENTRIES + 10)), st.permutations(range(MOST_ENTRIES + 10)))
def test_entries_do_not_depend_on_the_order(one: list[int], other: list[int]) -> None:
    """Of more request ids than there can be the same ones stay, whichever came first."""

    def filed(order: list[int]) -> tuple[Reply, ...]:
        entries: tuple[Reply, ...] = ()
        for number in order:
            entries = file_under(entries, f"r{number:02}", dear(request=f"r{number:02}"))
        return entries

    assert filed(one) == filed(other)


def test_many_unknown_models(store: Store) -> None:
    """Of models without a price so many names are kept as there can be, and that there are more."""
    pipeline = river(store)
    for start in range(0, 600, 300):
        models = range(start, start + 300)
        pipeline.post(
            [scanned([assistant(message=f"m{i}", model=f"claude-x{i:03}") for i in models], LOG)],
            NOW,
        )
    expected = {AND_MORE, *(f"claude-x{i:03}" for i in range(MOST_NAMES))}
    assert expected == pipeline.unpriced_models == river(store).unpriced_models
    assert AND_MORE == max(expected)
    pipeline.settle_unpriced({"claude-x007"})
    assert AND_MORE not in pipeline.unpriced_models


def test_few_unknown_models_stay() -> None:
    """Up to the bound every name is kept."""
    names = {f"m{i}" for i in range(MOST_NAMES)}
    assert names == bounded(names)


def test_unknown_models_are_told_together() -> None:
    """A few new models are told one by one, many in one line, too many once, and none twice."""
    told = ToldModels()
    assert ["no price for a: charged as its dearest kin, shown ~"] == told.news(["a"])
    assert [] == told.news(["a"])
    [text] = told.news([f"b{i}" for i in range(10)])
    assert "no price for b0 and 9 more: charged as their dearest kin, shown ~" == text
    [text] = told.news([f"c{i:04}" for i in range(1_000)])
    assert "no price for c0000 and many more: see toll prices check" == text
    assert [] == told.news([f"d{i}" for i in range(1_000)])


def test_price_list_forgets_models() -> None:
    """Prices of models that were only asked for once are not kept for ever."""
    prices = load_prices()
    before = sizes(prices)
    for number in range(3 * MOST_MODELS_CACHED):
        assert prices.price(f"claude-opus-x{number}", NOW).guessed
    assert sizes(prices) - before <= MOST_MODELS_CACHED
    assert not prices.price(OPUS, NOW).guessed


def sizes(thing: object) -> int:
    """How many entries the dictionaries of this object hold."""
    return sum(len(value) for value in vars(thing).values() if hasattr(value, "__len__"))


# Statistics of the client.


def write_statistics(home: Path, days: list[str], models: int = 1) -> None:
    """The client's file, with tokens of these days."""
    tokens = {f"claude-m{i}": i + 1 for i in range(models)}
    home.mkdir(exist_ok=True)
    content = {"dailyModelTokens": [{"date": day, "tokensByModel": tokens} for day in days]}
    (home / FILE).write_text(json.dumps(content))


def test_days_that_can_not_be(tmp_path: Path) -> None:
    """Days from before there was a client, and days still to come, are passed over."""
    write_statistics(
        tmp_path, ["0001-01-01", "2023-12-31", "2024-01-01", "2026-11-22", "2026-11-23"]
    )
    assert ["2024-01-01", "2026-11-22"] == [each.date for each in read_stats_cache(tmp_path, TODAY)]


def test_days_without_end(tmp_path: Path) -> None:
    """Of more days than there can be the latest are read, of a day's models the first."""
    days = [(date(2024, 1, 1) + timedelta(i)).isoformat() for i in range(MOST_DAYS + 5)]
    write_statistics(tmp_path, days)
    found = read_stats_cache(tmp_path, date(2060, 1, 1))
    assert days[5:] == [each.date for each in found]
    write_statistics(tmp_path, days[:1], MOST_MODELS + 50)
    [day] = read_stats_cache(tmp_path, TODAY)
    assert MOST_MODELS == len(day.models)


def test_days_are_saved_in_small_lots(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No transaction saves more than so many days, and all are saved."""
    days = [(TODAY - timedelta(i)).isoformat() for i in range(2 * SAVED_AT_ONCE + 1)]
    write_statistics(tmp_path / "home", days)
    sizes: list[int] = []
    write = store.write

    def counted(work: Callable[..., Any]) -> Any:
        before = len(store.read(lambda transaction: transaction.earlier_days()))
        result = write(work)
        sizes.append(len(store.read(lambda transaction: transaction.earlier_days())) - before)
        return result

    monkeypatch.setattr(store, "write", counted)
    StatsCaches(store).read([Home(tmp_path / "home")], NOW)
    assert [SAVED_AT_ONCE, SAVED_AT_ONCE, 1] == sizes


# Blocks of a log that can't be posted.


def unsavable(scan: Scan) -> Scan:
    """The scan with a number that no store can hold."""
    return replace(scan, replies=tuple(replace(each, input=2**70) for each in scan.replies))


def test_bad_block_costs_itself_alone(store: Store) -> None:
    """Of a batch with a scan that can't be saved the others are, and its log is read on."""
    pipeline = river(store)
    scans = [
        scanned([assistant(message=f"m{i}", request=f"r{i}"), user(uuid=f"u{i}")], LOG + "x" * i)
        for i in range(3)
    ]
    scans[1] = unsavable(scans[1])
    lost: list[str] = []
    salvage(
        scans,
        lambda some: pipeline.post(some, NOW, live=False),
        lambda scan, error: lost.append(f"{scan.path} {type(error).__name__}"),
    )
    assert [f"{LOG}x OverflowError"] == lost
    assert 2 == sum(each.requests for each in rows(store))
    assert 1 == river(store).bad_lines
    marks = store.read(lambda transaction: transaction.files())
    assert {scan.file: scan.mark.offset for scan in scans} == {
        file: mark.offset for file, mark in marks.items()
    }
    assert () == marks[scans[1].file].open


@pytest.mark.parametrize("error", [OSError(28, "full"), MemoryError(), lmdb.DiskError("full")])
def test_nothing_is_passed_over_for_want_of_room(error: Exception) -> None:
    """When the disk or the memory is full, that is the end of it: nothing counts as read."""
    posted: list[Scan] = []

    def post(scans: list[Scan]) -> None:
        posted.extend(scans)
        raise error

    with pytest.raises(type(error)):
        salvage([scanned([assistant()])] * 2, post, lambda scan, error: None)
    assert 2 == len(posted)

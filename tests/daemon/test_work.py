"""Questions about workflows: what each stage, workflow, role and path came to."""

import statistics
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import astuple, replace

from fleeting import fleeting_folder
from tollkeeper_daemon.clock import start_of
from tollkeeper_daemon.control import works as works_module
from tollkeeper_daemon.control.refusal import Refused
from tollkeeper_daemon.control.works import nearest
from tollkeeper_daemon.ledger.books import QUARTER_MS
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.reports.spread import quartile
from tollkeeper_daemon.store.in_brief import wall_clock, with_booked, with_spans
from tollkeeper_daemon.store.schema import SpanRecord, WorkflowRecord, WorkInBrief
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.workflows.spans import key_of

from .lines import HAIKU, NINE_MS
from .works import (
    AGENTS,
    NINE,
    UNKNOWN_MODEL,
    WORKFLOWS,
    Booking,
    agent,
    ask,
    book,
    booking,
    bookings,
    go_through,
    save_agents,
    span,
    spans,
)

Json = dict[str, Any]
DOLLAR = 10**9
# All that adds up from stage to stage; a duration does not, since stages may overlap.
COUNTS = (
    "requests",
    "messages",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "web_searches",
    "total_tokens",
    "unpriced_requests",
    "runs",
)
MONEY = ("cost_usd", "value_usd", "cache_saved_usd")
TIMES = ("worked_seconds", "waited_seconds", "held_seconds")
MEASURES = {
    "cost": "cost_usd",
    "value": "value_usd",
    "tokens": "total_tokens",
    "duration": "duration_seconds",
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as store:
        save_agents(store)
        yield store


def whole(value: float | None, unit: int) -> int:
    """The figure in its smallest unit."""
    return round((value or 0) * unit)


def answers(store: Store) -> list[Json]:
    """Every answer there is."""
    known = sorted(store.read(lambda transaction: transaction.work.known()))
    return [
        *(ask(store, "show", workflow=name) for name in known),
        *(ask(store, "compare", workflows=[known[0], name]) for name in known),
        *(ask(store, "top", by=by, last=100) for by in MEASURES),
        ask(store, "top"),
        ask(store, "stages"),
        ask(store, "paths"),
    ]


# What holds of any work.


@settings(max_examples=60)
@given(
    st.lists(bookings(), min_size=1, max_size=12),
    st.lists(spans(), max_size=6, unique_by=key_of),
    st.data(),
)
def test_any_split(booked: list[Booking], gone: list[SpanRecord], data: st.DataObject) -> None:
    """However the same bookings and spans are cut into postings, and in which order, the answers agree."""
    shuffled = data.draw(st.permutations(booked))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(booked)), max_size=3)))
    with (
        fleeting_folder() as one,
        fleeting_folder() as two,
        Store(Path(one)) as at_once,
        Store(Path(two)) as bit_by_bit,
    ):
        for store in (at_once, bit_by_bit):
            save_agents(store)
        book(at_once, *booked)
        go_through(at_once, gone)
        go_through(bit_by_bit, data.draw(st.permutations(gone)))
        for start, end in zip([0, *cuts], [*cuts, len(booked)], strict=True):
            book(bit_by_bit, *shuffled[start:end])
        assert answers(at_once) == answers(bit_by_bit)


@settings(max_examples=60)
@given(
    st.lists(bookings(), min_size=1, max_size=12), st.lists(spans(), max_size=6, unique_by=key_of)
)
def test_what_adds_up(booked: list[Booking], gone: list[SpanRecord]) -> None:
    """Lines add up to their totals, shares to one, and all that was booked is in top exactly once."""
    with fleeting_folder() as folder, Store(Path(folder)) as store:
        save_agents(store)
        book(store, *booked)
        go_through(store, gone)
        known = store.read(lambda transaction: transaction.work.known())
        shown = {name: ask(store, "show", workflow=name) for name in known}
        for told in shown.values():
            check_lines(told["stages"], told["totals"])
        for by in MEASURES:
            check_top(ask(store, "top", by=by, last=100), by, shown)
        totals = ask(store, "top")["totals"]
        work = [each for each in booked if each[1].workflow or each[1].task or each[1].stage]
        billed = [totals.value for _, book, totals in work if book.source == "api"]
        assert sum(billed) == whole(totals["cost_usd"], DOLLAR)
        assert sum(totals.value for _, _, totals in work) == whole(totals["value_usd"], DOLLAR)
        assert sum(totals.tokens for _, _, totals in work) == totals["total_tokens"]


def check_lines(lines: list[Json], totals: Json) -> None:
    """Whether the lines of a workflow come to these totals."""
    for key in COUNTS:
        assert totals[key] == sum(line[key] for line in lines), key
    for unit, keys in ((DOLLAR, MONEY), (1000, TIMES)):
        for key in keys:
            added = sum(whole(line[key], unit) for line in lines)
            assert whole(totals[key], unit) == added, key
    weight = sum(line["share"] for line in lines)
    assert weight == pytest.approx(1 if totals["value_usd"] else 0)
    longest = max((line["duration_seconds"] or 0 for line in lines), default=0)
    all_one_by_one = sum(line["duration_seconds"] or 0 for line in lines)
    assert longest <= (totals["duration_seconds"] or 0) <= all_one_by_one + 1e-6


def check_top(told: Json, by: str, shown: dict[str, Json]) -> None:
    """Whether each list is in order, has all shares, and the workflows' own totals."""
    key = MEASURES[by]
    for kind in ("workflows", "stages", "roles"):
        amounts = [each[key] or 0 for each in told[kind]]
        assert sorted(amounts, reverse=True) == amounts
        assert all(amounts)
        shares = [each["share"] for each in told[kind]]
        assert sum(shares) == pytest.approx(1 if amounts else 0)
        assert shares == pytest.approx([amount / sum(amounts) for amount in amounts])
    for each in told["workflows"]:
        totals = shown[each["workflow"] or ""]["totals"]
        for same in ("requests", "messages", *MEASURES.values(), "unpriced_requests"):
            assert totals[same] == each[same] or (not each["workflow"] and each[same] is None), same
    for each in told["stages"]:
        own = {
            name: line
            for name, one in shown.items()
            for line in one["stages"]
            if line["stage"] == each["stage"]
        }
        assert each["requests"] == sum(line["requests"] for line in own.values())
        if by == "duration":
            own.pop("", None)  # Of what is of no workflow no times are kept in brief.
        assert (each[key] or 0) == pytest.approx(sum(line[key] or 0 for line in own.values()))


@settings(max_examples=40)
@given(
    st.lists(bookings(), min_size=1, max_size=8), st.lists(spans(), max_size=4, unique_by=key_of)
)
def test_beside_itself(booked: list[Booking], gone: list[SpanRecord]) -> None:
    """A workflow differs from itself by nothing, and from another by what their figures do."""
    with fleeting_folder() as folder, Store(Path(folder)) as store:
        book(store, *booked, booking("w-1"), booking("other", value=7 * DOLLAR))
        go_through(store, gone)
        told = ask(store, "compare", workflows=["w-1", "w-1", "other"])
        for cells in (*(stage["cells"] for stage in told["stages"]), told["totals"]):
            for cell in cells[:2]:
                assert {0, None} >= {*cell["difference"].values()}
                assert {0, None} >= {*cell["difference_percent"].values()}
            more = cells[2]["difference"]["value_usd"]
            assert cells[2]["value_usd"] - cells[0]["value_usd"] == pytest.approx(more)


@settings(max_examples=60)
@given(st.lists(bookings(), max_size=8), st.lists(spans(), max_size=5, unique_by=key_of), st.data())
def test_brief_is_kept(booked: list[Booking], gone: list[SpanRecord], data: st.DataObject) -> None:
    """What is kept in brief is at any time what the sums and spans say; and nothing, once all is gone."""
    with fleeting_folder() as folder, Store(Path(folder)) as store:
        save_agents(store)
        book(store, *booked)
        go_through(store, gone)
        taken = (
            data.draw(st.lists(st.sampled_from(range(len(booked))), unique=True)) if booked else []
        )
        left = [each for at, each in enumerate(booked) if at not in taken]
        book(store, *(booked[at] for at in taken), times=-1)
        assert afresh(left, gone) == kept_in(store)
        book(store, *left, times=-1)
        assert afresh([], gone) == kept_in(store)
        for each in gone:
            store.write(lambda transaction, each=each: transaction.work.drop_span(each))
        assert {} == kept_in(store)
        assert [] == store.read(lambda transaction: [*transaction.work.sums()])


def kept_in(store: Store) -> dict[str, WorkInBrief]:
    """What is kept in brief, without the times of bookings, since those that are taken back leave theirs."""
    kept = store.read(lambda transaction: transaction.work.in_brief(0))
    return {work.workflow: undated(work) for work in kept}


def undated(work: WorkInBrief) -> WorkInBrief:
    """The brief without the times of bookings, in an order of its own."""
    briefs = sorted((replace(brief, last=0) for brief in work.briefs), key=astuple)
    return replace(work, briefs=tuple(briefs))


def afresh(booked: list[Booking], gone: list[SpanRecord]) -> dict[str, WorkInBrief]:
    """What these come to, summed up at once."""
    names = {"": "", **AGENTS}
    found: dict[str, WorkInBrief] = {}
    for name in WORKFLOWS:
        own = [each for each in booked if each[1].workflow == name]
        own = [each for each in own if name or each[1].task or each[1].stage]
        work = with_booked(WorkInBrief(name), own, lambda id: names[id])
        if name:
            own_spans = {span.id: span for span in gone if span.workflow == name}
            work = with_spans(work, [*own_spans.values()])
        if work.briefs or work.duration is not None:
            found[name] = undated(work)
    return found


@given(st.lists(spans(), max_size=8, unique_by=key_of))
def test_wall_clock(gone: list[SpanRecord]) -> None:
    """What overlaps counts once: as many seconds as there are in any of them."""
    seconds = {at for each in gone for at in range(each.started // 1000, each.ended // 1000)}
    expected = len(seconds) * 1000 if gone else None
    assert expected == wall_clock(gone, 0)


@given(st.lists(st.integers(0, 10**12), min_size=2, max_size=30))
def test_quartiles(amounts: list[int]) -> None:
    """They are those of the statistics library, to a whole number; their ends are the least and the most."""
    ordered = sorted(amounts)
    expected = statistics.quantiles(ordered, method="inclusive")
    assert expected == pytest.approx([quartile(ordered, at) for at in (1, 2, 3)], abs=0.6)
    assert (ordered[0], ordered[-1]) == (quartile(ordered, 0), quartile(ordered, 4))


def test_who_is_in_a_brief() -> None:
    """Helpers of one type are one, whosever they are; an agent is named, once that is known."""
    booked = [
        booking(agent="1-1", helper="analyst", value=1),
        booking(agent="3-3", helper="analyst", value=2),
        booking(agent="3-3", value=4),
    ]
    work = with_booked(WorkInBrief("w-1"), booked, lambda id: AGENTS[id] if id else "")
    found = [(each.helper, each.agent, each.name, each.value) for each in work.briefs]
    assert [("analyst", "", "", 3), ("", "3-3", "Bob", 4)] == found


def test_a_span_that_ends(store: Store) -> None:
    """A span that is saved again as it ends, or otherwise, counts as it is now."""
    go_through(store, [span(ended=60, id="m:1"), span(ended=90, id="m:1")])
    go_through(store, [span(ended=None, id="m:2"), span(ended=80, id="m:2")])
    assert [90.0] == [
        each["duration_seconds"] for each in ask(store, "top", by="duration")["stages"]
    ]
    go_through(store, [span(stage="review", ended=90, id="m:1")])
    lasted = {
        each["stage"]: each["duration_seconds"]["max"] for each in ask(store, "stages")["stages"]
    }
    assert {"review": 90.0, "plan": 80.0} == lasted


# show


def test_stages_in_order(store: Store) -> None:
    """Stages stand by the numbers of their tasks, then by when they began, and what has none last."""
    book(
        store,
        booking(stage=""),
        booking(stage="late", at=2),
        booking(stage="early", at=1),
        booking(stage="review", task="w-1.10-review"),
        booking(stage="plan", task="w-1.2-plan", at=3),
        booking(stage="plan", task="w-1.11-plan"),
    )
    go_through(store, [span(stage="spanned", started=60)])
    told = ask(store, "show", workflow="w-1")["stages"]
    order = ["plan", "review", "spanned", "early", "late", None]
    assert order == [line["stage"] for line in told]
    assert ("w-1.2-plan", "w-1.11-plan") == told[0]["tasks"]


def test_stages_in_the_same_quarter_of_an_hour(store: Store) -> None:
    """Stages that began within one stand in the order in which their spans say."""
    stages = ["review", "plan", "implement"]
    for minute, stage in enumerate(stages):
        book(store, booking(stage=stage))
        go_through(store, [span(stage=stage, started=60 * minute, id=f"m:{stage}")])
    assert stages == [line["stage"] for line in ask(store, "show", workflow="w-1")["stages"]]


def test_line_of_a_stage(store: Store) -> None:
    """A line names who did it with which models, how often and how it went, and what it took."""
    book(
        store,
        booking(helper="analyst", input=10, output=2, cache_read=30, value=3 * DOLLAR),
        booking(agent="2-2", model=HAIKU, source="subscription", input=60, value=DOLLAR),
        booking(agent="9-9", messages=1, model=""),
        booking(stage="review", value=DOLLAR),
    )
    runs = [
        span(started=0, ended=60, role="analyst", worked=40_000, waited=5_000, status="failed"),
        span(started=30, ended=90, held=15_000, status="completed"),
    ]
    go_through(store, runs)
    told = ask(store, "show", workflow="w-1")
    [line, _] = told["stages"]
    expected = {
        "stage": "plan",
        "tasks": (),
        "roles": ("9-9", "Ada", "analyst"),
        "models": (HAIKU, "claude-opus-5-5"),
        "requests": 3,
        "messages": 1,
        "cost_usd": 3.0,
        "value_usd": 4.0,
        "share": 0.75,
        "cache_hit_rate": 0.3,
        "duration_seconds": 90.0,
        "worked_seconds": 40.0,
        "waited_seconds": 5.0,
        "held_seconds": 15.0,
        "runs": 2,
        "status": "completed",
    }
    assert expected == {key: line[key] for key in expected}
    assert "cost" == told["share_of"]


def test_share_of_the_value(store: Store) -> None:
    """Where nothing is billed the shares are those of the list price."""
    for stage, value in (("plan", 1), ("review", 3)):
        book(store, booking(stage=stage, source="subscription", value=value * DOLLAR))
    told = ask(store, "show", workflow="w-1")
    assert ("value", [0.25, 0.75]) == (
        told["share_of"],
        [line["share"] for line in told["stages"]],
    )


def test_what_the_cache_saved(store: Store) -> None:
    """It is what the tokens would have cost as input, less what reading and writing them cost."""
    million = 10**6
    # Of Opus: input $4, read $0.20, write $5 and $8 per million.
    book(store, booking(input=million, cache_read=2 * million, cache_write_5m=million))
    assert (
        2 * (4 - 0.2) + (4 - 5) == ask(store, "show", workflow="w-1")["totals"]["cache_saved_usd"]
    )
    book(store, booking(stage="review", cache_write_1h=million))
    told = ask(store, "show", workflow="w-1")
    assert [6.6, -4.0] == [line["cache_saved_usd"] for line in told["stages"]]
    assert 2.6 == told["totals"]["cache_saved_usd"]
    assert 0.4 == told["totals"]["cache_hit_rate"]


def test_saved_without_a_price(store: Store) -> None:
    """Of a model without a price nobody knows what the cache saved, unless it used none."""
    book(store, booking(cache_read=1), booking(model=UNKNOWN_MODEL, input=1, unpriced=1))
    assert ask(store, "show", workflow="w-1")["totals"]["cache_saved_usd"] is not None
    book(store, booking(model=UNKNOWN_MODEL, cache_read=1, unpriced=1))
    told = ask(store, "show", workflow="w-1")
    assert (None, 2) == (told["totals"]["cache_saved_usd"], told["totals"]["unpriced_requests"])


def test_what_is_not_known(store: Store) -> None:
    """Without spans there is no duration, without input no rate, without markers no status."""
    book(store, booking(requests=0, messages=1))
    told = ask(store, "show", workflow="w-1")
    totals = told["totals"]
    for key in ("duration_seconds", "worked_seconds", "status", "cache_hit_rate"):
        assert totals[key] is None, key
    assert {None} == {told[key] for key in ("path", "status", "started_at", "ended_at")}


def test_a_stage_that_lasts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A span that has not ended lasts until now, in every answer."""
    go_through(store, [span(ended=None), span(started=-60, ended=0, status="failed", id="m:x")])
    monkeypatch.setattr(works_module, "now_ms", lambda: NINE_MS + 30_000)
    line = ask(store, "show", workflow="w-1")["stages"][0]
    assert (90.0, "running") == (line["duration_seconds"], line["status"])
    [first] = ask(store, "top", by="duration")["stages"]
    [stage] = ask(store, "stages")["stages"]
    assert [90.0, 90.0] == [first["duration_seconds"], stage["duration_seconds"]["max"]]


@pytest.mark.parametrize(
    ("record", "status"),
    [
        (WorkflowRecord("w-1", NINE_MS), "running"),
        (WorkflowRecord("w-1", NINE_MS, NINE_MS + 1, "full", "failed"), "failed"),
        (WorkflowRecord("w-1", NINE_MS, NINE_MS + 1), None),
    ],
)
def test_how_a_workflow_stands(store: Store, record: WorkflowRecord, status: str | None) -> None:
    """A workflow is running, or as it ended, by its markers; and is known before it has done anything."""
    store.write(lambda transaction: transaction.work.save_workflow(record))
    told = ask(store, "show", workflow="w-1")
    assert (status, record.path or None) == (told["status"], told["path"])
    assert [] == told["stages"]


def test_unknown(store: Store) -> None:
    """A workflow that nothing is known of is refused, with those that may have been meant."""
    for name in (".claude-4nq", ".claude-4nr", "other"):
        book(store, booking(name))
    with pytest.raises(Refused, match=r"no workflow '4nq' is known") as refused:
        ask(store, "show", workflow="4nq")
    assert "is it '.claude-4nq'?" == refused.value.hint
    with pytest.raises(Refused, match="no workflow 'zzz' is known"):
        ask(store, "compare", workflows=["other", "zzz"])
    assert [".claude-4nq", ".claude-4nr"] == sorted(nearest(".claude-4nn", ["", *KNOWN]))
    assert [] == nearest("", KNOWN)


KNOWN = (".claude-4nq", ".claude-4nr", "other")


@pytest.mark.parametrize("names", [[], ["a"], ["a"] * 101, "ab", [1, 2]])
def test_nothing_to_compare(store: Store, names: Any) -> None:
    """One workflow alone can't be compared, nor can too many."""
    with pytest.raises(Refused) as refused:
        ask(store, "compare", workflows=names)
    assert "bad-params" == refused.value.code


def test_stage_of_one_alone(store: Store) -> None:
    """A stage that the first has not is all difference, and has no percent."""
    book(store, booking("w-1", "plan", value=DOLLAR), booking("w-2", "review", value=2 * DOLLAR))
    told = ask(store, "compare", workflows=["w-1", "w-2"])
    assert ["plan", "review"] == [stage["stage"] for stage in told["stages"]]
    plan, review = ([cell["difference"]["cost_usd"] for cell in s["cells"]] for s in told["stages"])
    assert ([0.0, -1.0], [0.0, 2.0]) == (plan, review)
    percents = [stage["cells"][1]["difference_percent"]["cost_usd"] for stage in told["stages"]]
    assert [-100.0, None] == percents
    total = told["totals"][1]
    assert (1.0, 100.0) == (
        total["difference"]["cost_usd"],
        total["difference_percent"]["cost_usd"],
    )
    assert total["difference"]["duration_seconds"] is None


# top


def test_top_three(store: Store) -> None:
    """The dearest come first, so many as were asked for, else ten workflows and three of the others."""
    for number in range(12):
        book(store, booking(f"w-{number:02}", f"s-{number:02}", value=(number + 1) * DOLLAR))
    told = ask(store, "top")
    assert [10, 3, 1] == [len(told[kind]) for kind in ("workflows", "stages", "roles")]
    assert ["s-11", "s-10", "s-09"] == [stage["stage"] for stage in told["stages"]]
    assert 12 / 78 == told["workflows"][0]["share"]
    assert ["w-11", "w-10"] == [each["workflow"] for each in ask(store, "top", last=2)["workflows"]]
    assert 12 == ask(store, "top", last=2)["totals"]["workflows"]


def test_top_by(store: Store) -> None:
    """It is by what is billed; by list price where nothing is; or by what was asked for."""
    book(store, booking("free", source="subscription", value=DOLLAR, input=5))
    assert "value" == ask(store, "top")["by"]
    book(store, booking("paid", value=1, input=1))
    assert ("cost", ["paid"]) == (
        ask(store, "top")["by"],
        [each["workflow"] for each in ask(store, "top")["workflows"]],
    )
    for by in ("value", "tokens"):
        assert "free" == ask(store, "top", by=by)["workflows"][0]["workflow"]
    assert [] == ask(store, "top", by="duration")["workflows"]


def test_roles_by_name(store: Store) -> None:
    """Agents of one name are one role, whatever their ids; a helper's type goes before its agent's name."""
    book(
        store,
        booking(agent="1-1", value=1),
        booking("w-2", agent="2-2", value=1),
        booking(agent="3-3", helper="analyst", value=1),
        booking(agent="", value=1),
    )
    roles = {each["role"]: each["cost_usd"] for each in ask(store, "top")["roles"]}
    assert {"Ada": 2e-9, "analyst": 1e-9, None: 1e-9} == roles


@pytest.mark.parametrize(
    ("name", "role"),
    [("Bea", "Bea"), ("Bea-2", "Bea"), ("shop-12", "shop"), ("a-1-2", "a-1"), ("-3", "-3")],
)
def test_numbered_agents(store: Store, name: str, role: str) -> None:
    """What tells agents of one name apart makes no other role of them."""
    store.write(lambda transaction: transaction.save_agent(agent(name, "7-7")))
    book(store, booking(agent="7-7", value=1), booking(agent="8-88", value=2))
    told = ask(store, "top")["roles"]
    assert ["8-88", role] == [each["role"] for each in told]


def test_numbered_agents_by_time(store: Store) -> None:
    """A role's time is that of all its agents."""
    go_through(store, [span(role="Bea", ended=60), span(role="Bea-2", started=30, ended=60)])
    [role] = ask(store, "top", by="duration")["roles"]
    assert ("Bea", 90.0, 1.0) == (role["role"], role["duration_seconds"], role["share"])


def test_equals_by_name(store: Store) -> None:
    """What costs the same stands in the order of the names."""
    names = [f"w-{number:02}" for number in range(12)]
    book(store, *(booking(name, value=1) for name in reversed(names)))
    assert names[:10] == [each["workflow"] for each in ask(store, "top")["workflows"]]


def test_agent_known_later(store: Store) -> None:
    """An agent that was booked before it was saved is called by its name all the same."""
    book(store, booking(agent="7-7", value=1))
    assert ["7-7"] == [each["role"] for each in ask(store, "top")["roles"]]
    store.write(lambda transaction: transaction.save_agent(agent("Eve", "7-7")))
    assert ["Eve"] == [each["role"] for each in ask(store, "top")["roles"]]
    book(store, booking("w-2", agent="7-7", value=1))
    assert [("Eve", 2)] == [(each["role"], each["requests"]) for each in ask(store, "top")["roles"]]


def test_since(store: Store) -> None:
    """A workflow that was worked on since a day counts as a whole; what is of none, part by part."""
    days = 96 * 3
    book(
        store,
        booking("old", value=1),
        booking("both", value=2),
        booking("both", at=days, value=3),
        booking("", "a", value=4),
        booking("", "b", at=days, value=5),
    )
    go_through(store, [span("spanned", started=3 * 86_400, ended=3 * 86_400 + 9)])
    day = datetime.fromtimestamp(NINE_MS / 1000, UTC).date() + timedelta(days=2)
    since = day.isoformat()
    told = ask(store, "top", since=since)
    found = {each["workflow"]: each["cost_usd"] for each in told["workflows"]}
    assert {"both": 5e-9, None: 5e-9} == found
    # What is of no workflow is no workflow; one that comes to nothing is one, and not among the dearest.
    assert (2, day) == (told["totals"]["workflows"], told["since"])
    [stage] = ask(store, "stages", since=since)["stages"]
    assert ("plan", 2) == (stage["stage"], stage["workflows"])
    [path] = ask(store, "paths", since=since)["paths"]
    assert 2 == path["workflows"]
    assert 3 == ask(store, "paths")["paths"][0]["workflows"]


def test_since_the_first_moment(store: Store) -> None:
    """What was asked in the first quarter of an hour of a day is of that day, and nothing before."""
    midnight = start_of(date(2026, 11, 23))
    first = midnight // QUARTER_MS - NINE
    book(store, booking("in time", at=first, value=1), booking("too early", at=first - 1, value=1))
    told = ask(store, "top", since="2026-11-23")
    assert ["in time"] == [each["workflow"] for each in told["workflows"]]
    for name, began in (("begun", midnight), ("begun before", midnight - 1)):
        record = WorkflowRecord(name, began, path="idle")
        store.write(lambda transaction, record=record: transaction.work.save_workflow(record))
    paths = ask(store, "paths", since="2026-11-23")["paths"]
    assert {"idle": 1, None: 1} == {each["path"]: each["workflows"] for each in paths}


# stages and paths


def test_stages(store: Store) -> None:
    """A stage is told with how many workflows went through it, the middle, and both ends."""
    for number, value in enumerate((1, 5, 2, 100)):
        book(store, booking(f"w-{number}", value=value * DOLLAR, input=number))
        book(store, booking(f"w-{number}", "cheap", value=1))
    book(store, booking("", "plan", value=10**15))
    go_through(store, [span("w-0"), span("w-1", ended=30), span("w-1", role="Bob", ended=40)])
    told = ask(store, "stages")["stages"]
    assert [("plan", 4), ("cheap", 4)] == [(each["stage"], each["workflows"]) for each in told]
    expected = {
        "count": 4,
        "total": 108.0,
        "min": 1.0,
        "lower_quartile": 1.75,
        "median": 3.5,
        "upper_quartile": 28.75,
        "max": 100.0,
    }
    assert expected == told[0]["cost_usd"] == told[0]["value_usd"]
    assert (2, 50.0, 40.0) == tuple(
        told[0]["duration_seconds"][key] for key in ("count", "median", "min")
    )
    assert told[1]["duration_seconds"] is None
    assert ["cheap"] == [each["stage"] for each in ask(store, "stages", stage="cheap")["stages"]]
    assert [] == ask(store, "stages", stage="none")["stages"]


def test_paths(store: Store) -> None:
    """Paths stand beside each other: how many went each, how many failed, what they took."""
    ends = {"a": ("full", "completed"), "b": ("full", "failed"), "c": ("fast-track", "completed")}
    records = [WorkflowRecord(name, NINE_MS, NINE_MS + 9, *end) for name, end in ends.items()]
    records.append(WorkflowRecord("d", NINE_MS, path="full"))

    for number, record in enumerate(records):
        store.write(lambda transaction, record=record: transaction.work.save_workflow(record))
        if record.id != "b":
            book(store, booking(record.id, value=(number + 1) * DOLLAR))
    book(store, booking("unmarked"), booking(""))
    told = ask(store, "paths")["paths"]
    found = [
        (each["path"], each["workflows"], each["ended"], each["failed_share"]) for each in told
    ]
    assert [("full", 3, 2, 0.5), (None, 1, 0, None), ("fast-track", 1, 1, 0.0)] == found
    assert (5.0, 1.0) == (told[0]["cost_usd"]["total"], told[0]["cost_usd"]["median"])


def test_empty(store: Store) -> None:
    """Without any workflow there is an answer all the same."""
    assert [] == ask(store, "stages")["stages"] == ask(store, "paths")["paths"]
    told = ask(store, "top")
    assert ("value", [], 0) == (told["by"], told["workflows"], told["totals"]["workflows"])
    assert 0 == Totals().value == told["totals"]["value_usd"]


@pytest.mark.parametrize("name", [*WORKFLOWS, "w" * 300, "ä\x1b\n"])
def test_any_name(store: Store, name: str) -> None:
    """Whatever a workflow is called, it is found, and called so."""
    book(store, booking(name, value=1))
    assert (name or None) == ask(store, "show", workflow=name)["workflow"]
    assert [name or None] == [each["workflow"] for each in ask(store, "top")["workflows"]]

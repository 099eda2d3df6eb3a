"""What is told of spans: each part of the sums once, whatever the cutting, and by whom it belongs to."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tollkeeper_daemon.exchange.reckoning import (
    Added,
    by_model,
    by_part,
    news,
    share_of,
    with_added,
    with_reckoned,
)
from tollkeeper_daemon.labels.labels import Labels
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.store.errands import Part, part_of
from tollkeeper_daemon.store.schema import SpanRecord, WorkSum

from .lines import NINE_MS

OPUS, HAIKU = "claude-opus-5-5", "claude-haiku-5-5"


def booked(
    task: str = "w-1.1",
    stage: str = "analyze",
    agent: str = "100-1",
    kind: str = "",
    model: str = OPUS,
    source: str = "api",
    output: int = 1,
) -> WorkSum:
    """A part of the sums; a token is worth a dollar."""
    totals = Totals(requests=1, output=output, value=output * 10**9)
    return WorkSum(task, stage, agent, kind, model, source, 1, 1, totals)


def span(
    id: str = "m:1",
    task: str = "w-1.1",
    stage: str = "analyze",
    agent: str = "",
    role: str = "",
    subagent: str = "",
) -> SpanRecord:
    """A span of the workflow w-1."""
    labels = Labels("w-1", task, stage)
    return SpanRecord("w-1", id, labels, role, NINE_MS, NINE_MS + 1, agent=agent, subagent=subagent)


def role_of(each: WorkSum) -> str:
    """The helper's type, else the agent's id for a name."""
    return each.subagent_type or each.agent


SPANS = [
    span("m:1", task=""),
    span("m:2", task="w-1.2", role="planner"),
    span("m:3", stage="plan", agent="200-1"),
    span("a:100-1", agent="100-1", role="Ada"),
    span("s:c:h1", agent="100-1", role="analyst", subagent="h1"),
]
parts = st.builds(
    booked,
    task=st.sampled_from(["w-1.1", "w-1.2", ""]),
    stage=st.sampled_from(["analyze", "plan", ""]),
    agent=st.sampled_from(["100-1", "200-1", ""]),
    kind=st.sampled_from(["", "analyst", "planner"]),
    model=st.sampled_from([OPUS, HAIKU]),
    source=st.sampled_from(["api", "subscription"]),
    output=st.integers(-20, 50),
)
steps = st.lists(st.one_of(parts, st.integers(0, len(SPANS) - 1)), max_size=40)


class Book:
    """The sums of a workflow, what was reckoned of them, and what was told."""

    def __init__(self) -> None:
        self.sums: dict[Part, WorkSum] = {}
        self.reckoned: list[WorkSum] = []
        self.told: list[Added] = []

    def add(self, more: WorkSum) -> None:
        """Something is booked, or moves away."""
        known = self.sums.setdefault(part_of(more), replace(more, totals=Totals()))
        totals = replace(known.totals)
        totals.add(more.totals)
        self.sums[part_of(more)] = replace(known, totals=totals)
        if not totals:
            del self.sums[part_of(more)]

    def end(self, ended: SpanRecord) -> None:
        """A span has ended, and others last."""
        others = [each for each in SPANS if each.id != ended.id]
        told = share_of(ended, others, news(self.sums.values(), self.reckoned))
        self.reckoned = with_reckoned(self.reckoned, self.sums.values(), told)
        self.told += by_model(told, role_of)

    def close(self) -> None:
        """The workflow has ended."""
        self.told += by_part(news(self.sums.values(), self.reckoned), role_of)


@given(steps)
def test_sum_of_what_is_told(story: list[WorkSum | int]) -> None:
    """What is told of a workflow, added up, is what was booked, and what of it is billed."""
    book = Book()
    for step in story:
        if isinstance(step, int):
            book.end(SPANS[step])
        else:
            book.add(step)
    book.close()
    total, cost = Totals(), 0
    for each in book.told:
        total.add(each.totals)
        cost += each.cost
    expected = Totals()
    for each in book.sums.values():
        expected.add(each.totals)
    assert expected == total
    billed = [each for each in book.sums.values() if each.source == "api"]
    assert sum(each.totals.value for each in billed) == cost


@given(steps)
def test_told_once(story: list[WorkSum | int]) -> None:
    """Nothing is left to tell of what was told."""
    book = Book()
    for step in story:
        if isinstance(step, WorkSum):
            book.add(step)
    for each in SPANS:
        book.end(each)
        told = share_of(each, SPANS, news(book.sums.values(), book.reckoned))
        assert [] == told


def shared(*spans: SpanRecord, of: WorkSum) -> list[str]:
    """To which of these spans the part belongs."""
    return [each.id for each in spans if share_of(each, spans, [of])]


def test_what_belongs_to_whom() -> None:
    """A part belongs to an agent's or a helper's own span before a marked one, and to that which says most."""
    stage, task = span("m:1", task=""), span("m:2")
    by_agent = span("m:3", task="", agent="200-1", role="Bob")
    own, helper = (
        span("a:100-1", agent="100-1", role="Ada"),
        span("s:c:h1", agent="100-1", role="analyst", subagent="h1"),
    )
    assert ["m:2"] == shared(stage, task, of=booked())
    assert ["m:1"] == shared(stage, task, of=booked(task="w-1.2"))
    assert ["m:3"] == shared(stage, by_agent, of=booked(agent="200-1"))
    assert ["m:1", "m:3"] == shared(stage, by_agent, of=booked(agent="300-1"))
    assert ["a:100-1"] == shared(task, own, helper, of=booked())
    assert ["s:c:h1"] == shared(task, own, helper, of=booked(kind="analyst"))
    assert ["m:2"] == shared(task, own, of=booked(kind="planner"))
    assert ["a:100-1"] == shared(own, of=booked(kind="planner"))
    assert [] == shared(stage, task, own, helper, of=booked(stage="plan"))
    assert [] == shared(own, helper, of=booked(agent="200-1"))


def test_by_model_and_part() -> None:
    """A span is told by model, with the role where there is but one; a workflow by task, stage and role."""
    told = [
        booked(kind="analyst", output=1),
        booked(kind="analyst", output=2, source="subscription"),
        booked(kind="planner", output=4, stage="plan"),
        booked(kind="analyst", output=8, model=HAIKU),
    ]
    haiku, opus = by_model(told, role_of)
    assert (HAIKU, "analyst", "analyze", 8) == (
        haiku.model,
        haiku.role,
        haiku.stage,
        haiku.totals.output,
    )
    assert (OPUS, "", "", "w-1.1") == (opus.model, opus.role, opus.stage, opus.task)
    assert (7, 5 * 10**9) == (opus.totals.output, opus.cost)
    found = [
        (each.stage, each.role, each.model, each.totals.output) for each in by_part(told, role_of)
    ]
    assert [
        ("analyze", "analyst", HAIKU, 8),
        ("analyze", "analyst", OPUS, 3),
        ("plan", "planner", OPUS, 4),
    ] == found


def test_what_was_reported() -> None:
    """What lines have said of a span adds up by model, and what was known is not changed."""
    known = ((OPUS, Totals(output=1)),)
    added = by_model([booked(output=2), booked(output=4, model=HAIKU)], role_of)
    reported = with_added(known, added)
    assert [(HAIKU, 4), (OPUS, 3)] == [(model, totals.output) for model, totals in reported]
    assert 1 == known[0][1].output

"""What the pages need of the daemon's answers: a dict without it is refused before it is drawn."""

from datetime import date, datetime
from typing import Annotated, NotRequired, TypedDict

from msgspec import Meta

from tollkeeper.model import Importing

Month = Annotated[str, Meta(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]


class Answer(TypedDict):
    """Of any verb that says how far the history is read."""

    importing: NotRequired[Importing]


class Sums(TypedDict):
    """Figures of a line of a report."""

    inputTokens: int
    outputTokens: int
    cacheCreationTokens: int
    cacheReadTokens: int
    totalTokens: int
    costUSD: float
    valueUSD: float
    unpricedRequests: int


class Part(Sums):
    """What a line is split into, by its value in each dimension."""

    by: dict[str, str | None]


class Line(Sums):
    """A line with all that it is split into."""

    modelsUsed: NotRequired[list[str]]
    breakdown: NotRequired[list[Part]]


class Day(Line):
    """A day."""

    date: date


class Week(Line):
    """A week, by its first day."""

    week: date


class OfMonth(Line):
    """A month."""

    month: Month


class Daily(Answer):
    """The answer to ``daily``."""

    daily: list[Day]
    totals: Line


class EarlierDay(TypedDict):
    """A day of which only the client's own statistics tell."""

    date: date
    models: dict[str, int]
    tokens: int
    sessions: int


class Earlier(TypedDict):
    """The answer to ``earlier``."""

    earlier: list[EarlierDay]


class Weekly(Answer):
    """The answer to ``weekly``."""

    weekly: list[Week]
    totals: Line


class Monthly(Answer):
    """The answer to ``monthly``."""

    monthly: list[OfMonth]
    totals: Line


class WorkSums(TypedDict):
    """What some work came to."""

    requests: int
    total_tokens: int
    cost_usd: float
    value_usd: float
    unpriced_requests: int
    duration_seconds: float | None


class Told(TypedDict):
    """What markers told of a workflow."""

    workflow: str | None
    path: str | None
    status: str | None
    started_at: datetime | None
    ended_at: datetime | None


class Work(Told, WorkSums):
    """A workflow and its share in all of them."""

    share: float


class WorkTotals(WorkSums):
    """What all workflows came to."""

    workflows: int


class Top(Answer):
    """The answer to ``workflow.top``."""

    workflows: list[Work]
    totals: WorkTotals


class Stage(WorkSums):
    """A stage of a workflow, or all of them."""

    stage: NotRequired[str | None]
    roles: NotRequired[list[str]]
    models: NotRequired[list[str]]
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    cache_hit_rate: float | None
    cache_saved_usd: float | None
    share: float
    runs: int | None
    status: str | None


class Shown(Answer, Told):
    """The answer to ``workflow.show``."""

    stages: list[Stage]
    totals: Stage


class Minutes(TypedDict):
    """The answer to ``burn``."""

    begins_at: datetime
    minutes: list[float]


class Entry(TypedDict):
    """An entry of the journal."""

    number: int
    time: str
    kind: str
    text: str


class Log(TypedDict):
    """The answer to ``log``."""

    entries: list[Entry]

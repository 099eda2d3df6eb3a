"""What ``export`` answers: single requests, a page at a time."""

from msgspec import Struct


class Request(Struct, frozen=True, kw_only=True):
    """One paid request of the API. ``time`` is ISO 8601 in UTC, None is what is not known.

    ``subagent`` is the helper's id. Money is in dollars, rounded to nine places: ``value_usd`` is
    the list price, ``cost_usd`` what of it is billed; ``unpriced`` marks a guessed price.
    """

    time: str
    conversation: str | None
    project: str | None
    cwd: str | None
    agent: str | None
    agent_id: str | None
    subagent: str | None
    subagent_type: str | None
    model: str
    source: str
    account: str | None
    workflow: str | None
    task: str | None
    stage: str | None
    request: str | None
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    web_searches: int
    fast: bool
    us: bool
    value_usd: float
    cost_usd: float
    unpriced: bool


class Page(Struct, frozen=True):
    """Requests, oldest first. ``next`` is where to go on, None at the end.

    ``total`` says about how many requests there are in all pages; only the first page does.
    """

    requests: list[Request]
    next: str | None
    total: int | None = None

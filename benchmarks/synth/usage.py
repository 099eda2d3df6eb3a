"""What replies cost in tokens and dollars, and the truth about a whole corpus."""

from typing import Final

from msgspec import Struct, field

WEB_SEARCH_USD: Final = 0.01
US_FACTOR: Final = 1.1
LONG_CONTEXT: Final = 100_000


class Rates(Struct, frozen=True):
    """Dollars per million tokens; `fast` and `above_100k` multiply the whole request."""

    input: float
    output: float
    cache_read: float
    write_5m: float
    write_1h: float
    fast: float = 1.0
    above_100k: float = 1.0


RATES: Final = {
    "claude-opus-5-5": Rates(4.0, 20.0, 0.2, 5.0, 8.0, fast=2.0),
    "claude-opus-5": Rates(5.0, 25.0, 0.5, 6.25, 10.0, fast=2.0),
    "claude-opus-4-6": Rates(5.0, 25.0, 0.5, 6.25, 10.0, fast=6.0),
    "claude-opus-4-5-20251101": Rates(5.0, 25.0, 0.5, 6.25, 10.0),
    "claude-opus-4-1-20250805": Rates(15.0, 75.0, 1.5, 18.75, 30.0),
    "claude-sonnet-5-5": Rates(2.0, 10.0, 0.1, 2.5, 4.0),
    "claude-sonnet-5": Rates(2.0, 10.0, 0.2, 2.5, 4.0),
    "claude-sonnet-4-5-20250929": Rates(3.0, 15.0, 0.3, 3.75, 6.0),
    "claude-haiku-5-5": Rates(0.1, 0.5, 0.01, 0.125, 0.2, above_100k=5.0),
    "claude-haiku-4-5-20251001": Rates(1.0, 5.0, 0.1, 1.25, 2.0),
    "claude-fable-5-2": Rates(8.0, 40.0, 0.2, 10.0, 16.0, fast=2.0),
}


class Usage(Struct, frozen=True):
    """The tokens of one request. `split` tells how the log shows its cache writes."""

    input: int
    output: int
    cache_read: int
    write_5m: int
    write_1h: int
    thinking: int = 0
    searches: int = 0
    speed: str = "standard"
    geo: str = ""
    split: str = "both"

    @property
    def writes(self) -> int:
        """Give all cache writes."""
        return self.write_5m + self.write_1h


def cost(model: str, usage: Usage) -> float:
    """Price one request as the client does."""
    rates = RATES[model]
    tokens = (
        usage.input * rates.input
        + usage.output * rates.output
        + usage.cache_read * rates.cache_read
        + usage.write_5m * rates.write_5m
        + usage.write_1h * rates.write_1h
    )
    factor = rates.fast if usage.speed == "fast" else 1.0
    factor *= US_FACTOR if usage.geo == "us" else 1.0
    if usage.input + usage.cache_read + usage.writes > LONG_CONTEXT:
        factor *= rates.above_100k
    return tokens * factor / 1e6 + usage.searches * WEB_SEARCH_USD


class ModelTotals(Struct):
    """Sums over the requests of one model."""

    requests: int = 0
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    web_searches: int = 0
    thinking: int = 0
    cost_usd: float = 0.0

    def add(self, model: str, usage: Usage) -> None:
        """Count one request in."""
        self.requests += 1
        self.input += usage.input
        self.output += usage.output
        self.cache_read += usage.cache_read
        self.cache_write_5m += usage.write_5m
        self.cache_write_1h += usage.write_1h
        self.web_searches += usage.searches
        self.thinking += usage.thinking
        self.cost_usd += cost(model, usage)


class OddTotals(Struct):
    """How much of the truth lies in lines that simple readers get wrong, see `Truth`."""

    copied_requests: int = 0
    replayed_requests: int = 0
    partial_requests: int = 0
    fast_requests: int = 0
    us_requests: int = 0
    synthetic_lines: int = 0
    no_request_id_requests: int = 0
    no_request_id_repeats: dict[str, ModelTotals] = field(default_factory=dict[str, ModelTotals])
    zero_split_writes: dict[str, int] = field(default_factory=dict[str, int])
    no_split_writes: dict[str, int] = field(default_factory=dict[str, int])


class Truth(Struct):
    """What a right reader finds in a corpus: each request and each prompt counted once.

    `prompts` are those of main conversations; the task that opens each subagent's log stands
    in `subagent_prompts`. `odd.no_request_id_repeats` is what a reader adds which counts every
    line of a reply without `requestId`; `odd.zero_split_writes` (part of the 5-minute writes)
    is what a reader misses which trusts the split fields where both are 0.
    """

    seed: int
    now: str
    days: int
    sessions: int = 0
    forks: int = 0
    files: int = 0
    subagent_files: int = 0
    lines: int = 0
    assistant_lines: int = 0
    tool_result_lines: int = 0
    size: int = field(default=0, name="bytes")
    biggest_file: int = 0
    requests: int = 0
    prompts: int = 0
    subagent_prompts: int = 0
    cost_usd: float = 0.0
    models: dict[str, ModelTotals] = field(default_factory=dict[str, ModelTotals])
    odd: OddTotals = field(default_factory=OddTotals)

    def add_request(self, model: str, usage: Usage) -> None:
        """Count one request."""
        self.requests += 1
        self.cost_usd += cost(model, usage)
        self.models.setdefault(model, ModelTotals()).add(model, usage)
        self.odd.fast_requests += usage.speed == "fast"
        self.odd.us_requests += usage.geo == "us"
        unsplit = {"zero": self.odd.zero_split_writes, "none": self.odd.no_split_writes}
        if usage.split in unsplit:
            kind = unsplit[usage.split]
            kind[model] = kind.get(model, 0) + usage.writes

    def add_file(self, lines: list[bytes]) -> None:
        """Count what a file holds, copies as well."""
        size = sum(map(len, lines))
        self.files += 1
        self.lines += len(lines)
        self.assistant_lines += sum(b'"type":"assistant"' in line for line in lines)
        self.tool_result_lines += sum(b'"type":"tool_result"' in line for line in lines)
        self.size += size
        self.biggest_file = max(self.biggest_file, size)

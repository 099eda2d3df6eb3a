"""The client's own totals, as made-up lines of a log, and logs cut into scans."""

from collections.abc import Iterable

from tollkeeper_daemon.reading.scan import Scan, scan
from tollkeeper_daemon.records import FileMark, Spent, Statement
from tollkeeper_daemon.sources.tail import Reading

from .lines import NOW, OPUS, Json, as_block, as_line

STARTED = 1_795_337_000_000
LONG = 36_000_000
# What a reply of 10 tokens of input and 20 of output costs at Opus's prices, in nano-dollars.
SMALL = 440_000


def model_usage(spent: Spent) -> Json:
    """The totals of one model, as today's client writes them."""
    return {
        "inputTokens": spent.input,
        "outputTokens": spent.output,
        "thinkingTokens": 0,
        "cacheReadInputTokens": spent.cache_read,
        "cacheCreationInputTokens": spent.cache_write_5m + spent.cache_write_1h,
        "cacheCreationEphemeral5mInputTokens": spent.cache_write_5m,
        "cacheCreationEphemeral1hInputTokens": spent.cache_write_1h,
        "webSearchRequests": spent.web_searches,
        "costUSD": spent.value / 1e9,
    }


def cost_state(
    models: dict[str, Spent],
    conversation: str = "conv-1",
    started: int = STARTED,
    ran: int = LONG,
) -> bytes:
    """A line with the client's totals by model, when clients ran so long (ms)."""
    return as_line(
        {
            "type": "cost-state",
            "sessionId": conversation,
            "totalCostUSD": sum(spent.value for spent in models.values()) / 1e9,
            "totalLinesAdded": 1,
            "totalLinesRemoved": 2,
            "startTime": started,
            "totalDuration": ran,
            "modelUsage": {name: model_usage(spent) for name, spent in models.items()},
            "hasUnknownModelCost": False,
        }
    )


def replies_of(count: int) -> Spent:
    """What so many replies of the usual size, as ``assistant`` makes them, come to."""
    return Spent(input=10 * count, output=20 * count, value=SMALL * count)


def opus(spent: Spent) -> dict[str, Spent]:
    """Sums of Opus alone."""
    return {OPUS: spent}


def after(
    count: int, conversation: str = "conv-1", started: int = STARTED, ran: int = LONG
) -> bytes:
    """The client's totals after so many usual replies of Opus, when clients ran so long (ms)."""
    return cost_state(opus(replies_of(count)), conversation, started, ran)


def statement(started: int = STARTED, **models: Spent) -> Statement:
    """The same as a record."""
    named = tuple((name.replace("_", "-"), spent) for name, spent in models.items())
    value = sum(spent.value for _, spent in named)
    return Statement(named, value, started, duration=LONG)


def cut_log(path: str, lines: list[bytes], cuts: Iterable[int] = ()) -> list[Scan]:
    """The scans of this log when it is read in pieces that end before these lines."""
    ends = [*sorted(cuts), len(lines)]
    scans: list[Scan] = []
    offset = 0
    for start, end in zip([0, *ends], ends, strict=False):
        block = as_block(lines[start:end])
        offset += len(block)
        mark = FileMark(path, offset)
        file = (1, abs(hash(path)))
        scans.append(scan(Reading(file=file, block=block, mark=mark, bytes=len(block)), NOW))
    return scans

"""The lines of a session log, as far as they count: every field may be missing or null.

Format: as written by Claude Code 2.1.330 and earlier, in ``<config>/projects/**/*.jsonl``.
"""

from typing import Annotated

from msgspec import Meta, Raw, Struct

# Far above any model's context, far below what would let a broken line ruin the sums.
MOST_TOKENS = 1_000_000_000

UNKNOWN_MODEL = "unknown"
# Far more than any reply has; each step and each advice is one.
MOST_ITERATIONS = 500

Tokens = Annotated[int, Meta(ge=0, le=MOST_TOKENS)]
# The tokens of a whole conversation.
SummedTokens = Annotated[int, Meta(ge=0, le=MOST_TOKENS * 1_000)]
Milliseconds = Annotated[float, Meta(ge=0, le=1e15)]
Dollars = Annotated[float, Meta(ge=0, le=1e9)]
# Since 1970; up to the year 5138, which every calendar knows in every zone.
Seconds = Annotated[float, Meta(ge=0, le=1e11)]


class CacheCreation(Struct, gc=False):
    ephemeral_5m_input_tokens: Tokens | None = None
    ephemeral_1h_input_tokens: Tokens | None = None


class ServerToolUse(Struct, gc=False):
    web_search_requests: Tokens | None = None


class Iteration(Struct, gc=False):
    type: str | None = None
    model: str | None = None
    input_tokens: Tokens | None = None
    output_tokens: Tokens | None = None
    cache_read_input_tokens: Tokens | None = None
    cache_creation_input_tokens: Tokens | None = None
    cache_creation: CacheCreation | None = None


class LineUsage(Struct, gc=False):
    input_tokens: Tokens | None = None
    output_tokens: Tokens | None = None
    cache_read_input_tokens: Tokens | None = None
    cache_creation_input_tokens: Tokens | None = None
    cache_creation: CacheCreation | None = None
    server_tool_use: ServerToolUse | None = None
    speed: str | None = None
    inference_geo: str | None = None
    iterations: Annotated[list[Iteration | None], Meta(max_length=MOST_ITERATIONS)] | None = None


class Message(Struct, gc=False):
    id: str | None = None
    model: str | None = None
    usage: LineUsage | None = None
    content: Raw = Raw()


class QuotaLimits(Struct, gc=False):
    status: str | None = None
    resetsAt: Seconds | None = None
    rateLimitType: str | None = None


class Origin(Struct, gc=False):
    kind: str | None = None


class Attachment(Struct, gc=False):
    type: str | None = None
    origin: Origin | None = None
    commandMode: str | None = None
    isMeta: bool | None = None
    prompt: Raw = Raw()


class ModelUsage(Struct, gc=False):
    inputTokens: SummedTokens | None = None
    outputTokens: SummedTokens | None = None
    cacheReadInputTokens: SummedTokens | None = None
    cacheCreationInputTokens: SummedTokens | None = None
    cacheCreationEphemeral5mInputTokens: SummedTokens | None = None
    cacheCreationEphemeral1hInputTokens: SummedTokens | None = None
    webSearchRequests: SummedTokens | None = None
    costUSD: Dollars | None = None


class Kind(Struct, gc=False):
    """Any line, as far as its type goes."""

    type: str | None = None


class Line(Struct, gc=False):
    """Any line; ``type`` says which of the fields mean something."""

    type: str | None = None
    uuid: str | None = None
    parentUuid: str | None = None
    timestamp: str | None = None
    sessionId: str | None = None
    requestSessionId: str | None = None
    requestId: str | None = None
    cwd: str | None = None
    gitBranch: str | None = None
    message: Message | None = None
    agentId: str | None = None
    attributionAgent: str | None = None
    isSidechain: bool | None = None
    isApiErrorMessage: bool | None = None
    error: Raw = Raw()
    quotaLimits: QuotaLimits | None = None
    attachment: Attachment | None = None
    isMeta: bool | None = None
    isCompactSummary: bool | None = None
    promptSource: str | None = None
    turnOrigin: str | None = None
    customTitle: str | None = None
    agentName: str | None = None
    accountUuid: str | None = None
    totalCostUSD: Dollars | None = None
    totalLinesAdded: Tokens | None = None
    totalLinesRemoved: Tokens | None = None
    startTime: Milliseconds | None = None
    totalDuration: Milliseconds | None = None
    modelUsage: dict[str, ModelUsage | None] | None = None
    hasUnknownModelCost: bool | None = None

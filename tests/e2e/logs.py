"""What the client leaves on disk, read here without the project's own reader."""

from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct, field

from .replies import Tokens


class CacheCreation(Struct, frozen=True):
    ephemeral_5m_input_tokens: int = 0
    ephemeral_1h_input_tokens: int = 0


class ServerTools(Struct, frozen=True):
    web_search_requests: int = 0


class LoggedUsage(Struct, frozen=True):
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int = 0
    cache_creation: CacheCreation = CacheCreation()
    server_tool_use: ServerTools = ServerTools()
    speed: str | None = None

    def tokens(self) -> Tokens:
        return Tokens(
            input=self.input_tokens,
            output=self.output_tokens,
            cache_read=self.cache_read_input_tokens,
            cache_write_5m=self.cache_creation.ephemeral_5m_input_tokens,
            cache_write_1h=self.cache_creation.ephemeral_1h_input_tokens,
            web_searches=self.server_tool_use.web_search_requests,
        )


class LoggedMessage(Struct, frozen=True):
    id: str = ""
    model: str = ""
    content: str | list[msgspec.Raw] = ""
    usage: LoggedUsage | None = None


class QuotaLimits(Struct, frozen=True, rename="camel"):
    status: str = ""
    resets_at: int | None = None
    rate_limit_type: str = ""


class ModelUsage(Struct, frozen=True, rename="camel"):
    """The client's own running figures of a model."""

    input_tokens: int
    output_tokens: int
    cache_read: int = field(name="cacheReadInputTokens")
    cache_write_5m: int = field(name="cacheCreationEphemeral5mInputTokens")
    cache_write_1h: int = field(name="cacheCreationEphemeral1hInputTokens")
    web_searches: int = field(name="webSearchRequests")
    cost_usd: float = field(name="costUSD")

    def tokens(self) -> Tokens:
        return Tokens(
            input=self.input_tokens,
            output=self.output_tokens,
            cache_read=self.cache_read,
            cache_write_5m=self.cache_write_5m,
            cache_write_1h=self.cache_write_1h,
            web_searches=self.web_searches,
        )


class Line(Struct, frozen=True, rename="camel"):
    """A line of a session log: of any type, so that most fields are at their defaults."""

    type: str
    subtype: str | None = None
    session_id: str = ""
    request_session_id: str | None = None
    agent_id: str | None = None
    attribution_agent: str | None = None
    is_sidechain: bool = False
    request_id: str = ""
    prompt_source: str | None = None
    turn_origin: str | None = None
    is_api_error_message: bool = False
    error: object = None  # a word, or in a `system` line an object
    api_error: str | None = None
    api_error_status: int | None = None
    quota_limits: QuotaLimits | None = None
    message: LoggedMessage | None = None
    model_usage: dict[str, ModelUsage] = {}
    total_cost_usd: float | None = field(name="totalCostUSD", default=None)
    account_uuid: str | None = None
    custom_title: str | None = None


class SessionFile(Struct, frozen=True, rename="camel"):
    """What a running client says of itself in `sessions/<pid>.json`."""

    pid: int
    session_id: str
    cwd: str
    started_at: int
    version: str
    kind: str
    entrypoint: str
    proc_start: str | None = None
    name: str | None = None
    name_source: str | None = None
    status: str | None = None
    waiting_for: str | None = None


def read_lines(path: Path) -> list[Line]:
    """Read the lines that are whole."""
    *whole, _ = path.read_bytes().split(b"\n")
    return [msgspec.json.decode(line, type=Line) for line in whole]


def read_session_files(config_dir: Path) -> dict[int, SessionFile]:
    """Read them by process id, as far as they are there and whole at this moment."""
    files = (_session_file(path) for path in (config_dir / "sessions").glob("*.json"))
    return {file.pid: file for file in files if file}


def _session_file(path: Path) -> SessionFile | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=SessionFile)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def paid_replies(lines: Iterable[Line]) -> dict[str, LoggedMessage]:
    """Take every reply in the lines once, by its message id; its blocks all say the same."""
    return {
        line.message.id: line.message
        for line in lines
        if line.type == "assistant" and line.message and not line.is_api_error_message
    }


def logged_tokens(lines: Iterable[Line]) -> dict[str, Tokens]:
    """Sum up the replies in the lines, by the model that they name."""
    sums: dict[str, Tokens] = {}
    for reply in paid_replies(lines).values():
        if reply.usage:
            sums[reply.model] = sums.get(reply.model, Tokens()) + reply.usage.tokens()
    return sums


def cost_state(lines: Iterable[Line]) -> dict[str, Tokens]:
    """Take the client's own running totals by model, as it wrote them last."""
    states = [line.model_usage for line in lines if line.type == "cost-state"]
    return {model: usage.tokens() for model, usage in states[-1].items()} if states else {}

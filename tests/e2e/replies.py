"""What the stand-in can be told to reply: small frozen values."""

from collections.abc import Mapping
from threading import Event
from typing import Any

from msgspec import Struct
from msgspec.structs import astuple

# Keywords of the prompts that the client writes by itself.
SEARCHING = "Perform a web search"
COMPACTING = "Respond with TEXT ONLY"
TITLING = "Write the title"


class Tokens(Struct, frozen=True, kw_only=True):
    """What is counted, of one reply or summed over many."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    web_searches: int = 0

    def __add__(self, other: "Tokens") -> "Tokens":
        sums = (ours + theirs for ours, theirs in zip(astuple(self), astuple(other), strict=True))
        return Tokens(**dict(zip(self.__struct_fields__, sums, strict=True)))


class Terms(Struct, frozen=True, kw_only=True):
    """What decides a reply's price besides its tokens."""

    speed: str = "standard"
    inference_geo: str = ""
    service_tier: str = "standard"
    web_fetches: int = 0


class Advice(Struct, frozen=True):
    """A second model asked within a request: one `advisor_message` of the reply's iterations."""

    model: str
    tokens: Tokens


class ToolUse(Struct, frozen=True):
    """A call of one of the client's own tools."""

    name: str
    input: Mapping[str, str | bool]


class Quota(Struct, frozen=True, kw_only=True):
    """How much of a subscription is used up, as the reply's headers tell it."""

    five_hour: float
    five_hour_resets_at: int
    seven_day: float
    seven_day_resets_at: int

    def headers(self) -> dict[str, str]:
        return unified(
            {
                "status": "allowed",
                "5h-utilization": f"{self.five_hour}",
                "5h-reset": f"{self.five_hour_resets_at}",
                "7d-utilization": f"{self.seven_day}",
                "7d-reset": f"{self.seven_day_resets_at}",
            }
        )


class Refusal(Struct, frozen=True, kw_only=True):
    """An error in the place of a reply; it counts no tokens."""

    status: int
    kind: str
    message: str
    headers: Mapping[str, str] = {}


class Reply(Struct, frozen=True, kw_only=True):
    """One answer to `POST /v1/messages`; fresh ids are given to it when it is served."""

    text: str = ""
    tools: tuple[ToolUse, ...] = ()
    thinking: bool = False
    tokens: Tokens | None = None  # None: numbers of its own, unlike any other reply's
    terms: Terms = Terms()
    advice: tuple[Advice, ...] = ()
    usage: Mapping[str, Any] | None = None  # word for word, in the place of the three above
    model: str | None = None  # None: the model that was asked for
    quota: Quota | None = None
    refusal: Refusal | None = None
    delay: float = 0.0
    gate: Event | None = None  # held back until the test sets it


def say(text: str, *, tokens: Tokens | None = None) -> Reply:
    return Reply(text=text, tokens=tokens)


def bash(*commands: str, tokens: Tokens | None = None) -> Reply:
    """Have the client run the commands, all called for in one reply."""
    uses = (ToolUse("Bash", {"command": line, "description": line}) for line in commands)
    return Reply(text="Running it.", tools=tuple(uses), tokens=tokens)


def search(query: str) -> Reply:
    """Have the client search the web, which makes it ask once more by itself: see SEARCHING."""
    return Reply(text="Searching.", tools=(ToolUse("WebSearch", {"query": query}),))


def delegate(prompt: str, agent: str, *, background: bool | None = None) -> Reply:
    """Have the client start a subagent; give the prompt the keyword of the subagent's own play."""
    call: dict[str, str | bool] = {
        "description": f"ask the {agent}",
        "prompt": prompt,
        "subagent_type": agent,
    }
    if background is not None:
        call["run_in_background"] = background
    return Reply(text="Delegating.", tools=(ToolUse("Agent", call),))


def rate_limited(resets_at: int, claim: str = "five_hour", *, final: bool = True) -> Reply:
    """Refuse as the API does when a plan's window is used up.

    On an API key a client retries for three minutes unless the refusal is final.
    """
    window = {"status": "rejected", "reset": f"{resets_at}", "representative-claim": claim}
    headers = {**unified(window), "x-should-retry": "false" if final else "true"}
    message = "This request would exceed your account's rate limit."
    return Reply(
        refusal=Refusal(status=429, kind="rate_limit_error", message=message, headers=headers)
    )


def refused(status: int, kind: str, message: str = "refused by the script") -> Reply:
    return Reply(refusal=Refusal(status=status, kind=kind, message=message))


def unified(fields: Mapping[str, str]) -> dict[str, str]:
    return {f"anthropic-ratelimit-unified-{name}": value for name, value in fields.items()}

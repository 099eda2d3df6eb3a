"""How a conversation's context grows, and what of it each request pays for."""

from random import Random
from typing import Final

from msgspec import Struct

from synth.usage import Usage

SYSTEM_TOKENS: Final = 14_000
SUMMARY_TOKENS: Final = 9_000
BYTES_PER_TOKEN: Final = 4
CACHE_LIFE_MS: Final = 3_600_000


class Habits(Struct, frozen=True):
    """What is peculiar to one session."""

    model: str
    agent_model: str
    is_older: bool = False
    has_request_ids: bool = True
    speed: str = "standard"
    geo: str = ""
    split: str = "both"
    title: bytes = b""
    owner: bytes = b""
    window: int = 160_000


class Context:
    """Counts the tokens of one conversation: what is cached, and what is new."""

    def __init__(self, rng: Random, habits: Habits, *, is_agent: bool) -> None:
        self._rng = rng
        self._habits = habits
        self._is_agent = is_agent
        self._cached = 0
        self._fresh = SYSTEM_TOKENS + rng.randrange(9_000)

    @property
    def is_full(self) -> bool:
        """Tell whether the conversation must be summed up."""
        return self._cached + self._fresh > self._habits.window

    def grow(self, size: int) -> None:
        """Take in so many bytes of text."""
        self._fresh += size // BYTES_PER_TOKEN

    def rest(self, milliseconds: int) -> None:
        """Let time pass: the cache is lost after an hour."""
        if milliseconds > CACHE_LIFE_MS:
            self._fresh += self._cached
            self._cached = 0

    def compact(self) -> None:
        """Sum the conversation up."""
        self._cached = 0
        self._fresh = SYSTEM_TOKENS + SUMMARY_TOKENS + self._rng.randrange(9_000)

    def request(self, reply_bytes: int, thinking_bytes: int) -> Usage:
        """Make the usage of one request, and take its reply in."""
        rng, habits = self._rng, self._habits
        new = rng.choices((1, 2, 3, 4, 8, 12), weights=(2, 3, 6, 4, 1, 1))[0]
        new += rng.randrange(3_000) if rng.random() < 0.02 else 0
        thinking = thinking_bytes // BYTES_PER_TOKEN
        usage = Usage(
            input=new,
            output=max(4, reply_bytes // BYTES_PER_TOKEN + rng.randrange(60)),
            cache_read=self._cached,
            thinking=0 if habits.is_older else thinking,
            searches=self._searches(),
            speed=habits.speed,
            geo=habits.geo,
            split=habits.split,
            **self._writes(),
        )
        self._cached += self._fresh
        self._fresh = usage.output
        return usage

    def _writes(self) -> dict[str, int]:
        is_long_lived = not (self._is_agent or self._habits.split == "zero")
        hour = self._fresh if is_long_lived and not self._habits.is_older else 0
        hour -= hour // 8 if self._rng.random() < 0.1 else 0
        return {"write_5m": self._fresh - hour, "write_1h": hour}

    def _searches(self) -> int:
        if self._habits.is_older or self._rng.random() > 0.003:
            return 0
        return self._rng.randint(1, 5)

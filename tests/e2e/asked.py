"""Reading what the client asks of the Messages API."""

import re
from collections.abc import Iterator, Mapping

import msgspec
from msgspec import Struct

# What the client puts in by itself, or quotes when it asks for a session's title.
_PUT_IN = re.compile(r"<(system-reminder|session|conversation)>.*?</\1>\s*", re.DOTALL)


class Block(Struct, frozen=True):
    type: str
    text: str = ""


class Message(Struct, frozen=True):
    role: str
    content: str | tuple[Block, ...]

    def prompt(self) -> str:
        """What a person or another agent wrote in it, without what the client put in."""
        if self.role != "user":
            return ""
        if isinstance(self.content, str):
            return _PUT_IN.sub("", self.content)
        return "\n".join(filter(None, (_PUT_IN.sub("", b.text) for b in self.content)))


class Body(Struct, frozen=True):
    model: str
    messages: tuple[Message, ...]
    stream: bool = False


class Prompt(Struct, frozen=True):
    """A prompt of the conversation, and how many replies it has had so far."""

    text: str
    replies: int


class Asked(Struct, frozen=True, kw_only=True):
    """One request as it came in."""

    model: str
    session_id: str
    agent_id: str | None  # None: the session's main agent
    stream: bool
    prompts: tuple[Prompt, ...]  # newest first
    by_login: bool = False  # paid by the login of a subscription

    @property
    def prompt(self) -> str:
        return self.prompts[0].text if self.prompts else ""


def read_request(headers: Mapping[str, str], body: bytes) -> Asked:
    """Read a request; the headers' names are in lower case."""
    request = msgspec.json.decode(body, type=Body)
    return Asked(
        model=request.model,
        session_id=headers.get("x-claude-code-session-id", ""),
        agent_id=headers.get("x-claude-code-agent-id"),
        stream=request.stream,
        prompts=tuple(_prompts(request.messages)),
        by_login="oauth" in headers.get("anthropic-beta", ""),
    )


def _prompts(messages: tuple[Message, ...]) -> Iterator[Prompt]:
    replies = 0
    for message in reversed(messages):
        if message.role == "assistant":
            replies += 1
        elif text := message.prompt():
            yield Prompt(text, replies)

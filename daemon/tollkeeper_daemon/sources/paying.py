"""What decides who pays for a client: names in its environment and its settings, never a secret.

As the client itself has it (version 2.1.330): another provider, an auth token, an ``apiKeyHelper`` or
an API key come before a subscription's token, and that before the account of the home. Settings go
before the environment, managed ones before all others, name by name: one that is blank there hides
that of the environment, and what is no text there counts as it is written. A key that the person
refused, in a typed session, is not used; that shows in what the client says later on.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Raw, Struct

from tollkeeper_daemon.names import id_of, name_of
from tollkeeper_daemon.sources.files import printable, read_settings

# Of these only whether they are set is looked at: their values are secrets.
SECRETS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")
TOKEN = "CLAUDE_CODE_OAUTH_TOKEN"
# A command of the settings' own that prints a key.
HELPER = "apiKeyHelper"
# Switches to other providers, which bill by themselves.
PROVIDERS = (
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_VERTEX",
    "CLAUDE_CODE_USE_FOUNDRY",
    "CLAUDE_CODE_USE_ANTHROPIC_AWS",
    "CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD",
    "CLAUDE_CODE_USE_MANTLE",
    "CLAUDE_CODE_USE_GATEWAY",
)
# With any of these set, a client pays by key or the like.
KEYS = (*SECRETS, *PROVIDERS)
ON = frozenset({"1", "true", "yes", "on"})
SERVER = "ANTHROPIC_BASE_URL"
ANTHROPIC = ".anthropic.com"
LARGEST_SETTINGS = 64 << 20
NO_HELPER = frozenset({b"null", b'""'})
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
MOST_FILES = 1_000

V = TypeVar("V")


class Means(Struct, frozen=True):
    """By what a client pays: a key or the like, a subscription's token, or neither of them.

    ``server`` is the host, with its port, that it asks in the place of Anthropic's.
    """

    by_key: bool = False
    by_token: bool = False
    server: str = ""


class Said(Struct, frozen=True):
    """What an environment or a file of settings says: which of its names are set, and the server.

    What stands in a file empty is said, too: it hides what those say that the file goes before.
    """

    is_set: dict[str, bool] = {}
    server: str | None = None


class ClientSettings(Struct):
    """A ``settings.json`` of the client's, as far as it says who pays; values stay unread."""

    apiKeyHelper: Raw = Raw()
    env: dict[str, Raw] = {}


class ClientState(Struct):
    """A ``.claude.json`` of the client's, as far as it says who pays."""

    oauthAccount: dict[str, object] | None = None


_decode_settings = msgspec.json.Decoder(ClientSettings).decode
_decode_state = msgspec.json.Decoder(ClientState).decode


def environment_says(environment: Mapping[str, str]) -> Said:
    """What this environment says; of what is not set in it nothing."""
    names = (name for name in (*KEYS, TOKEN) if _is_set(name, environment.get(name, "")))
    return own_says(names, server_in(environment.get(SERVER, "")))


def own_says(names: Iterable[str], server: str) -> Said:
    """What an environment says in which these names are set, with this server."""
    return Said(dict.fromkeys(names, True), server or None)


def less_hidden(own: Said, settings: Said) -> Said:
    """What an environment says beside settings, without the names that they hide by nothing."""
    left = (name for name in own.is_set if settings.is_set.get(name, True))
    return Said(dict.fromkeys(left, True), own.server)


def server_in(url: str) -> str:
    """Host and port that a base URL names, without user and password; nothing for Anthropic's own."""
    try:
        parts = urlsplit(url if "//" in url else f"//{url}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if not host or f".{host}".endswith(ANTHROPIC):
        return ""
    shown = f"[{host}]" if ":" in host else host
    return name_of(printable(f"{shown}:{port}" if port else shown))


def account_at(server: str) -> str:
    """What the account is called that a server of another stands for, until somebody names it."""
    return f"proxy {server}" if server else ""


def settings_say(content: bytes) -> Said:
    """What a ``settings.json`` says; ValueError for a broken one."""
    settings = _decode_settings(content)
    environment = settings.env
    is_set = {
        name: _is_set(name, _text(environment[name]))
        for name in (*KEYS, TOKEN)
        if name in environment
    }
    if settings.apiKeyHelper:
        is_set[HELPER] = bytes(settings.apiKeyHelper) not in NO_HELPER
    server = server_in(_text(environment[SERVER])) if SERVER in environment else None
    return Said(is_set, server)


def together(files: Iterable[Said]) -> Said:
    """What these say together, name by name: what goes before the others comes first."""
    every = list(files)
    is_set = {name: value for said in reversed(every) for name, value in said.is_set.items()}
    server = next((said.server for said in every if said.server is not None), None)
    return Said(is_set, server)


def means_by(said: Said) -> Means:
    """By what a client pays of which this is said."""
    return Means(
        by_key=any(said.is_set.get(name) for name in (HELPER, *KEYS)),
        by_token=said.is_set.get(TOKEN, False),
        server=said.server or "",
    )


def state_says(content: bytes) -> str | None:
    """The account of a subscription that a ``.claude.json`` names; ValueError for a broken one.

    It is empty where the account bears no id.
    """
    account = _decode_state(content).oauthAccount
    if not account:
        return None
    named = account.get("accountUuid")
    return id_of(named) if isinstance(named, str) else ""


class Remembered(Generic[V]):
    """What files say; each is read again only when it was written since.

    Of one that is broken what it said before holds: the client may be about to write it.
    """

    def __init__(self, understand: Callable[[bytes], V], nothing: V) -> None:
        self._understand = understand
        self._nothing = nothing
        self._known: dict[str, tuple[tuple[int, int, int], V]] = {}

    def read(self, file: str) -> V:
        """What the file says; nothing when there is none."""
        try:
            found = os.stat(file)
            stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
            known = self._known.get(file)
            if known and known[0] == stamp:
                return known[1]
            content = read_settings(file, LARGEST_SETTINGS)
        except OSError:
            self._known.pop(file, None)
            return self._nothing
        try:
            said = self._understand(content)
        except UNREADABLE:
            said = known[1] if known else self._nothing
        if len(self._known) > MOST_FILES:
            self._known.clear()
        self._known[file] = (stamp, said)
        return said


def _is_set(name: str, value: str) -> bool:
    """Whether a variable of this value counts: a switch that is on, anything else but blanks."""
    shown = value.strip()
    return shown.lower() in ON if name in PROVIDERS else bool(shown)


def _text(value: Raw) -> str:
    """The value as it comes into the environment."""
    try:
        return msgspec.json.decode(value, type=str)
    except msgspec.ValidationError:
        return bytes(value).decode()

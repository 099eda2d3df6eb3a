"""What ``toll doctor`` says of ccflare, where a proxy is named in the settings or the environment.

Only ``/health`` is asked for, which needs no key: any other path that a proxy does not know it would
pass on upstream with an account's credentials.
"""

import http.client
import os
import tomllib
from contextlib import suppress
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from tollkeeper.cli.facts import Facts
from tollkeeper.cli.finding import Finding
from tollkeeper.paths import Paths

PATIENCE_SECONDS = 2.0
LARGEST = 1 << 16
# Not a proxy of the user's own.
UPSTREAM = ("anthropic.com", "claude.com")


class _Said(Struct, frozen=True):
    """What is at ``/health`` of every ccflare."""

    status: str
    strategy: str


class _Proxy(Struct, frozen=True):
    url: str | None = None


class _Settings(Struct, frozen=True):
    """What of the settings names a proxy."""

    ccflare: _Proxy = _Proxy()


class Health(Struct, frozen=True):
    """What a server says at ``/health``: its status where it is a ccflare, else why it can't be told."""

    status: str | None = None
    trouble: str | None = None


def ccflare_findings(facts: Facts) -> list[Finding]:
    """Whether the proxy that is named answers, and is well."""
    named = _in_settings(facts.paths)
    url = named or os.environ.get("ANTHROPIC_BASE_URL") or None
    if url is None or _is_upstream(url):
        return [Finding(True, "ccflare: none is named")]
    return [judge_ccflare(url, bool(named), ask_health(url))]


def judge_ccflare(url: str, named: bool, health: Health) -> Finding:
    """What the answer means; ``named`` is a proxy of the settings, which is meant to be one. Pure."""
    if health.status is None:
        if named:
            mend = "start it, or mend ccflare.url in config.toml"
            return Finding(False, f"ccflare: {url} {health.trouble}", mend)
        return Finding(True, f"ccflare: none at {url}, which {health.trouble}")
    if health.status != "ok":
        text = f"ccflare: {url} says that it is {health.status}"
        return Finding(False, text, "look at its accounts on its own page")
    return Finding(True, f"ccflare: {url} is well")


def ask_health(url: str) -> Health:
    """What the server at this URL says of itself; nothing of ours is sent along."""
    try:
        parts = urlsplit(url)
        is_plain = {"http": True, "https": False}[parts.scheme]
        kind = http.client.HTTPConnection if is_plain else http.client.HTTPSConnection
        connection = kind(parts.hostname or "", parts.port, timeout=PATIENCE_SECONDS)
    except (KeyError, ValueError, http.client.HTTPException):
        return Health(trouble="is no address of a server")
    try:
        connection.request("GET", "/health", headers={"Accept": "application/json"})
        return _read(connection.getresponse().read(LARGEST))
    except (OSError, http.client.HTTPException, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return Health(trouble=f"does not answer: {said}")
    finally:
        connection.close()


def _read(body: bytes) -> Health:
    """The status, where it is a ccflare's: B and H answer 503 with it when they are not well."""
    with suppress(msgspec.DecodeError, UnicodeError, RecursionError):
        return Health(status=msgspec.json.decode(body, type=_Said).status)
    return Health(trouble="answers as no ccflare does")


def _in_settings(paths: Paths) -> str | None:
    with suppress(OSError, ValueError, RecursionError, msgspec.ValidationError):
        settings = tomllib.loads(paths.settings.read_text("utf-8"))
        return msgspec.convert(settings, _Settings).ccflare.url
    return None


def _is_upstream(url: str) -> bool:
    with suppress(ValueError):
        host = urlsplit(url).hostname or ""
        return any(host == name or host.endswith(f".{name}") for name in UPSTREAM)
    return False

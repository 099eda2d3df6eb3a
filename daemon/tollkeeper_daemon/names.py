"""How much of a name, an id or a path is kept of what others write: none may fill the ledger."""

from hashlib import sha256

# What is longer is no name; it would only fill the ledger and the screens.
LONGEST_NAME = 200
# As long as a path may be.
LONGEST_PATH = 4096


def name_of(text: str | None) -> str:
    """The name, as far as it is one."""
    return (text or "")[:LONGEST_NAME]


def id_of(text: str | None) -> str:
    """The id itself, or, when it is absurdly long, a digest: it must not become another's."""
    text = text or ""
    if len(text) <= LONGEST_NAME:
        return text
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def path_of(text: str | None) -> str:
    """The path, as far as it can be one."""
    return (text or "")[:LONGEST_PATH]

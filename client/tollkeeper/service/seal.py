"""The line in a file that says that we wrote it, for what, and whether it is as we wrote it. Pure.

It is JSON on one line, where the file's template has ``@SEAL@``; so the file itself tells all that an
uninstall, or a later version, has to know.
"""

import re
from hashlib import sha256

import msgspec
from msgspec import Struct

VERSION = 1
PLACE = "@SEAL@"
DIGITS = 16
SEALED = re.compile(r"(?<=Written by toll service install: )\{.*?\}(?=$| -->)", re.MULTILINE)


class Seal(Struct, frozen=True):
    """``data`` is the data directory that the service keeps, ``path`` the PATH that it was given.

    ``digest`` is that of the file without this line's JSON.
    """

    digest: str
    data: str
    path: str
    version: int = VERSION


def sealed(body: str, data: str, path: str) -> str:
    """The body, with its seal where it has a place for it."""
    seal = msgspec.json.encode(Seal(_digest(body), data, path)).decode()
    # Two dashes would end an XML comment.
    return body.replace(PLACE, seal.replace("--", r"-\u002d"), 1)


def seal_of(text: str) -> Seal | None:
    """The seal in this file; None when there is none."""
    found = SEALED.search(text)
    if found is None:
        return None
    try:
        return msgspec.json.decode(found[0], type=Seal)
    except (msgspec.DecodeError, UnicodeError):
        return None


def is_whole(text: str, seal: Seal) -> bool:
    """Whether the file is as it was sealed."""
    return _digest(SEALED.sub(PLACE, text, 1)) == seal.digest


def _digest(body: str) -> str:
    return sha256(body.encode()).hexdigest()[:DIGITS]

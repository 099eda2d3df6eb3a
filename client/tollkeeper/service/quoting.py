"""Values as units of systemd, property lists and desktop files write them. Pure.

TollError for what none of them can hold: control characters, and bytes that are no UTF-8.
"""

import re
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from tollkeeper.errors import TollError

UNWRITABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
QUOTES = re.compile(r"""["'\\]""")
# What desktop files want quoted, and what they want escaped within quotes: desktop-entry-spec, "Exec".
RESERVED = re.compile(r"""[\s"'\\><~|&;$*?#()`]""")
ESCAPED = re.compile(r'["`$\\]')


def is_writable(value: str) -> bool:
    """Whether every format can hold this value."""
    return not UNWRITABLE.search(value)


def checked(value: str) -> str:
    """The value, if every format can hold it."""
    if is_writable(value):
        return value
    shown = value.encode("utf-8", "backslashreplace").decode()
    raise TollError(f"no service can be written for {shown!r}", "it needs a path in plain UTF-8")


def in_unit(word: str) -> str:
    """A word of a unit, in quotes and without specifiers: systemd.syntax(7), systemd.unit(5)."""
    inner = checked(word).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{inner}"'


def unit_program(path: str) -> str:
    """The path of a program that a unit starts, as the first word of its command."""
    if QUOTES.search(path):
        raise TollError(
            f"systemd starts no program with quotes or backslashes in its path: {path}",
            "install the package elsewhere",
        )
    return in_unit(path)


def unit_environment(environment: Mapping[str, str]) -> str:
    """Lines of a unit that set these variables."""
    return "\n".join(
        f"Environment={in_unit(f'{name}={value}')}" for name, value in environment.items()
    )


def in_xml(text: str) -> str:
    """Text between two tags."""
    return escape(checked(text))


def plist_environment(environment: Mapping[str, str]) -> str:
    """Lines of a property list's dictionary that set these variables."""
    return "\n".join(
        f"        <key>{in_xml(name)}</key>\n        <string>{in_xml(value)}</string>"
        for name, value in environment.items()
    )


def in_desktop(words: Sequence[str]) -> str:
    """A command line as ``Exec`` of a desktop file has it: quoted, and then escaped as any string."""
    return " ".join(map(_desktop_word, words)).replace("\\", "\\\\")


def _desktop_word(word: str) -> str:
    word = checked(word).replace("%", "%%")
    return f'"{ESCAPED.sub(_escaped, word)}"' if RESERVED.search(word) or not word else word


def _escaped(found: re.Match[str]) -> str:
    return f"\\{found[0]}"

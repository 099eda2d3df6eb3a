"""The files of a service on disk: how they stand, and their writing and removal."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Literal

from msgspec import Struct

from tollkeeper.errors import TollError
from tollkeeper.service.manager import State
from tollkeeper.service.parts import Part
from tollkeeper.service.seal import is_whole, seal_of
from tollkeeper.service.wanted import Wanted
from tollkeeper.setups import back_up, open_at_once, write_whole

MODE = 0o644  # As units usually are; there is no secret in it.
LARGEST = 1 << 20

# Of another data directory; written for another Python or environment; as it would be written now.
Kind = Literal["absent", "edited", "another", "outdated", "current"]


class Standing(Struct, frozen=True):
    """How a file stands: what it is to us, its text now, and the data directory that it says it is for."""

    kind: Kind
    text: str | None = None
    data: str | None = None


def standing(part: Part, wanted: Wanted) -> Standing:
    """How the part's file stands. TollError when it can't be read."""
    text = read_text(part.file)
    if text is None:
        return Standing("absent")
    seal = seal_of(text)
    if seal is None or not is_whole(text, seal):
        return Standing("edited", text, seal.data if seal else None)
    return Standing(_kind(text, part, seal.data, seal.path, wanted), text, seal.data)


def _kind(text: str, part: Part, data: str, path: str, wanted: Wanted) -> Kind:
    if data != wanted.data:
        return "another"
    # The PATH is that of whichever shell installed it, and is no reason to do so again.
    as_installed = Wanted(wanted.python, wanted.home, data, path, wanted.environment)
    return "current" if text == part.text(as_installed) else "outdated"


def goes_by(state: State, file: Path) -> bool:
    """Whether the manager has read this file: that of another home is not ours to start or stop."""
    return state.file is not None and os.path.realpath(state.file) == os.path.realpath(file)


def is_linked(part: Part) -> bool:
    """Whether the next login starts it, as far as files tell."""
    if part.link is None:
        return part.file.exists()
    return part.link.is_symlink() and os.path.realpath(part.link) == os.path.realpath(part.file)


def place(part: Part, text: str, before: Standing) -> Path | None:
    """Write the file, and see to its start at login; the backup of one that was edited."""
    backup = None
    if before.kind == "edited" and before.text is not None:
        backup = back_up(part.file, before.text)
    if text != before.text:
        part.file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(part.file, text.encode(), MODE)
    if part.link is not None and not is_linked(part):
        part.link.parent.mkdir(parents=True, exist_ok=True)
        part.link.unlink(missing_ok=True)
        part.link.symlink_to(part.file)
    return backup


def remove(part: Part, before: Standing, home: Path) -> Path | None:
    """Remove the file and its link, and the folders that are left empty; the backup of an edited one."""
    backup = None
    if before.kind == "edited" and before.text is not None:
        backup = back_up(part.file, before.text)
    for file in (part.link, part.file):
        if file is not None:
            file.unlink(missing_ok=True)
            _tidy(file.parent, home)
    return backup


def _tidy(folder: Path, home: Path) -> None:
    """Remove the folder and those above it below the home, as far as they are empty."""
    with suppress(OSError):
        while folder != home and home in folder.parents:
            folder.rmdir()
            folder = folder.parent


def read_text(file: Path) -> str | None:
    """What a file of a service holds, None where none is. TollError when it can't be read."""
    try:
        with open(file, "rb", opener=open_at_once) as opened:
            return opened.read(LARGEST).decode()
    except UnicodeDecodeError:
        raise TollError(f"{file} is no text of ours", "move it away") from None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TollError(f"can't read {file}: {error.strerror}") from None

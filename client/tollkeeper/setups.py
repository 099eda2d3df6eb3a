"""What was set up in which settings files of Claude Code, and their reading and writing."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from tollkeeper.claude_settings.parts import Record
from tollkeeper.errors import TollError
from tollkeeper.paths import Paths

VERSION = 1
LARGEST = 16 << 20
BACKUP_SUFFIX = ".before-toll"
NEW_MODE = 0o600


class Setups(Struct, frozen=True):
    """The settings files that were set up, by their paths, and what was put into each."""

    version: int = VERSION
    files: dict[str, Record] = {}

    def with_file(self, path: Path, record: Record | None) -> Setups:
        """The same with this record of this file, or with none."""
        files = {name: known for name, known in self.files.items() if name != str(path)}
        return Setups(files={**files, str(path): record} if record else files)


def load_setups(paths: Paths) -> Setups:
    """What was set up; nothing when nothing was. TollError when that can't be read."""
    file = paths.setups
    try:
        found = msgspec.json.decode(file.read_bytes(), type=Setups)
    except FileNotFoundError:
        return Setups()
    except OSError as error:
        raise TollError(f"can't read {file}: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TollError(f"can't read {file}: {error}", "move it away") from None
    if found.version != VERSION:
        raise TollError(f"{file} was written by another version", "use that one, or move it away")
    return found


def save_setups(paths: Paths, setups: Setups) -> None:
    """Keep it. OSError when it can't be written."""
    if setups.files:
        paths.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(paths.setups, msgspec.json.format(msgspec.json.encode(setups), indent=2))
    else:
        paths.setups.unlink(missing_ok=True)


def claude_homes(environment: Mapping[str, str] = os.environ) -> list[Path]:
    """The Claude homes that this environment names, those that exist; TollError when none does."""
    if named := environment.get("CLAUDE_CONFIG_DIR"):
        found = [Path(part.strip()).expanduser() for part in named.split(",") if part.strip()]
    else:
        found = [Path(environment.get("HOME") or Path.home(), ".claude")]
    # By the file itself, links followed: of two names of one file the second would find it changed.
    files = {
        os.path.realpath(home / "settings.json"): home for home in reversed(found) if home.is_dir()
    }
    homes = [home.absolute() for home in found if home in files.values()]
    if not homes:
        paths = " or ".join(map(str, found))
        raise TollError(f"no Claude home at {paths}", "run claude once, or set CLAUDE_CONFIG_DIR")
    return homes


def read_settings(file: Path) -> str | None:
    """The text of a settings file; None when there is none. TollError when it can't be read."""
    try:
        with open(file, "rb", opener=open_at_once) as opened:
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                raise TollError(f"{file} is no regular file")
            content = opened.read(LARGEST + 1)
    except FileNotFoundError:
        if file.is_symlink():
            raise TollError(f"{file} is a link to nothing", "remove it, or make the file") from None
        return None
    except OSError as error:
        raise TollError(f"can't read {file}: {error.strerror}") from None
    if len(content) > LARGEST:
        raise TollError(f"{file} is larger than settings are")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise TollError(f"{file}: byte {error.start + 1} is no UTF-8", "mend it") from None


def write_settings(file: Path, before: str | None, after: str | None) -> None:
    """Replace the file, where a link leads too, unless it says something else than before by now.

    None is no file. TollError when it was changed, OSError when it can't be written.
    """
    if read_settings(file) != before:
        raise TollError(f"{file} was changed meanwhile", "try again")
    if after is None:
        file.unlink()
        return
    file.parent.mkdir(exist_ok=True)
    write_whole(Path(os.path.realpath(file)), after.encode())


def back_up(file: Path, text: str) -> Path:
    """Keep the text beside the file, unless it is kept there already; the backup's path."""
    content = text.encode()
    number = 1
    while True:
        number_suffix = f"-{number}" if number > 1 else ""
        backup = file.with_name(f"{file.name}{BACKUP_SUFFIX}{number_suffix}")
        try:
            # It may hold what only its owner may read.
            mode = stat.S_IMODE(file.stat().st_mode)
            with open(os.open(backup, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as opened:
                opened.write(content)
                return backup
        except FileExistsError:
            if backup.is_file() and backup.read_bytes() == content:
                return backup
            number += 1


def write_whole(file: Path, content: bytes, mode: int | None = None) -> None:
    """Let the file hold this at once or not at all; without a mode it keeps the one it has."""
    part = file.with_name(f".{file.name}.{os.urandom(4).hex()}.part")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, NEW_MODE), "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fchmod(opened.fileno(), _mode_of(file) if mode is None else mode)
            os.fsync(opened.fileno())
        os.replace(part, file)
    finally:
        part.unlink(missing_ok=True)


def _mode_of(file: Path) -> int:
    try:
        return stat.S_IMODE(file.stat().st_mode)
    except FileNotFoundError:
        return NEW_MODE


def open_at_once(path: str, flags: int) -> int:
    """Open it as ``open`` does, without waiting for whoever may write into a pipe."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)

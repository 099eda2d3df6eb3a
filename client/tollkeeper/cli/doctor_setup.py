"""What ``toll doctor`` says of the status line and hooks that ``toll setup`` put into settings."""

import os
from pathlib import Path

from tollkeeper.claude_settings.edit import has_any, lacking, programs
from tollkeeper.claude_settings.parts import EVENTS, STATUS_LINE, Record, UnfitError
from tollkeeper.cli import words
from tollkeeper.cli.finding import Finding
from tollkeeper.errors import TollError
from tollkeeper.paths import Paths
from tollkeeper.setups import claude_homes, load_setups, read_settings
from tollkeeper.status_script import script

NOT_SET_UP = "status line and hooks: not in Claude Code's settings yet: toll setup"


def setup_findings(paths: Paths) -> list[Finding]:
    """Whether what was set up is still in place; where nothing was, how it is set up."""
    try:
        files = load_setups(paths).files
    except TollError as error:
        return [Finding(False, error.message, error.hint)]
    # A project that is gone needs no hooks.
    there = {Path(name): record for name, record in files.items() if _has_place(Path(name))}
    if not there:
        return [] if _is_by_hand() else [Finding(True, NOT_SET_UP)]
    found = [_look_at(file, record) for file, record in there.items()]
    if finding := _script(paths):
        found.append(finding)
    return found


def _is_by_hand() -> bool:
    """Whether somebody put what is ours into a home's settings without ``toll setup``."""
    try:
        texts = [read_settings(home / "settings.json") for home in claude_homes()]
        return any(has_any(text) for text in texts if text is not None)
    except (TollError, UnfitError):
        return False


def _look_at(file: Path, record: Record) -> Finding:
    try:
        text = read_settings(file)
        if text is None:
            return Finding(False, f"{file}, which was set up, is gone", mend_of(file, record))
        lacks = lacking(text)
        missing = sorted(path for path in programs(text) if not os.access(path, os.X_OK))
    except TollError as error:
        return Finding(False, error.message, error.hint)
    except UnfitError as error:
        return Finding(False, f"{file}: {error}", "mend it: Claude Code ignores such a file")
    if lacks:
        return Finding(False, f"{told(lacks)} went out of {file}", mend_of(file, record))
    if missing:
        return Finding(
            False, f"{file} runs {missing[0]}, which is not there", mend_of(file, record)
        )
    return Finding(True, f"status line and hooks: in {file}")


def _script(paths: Paths) -> Finding | None:
    file = paths.status_script
    try:
        if file.read_bytes() == os.fsencode(script(str(paths.run))) and os.access(file, os.X_OK):
            return None
    except OSError:
        pass
    return Finding(False, f"{file}, the status line, is not as it was set up", "toll setup")


def told(lacks: list[str]) -> str:
    """What is lacking, in words."""
    events = [each for each in lacks if each != STATUS_LINE]
    parts = ["the status line"] if STATUS_LINE in lacks else []
    if events:
        parts.append(f"hooks ({', '.join(events)})" if len(events) < len(EVENTS) else "the hooks")
    return " and ".join(parts)


def mend_of(file: Path, record: Record) -> str:
    """How to set this file up again, or to want it so."""
    if record.project:
        here = words.typed(str(file.parent.parent))
        return f"(cd {here} && toll setup --project); or, if it is to stay so, with --undo"
    return "toll setup; or, if it is to stay so, toll setup --undo"


def _has_place(file: Path) -> bool:
    return file.parent.parent.is_dir()

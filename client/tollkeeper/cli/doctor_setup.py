"""What ``toll doctor`` says of the status line and hooks that ``toll setup`` put into settings."""

import os
from collections.abc import Collection
from pathlib import Path

from tollkeeper.claude_settings.edit import has_any, lacking, programs
from tollkeeper.claude_settings.parts import EVENTS, STATUS_LINE, Record, UnfitError
from tollkeeper.cli import words
from tollkeeper.cli.doctor_switches import switch_findings
from tollkeeper.cli.facts import Facts
from tollkeeper.cli.finding import Finding
from tollkeeper.errors import TollError
from tollkeeper.paths import Paths
from tollkeeper.setups import claude_homes, load_setups, read_settings
from tollkeeper.status_script import script

NOT_SET_UP = "status line and hooks: not in Claude Code's settings yet: toll setup"


def setup_findings(facts: Facts) -> list[Finding]:
    """Whether what was set up is still in place; where nothing was, how it is set up."""
    paths = facts.paths
    try:
        files = load_setups(paths).files
    except TollError as error:
        return [Finding(False, error.message, error.hint)]
    # A project that is gone needs no hooks.
    there = {Path(name): record for name, record in files.items() if _has_place(Path(name))}
    if not there:
        by_hand = _by_hand()
        return switch_findings(by_hand) if by_hand else [Finding(True, NOT_SET_UP)]
    found = [_look_at(file, record) for file, record in there.items()]
    if finding := _script(paths):
        found.append(finding)
    return found + _of_other_homes(there) + switch_findings(there)


def _of_other_homes(there: Collection[Path]) -> list[Finding]:
    """Where one of the homes is set up, those that are not."""
    homes = _settings_of_homes()
    if not any(file in there for file in homes):
        return []
    left = [file for file in homes if file not in there and file not in _by_hand()]
    return [Finding(True, f"status line and hooks: not in {file} yet: toll setup") for file in left]


def _settings_of_homes() -> list[Path]:
    try:
        return [home / "settings.json" for home in claude_homes()]
    except TollError:
        return []


def _by_hand() -> list[Path]:
    """The homes' settings into which somebody put what is ours without ``toll setup``."""
    try:
        texts = {file: read_settings(file) for file in _settings_of_homes()}
        return [file for file, text in texts.items() if text is not None and has_any(text)]
    except (TollError, UnfitError):
        return []


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

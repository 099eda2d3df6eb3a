"""What ``toll doctor`` says of settings that turn our hooks and status line off, or hide them."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from tollkeeper.claude_settings.edit import lacking, status_command
from tollkeeper.claude_settings.parts import STATUS_LINE, UnfitError
from tollkeeper.claude_settings.switches import Switches, ruling
from tollkeeper.cli.finding import Finding
from tollkeeper.errors import TollError
from tollkeeper.json_text import BYTE_ORDER_MARK
from tollkeeper.managed import managed_files
from tollkeeper.setups import read_settings

ASK = "ask whoever manages this machine; docs/setup.md says what works all the same"
UNDO = "take that out; or, if it is to stay so, toll setup --undo"
# What managed settings say of others, by the word that says it.
NOT_OURS = {
    "disableAllHooks": "managed settings turn off all hooks and status lines: {word}",
    "allowManagedHooksOnly": "by managed settings only their own hooks and status lines run: {word}",
    "strictPluginOnlyCustomization": "by managed settings only their own hooks run: {word}",
}

_decode = msgspec.json.Decoder(Switches).decode


class Read(Struct, frozen=True):
    """A file of settings: what it turns off, what of ours is not in it, and its status line."""

    file: str
    switches: Switches
    lacks: frozenset[str]
    line: str | None


def switch_findings(files: Iterable[Path]) -> list[Finding]:
    """What keeps the client from running what is ours in these files."""
    try:
        managed = [read for file in managed_files() if (read := _read(file))]
    except TollError as error:
        return [Finding(False, error.message, error.hint)]
    if finding := _of_managed(managed):
        return [finding]
    found = (_of_own(file, managed) for file in files)
    return [finding for finding in found if finding]


def _of_managed(managed: Sequence[Read]) -> Finding | None:
    """What managed settings turn off or hide, and do not bring themselves."""
    rules = ruling([each.switches for each in managed], [])
    lacks = frozenset[str]().union(*(each.lacks for each in managed))
    lacks = lacks.intersection(*(each.lacks for each in managed))
    if rules.running == "none" or (rules.running == "managed" and lacks - {STATUS_LINE}):
        return Finding(False, NOT_OURS[rules.word].format(word=rules.word), ASK)
    shown = next((each for each in managed if each.line is not None), None)
    if shown and STATUS_LINE in shown.lacks:
        return Finding(False, f"the status line in {shown.file} is shown in the place of ours", ASK)
    return None


def _of_own(file: Path, managed: Sequence[Read]) -> Finding | None:
    """Whether the file turns off all that is not managed."""
    try:
        own = _read(str(file))
    except TollError:
        return None  # It is told of already.
    switches = [each.switches for each in managed]
    if own is None or ruling(switches, []) == ruling(switches, [own.switches]):
        return None
    return Finding(False, f"{file} turns off all hooks and status lines: disableAllHooks", UNDO)


def _read(file: str) -> Read | None:
    """The settings in this file; None when there is none. TollError when they can't be read."""
    text = read_settings(Path(file))
    if text is None:
        return None
    try:
        switches = _decode(text.removeprefix(BYTE_ORDER_MARK))
        return Read(file, switches, frozenset(lacking(text)), status_command(text))
    except (UnfitError, msgspec.DecodeError) as error:
        raise TollError(f"{file}: {error}", "mend it: Claude Code may not start with it") from None

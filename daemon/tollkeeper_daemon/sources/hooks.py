"""Whether an agent's own hooks ask us before each tool: what its Claude Code settings say of it."""

import os
from pathlib import Path

import msgspec
from msgspec import Struct

from tollkeeper.claude_settings.switches import Switches, ruling
from tollkeeper.managed import managed_files
from tollkeeper.ours import is_ours
from tollkeeper_daemon.sources.files import read_settings

LARGEST_SETTINGS = 1_000_000
EVERY_TOOL = ("", "*")
# What may stand in a hook beside its command; others make it wait for a condition, or run aside.
HARMLESS = {"type", "command", "timeout", "statusMessage"}


class Matcher(Struct, frozen=True):
    """Commands, and the tools whose calls they are run before."""

    hooks: list[dict[str, object]]
    matcher: str = ""


class Hooks(Struct, frozen=True):
    PreToolUse: list[Matcher] = []


class Settings(Switches, frozen=True):
    """A settings file of the client, as far as it says which hooks run."""

    hooks: Hooks = Hooks()


_decode = msgspec.json.Decoder(Settings).decode


def has_hook(home: Path, cwd: str) -> bool:
    """Whether the agent of this Claude home, started in this directory, asks us before each tool.

    Its client reads managed settings, ``settings.json`` in the home, and in ``.claude`` of the directory
    itself also ``settings.local.json``, none of a directory above. It follows their changes while it
    runs, with a second's delay. A file with a mistake in it the client ignores as a whole, or does not
    start at all: then, and when a file can't be read or is larger than a megabyte, the answer is no.

    Hooks of all files run, unless switches turn them off.

    Yes is what these files say, and no promise: options of the command line (``--bare``,
    ``--setting-sources``, ``--settings``) and settings that an administrator gives otherwise than by a
    file may turn hooks off, a mistake elsewhere in a file is not seen here, and old clients do not
    follow changes. Who refuses tools by the hook looks whether the agent goes on all the same.
    """
    files = [f"{home}/settings.json"]
    if os.path.isabs(cwd):
        project = f"{cwd}/.claude"
        files = [f"{project}/settings.local.json", f"{project}/settings.json", *files]
    try:
        managed, own = _read_all(managed_files()), _read_all(files)
    except ValueError:
        return False
    running = {"all": [*managed, *own], "managed": managed, "none": []}
    counting = running[ruling(managed, own).running]
    return any(_asks_us(each) for settings in counting for each in settings.hooks.PreToolUse)


def _read_all(files: list[str]) -> list[Settings]:
    return [settings for file in files if (settings := _read(file))]


def _read(file: str) -> Settings | None:
    """The settings in this file; None when there is none, ValueError when they can't be read."""
    try:
        content = read_settings(file, LARGEST_SETTINGS + 1)
        if len(content) > LARGEST_SETTINGS:
            raise ValueError(f"{file} is too large")
        return _decode(content)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"{file}: {error}") from None


def _asks_us(matcher: Matcher) -> bool:
    """Whether it runs our hook before every tool, and without conditions."""
    return matcher.matcher in EVERY_TOOL and any(
        hook.get("type") == "command" and hook.keys() <= HARMLESS and is_ours(hook.get("command"))
        for hook in matcher.hooks
    )

"""Which commands in Claude Code's settings are ours: hooks and status lines. Pure."""

import os
import shlex

STATUS_SCRIPT = "toll-statusline"


def is_ours(command: object) -> bool:
    """Whether this shell command is our hook and nothing else, so that its answer is ours.

    Ours are ``toll hook``, with or without an absolute path before it, and a file ``toll-hook`` by
    itself or run by ``sh``.
    """
    match words_of(command):
        case [program, "hook"]:
            return _is_toll(program)
        case [script] | ["sh", script]:
            return os.path.basename(script) == "toll-hook"
        case _:
            return False


def is_hook_by_path(command: object) -> bool:
    """Whether it is our hook as setup writes it: ``toll`` by its absolute path."""
    words = words_of(command)
    return is_ours(command) and os.path.isabs(words[0]) and len(words) == 2


def is_our_status_line(command: object) -> bool:
    """Whether this shell command shows our line: by the script, or as ``toll statusline``."""
    match words_of(command):
        case [program, "statusline", *_] if _is_toll(program):
            return True
        case _:
            return runs_script(command)


def runs_script(command: object) -> bool:
    """Whether this shell command is the status-line script, alone or with a command beside it."""
    return script_of(command) is not None


def script_of(command: object) -> str | None:
    """The path of the status-line script that this shell command runs, if it does."""
    match words_of(command):
        case [".", script] | [script] | [script, _]:
            return script if os.path.basename(script) == STATUS_SCRIPT else None
        case _:
            return None


def shown_beside(command: object) -> str | None:
    """The command that the status-line script is to show as well, if this runs it with one."""
    match words_of(command):
        case [script, theirs] if script == script_of(command):
            return theirs
        case _:
            return None


def program_of(command: object) -> str:
    """The path of ours that this shell command of ours runs; ``toll`` alone is looked for."""
    return script_of(command) or words_of(command)[0]


def words_of(command: object) -> list[str]:
    """The words of this shell command; none where it is no text, or has an open quote."""
    try:
        return shlex.split(command) if isinstance(command, str) else []
    except ValueError:
        return []


def _is_toll(program: str) -> bool:
    return program == "toll" or (os.path.isabs(program) and program.endswith("/toll"))

"""In which repositories Opus Orchestra is in use, by the folders that agents work in."""

import os

from tollkeeper_daemon.sources.orchestra import FOLDER, note_in, read_note
from tollkeeper_daemon.sources.projects import folders_of, real_folder


def repository_of(cwd: str) -> str:
    """The repository of the agent that works there, if Opus Orchestra is in use in it; empty else.

    An agent's note in its worktree names the repository, which must hold the worktree. Without a note it
    is the nearest folder that has Opus Orchestra's own. Links are no such folders.
    """
    folders = folders_of(cwd)
    for folder in folders:
        note = note_in(folder)
        if os.path.lexists(note):
            return _named_by(note, folder)
    return next(filter(_is_in_use, folders), "")


def holds(repository: str, cwd: str) -> bool:
    """Whether this folder is the repository, or lies in it."""
    folder = real_folder(cwd)
    return bool(folder) and _is_inside(folder, repository)


def _named_by(note: str, folder: str) -> str:
    try:
        repository = real_folder(read_note(note).repoPath or "")
    except ValueError:
        return ""
    is_its = repository and _is_inside(folder, repository) and _is_in_use(repository)
    return repository if is_its else ""


def _is_inside(folder: str, repository: str) -> bool:
    return os.path.commonpath((folder, repository)) == repository


def _is_in_use(repository: str) -> bool:
    own = os.path.join(repository, FOLDER)
    return os.path.isdir(own) and not os.path.islink(own)

"""Where the project of a working directory is: what lies in its own folders, up to the repository's root."""

import os

# Deeper than anybody nests folders.
MOST_FOLDERS = 40


def folders_of(cwd: str) -> list[str]:
    """The working directory and those above it, up to the root of its repository; links followed.

    Without a repository it is the directory alone, and without a directory nothing.
    """
    try:
        folder = os.path.realpath(cwd) if os.path.isabs(cwd) else ""
        folder.encode()
    except ValueError:  # No text, or no path.
        return []
    if not folder:
        return []
    found = [folder]
    while not os.path.lexists(os.path.join(folder, ".git")):
        above = os.path.dirname(folder)
        if above == folder or len(found) >= MOST_FOLDERS:
            return found[:1]
        folder = above
        found.append(folder)
    return found


def project_of(cwd: str) -> str:
    """The nearest of its folders that has a ``.claude``, else the root; empty without a directory."""
    folders = folders_of(cwd)
    has_settings = (each for each in folders if os.path.isdir(os.path.join(each, ".claude")))
    return next(has_settings, folders[-1] if folders else "")

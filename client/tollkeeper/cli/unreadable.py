"""What a file of the user's own looks like without a daemon: whether it is TOML at all."""

import tomllib
from pathlib import Path


def unreadable(path: Path) -> str | None:
    """Why no TOML can be read of the file, in one line; None where it can, or there is none."""
    if not path.exists():
        return None
    if not path.is_file():
        return f"{path}: not a regular file"
    try:
        tomllib.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError, OSError) as error:
        return f"{path}: {error}"
    return None

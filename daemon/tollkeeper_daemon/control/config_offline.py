"""``config.set`` where no daemon comes up, maybe because of what config.toml says: ``python -m`` this.

The values come as JSON on stdin. On stdout is what the file is refused for: code, text and hint, or null.
"""

import asyncio
import sys
from typing import Any

import msgspec

from tollkeeper.paths import find_paths
from tollkeeper_daemon.config import Config
from tollkeeper_daemon.control.config_set import put
from tollkeeper_daemon.control.refusal import Refused
from tollkeeper_daemon.own.file import OwnFile
from tollkeeper_daemon.own.settings import Settings


def main() -> None:
    """Write the settings, and tell what came of it."""
    values = msgspec.json.decode(sys.stdin.buffer.read(), type=dict[str, Any])
    paths = find_paths()
    refused: tuple[str, str, str | None] | None = None
    try:
        settings = Settings(OwnFile(paths.settings), Config(), _untold)
        asyncio.run(put(settings, OwnFile(paths.plans), values))
    except Refused as error:
        refused = error.code, str(error), error.hint
    sys.stdout.buffer.write(msgspec.json.encode(refused))


def _untold(kind: str, text: str) -> None:
    """Nothing is followed, so nothing is told."""


if __name__ == "__main__":
    main()

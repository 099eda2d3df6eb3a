"""Says to shells, which ask no daemon, that one lives: by a file whose time lies ahead."""

import logging
import os
from pathlib import Path

log = logging.getLogger(__name__)

# Longer than the loop is ever busy with one thing; whoever looks later shows no old figures.
AHEAD_SECONDS = 30


class Alive:
    """The file ``run/alive``: a shell compares its time with that of a file it has just written."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def beat(self, now: int) -> None:
        """We live at this time (ms) and, most likely, for some time more."""
        ahead = now / 1000 + AHEAD_SECONDS
        try:
            self._file.touch(mode=0o600)
            os.utime(self._file, (ahead, ahead))
        except OSError as error:
            log.warning("can't write %s: %s", self._file, error.strerror)

    def end(self) -> None:
        """We live no longer."""
        self._file.unlink(missing_ok=True)

"""Folders of stores that are written hundreds of times: in memory, where there is such a place."""

import os
from tempfile import TemporaryDirectory

# On a disk each saving would wait for it; what is saved in memory is lost with the test all the same.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def fleeting_folder() -> TemporaryDirectory[str]:
    """A folder that is gone at the end of the block."""
    return TemporaryDirectory(prefix="toll-", dir=MEMORY)

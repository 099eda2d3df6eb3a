"""Children that end with us, in whatever way we end: frozen ones can't see to that by themselves."""

import ctypes
import os
import sys
from collections.abc import Callable
from typing import Final

# prctl(2): the signal that a process gets when the thread that started it ends.
PR_SET_PDEATHSIG: Final = 1


def bond(number: int) -> Callable[[], None] | None:
    """What a child does first, so that it gets this signal when we end; None where there is no such thing."""
    if sys.platform != "linux":
        return None
    # Found before there is a child, which does as little as it can.
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def bind() -> None:
        prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:
            os._exit(1)

    return bind

"""Gives memory back to the system."""

import ctypes


def give_back_freed() -> None:
    """Give back what was freed, where the C library keeps it: glibc does, among what is still in use."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)

"""What ``toll doctor`` found at one thing."""

from msgspec import Struct


class Finding(Struct, frozen=True):
    """One thing that was looked at; ``mend`` says what to do when it is not well."""

    well: bool
    text: str
    mend: str | None = None

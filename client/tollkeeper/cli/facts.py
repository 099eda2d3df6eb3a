"""What every check of ``toll doctor`` starts from."""

from datetime import datetime
from typing import Any

from msgspec import Struct

from tollkeeper.paths import Paths


class Facts(Struct, frozen=True):
    """The directories, and what the daemon that answers says of itself; None where none does."""

    paths: Paths
    now: datetime
    pid: int | None = None
    health: dict[str, Any] | None = None

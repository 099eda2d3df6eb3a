"""The seed of random tests: another one each day, and the same one again when it is named."""

import os
from datetime import UTC, datetime


def the_seed() -> str:
    """The seed that TOLL_SEED names, else the day's own."""
    return os.environ.get("TOLL_SEED") or datetime.now(UTC).date().isoformat()

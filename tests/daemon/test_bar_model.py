"""Budgets over whole histories: signals hit the agent that is meant, and nobody else, whatever happens.

``TOLL_HISTORIES=10000`` plays so many histories instead of a few hundred, from ``TOLL_SEED`` on.
"""

import asyncio
import logging
import os
from pathlib import Path

import pytest

from fleeting import fleeting_folder

from .bar_history import History

HISTORIES = int(os.environ.get("TOLL_HISTORIES", "250"))
FIRST_SEED = int(os.environ.get("TOLL_SEED", "0"))
STEPS = 45


@pytest.mark.timeout(0 if HISTORIES > 1_000 else 240)
def test_any_history(monkeypatch: pytest.MonkeyPatch) -> None:
    """In each history the daemon does after each step what the model says, and no more."""
    monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)
    for seed in range(FIRST_SEED, FIRST_SEED + HISTORIES):
        with fleeting_folder() as folder:
            history = History(Path(folder), seed)
            monkeypatch.setattr("tollkeeper_daemon.agents.census.processes", history.world)
            try:
                asyncio.run(history.play(STEPS))
            except BaseException as error:
                steps = "\n".join(history.told)
                error.add_note(f"TOLL_SEED={seed} TOLL_HISTORIES=1, after these steps:\n{steps}")
                raise

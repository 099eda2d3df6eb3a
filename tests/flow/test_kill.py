"""A daemon killed at any moment leaves a ledger that the next one completes, to the last token."""

import random
import subprocess
import threading
from typing import Any

import pytest

from tollkeeper.control import is_listening
from waiting import wait_until

from . import lines
from .claude_home import ClaudeHome, Log
from .keeper import Keeper
from .lines import Tokens

ROUNDS = 50
# From before the daemon has read its settings, or from its first answer, to well after that.
LONGEST_LIFE_SECONDS = 0.3


class Writer(threading.Thread):
    """Appends replies and prompts to several logs, in pieces, until it is told to stop."""

    def __init__(self, home: ClaudeHome, seed: int) -> None:
        super().__init__()
        self._random = random.Random(seed)
        self._logs = [home.log(project) for project in ("shop", "notes", "infra")]
        self._logs += [log.subagent("analyst", "look at it") for log in self._logs]
        self._done = threading.Event()
        self.replies = 0

    def run(self) -> None:
        while not self._done.wait(0.005):
            self._write(self._random.choice(self._logs))

    def finish(self) -> None:
        """Write no more, once the line that is being written is whole."""
        self._done.set()
        self.join()

    def _write(self, log: Log) -> None:
        tokens = Tokens(*(self._random.randrange(10_000) for _ in range(5)))
        model = self._random.choice((lines.OPUS, lines.HAIKU))
        when = lines.ago(hours=self._random.randrange(72))
        data = lines.prompt(log.writer, when=when)
        data += lines.reply(log.writer, tokens, model, self._random.randint(1, 3), when=when)
        cut = self._random.randrange(len(data))
        log.append(data[:cut])
        log.append(data[cut:])
        self.replies += 1


@pytest.mark.timeout(120)
def test_killed_daemon_loses_and_doubles_nothing(keeper: Keeper, home: ClaudeHome) -> None:
    """After fifty kills in the midst of writing, the ledger is that of an undisturbed daemon."""
    chance = random.Random(20)
    writer = Writer(home, seed=21)
    writer.start()
    try:
        for number in range(ROUNDS):
            process = keeper.spawn()
            if number % 2:
                wait_until(lambda: is_listening(keeper.paths))
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0.01, LONGEST_LIFE_SECONDS))
            keeper.kill()
    finally:
        writer.finish()
    with Keeper(home) as undisturbed:
        expected = _ledger(undisturbed.start())
        assert expected[0]["totals"]["requests"] == writer.replies
        assert _ledger(keeper.start()) == expected


def _ledger(keeper: Keeper) -> tuple[dict[str, Any], dict[str, Any]]:
    keeper.wait_for(lambda status: status.daemon.importing is None)
    return keeper.report("daily"), keeper.report("session")

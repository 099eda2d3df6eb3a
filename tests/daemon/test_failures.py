"""What fails goes no further, and fills no log."""

from typing import Any, cast

import pytest

from tollkeeper_daemon.intake.failures import Failures


class Herald:
    """Takes down what a person is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def alert_once(self, kind: str, text: str) -> None:
        """It is told; how often is the herald's to say."""
        self.told.append(text)


def test_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """The same failure of a piece of work is logged once, until that goes well or fails otherwise."""
    herald = Herald()
    failures = Failures(cast("Any", herald))
    why: list[str] = []

    def pulse() -> None:
        if why:
            raise OSError(why[0])

    def other() -> None:
        """Another piece of work, which goes well."""

    def logged(turns: int) -> int:
        caplog.clear()
        for _ in range(turns):
            assert failures.attempt(pulse) is not bool(why)
            assert failures.attempt(other)
        return len(caplog.records)

    why[:] = ["the disk is full"]
    assert (logged(5), len(herald.told)) == (1, 5)
    why[:] = ["the disk is broken"]
    assert logged(5) == 1
    why.clear()
    assert logged(1) == 0
    why[:] = ["the disk is broken"]
    assert logged(5) == 1

"""Reports asked for while the history is still being read."""

from collections.abc import Callable

import pytest

from tollkeeper import wire
from tollkeeper.cli import whole
from tollkeeper.paths import Paths

from .conftest import Run
from .fake_daemon import FakeDaemon, reply
from .test_report import row

PART = {"importing": {"done_bytes": 5_000_000, "total_bytes": 400_000_000}}


def answers(*parts: bool) -> Callable[[wire.Request], list[wire.Reply]]:
    """Answers that hold only a part, or the whole of it, in this order; the last one again and again."""
    left = [*parts]

    def answer(call: wire.Request) -> list[wire.Reply]:
        part = left.pop(0) if len(left) > 1 else left[0]
        count = 1 if part else 2
        report = {"daily": [{"date": "2026-11-22", **row(requests=count)}], "totals": row()}
        return [reply(call, {**PART, **report} if part else report)]

    return answer


def test_waits_for_the_history(home: Paths, run: Run) -> None:
    """A report waits until it holds everything, and says nothing of it in a pipe."""
    with FakeDaemon(home, answers(True, True, False)) as daemon:
        exit_status, out, err = run("daily", "--json")
    assert (0, "", 3) == (exit_status, err, len(daemon.calls))
    assert '"requests":2' in out
    assert "importing" not in out


@pytest.mark.parametrize("form", [["--json"], []])
def test_patience_ends(
    home: Paths, run: Run, monkeypatch: pytest.MonkeyPatch, form: list[str]
) -> None:
    """After a while the report comes as it is, and a line on stderr says that it is not whole."""
    monkeypatch.setattr(whole, "PATIENCE_SECONDS", 0.0)
    with FakeDaemon(home, answers(True)):
        exit_status, out, err = run("daily", *form)
    told = "toll: the history is being read, 5.0 MB of 400.0 MB: not all is counted yet\n"
    assert (0, told) == (exit_status, err)
    assert '"importing":{"done_bytes":5000000' in out or "2026-11-22" in out

"""Answers that are of no protocol: whatever a daemon says, toll tells it in one line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import Raw

from tollkeeper import wire
from tollkeeper.cli import daily
from tollkeeper.cli.context import NOT_OURS
from tollkeeper.paths import Paths

from .conftest import Run
from .fake_daemon import FakeDaemon, reply
from .making import agent, status
from .test_report import row

ASKING = [
    ["status"],
    ["agents"],
    ["daily"],
    ["weekly"],
    ["monthly"],
    ["session"],
    ["blocks"],
    ["export"],
    ["export", "--by", "day"],
    ["audit"],
    ["prices"],
    ["prices", "set", "m", "--input", "1", "--output", "1"],
    ["prices", "check"],
    ["reprice", "--dry-run"],
    ["plans"],
    ["plans", "set", "x", "--price", "1"],
    ["plans", "remove", "x"],
    ["workflow", "show", "w"],
    ["workflow", "compare", "w", "v"],
    ["workflow", "top"],
    ["workflow", "stages"],
    ["workflow", "paths", "-f", "csv"],
    ["up"],
    ["down"],
]
NONSENSE = [b"{}", b"null", b"[]", b"1", b'"x"', b'{"a":', b"", b"[" * 100_000, b'"\xff\xfe"']

TOLD = f"toll: {NOT_OURS}; is it another version? see toll doctor\n"


def saying(result: bytes) -> Callable[[wire.Request], list[wire.Reply]]:
    """A daemon that answers this to everything."""
    return lambda call: [wire.Reply(call.id, result=Raw(result))]


@pytest.mark.parametrize("arguments", ASKING, ids=" ".join)
def test_nonsense(home: Paths, run: Run, arguments: list[str]) -> None:
    """What is no answer at all is one line on stderr and status 1, in every verb that asks."""
    for result in NONSENSE:
        with FakeDaemon(home, saying(result)):
            exit_status, _, err = run(*arguments, "--no-start")
        assert (1, 1) == (exit_status, err.count("\n")), (result[:20], err)
        assert err.startswith("toll: ")


@pytest.mark.parametrize("result", NONSENSE)
def test_doctor_of_nonsense(home: Paths, run: Run, result: bytes) -> None:
    """The doctor finds that the answers are of no protocol, and says what to do."""
    with FakeDaemon(home, saying(result)):
        exit_status, out, err = run("doctor", "--no-start")
    assert (1, "") == (exit_status, err)
    assert f"BAD  {NOT_OURS}\n     mend: toll down, then toll up\n" in out


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("totalTokens", "x"),
        ("totalTokens", None),
        ("modelsUsed", [1]),
        ("modelBreakdowns", [1]),
        ("valueUSD", [0]),
        ("costUSD", "1"),
        ("unpricedRequests", "0"),
    ],
)
def test_wrong_types(
    home: Paths, run: Run, monkeypatch: pytest.MonkeyPatch, name: str, value: Any
) -> None:
    """A figure of another type is found out, and told as any other nonsense."""
    monkeypatch.setenv("COLUMNS", "150")
    wrong = {**row(), name: value}
    report = {"daily": [{"date": "2026-11-22", **wrong}], "totals": wrong}
    with FakeDaemon(home, lambda call: [reply(call, report)]):
        found = run("daily", "-b", "--no-start")
    assert (1, "", TOLD) == found


def test_wrong_words(home: Paths, run: Run) -> None:
    """A time that is none, in an answer built as it should be, is found out too."""
    told = status(agent(), time="x")
    with FakeDaemon(home, lambda call: [reply(call, told)]):
        for verb in ("agents", "status"):
            assert (1, "", TOLD) == run(verb, "--no-start")


def test_our_own_mistakes(home: Paths, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake made before the daemon was asked stays one; TOLL_DEBUG shows those after it."""
    with FakeDaemon(home, saying(b"{}")):
        monkeypatch.setenv("TOLL_DEBUG", "1")
        with pytest.raises(KeyError):
            run("daily", "--no-start")
    monkeypatch.delenv("TOLL_DEBUG")

    def stumble(*_: object) -> None:
        raise KeyError("ours")

    monkeypatch.setattr(daily, "run", stumble)
    with pytest.raises(KeyError, match="ours"):
        run("daily", "--no-start")


def test_refusals_are_made_plain(home: Paths, run: Run) -> None:
    """The words of a refusal can neither move the cursor nor begin a line of their own."""
    body = wire.ErrorBody("failed", "\x1b[31mno\nTraceback", "\x1b]0;title\x07")
    with FakeDaemon(home, lambda call: [wire.Reply(call.id, error=body)]):
        for verb in ("daily", "status"):
            found = run(verb, "--no-start")
            assert (1, "", "toll: ·[31mno·Traceback; ·]0;title·\n") == found


def test_what_is_no_text(home: Paths, run: Run, tmp_path: Path) -> None:
    """A name that is not UTF-8 is refused in words before the daemon is asked, wherever it comes from."""
    prices = tmp_path / "prices.json"
    prices.write_text(json.dumps({"claude-\ud800": {}}))
    with FakeDaemon(home, saying(b"{}")) as daemon:
        for arguments, told in (
            (["daily", "-p", "shop\udcff"], r"'shop\udcff'"),
            (["prices", "import", str(prices)], r"'claude-\ud800'"),
        ):
            expected = f"toll: {told} is not UTF-8; write it otherwise\n"
            assert (2, "", expected) == run(*arguments, "--no-start")
        assert [] == daemon.calls

"""What is told of what has ended, and how it reads."""

import pytest

from tollkeeper_daemon.endings import news
from tollkeeper_daemon.reports.markdown import table

SUMS = {"totalTokens": 17_316, "costUSD": 0.5, "valueUSD": 12.25}
ROW = {
    **SUMS,
    "requests": 1234,
    "unpricedRequests": 0,
    "modelBreakdowns": [
        {**SUMS, "modelName": "claude-opus-5-5", "requests": 1233, "unpricedRequests": 0},
        {**SUMS, "modelName": "claude-nova|9`x`", "requests": 1, "unpricedRequests": 1},
    ],
    "breakdown": [{**SUMS, "by": {"agent": ""}, "requests": 1, "unpricedRequests": 0}],
}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, {}),
        ({"day_ended": "2026-11-22"}, {"day_ended": "2026-11-23"}),
        ({"day_ended": "2026-11-23"}, {}),
        ({"day_ended": "2026-11-24"}, {}),
    ],
)
def test_news(told: dict[str, str], expected: dict[str, str]) -> None:
    """News is what is later than what was told; the past of a new ledger, or a clock set back, is none."""
    assert expected == news(told, {"day_ended": "2026-11-23"})


def test_first_run_is_news() -> None:
    """Where no run had ended yet, the first one that does is news."""
    assert {} == news({"run_ended": ""}, {"run_ended": ""})
    assert {"run_ended": "run-1"} == news({"run_ended": ""}, {"run_ended": "run-1"})


def test_table() -> None:
    """A table is aligned for the eye, and is Markdown for whoever renders it."""
    assert (
        table("Monday", ROW)
        == """**Monday**

| Model      | Requests | Tokens |   Billed | List price |
| ---------- | -------: | -----: | -------: | ---------: |
| opus-5-5   |    1,233 | 17,316 |  $0.5000 |     $12.25 |
| nova\\|9'x' |        1 | 17,316 | ~$0.5000 |    ~$12.25 |
| Total      |    1,234 | 17,316 |  $0.5000 |     $12.25 |

| Agent | Requests | Tokens |  Billed | List price |
| ----- | -------: | -----: | ------: | ---------: |
| –     |        1 | 17,316 | $0.5000 |     $12.25 |
"""
    )


def test_table_of_nothing() -> None:
    """A day on which nothing was used is told as such."""
    assert "**Monday**\n\nNothing was used.\n" == table("Monday", None)

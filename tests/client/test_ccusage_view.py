"""ccusage's figures beside the ledger's, as people see them."""

from typing import Any

from tollkeeper.cli.ccusage_view import lines


def side(tokens: int, dollars: float) -> dict[str, Any]:
    return {"totalTokens": tokens, "totalCost": dollars}


def model(name: str, theirs: dict[str, Any], ours: dict[str, Any], *causes: str) -> dict[str, Any]:
    told = [
        {
            "cause": cause,
            "text": f"because of {cause}",
            "count": 1,
            "differenceTokens": None,
            "differenceUSD": None,
        }
        for cause in causes
    ]
    return {
        "modelName": name,
        "ccusage": theirs,
        "tollkeeper": ours,
        "agrees": not told,
        "causes": told,
    }


def found(*models: dict[str, Any], unexplained: int = 0) -> dict[str, Any]:
    differ = sum(not each["agrees"] for each in models)
    return {
        "ccusage": {"version": "20.0.24", "command": "ccusage", "offline": True},
        "timezone": "UTC",
        "daily": [{"date": "2026-11-22", "models": list(models)}],
        "totals": {
            "ccusage": side(20, 1.5),
            "tollkeeper": side(25, 2.0),
            "agree": len(models) - differ,
            "differ": differ,
            "unexplained": unexplained,
        },
    }


SAME = model("claude-opus-4-6", side(10, 1.0), side(10, 1.0))
OTHER = model("claude-sonnet-4-6", side(10, 0.5), side(15, 1.0), "null", "gone")


def text(answer: dict[str, Any], width: int = 120, everything: bool = False) -> list[str]:
    return [line for line, _ in lines(answer, width, everything)]


def test_what_differs() -> None:
    """A row for each day and model that differs, what its causes mean, and how many agree."""
    head, row, total, blank, *rest = text(found(SAME, OTHER))
    assert head.split() == [
        "Day",
        "Model",
        "ccusage",
        "tokens",
        "Ledger",
        "tokens",
        "Difference",
        "Cause",
    ]
    assert row.split() == [
        "2026-11-22",
        "sonnet-4-6",
        "$0.5000",
        "10",
        "$1.0000",
        "15",
        "-$0.5000",
        "null,",
        "gone",
    ]
    assert total.split() == ["Total", "$1.5000", "20", "$2.0000", "25", "-$0.5000"]
    assert blank == ""
    assert rest == [
        "gone: because of gone; 1 time",
        "null: because of null; 1 time",
        "ccusage 20.0.24 with its own prices, by days of UTC: 1 of 2 pairs of day and model agree, 1 differ.",
    ]


def test_all() -> None:
    """What agrees is shown when asked for, and without a difference there is no table."""
    assert [line.split()[1] for line in text(found(SAME, OTHER), everything=True)[1:3]] == [
        "opus-4-6",
        "sonnet-4-6",
    ]
    [only] = text(found(SAME))
    assert only.endswith("1 of 1 pairs of day and model agree, 0 differ.")


def test_unexplained() -> None:
    """What has no known cause stands out, is told with what it comes to, and is counted."""
    strange = model("claude-opus-4-6", side(10, 1.0), side(11, 1.0), "unexplained")
    strange["causes"][0] |= {"count": 0, "differenceTokens": -1, "differenceUSD": 0.25}
    shown = lines(found(strange, unexplained=1), 120)
    assert [style for line, style in shown if line.startswith("2026")] == ["red"]
    words = " ".join(line for line, _ in shown)
    assert "unexplained: because of unexplained, -1 tokens, +0.2500 dollars" in words
    assert words.endswith("1 differ, 1 not explained to the end.")


def test_narrow() -> None:
    """No line is wider than there is room."""
    assert max(map(len, text(found(SAME, OTHER), 60, everything=True))) <= 60

"""Where ccusage counts something else, case by case: its figure and ours, so that we see it mended.

docs/accounting.md has the table of these cases, under "Where ccusage differs, and why".
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

import ccusage
from daemon.lines import Json, as_block, as_line, assistant, scanned, usage
from daemon.shelf import DictShelf, post

SONNET = "claude-sonnet-4-6"
MAIN = "-p/conv-1.jsonl"
HELPER = "-p/conv-1/subagents/agent-a1.jsonl"
REPLAY = "-p/conv-1/subagents/agent-a2.jsonl"
# ccusage reads a day by other rules than everything longer.
LONGER = ("weekly", "monthly", "session", "blocks")
ALL = ("daily", *LONGER)

Logs = dict[str, list[bytes]]
Report = Callable[..., dict[str, Any]]


class Case(Struct, frozen=True):
    """What ccusage makes of the logs in some of its reports, and what we make of them."""

    name: str
    logs: Logs
    theirs: float
    ours: float
    verbs: tuple[str, ...] = ALL
    key: str = "outputTokens"


def said(output: int = 500, *, ms: int = 0, **more: Any) -> bytes:
    """A block of a reply; further blocks come some milliseconds later."""
    stamp = f"2026-11-22T09:00:00.{ms:03}Z"
    return assistant(usage(10, output), **{"model": SONNET, "timestamp": stamp, **more})


def used(**fields: Any) -> list[bytes]:
    """A reply with this usage."""
    return [assistant({**usage(10, 500), **fields}, model=SONNET)]


def lacking(line: bytes, *names: str) -> bytes:
    """The line without these fields, of itself or of its message."""
    fields: Json = json.loads(line)
    for name in names:
        fields.pop(name, None)
        fields["message"].pop(name, None)
    return as_line(fields)


def nulled(line: bytes, name: str) -> bytes:
    """The line with null in this field, of its message if it has it."""
    fields: Json = json.loads(line)
    (fields["message"] if name in fields["message"] else fields)[name] = None
    return as_line(fields)


def helper(request: str) -> list[bytes]:
    """A subagent's reply, whose first block says too little."""
    more = {"request": request, "isSidechain": True, "agentId": "a1"}
    return [said(1, ms=0, **more), said(500, ms=1, **more)]


def of_model(model: str, input: int = 1_000, output: int = 1_000, **more: Any) -> list[bytes]:
    """A reply of a model."""
    return [assistant(usage(input, output, **more), model=model)]


GROWING = [said(1), said(500, ms=1)]
ALIKE = [said(500), said(500, ms=1)]

CASES = [
    # One reply, counted more than once.
    Case(
        "no requestId, a first block that says too little",
        {MAIN: [lacking(line, "requestId") for line in GROWING]},
        501,
        500,
        ("daily",),
    ),
    Case(
        "no requestId, several blocks",
        {MAIN: [lacking(line, "requestId") for line in ALIKE]},
        1000,
        500,
        ("daily",),
    ),
    Case(
        "no requestId, copied by a resumed session",
        {
            MAIN: [lacking(said(), "requestId")],
            "-p/conv-2.jsonl": [lacking(said(sessionId="conv-2"), "requestId")],
        },
        1000,
        500,
    ),
    Case(
        "requestId on one block only",
        {MAIN: [lacking(said(1), "requestId"), said(500, ms=1)]},
        501,
        500,
    ),
    Case("no message id", {MAIN: [lacking(line, "id") for line in GROWING]}, 501, 500),
    Case(
        "subagent's replay under a new requestId",
        {HELPER: helper("r2"), REPLAY: helper("r2-again")},
        1000,
        500,
        LONGER,
    ),
    Case(
        "replay that is not marked as a sidechain",
        {MAIN: [said()], REPLAY: [said(request="r-again")]},
        1000,
        500,
    ),
    Case("error line with a usage", {MAIN: [said(isApiErrorMessage=True)]}, 500, 0),
    Case("synthetic line with a usage", {MAIN: [said(model="<synthetic>")]}, 500, 0, ("blocks",)),
    Case(
        "subagent's reply repeated on a line of progress, its own log gone",
        {
            MAIN: [
                as_line(
                    {
                        "type": "progress",
                        "timestamp": "2026-11-22T09:00:00.000Z",
                        "sessionId": "conv-1",
                        "data": {"type": "agent_progress", "message": json.loads(said())},
                    }
                )
            ]
        },
        500,
        0,
        ("daily",),
    ),
    # Tokens that are missed.
    Case(
        "cache writes with a split of zeros",
        {MAIN: used(cache_creation_input_tokens=1_000_000)},
        0,
        1_000_000,
        ("daily", "weekly", "monthly", "session"),
        "cacheCreationTokens",
    ),
    Case(
        "cache writes beyond the split",
        {MAIN: [assistant(usage(w5=100, w1=200, cache_creation_input_tokens=1_000))]},
        300,
        1_000,
        ("daily", "weekly", "monthly", "session"),
        "cacheCreationTokens",
    ),
    Case(
        "a split beyond the cache writes",
        {MAIN: [assistant(usage(w5=100, w1=200, cache_creation_input_tokens=50))]},
        300,
        50,
        ("daily", "weekly", "monthly", "session"),
        "cacheCreationTokens",
    ),
    Case(
        "kinds of tokens that are largest on different blocks",
        {MAIN: [assistant(usage(10, 50), model=SONNET), assistant(usage(20, 5), model=SONNET)]},
        10,
        20,
        ("daily", "weekly", "monthly", "session"),
        "inputTokens",
    ),
    *(
        Case(f"null in {name}", {MAIN: [nulled(said(), name)]}, 0, 500)
        for name in (
            "id",
            "model",
            "requestId",
            "sessionId",
            "cwd",
            "version",
            "costUSD",
            "isApiErrorMessage",
        )
    ),
    *(
        Case(f"null in {name} of the usage", {MAIN: used(**{name: None})}, 0, 500)
        for name in (
            "speed",
            "input_tokens",
            "cache_read_input_tokens",
            "cache_creation_input_tokens",
        )
    ),
    Case("an empty message id", {MAIN: [said(message="")]}, 0, 500),
    Case("blanks between the fields", {MAIN: [json.dumps(json.loads(said())).encode()]}, 0, 500),
    *(
        Case(f"the time written as {stamp}", {MAIN: [said(timestamp=stamp)]}, 0, 500)
        for stamp in ("2026-11-22T09:00:00", "2026-11-22 09:00:00Z", "2026-11-22T09:00:00.000001Z")
    ),
]

COSTS = [
    Case(
        "ten web searches",
        {MAIN: used(server_tool_use={"web_search_requests": 10})},
        0.00753,
        0.10753,
    ),
    Case("inference in the US", {MAIN: used(inference_geo="us")}, 0.00753, 0.008283),
    Case("a model without a price", {MAIN: of_model("claude-opus-9")}, 0, 0.09),
    Case("an alias, claude-opus-4-0", {MAIN: of_model("claude-opus-4-0")}, 0, 0.09),
    Case("opus 5.5 in fast mode", {MAIN: of_model("claude-opus-5-5", speed="fast")}, 0, 0.048),
    Case("a long prompt of haiku 5.5", {MAIN: of_model("claude-haiku-5-5", 100_001)}, 0, 0.0525005),
    Case(
        "more than 200,000 tokens on sonnet 4.5",
        {MAIN: of_model("claude-sonnet-4-5-20250929", 250_000)},
        0.915,
        0.765,
    ),
    Case(
        "a region of Bedrock",
        {MAIN: of_model("us.anthropic.claude-sonnet-4-5-20250929-v1:0")},
        0.0198,
        0.018,
    ),
    Case("an old line's own costUSD", {MAIN: [said(costUSD=1.5)]}, 1.5, 0.00753),
    Case("an old line's costUSD of nothing", {MAIN: [said(costUSD=0)]}, 0, 0.00753),
]
UNPRICED = {
    "claude-opus-5-5",
    "claude-sonnet-5-5",
    "claude-haiku-5-5",
    "claude-fable-5-2",
    "claude-mythos-5-2",
}


@pytest.fixture
def report(ccusage_binary: Path, tmp_path: Path) -> Report:
    """Ask ccusage for a report of these logs."""

    def ask(verb: str, logs: Logs) -> dict[str, Any]:
        for name, lines in logs.items():
            path = tmp_path / "projects" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(as_block(lines))
        return ccusage.report(ccusage_binary, tmp_path, verb, "-z", "UTC")

    return ask


def account(logs: Logs) -> DictShelf:
    """What we make of these logs."""
    scans = [scanned(lines, f"/h/projects/{name}") for name, lines in logs.items()]
    return post(*([*scan.replies, *scan.prompts] for scan in scans))


def ours(logs: Logs) -> dict[str, float]:
    total = account(logs).total()
    return {
        "inputTokens": total.input,
        "outputTokens": total.output,
        "cacheCreationTokens": total.cache_write_5m + total.cache_write_1h,
        "totalCost": total.value / 1e9,
    }


def theirs(report: dict[str, Any], key: str) -> float:
    if "blocks" in report:
        return sum(block["tokenCounts"][key] for block in report["blocks"])
    totals: dict[str, float] | None = report["totals"]  # null when there is no line at all
    return totals[key] if totals else 0


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_tokens(report: Report, case: Case) -> None:
    """ccusage's tokens are still what the table says, and so are ours."""
    assert case.ours == ours(case.logs)[case.key]
    assert {verb: case.theirs for verb in case.verbs} == {
        verb: theirs(report(verb, case.logs), case.key) for verb in case.verbs
    }


@pytest.mark.parametrize("case", COSTS, ids=lambda case: case.name)
def test_dollars(report: Report, case: Case) -> None:
    """ccusage's dollars are still what the table says, and so are ours."""
    assert case.ours == pytest.approx(ours(case.logs)["totalCost"], abs=1e-12)
    assert case.theirs == pytest.approx(theirs(report("daily", case.logs), "totalCost"), abs=1e-12)


def test_models_without_a_price(report: Report) -> None:
    """Offline, ccusage has no price for the newest models; all others have the client's."""
    prices = Path(__file__).parent.parent / "data" / "prices.json"
    models = json.loads(prices.read_bytes())["models"]
    lines = [
        assistant(usage(9, 8, 7, 6, 5), model=model, message=model, request=model)
        for model in models
    ]
    told = report("daily", {MAIN: lines})
    assert set(told["totals"]["unpricedModels"]) == UNPRICED
    [day] = told["daily"]
    shelf = account({MAIN: lines})
    values = {shelf.book(number).model: totals.value for (_, number), totals in shelf.sums.items()}
    assert {each["modelName"]: round(each["cost"] * 1e9) for each in day["modelBreakdowns"]} == {
        model: 0 if model in UNPRICED else values[model] for model in models
    }


def test_fast_names(report: Report) -> None:
    """ccusage shows fast replies as a model of their own, whether or not there is a fast mode."""
    for model in ("claude-opus-5-5", SONNET):
        logs = {MAIN: of_model(model, speed="fast")}
        [day] = report("daily", logs)["daily"]
        assert day["modelsUsed"] == [f"{model}-fast"]
        assert {book.model for book in account(logs).books} == {model}


def test_agents_of_a_workflow(report: Report) -> None:
    """ccusage takes the run of a workflow for a session of its own; we book it to its conversation."""
    logs = {
        MAIN: [said()],
        "-p/conv-1/subagents/workflows/run-1/agent-a1.jsonl": [
            said(700, message="m2", request="r2", isSidechain=True, agentId="a1")
        ],
    }
    found = report("session", logs)["sessions"]
    assert {row["sessionId"]: row["outputTokens"] for row in found} == {"conv-1": 500, "run-1": 700}
    assert {book.conversation for book in account(logs).books} == {"conv-1"}


def test_fork(report: Report) -> None:
    """ccusage books what a fork copied to the session whose name comes first, marked or not."""
    copy = said(sessionId="conv-0", requestSessionId="conv-1")
    logs = {MAIN: [said()], "-p/conv-0.jsonl": [copy]}
    [row] = report("session", logs)["sessions"]
    assert (row["sessionId"], row["outputTokens"]) == ("conv-0", 500)
    shelf = account(logs)
    assert [shelf.book(number).conversation for _, number in shelf.sums] == ["conv-1"]


def test_reply_over_midnight(report: Report) -> None:
    """ccusage dates a reply by the block with the most output, we by the first."""
    logs = {
        MAIN: [
            said(1, timestamp="2026-11-21T23:59:59.900Z"),
            said(500, timestamp="2026-11-22T00:00:00.100Z"),
        ]
    }
    [day] = report("daily", logs)["daily"]
    assert day["date"] == "2026-11-22"
    [(quarter, _)] = account(logs).sums
    assert datetime.fromtimestamp(quarter * 900, UTC).date().isoformat() == "2026-11-21"

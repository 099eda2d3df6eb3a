"""The questions of ``toll workflow``: what terminals of any width, files and chats are shown."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from tollkeeper import wire
from tollkeeper.cli import workflow_show_view, workflow_words
from tollkeeper.paths import Paths

from .conftest import Run
from .fake_daemon import FakeDaemon, reply

Json = dict[str, Any]


def usage(**more: Any) -> Json:
    """What was used, as every answer tells it."""
    return {
        "requests": 26,
        "messages": 2,
        "input_tokens": 12_450,
        "output_tokens": 3_201,
        "cache_read_tokens": 45_600,
        "cache_write_5m_tokens": 1_000,
        "cache_write_1h_tokens": 500,
        "web_searches": 0,
        "total_tokens": 62_751,
        "cost_usd": 0.245,
        "value_usd": 1.5,
        "unpriced_requests": 0,
        **more,
    }


def line(stage: str | None = "analyze", **more: Any) -> Json:
    """A line of a workflow."""
    return {
        "stage": stage,
        "tasks": [f".claude-4nq.1-{stage}"] if stage else [],
        "roles": ["analyst"],
        "models": ["claude-opus-5-5"],
        **usage(),
        "cache_hit_rate": 0.766,
        "cache_saved_usd": 0.1631,
        "share": 0.5,
        "duration_seconds": 127.0,
        "worked_seconds": 100.0,
        "waited_seconds": 27.0,
        "held_seconds": 0.0,
        "runs": 1,
        "status": "completed",
        **more,
    }


def workflow(name: str | None = ".claude-4nq", **more: Any) -> Json:
    """A workflow and how it stands."""
    return {
        "workflow": name,
        "path": "full",
        "status": "completed",
        "started_at": "2026-11-22T09:00:00.000+00:00",
        "ended_at": "2026-11-22T09:30:00.000+00:00",
        **more,
    }


def shown(*lines: Json, **totals: Any) -> Json:
    """The answer to ``show``."""
    return {
        **workflow(),
        "share_of": "cost",
        "stages": [*lines],
        "totals": {**line(None), "total_tokens": 1_234_567, **totals},
    }


def cell(cost: float, more: float, percent: float | None, **others: Any) -> Json:
    """What a workflow took at a stage, beside the first."""
    keys = ("cost_usd", "value_usd", "total_tokens", "duration_seconds")
    return {
        **line(cost_usd=cost, value_usd=cost),
        "difference": {**dict.fromkeys(keys, 0), "cost_usd": more, "value_usd": more},
        "difference_percent": {**dict.fromkeys(keys, 0.0), "cost_usd": percent},
        **others,
    }


def driver(key: str, name: str | None, **more: Any) -> Json:
    """A line of the dearest."""
    figures = {**usage(), "duration_seconds": 127.0, "share": 0.25}
    named = workflow(name) if key == "workflow" else {key: name}
    return {**named, **figures, **more}


def spread(middle: float) -> Json:
    """How amounts spread."""
    return {
        "count": 3,
        "total": 3 * middle,
        "min": middle / 2,
        "lower_quartile": middle / 2,
        "median": middle,
        "upper_quartile": middle * 2,
        "max": middle * 4,
    }


def spreads(**more: Any) -> Json:
    """How pieces of work spread by each measure."""
    return {
        "workflows": 1_234,
        "cost_usd": spread(0.25),
        "value_usd": spread(0.25),
        "total_tokens": spread(40_000),
        "duration_seconds": spread(60.0),
        **more,
    }


ANSWERS: Json = {
    "workflow.show": shown(line(), line(None, runs=0, status=None, duration_seconds=None)),
    "workflow.compare": {
        "workflows": [workflow(), workflow(".claude-4nx")],
        "stages": [{"stage": "analyze", "cells": [cell(1.0, 0.0, 0.0), cell(0.5, -0.5, -50.0)]}],
        "totals": [cell(1.0, 0.0, 0.0), cell(3.0, 2.0, None)],
    },
    "workflow.top": {
        "by": "cost",
        "since": None,
        "workflows": [driver("workflow", ".claude-4nq"), driver("workflow", None)],
        "stages": [driver("stage", "analyze", share=0.004)],
        "roles": [driver("role", "analyst"), driver("role", None)],
        "totals": {"workflows": 10_000, **usage()},
    },
    "workflow.stages": {
        "since": None,
        "stages": [{"stage": "analyze", **spreads()}, {"stage": None, **spreads()}],
    },
    "workflow.paths": {
        "since": None,
        "paths": [
            {"path": "full", "ended": 1_000, "failed": 40, "failed_share": 0.04, **spreads()},
            {"path": None, "ended": 0, "failed": 0, "failed_share": None, **spreads()},
        ],
    },
}
ASKING = {
    "show": ["show", ".claude-4nq"],
    "compare": ["compare", ".claude-4nq", ".claude-4nx"],
    "top": ["top"],
    "stages": ["stages"],
    "paths": ["paths"],
}
Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ask(home: Paths, run: Run, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Runs toll workflow in front of a daemon that answers so, in a place of this width."""

    def call(*arguments: str, width: int = 80, answers: Json = ANSWERS) -> tuple[int, str, str]:
        monkeypatch.setenv("COLUMNS", str(width))
        with FakeDaemon(home, lambda call: [reply(call, answers[call.method])]):
            return run("workflow", *arguments, "--no-start")

    return call


def lines(result: tuple[int, str, str]) -> list[str]:
    """The lines of an answer that went well."""
    exit_status, out, err = result
    assert (0, "") == (exit_status, err)
    return out.splitlines()


def said(line: str) -> str:
    """What stands in the line, whatever the space between."""
    return " ".join(line.split())


@pytest.mark.parametrize("width", [40, 80, 120, 200])
@pytest.mark.parametrize("verb", list(ASKING))
def test_fits(ask: Ask, verb: str, width: int) -> None:
    """Every table fits its terminal, and shows what was asked for, without colours in a pipe."""
    told = lines(ask(*ASKING[verb], width=width))
    assert max(map(len, told)) <= width
    assert "\x1b" not in "".join(told)
    assert any("analyze" in each or "full" in each for each in told)


def test_show(ask: Ask) -> None:
    """A wide terminal shows each kind of tokens and of time, a narrow one their sums."""
    head, columns, analyze, rest, total, cache = lines(ask("show", ".claude-4nq", width=220))
    assert head.startswith(".claude-4nq: full, completed, 2026-11-22 ")
    for word in (".claude-4nq.1-analyze", "analyst", "opus-5-5", "12,450", "3,201", "45,600"):
        assert word in analyze
    for word in ("1,500", "26", "$0.2450", "$1.50", "50 %", "2m 07s", "1m 40s", "completed"):
        assert word in analyze
    assert "Tokens" not in columns
    assert rest.startswith("(no stage)")
    assert total.startswith("Total ")
    assert "Cache: 77 % of all input was read from it, which saved $0.1631 at list price." == cache
    narrow = lines(ask("show", ".claude-4nq", width=80))
    assert "62,751" in narrow[2]
    assert "1,234,567" in narrow[4]
    ends = {
        each.index(figure) + len(figure)
        for each, figure in zip(narrow[2:5:2], ("62,751", "1,234,567"), strict=True)
    }
    assert 1 == len(ends)


@pytest.mark.parametrize(
    ("totals", "told"),
    [
        ({"cache_hit_rate": None, "cache_saved_usd": 0.0}, "Nothing was sent yet."),
        ({"cache_saved_usd": None}, "not known"),
        ({"cache_saved_usd": -1.25}, "cost $1.25 more than that saved"),
    ],
)
def test_what_the_cache_saved(totals: Json, told: str) -> None:
    """What the cache saved is said in words, whichever way it went."""
    [below] = workflow_show_view.table(shown(line(), **totals)).below
    assert told in below


def test_guesses_are_marked(ask: Ask) -> None:
    """Sums that hold a request without a known price are marked, and no other."""
    answer = shown(line(unpriced_requests=1), line("plan"))
    told = lines(ask("show", "w", answers={"workflow.show": answer}))
    assert [True, False, False] == ["~$0.2450" in each for each in told[2:5]]
    stages = [driver("stage", "analyze", unpriced_requests=1)]
    top = {**ANSWERS["workflow.top"], "stages": stages, "roles": []}
    found = lines(ask("top", answers={"workflow.top": top}))
    assert 2 == "\n".join(found).count("~")


def test_compare(ask: Ask) -> None:
    """The workflows stand side by side, with what the second has more, in figures and percent."""
    told = lines(ask("compare", ".claude-4nq", ".claude-4nx"))
    assert "Stage .claude-4nq .claude-4nx more %" == said(told[0])
    assert "analyze billed $1.00 $0.5000 -$0.5000 -50" == said(told[1])
    assert "duration 2m 07s 2m 07s 0s 0" == said(told[3])
    assert "Total billed $1.00 $3.00 +$2.00" == said(told[4])
    assert not any("list price" in each for each in told)  # It is what is billed.


def test_hardly_any_difference(ask: Ask) -> None:
    """A difference that comes to nothing as it is shown has no sign."""
    cells = [cell(1.0, 0.0, 0.0), cell(1.0, -0.00001, -0.4), cell(1.0, 0.00001, 0.4)]
    workflows = [*map(workflow, "abc")]
    answer = {"workflows": workflows, "stages": [], "totals": cells}
    told = lines(ask("compare", *"abc", answers={"workflow.compare": answer}))
    assert "Total billed $1.00 $1.00 $0.0000 0 $1.00 $0.0000 0" == said(told[1])


def test_ids_that_end_differently(ask: Ask) -> None:
    """Four workflows beside each other can be told apart in a usual terminal."""
    names = [f".claude-4n{at}" for at in range(4)]
    cells = [cell(1.0, 0.0, 0.0) for _ in names]
    answer = {"workflows": [*map(workflow, names)], "stages": [], "totals": cells}
    told = lines(ask("compare", *names, answers={"workflow.compare": answer}))
    assert {*names} <= {*told[0].split()}


def test_many_beside_each_other(ask: Ask) -> None:
    """With many workflows a narrow terminal shows what each took, and leaves out the differences."""
    names = [f".claude-4n{at}" for at in range(6)]
    cells = [cell(1.0, 0.0, 0.0) for _ in names]
    answer = {
        "workflows": [workflow(name) for name in names],
        "stages": [{"stage": "analyze", "cells": cells}],
        "totals": cells,
    }
    told = lines(ask("compare", *names, answers={"workflow.compare": answer}))
    assert 6 == told[1].count("$1.00")
    assert max(map(len, told)) <= 80


def test_top(ask: Ask) -> None:
    """Above the tables stands what all come to, and how many are shown; each line has its share."""
    told = lines(ask("top", width=200))
    expected = (
        "10,000 workflows (1 shown) and what is of none: $0.2450 billed, $1.50 list price, "
        "62.8K tokens. By what is billed:"
    )
    assert expected == told[0]
    expected = ".claude-4nq full completed 26 62,751 $0.2450 $1.50 2m 07s 25 % ██▌"
    assert expected == said(told[2])
    for word in ("(no workflow)", "(no role)", "<1 %"):
        assert 1 == sum(word in each for each in told), word


def test_spread(ask: Ask) -> None:
    """A line for each measure has the middle and both ends; a path how often it failed."""
    told = lines(ask("stages", width=200))
    expected = "analyze 1,234 billed $0.1250 $0.1250 $0.2500 $0.5000 $1.00 $0.7500"
    assert expected == said(told[1])
    assert "tokens 20,000 20,000 40,000 80,000 160,000 120,000" == said(told[2])
    assert told[4].startswith("(no stage)")
    told = lines(ask("paths"))
    assert said(told[1]).startswith("full 1,234 4 % billed ")
    assert said(told[4]).startswith("(no path) 1,234 billed ")


def test_only_subscriptions(ask: Ask) -> None:
    """Where nothing is billed the list price is told instead."""
    free = spreads(cost_usd=spread(0.0), duration_seconds=None)
    answer = {"since": None, "stages": [{"stage": "plan", **free}]}
    told = "\n".join(lines(ask("stages", answers={"workflow.stages": answer})))
    assert "list price" in told
    assert "billed" not in told
    assert "duration" not in told
    paid = [{"duration_seconds": None, "cost_usd": 0.0, "value_usd": 1.0}]
    assert ["value_usd", "total_tokens"] == workflow_words.shown_measures(paid)


@pytest.mark.parametrize("verb", list(ASKING))
def test_json(ask: Ask, verb: str) -> None:
    """JSON is the daemon's own answer."""
    told = lines(ask(*ASKING[verb], "--json"))
    assert ANSWERS[f"workflow.{verb}"] == json.loads(told[0])


def read(result: tuple[int, str, str]) -> list[dict[str, str]]:
    """The records of a CSV file."""
    assert (0, "") == (result[0], result[2])
    return list(csv.DictReader(io.StringIO(result[1])))


def test_csv(ask: Ask) -> None:
    """A CSV file has a record for each line, every figure, and exact money."""
    first, second = read(ask("show", ".claude-4nq", "--format", "csv"))
    for key, value in {
        "workflow": ".claude-4nq",
        "stage": "analyze",
        "tasks": ".claude-4nq.1-analyze",
        "cost_usd": "0.245000000",
        "duration_seconds": "127.0",
        "runs": "1",
    }.items():
        assert value == first[key]
    assert ("", "", "") == (second["stage"], second["status"], second["duration_seconds"])
    first, second = read(ask("compare", "a", "b", "--format", "csv"))
    assert (".claude-4nx", "-0.500000000", "-50.0") == (
        second["workflow"],
        second["difference_cost_usd"],
        second["difference_percent_cost_usd"],
    )
    kinds = [(each["kind"], each["name"]) for each in read(ask("top", "--format", "csv"))]
    assert [("workflow", ".claude-4nq"), ("workflow", "")] == kinds[:2]
    assert [("stage", "analyze"), ("role", "analyst"), ("role", "")] == kinds[2:]
    first, _ = read(ask("stages", "--format", "csv"))
    assert ("1234", "0.250000000", "3") == (
        first["workflows"],
        first["cost_usd_median"],
        first["cost_usd_count"],
    )
    first, _ = read(ask("paths", "--format", "csv"))
    assert ("0.04", "40000") == (first["failed_share"], first["total_tokens_median"])


def test_no_formula(ask: Ask) -> None:
    """A stage that is called like a formula stays text in a spreadsheet."""
    answer = shown(line("=1+1"))
    [record] = read(ask("show", "w", "-f", "csv", answers={"workflow.show": answer}))
    assert "'=1+1" == record["stage"]


@pytest.mark.parametrize("verb", list(ASKING))
def test_markdown(ask: Ask, verb: str) -> None:
    """Markdown holds the wide tables, whatever the terminal; figures stand right in them."""
    told = lines(ask(*ASKING[verb], "-f", "markdown", width=40))
    tables = [each for each in told if each.startswith("|")]
    assert all(each.endswith("|") for each in tables)
    assert any("-: |" in each for each in tables)
    expected = {
        "show": "Cache read",
        "compare": ".claude-4nx",
        "top": "Requests",
        "stages": "75 %",
        "paths": "Failed",
    }
    assert expected[verb] in tables[0]


def test_words_of_others(ask: Ask) -> None:
    """Names move no cursor, and are no markup."""
    answer = shown(line("a|b\x1b[31m`<b>"))
    told = lines(ask("show", "w", answers={"workflow.show": answer}, width=200))
    assert told[2].startswith("a|b·[31m`<b>")
    marked = lines(ask("show", "w", "-f", "markdown", answers={"workflow.show": answer}))
    assert "| a\\|b·[31m'&lt;b&gt; |" in "\n".join(marked)


NOTHING: list[tuple[list[str], Json, str]] = [
    (
        ["top"],
        {"by": "value", "since": None, "workflows": [], "totals": {"workflows": 0}},
        "Nothing is known of any workflow.",
    ),
    (
        ["top", "--by", "cost"],
        {"by": "cost", "since": "2026-11-22", "workflows": [], "totals": {"workflows": 3}},
        "Nothing of any workflow was billed since 2026-11-22. See: toll workflow top --by value",
    ),
    (["stages"], {"since": None, "stages": []}, "Nothing is known of any workflow."),
    (
        ["stages", "--stage", "x"],
        {"since": "2026-11-22", "stages": []},
        "Nothing is known of a stage 'x' of any workflow since 2026-11-22.",
    ),
    (["paths"], {"since": None, "paths": []}, "Nothing is known of any workflow."),
]


@pytest.mark.parametrize(("arguments", "answer", "told"), NOTHING)
def test_nothing(ask: Ask, arguments: list[str], answer: Json, told: str) -> None:
    """Where there is nothing to show, that is said."""
    assert [told] == lines(ask(*arguments, answers={f"workflow.{arguments[0]}": answer}))


def test_what_is_asked(home: Paths, run: Run) -> None:
    """The options arrive as parameters, and what was not said is left to the daemon."""
    with FakeDaemon(home, lambda call: [reply(call, ANSWERS[call.method])]) as daemon:
        for arguments in (
            ["top", "--by", "tokens", "--since", "20261122", "--last", "3"],
            ["top"],
            ["stages", "--stage", "plan", "-s", "2026-11-22"],
            ["paths"],
            ["compare", "a", "b", "c"],
            ["show", ""],
        ):
            assert 0 == run("workflow", *arguments, "--no-start")[0]
    assert [
        {"by": "tokens", "since": "2026-11-22", "last": 3},
        {},
        {"since": "2026-11-22", "stage": "plan"},
        {},
        {"workflows": ["a", "b", "c"]},
        {"workflow": ""},
    ] == [call.params for call in daemon.calls]


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nope"],
        ["show"],
        ["compare", "a"],
        ["top", "--by", "colour"],
        ["top", "--last", "0"],
        ["top", "--json", "--format", "csv"],
        ["show", "w", "--format", "xml"],
        ["paths", "--since", "yesterday"],
    ],
)
def test_wrong_usage(run: Run, arguments: list[str]) -> None:
    """Wrong usage is one line, and status 2, before any daemon is asked."""
    exit_status, out, err = run("workflow", *arguments, "--no-start")
    assert (2, "", 1) == (exit_status, out, err.count("\n"))


def test_stage_without_an_event(run: Run) -> None:
    """Who leaves out what happened to a stage is told what may stand there."""
    told = "the following arguments are required: start|end; see toll workflow stage --help"
    assert (2, "", f"toll: {told}\n") == run("workflow", "stage", "W2", "plan", "--no-start")


def test_unknown_workflow(home: Paths, run: Run) -> None:
    """A workflow that is not known is one line, with what may have been meant."""
    body = wire.ErrorBody("not-found", "no workflow 'x' is known", "is it 'xy'?")
    with FakeDaemon(home, lambda call: [wire.Reply(call.id, error=body)]):
        found = run("workflow", "show", "x", "--no-start")
    assert (1, "", "toll: no workflow 'x' is known; is it 'xy'?\n") == found

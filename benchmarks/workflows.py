"""How long questions about workflows take from the shell to their last byte, over very many of them.

    python benchmarks/workflows.py [--workflows 10000] [--rounds 15]

The ledger is written by the store itself, as the daemon writes it: each workflow has four stages, each
with a process of its own that uses two models. A round runs every command once, as a whole process.
"""

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from measure import spread
from tolld import Daemon
from tollkeeper_daemon.labels.labels import Labels
from tollkeeper_daemon.ledger.books import QUARTER_MS, Book
from tollkeeper_daemon.ledger.ledger import Posting
from tollkeeper_daemon.ledger.totals import Totals
from tollkeeper_daemon.store.schema import AgentRecord, SpanRecord, WorkflowRecord
from tollkeeper_daemon.store.store import Store
from tollkeeper_daemon.store.transaction import Transaction

TOLL: Final = Path(sys.executable).with_name("toll")
MODELS: Final = ("claude-opus-5-5", "claude-sonnet-5-5")
STAGES: Final = {
    "analyze": "analyst",
    "plan": "planner",
    "implement": "implementer",
    "review": "reviewer",
}
SEED: Final = 7
START_MS: Final = 1_764_000_000_000
STAGE_MS: Final = 4 * 60_000
AT_ONCE: Final = 500
COMMANDS: Final = (
    "top",
    "top --json",
    "top --by tokens",
    "top --by duration",
    "top --since 2025-12-01",
    "show bd-00007",
    "compare bd-00007 bd-00008",
    "stages",
    "paths",
)


def main() -> None:
    """Measure so many rounds, and print what each command took."""
    options = _parse()
    with Daemon() as daemon:
        home = daemon.root / "claude"
        (home / "projects").mkdir(parents=True)
        daemon.follow(home)
        value = _fill(daemon.paths.ledger, options.workflows)
        daemon.start().seconds_until_imported()
        _check(daemon, options.workflows, value)
        seen: dict[str, list[float]] = {command: [] for command in COMMANDS}
        for _ in range(options.rounds):
            for command, took in seen.items():
                took.append(_seconds(daemon, command) * 1000)
    for command, took in seen.items():
        print(f"toll workflow {command:28} {spread(took, 'ms', 0)}")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure questions about workflows.")
    parser.add_argument("--workflows", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=15)
    return parser.parse_args()


def _fill(path: Path, count: int) -> int:
    """Write so many workflows; the value of all (nano-dollars)."""
    chance = random.Random(SEED)
    value = 0
    with Store(path) as store:
        numbers = iter(range(count))
        while lot := [*islice(numbers, AT_ONCE)]:
            value += store.write(lambda transaction: _write(transaction, lot, chance))
    return value


def _write(transaction: Transaction, lot: list[int], chance: random.Random) -> int:
    posting = Posting()
    for number in lot:
        workflow, began = f"bd-{number:05x}", START_MS + number * STAGE_MS
        path = chance.choice(("full", "full", "fast-track"))
        ended = began + len(STAGES) * STAGE_MS
        transaction.work.save_workflow(
            WorkflowRecord(workflow, began, ended, path, "completed", "/home/dev/src/shop")
        )
        for span in _spans(workflow, number, began):
            transaction.work.save_span(span)
            transaction.save_agent(_agent(span))
            _book(transaction, posting, span, chance)
    transaction.save(posting)
    return sum(totals.value for totals in posting.sums.values())


def _spans(workflow: str, number: int, began: int) -> Iterator[SpanRecord]:
    for at, (stage, role) in enumerate(STAGES.items()):
        agent = f"{number * len(STAGES) + at}-{began}"
        started = began + at * STAGE_MS
        yield SpanRecord(
            workflow,
            f"a:{agent}",
            Labels(workflow, f"{workflow}.{at + 1}-{stage}", stage),
            role,
            started,
            started + STAGE_MS - 5_000,
            "completed",
            worked=STAGE_MS - 20_000,
            waited=15_000,
            conversation=f"00000000-0000-4000-8000-{number:012x}",
            agent=agent,
            folder="/home/dev/src/shop",
        )


def _agent(span: SpanRecord) -> AgentRecord:
    return AgentRecord(
        span.agent,
        int(span.agent.partition("-")[0]),
        span.role,
        span.started,
        "run-1",
        ended=span.ended,
        cwd=span.folder,
        conversation=span.conversation,
        source="api",
        workflow=span.workflow,
        task=span.labels.task,
        stage=span.labels.stage,
        named_by_label=True,
        home="/home/dev/.claude",
    )


def _book(
    transaction: Transaction, posting: Posting, span: SpanRecord, chance: random.Random
) -> None:
    for model in MODELS:
        book = Book(
            span.conversation,
            model,
            "api",
            agent=span.agent,
            workflow=span.workflow,
            task=span.labels.task,
            stage=span.labels.stage,
        )
        tokens = [chance.randrange(most) for most in (500, 9_000, 90_000, 4_000, 9_000)]
        totals = Totals(chance.randrange(1, 20), 1, *tokens, value=chance.randrange(10**9))
        posting.add((span.started // QUARTER_MS, transaction.number_of(book)), totals)


def _check(daemon: Daemon, workflows: int, value: int) -> None:
    """Stop the benchmark unless the answer counts everything that was written."""
    told = json.loads(_output(daemon, "top --json"))["totals"]
    expected = {"workflows": workflows, "value_usd": value / 1e9}
    if wrong := {name: told[name] for name, each in expected.items() if told[name] != each}:
        raise SystemExit(f"wrong: {wrong}, should be {expected}")


def _seconds(daemon: Daemon, command: str) -> float:
    started = time.monotonic()
    _output(daemon, command)
    return time.monotonic() - started


def _output(daemon: Daemon, command: str) -> bytes:
    words = [TOLL, "workflow", *command.split()]
    return subprocess.run(words, env=daemon.environment, stdout=subprocess.PIPE, check=True).stdout


if __name__ == "__main__":
    main()

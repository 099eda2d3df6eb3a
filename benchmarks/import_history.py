"""How long a first start takes over a large history, beside ccusage; how long every later one.

    python benchmarks/import_history.py [--corpus DIR | --megabytes 1000] [--rounds 5]

A round is: an import into an empty ledger (checked against the truth about the corpus), a
restart over the full one, ccusage's daily report of the same logs, and an import once more
with memory sampled, which would disturb the clock of the first.
"""

import argparse
from pathlib import Path

from msgspec import Struct

import ccusage
from corpora import add_options, check, chosen, truth_of
from measure import MB, Memory, MemoryWatch, load_into_cache, memory_of, spread
from synth.usage import Truth
from tolld import Daemon


class Round(Struct, frozen=True):
    """What one round has shown; seconds and bytes."""

    imported: float
    restarted: float
    other: ccusage.Run
    peak: Memory
    after: Memory

    def __str__(self) -> str:
        return (
            f"import {self.imported:.2f} s, ccusage {self.other.seconds:.2f} s, "
            f"restart {self.restarted:.2f} s; "
            f"peak {self.peak.pss / MB:.0f} MB (PSS), ccusage {self.other.rss / MB:.0f} MB; "
            f"after it {self.after.rss / MB:.0f} MB (RSS)"
        )


def main() -> None:
    """Measure so many rounds and print each, then their medians."""
    options = _parse()
    corpus = chosen(options)
    truth = truth_of(corpus)
    program = ccusage.find(options.ccusage)
    size = load_into_cache(corpus / "projects")
    print(f"{size / MB:.0f} MB in {truth.files} logs, {truth.requests} requests")
    rounds: list[Round] = []
    for number in range(1, options.rounds + 1):
        rounds.append(_round(corpus, truth, program))
        print(f"{number}: {rounds[-1]}", flush=True)
    _print_medians(rounds)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the import of a history.")
    add_options(parser, megabytes=1000)
    parser.add_argument("--ccusage", help="the program to measure against; default: installed")
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


def _round(corpus: Path, truth: Truth, program: Path) -> Round:
    with Daemon(corpus) as daemon:
        imported = daemon.start().seconds_until_imported()
        check(daemon.daily()["totals"], truth)
        daemon.stop()
        restarted, _ = daemon.start().seconds_until_answer()
        check(daemon.daily()["totals"], truth)
    other = ccusage.run_report(program, corpus, "daily", "--json")
    with Daemon(corpus) as daemon:
        with MemoryWatch(daemon.start().pid) as watch:
            daemon.seconds_until_imported()
        after = memory_of(daemon.pid)
    return Round(imported, restarted, other, watch.peak, after)


def _print_medians(rounds: list[Round]) -> None:
    ratios = [each.imported / each.other.seconds for each in rounds]
    print(f"import             {spread([each.imported for each in rounds], 's')}")
    print(f"ccusage            {spread([each.other.seconds for each in rounds], 's')}")
    print(f"import / ccusage   {spread(ratios, '')}")
    print(f"restart            {spread([each.restarted for each in rounds], 's', 3)}")
    print(f"peak PSS, all      {_megabytes([each.peak.pss for each in rounds])}")
    print(f"peak RSS, daemon   {_megabytes([each.peak.rss for each in rounds])}")
    print(f"peak RSS, ccusage  {_megabytes([each.other.rss for each in rounds])}")
    print(f"RSS after import   {_megabytes([each.after.rss for each in rounds])}")
    print(f"PSS after import   {_megabytes([each.after.pss for each in rounds])}")


def _megabytes(values: list[int]) -> str:
    return spread([value / MB for value in values], "MB", 0)


if __name__ == "__main__":
    main()

"""How long each report takes from the shell to its last byte, beside ccusage over the same logs.

    python benchmarks/reports.py [--corpus DIR | --megabytes 1000] [--rounds 9]

A round runs every report once, as JSON and as a table, each right after ccusage's own. Both are
whole processes, started afresh; the daemon has read the logs before, as it has in life.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

from msgspec import Struct

import ccusage
from corpora import add_options, check, chosen, truth_of
from measure import MB, load_into_cache, spread
from tolld import Daemon

TOLL = Path(sys.executable).with_name("toll")
REPORTS = ("daily", "weekly", "monthly", "session", "blocks")
FORMS: tuple[tuple[str, ...], ...] = (("--json",), ())


class Pair(Struct, frozen=True):
    """The seconds that a report took here, and there."""

    ours: float
    theirs: float


def main() -> None:
    """Measure so many rounds, and print what each report took."""
    options = _parse()
    corpus = chosen(options)
    program = ccusage.find(options.ccusage)
    size = load_into_cache(corpus / "projects")
    truth = truth_of(corpus)
    print(f"{size / MB:.0f} MB in {truth.files} logs, {truth.requests} requests")
    seen: dict[tuple[str, ...], list[Pair]] = {}
    with Daemon(corpus) as daemon:
        daemon.start().seconds_until_imported()
        check(daemon.daily()["totals"], truth)
        for _ in range(options.rounds):
            for report in [(verb, *form) for verb in REPORTS for form in FORMS]:
                theirs = ccusage.run_report(program, corpus, *report).seconds
                seen.setdefault(report, []).append(Pair(_seconds(daemon, *report), theirs))
    for report, pairs in seen.items():
        print(f"{' '.join(report):16} {_told(pairs)}")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the reports.")
    add_options(parser, megabytes=1000)
    parser.add_argument("--ccusage", help="the program to measure against; default: installed")
    parser.add_argument("--rounds", type=int, default=9)
    return parser.parse_args()


def _seconds(daemon: Daemon, *arguments: str) -> float:
    started = time.monotonic()
    subprocess.run([TOLL, *arguments], env=daemon.environment, stdout=subprocess.PIPE, check=True)
    return time.monotonic() - started


def _told(pairs: list[Pair]) -> str:
    ours = spread([each.ours * 1000 for each in pairs], "ms", 0)
    theirs = spread([each.theirs * 1000 for each in pairs], "ms", 0)
    ratio = spread([each.theirs / each.ours for each in pairs], "times", 1)
    return f"{ours}; ccusage {theirs}; {ratio}"


if __name__ == "__main__":
    main()

"""Corpora to measure with: made up once, and kept in the cache beside the code."""

from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from corpus import write_corpus
from synth.usage import Truth

CACHE: Final = Path(__file__).resolve().parent.parent / ".cache" / "corpora"
SEED: Final = 7
DAYS: Final = 90
# A tally of dollars in floating point, request by request, is no more exact than this.
CENTS_APART: Final = 1e-6


def corpus_of(megabytes: int) -> Path:
    """A Claude home with logs of this size, and the truth about them beside them."""
    folder = CACHE / f"{megabytes}-mb"
    if not (folder / "truth.json").exists():
        write_corpus(folder, megabytes, SEED, DAYS, datetime.now(UTC))
    return folder


def add_options(parser: ArgumentParser, megabytes: int) -> None:
    """Let the command line name a corpus, or the size of one to make up."""
    parser.add_argument("--corpus", help="a folder that corpus.py has filled")
    parser.add_argument("--megabytes", type=int, default=megabytes, help="make up one of this size")


def chosen(options: Namespace) -> Path:
    """The corpus that the command line asks for."""
    return Path(options.corpus).resolve() if options.corpus else corpus_of(options.megabytes)


def truth_of(corpus: Path) -> Truth:
    """What a right reader finds in the corpus."""
    return msgspec.json.decode((corpus / "truth.json").read_bytes(), type=Truth)


def check(totals: dict[str, float], truth: Truth) -> None:
    """Stop the benchmark unless the daily report's totals are the truth."""
    models = truth.models.values()
    expected = {
        "requests": truth.requests,
        "messages": truth.prompts,
        "inputTokens": sum(model.input for model in models),
        "outputTokens": sum(model.output for model in models),
        "cacheReadTokens": sum(model.cache_read for model in models),
        "cacheCreationTokens": sum(model.cache_write_5m + model.cache_write_1h for model in models),
    }
    wrong = {name: totals[name] for name in expected if totals[name] != expected[name]}
    if wrong:
        raise SystemExit(f"wrong: {wrong}, should be {expected}")
    if abs(totals["totalCost"] - truth.cost_usd) > CENTS_APART:
        raise SystemExit(f"wrong: ${totals['totalCost']}, should be ${truth.cost_usd}")

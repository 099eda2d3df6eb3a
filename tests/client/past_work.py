"""Made-up past pieces of work, as agents make them: each turn reads all that came before it again."""

from random import Random

from tollkeeper.model import Piece, Pieces

MOST_CONTEXT = 160_000
AFTER_COMPACTION = 35_000
# Dollars per token of cache reads, cache writes and output.
DEAR, CHEAP = (0.5e-6, 6.25e-6, 25e-6), (0.3e-6, 3.75e-6, 15e-6)


def piece(number: int = 1, **figures: float | None) -> Piece:
    """A piece of work with these figures."""
    usual = {"files": 3, "lines": 90, "turns": 20, "tokens": 900_000, "cost_usd": 1.0}
    told = {**usual, "value_usd": 1.0, **figures}
    return Piece(workflow=f"w{number}", last_used_at="2026-11-22T09:00:00.000+00:00", **told)  # pyright: ignore[reportArgumentType]


def pieces(*found: Piece, stage: str | None = None, under_way: int = 0) -> Pieces:
    """What the daemon tells."""
    return Pieces(stage=stage, pieces=found, under_way=under_way)


def realistic(count: int, seed: int) -> list[Piece]:
    """Pieces of very different sizes: the turns grow with the files and lines, the tokens with the context."""
    rng = Random(seed)
    return [_realistic(rng, number) for number in range(count)]


def _realistic(rng: Random, number: int) -> Piece:
    files = 1 + int(rng.lognormvariate(0.6, 0.8))
    lines = round(files * rng.lognormvariate(3.3, 0.6))
    turns = max(1, round((6 + 4 * files + 0.03 * lines) * rng.lognormvariate(0, 0.35)))
    rates = DEAR if rng.random() < 0.3 else CHEAP
    context, growth = rng.uniform(14_000, 28_000), rng.lognormvariate(7.3, 0.4)
    tokens = dollars = 0.0
    for _ in range(turns):
        output = rng.lognormvariate(5.5, 0.8)
        tokens += context + growth + output
        dollars += context * rates[0] + growth * rates[1] + output * rates[2]
        context += growth + output
        if context > MOST_CONTEXT:
            context = AFTER_COMPACTION
    figures = {"files": files, "lines": lines, "turns": turns, "tokens": round(tokens)}
    return piece(number, **figures, cost_usd=dollars, value_usd=dollars)


def additive(count: int, seed: int) -> list[Piece]:
    """Pieces whose tokens are a sum of their files, lines and turns, give or take a fifth."""
    rng = Random(seed)
    found: list[Piece] = []
    for number in range(count):
        files, lines, turns = rng.randint(1, 12), rng.randint(10, 500), rng.randint(5, 80)
        tokens = (20_000 + 9_000 * files + 200 * lines + 15_000 * turns) * rng.gauss(1, 0.2)
        figures = {"files": files, "lines": lines, "turns": turns}
        found.append(piece(number, **figures, tokens=max(round(tokens), 1_000)))
    return found

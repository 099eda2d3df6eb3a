"""Makes up a Claude home full of session logs, and writes down the truth about it.

    python benchmarks/corpus.py DIR --megabytes 1000 --seed 7 --days 90

The logs lie in `DIR/projects`, the truth in `DIR/truth.json`. A seed always gives the same
corpus, but for the time at which it ends.
"""

import argparse
import os
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from synth import ids
from synth.context import Habits
from synth.lines import Log
from synth.session import Session, play_fork, play_session
from synth.spending import Spending
from synth.text import make_pools
from synth.usage import RATES, Truth
from synth.world import Setting, World

SMALLEST: Final = 20_000
BIGGEST: Final = 30_000_000
BIGGEST_PARENT: Final = 5_000_000
FORK_SHARE: Final = 0.05
SMALLEST_BOSS: Final = 100_000
AGENT_SHARE: Final = 0.2
OLDER_SHARE: Final = 0.12
BYTES_PER_REPLY: Final = 11_000
MS_PER_REPLY: Final = 20_000
OWNER: Final = b"11111111-1111-4111-8111-111111111111"
PROJECTS: Final = {
    b"shop": 30,
    b"ledger-api": 20,
    b"web.front": 14,
    b"infra": 9,
    b"notes": 7,
    b"mobile-app": 7,
    b"data-jobs": 5,
    b"docs": 4,
    b"sandbox": 4,
}
MODELS: Final = {
    "claude-opus-5-5": 46,
    "claude-sonnet-5-5": 31,
    "claude-haiku-5-5": 8,
    "claude-opus-5": 6,
    "claude-sonnet-5": 5,
    "claude-fable-5-2": 4,
}
OLDER_MODELS: Final = {
    "claude-sonnet-4-5-20250929": 60,
    "claude-opus-4-5-20251101": 25,
    "claude-opus-4-1-20250805": 10,
    "claude-haiku-4-5-20251001": 5,
}
AGENT_MODELS: Final = {
    "claude-haiku-5-5": 60,
    "claude-sonnet-5-5": 35,
    "claude-opus-5": 5,
}


def main() -> None:
    """Read the command line and write the corpus."""
    options = _parse()
    now = datetime.fromisoformat(options.now) if options.now else datetime.now(UTC)
    now = now if now.tzinfo else now.replace(tzinfo=UTC)
    truth = write_corpus(Path(options.folder), options.megabytes, options.seed, options.days, now)
    print(
        f"{truth.size / 1e6:.0f} MB in {truth.files} files, {truth.lines} lines, "
        f"{truth.requests} requests, {truth.prompts} prompts"
    )


def write_corpus(folder: Path, megabytes: float, seed: int, days: int, now: datetime) -> Truth:
    """Write sessions until there are so many megabytes, and the truth beside them."""
    rng = Random(seed)
    truth = Truth(seed=seed, now=now.isoformat(), days=days)
    world = World(rng, make_pools(Random(seed)), truth, int(now.timestamp() * 1000))
    parents: deque[Session] = deque(maxlen=12)
    target = int(megabytes * 1e6)
    while truth.size < target:
        size = _session_size(rng, target, target - truth.size)
        session = _next_session(world, parents, size, days)
        _write_session(folder, session, truth)
        if session.habits.has_request_ids and sum(map(len, session.lines)) < BIGGEST_PARENT:
            parents.append(session)
    encoded = msgspec.json.format(msgspec.json.encode(truth), indent=2)
    (folder / "truth.json").write_bytes(encoded + b"\n")
    return truth


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Make up a Claude home full of session logs.")
    parser.add_argument("folder", help="a new or empty folder")
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--now", help="when the corpus ends, ISO 8601; default: now")
    options = parser.parse_args()
    if (Path(options.folder) / "projects").exists():
        parser.error(f"{options.folder} already holds projects")
    return options


def _session_size(rng: Random, target: int, left: int) -> int:
    biggest = min(BIGGEST, max(target // 8, SMALLEST), max(left, SMALLEST))
    return max(SMALLEST, min(int(rng.lognormvariate(12.75, 1.6)), biggest))


def _next_session(world: World, parents: deque[Session], size: int, days: int) -> Session:
    rng = world.rng
    if parents and rng.random() < FORK_SHARE:
        parent = rng.choice(parents)
        world.truth.forks += 1
        start = min(parent.end + int(rng.lognormvariate(12, 2)), world.now)
        return play_fork(world, parent, start, size // 3)
    habits = _make_habits(rng, is_older=rng.random() < OLDER_SHARE)
    has_agents = not habits.is_older and size > SMALLEST_BOSS and rng.random() < AGENT_SHARE
    agent_sizes = _agent_sizes(rng) if has_agents else []
    start = _start(world, size + sum(agent_sizes), days)
    setting = Setting(world, _make_log(rng, habits), habits, Spending(started=start))
    return play_session(setting, start, size, agent_sizes)


def _start(world: World, size: int, days: int) -> int:
    lasts = size // BYTES_PER_REPLY * MS_PER_REPLY
    age = max(world.rng.random() * days * ids.DAY_MS, min(lasts, days * ids.DAY_MS))
    return world.now - int(age)


def _agent_sizes(rng: Random) -> list[int]:
    count = rng.randint(1, 4)
    return [max(SMALLEST, min(int(rng.lognormvariate(11.8, 1.1)), 3_000_000)) for _ in range(count)]


def _make_habits(rng: Random, *, is_older: bool) -> Habits:
    models = OLDER_MODELS if is_older else MODELS
    model = _weighted(rng, models)
    can_be_fast = RATES[model].fast > 1 and not is_older
    return Habits(
        model=model,
        agent_model=_weighted(rng, AGENT_MODELS),
        is_older=is_older,
        has_request_ids=rng.random() > 0.01,
        speed="fast" if can_be_fast and rng.random() < 0.04 else "standard",
        geo="us" if not is_older and rng.random() < 0.03 else "",
        split=_split(rng, is_older=is_older),
        title=b"Agent-%d" % rng.randint(1, 40) if rng.random() < 0.3 else b"",
        owner=OWNER if rng.random() < 0.6 else b"",
        window=600_000 if rng.random() < 0.1 else 160_000,
    )


def _split(rng: Random, *, is_older: bool) -> str:
    if is_older and rng.random() < 0.3:
        return "none"
    return "zero" if rng.random() < 0.01 else "both"


def _make_log(rng: Random, habits: Habits) -> Log:
    version = b"2.0.%d" % rng.randint(14, 76) if habits.is_older else b"2.1.330"
    return Log(
        session_id=ids.uuid(rng),
        cwd=b"/home/dev/src/" + rng.choices(list(PROJECTS), weights=list(PROJECTS.values()))[0],
        branch=rng.choice((b"main", b"master", b"feature/retry-budget", b"fix/rounding")),
        version=version,
        entrypoint=rng.choice((b"cli", b"cli", b"sdk-cli")),
        effort=rng.choice((b"medium", b"high", b"low")),
    )


def _weighted(rng: Random, weights: dict[str, int]) -> str:
    return rng.choices(list(weights), weights=list(weights.values()))[0]


def _write_session(folder: Path, session: Session, truth: Truth) -> None:
    cwd = session.log.cwd.decode()
    slug = "".join(letter if letter.isalnum() else "-" for letter in cwd)
    path = folder / "projects" / slug / f"{session.log.session_id.decode()}.jsonl"
    truth.sessions += 1
    _write_log(path, session.lines, session.end, truth)
    for agent in session.agents:
        name = f"agent-{agent.agent_id.decode()}"
        agent_path = path.with_suffix("") / agent.folder / f"{name}.jsonl"
        _write_log(agent_path, agent.lines, agent.end, truth)
        agent_path.with_name(f"{name}.meta.json").write_bytes(agent.meta)
        truth.subagent_files += 1


def _write_log(path: Path, lines: list[bytes], end: int, truth: Truth) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(lines))
    os.utime(path, (end / 1000, end / 1000))
    truth.add_file(lines)


if __name__ == "__main__":
    main()

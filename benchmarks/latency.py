"""How long after an agent's write a subscriber holds the new figures.

    python benchmarks/latency.py [--agents 20] [--seconds 10] [--rate 10]

Every agent appends replies to its own log, with jitter. A process of its own subscribes and
notes when each update comes. Several replies may come merged in one update: those of one log
come in order, so the number of requests says which they are, and their output tokens, drawn at
random, prove it.
"""

import argparse
import heapq
import multiprocessing
import time
from collections import defaultdict, deque
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Final

import zmq
from msgspec import Struct

from agents import Agents, append
from measure import cpu_seconds, percentile
from tolld import Daemon
from tollkeeper import wire

SETTLE_SECONDS: Final = 2.0
# After the last write; what has not come by then is lost.
LAST_SECONDS: Final = 2.0
MOST_TOKENS: Final = 1_000_000


class Write(Struct, frozen=True):
    """A reply that was appended, and when the write returned (ns)."""

    output_tokens: int
    written: int


class Receipt(Struct, frozen=True):
    """An update that came, and when (ns)."""

    update: wire.UsageUpdate
    received: int


def main() -> None:
    """Let the agents write, listen, and match what was written with what was told."""
    options = _parse()
    with Daemon() as daemon:
        home = daemon.root / "claude"
        daemon.follow(home)
        with Agents(home, options.agents) as agents:
            daemon.start().seconds_until_imported()
            ours, theirs = multiprocessing.get_context("spawn").Pipe()
            listener = multiprocessing.get_context("spawn").Process(
                target=_listen, args=(theirs, daemon.paths.updates_socket), daemon=True
            )
            listener.start()
            ours.recv()
            time.sleep(SETTLE_SECONDS)
            before = cpu_seconds(daemon.pid)
            writes = _write(agents, options.seconds, options.rate)
            time.sleep(LAST_SECONDS)
            used = cpu_seconds(daemon.pid) - before
            ours.send(None)
            receipts: list[tuple[bytes, int]] = ours.recv()
            listener.join()
    found = [Receipt(wire.decode(data, wire.UsageUpdate), when) for data, when in receipts]
    _report(_match(writes, found), len(found), used / options.seconds)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure from a write to the update about it.")
    parser.add_argument("--agents", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rate", type=float, default=10, help="replies of an agent per second")
    return parser.parse_args()


def _listen(link: Connection, address: Path) -> None:
    """Subscribe, say so, and keep all that comes until told to hand it over."""
    context = zmq.Context[zmq.Socket[bytes]]()
    socket = context.socket(zmq.SUB)
    socket.subscribe(b"usage")
    socket.connect(f"ipc://{address}")
    link.send(None)
    poller = zmq.Poller()
    poller.register(socket, zmq.POLLIN)
    poller.register(link.fileno(), zmq.POLLIN)
    came: list[tuple[bytes, int]] = []
    while True:
        ready = dict(poller.poll())
        if socket in ready:
            _, data = socket.recv_multipart()
            came.append((data, time.monotonic_ns()))
        if link.fileno() in ready:
            link.send(came)
            context.destroy(linger=0)
            return


def _write(agents: Agents, seconds: float, rate: float) -> dict[str, deque[Write]]:
    """Let every agent append its replies when they are due; what each wrote, in order."""
    rng = Random()
    writes: dict[str, deque[Write]] = defaultdict(deque)
    begin = time.monotonic()
    due = [(begin + rng.random() / rate, number) for number in range(len(agents.all))]
    heapq.heapify(due)
    while due[0][0] < begin + seconds:
        moment, number = due[0]
        agent, tokens = agents.all[number], rng.randrange(1, MOST_TOKENS)
        lines = agent.reply(tokens)
        time.sleep(max(moment - time.monotonic(), 0))
        writes[agent.conversation].append(Write(tokens, append(agent.log, lines)))
        heapq.heapreplace(due, (moment + rng.uniform(0.2, 1.8) / rate, number))
    return writes


def _match(writes: dict[str, deque[Write]], receipts: list[Receipt]) -> list[float]:
    """Milliseconds from each write to the update that tells of it, in order of size."""
    waits: list[float] = []
    for receipt in receipts:
        told: dict[str, tuple[int, int]] = {}
        for each in receipt.update.charged:
            requests, tokens = told.get(each.conversation, (0, 0))
            usage = each.usage
            told[each.conversation] = requests + usage.requests, tokens + usage.output_tokens
        for conversation, (requests, tokens) in told.items():
            written = [writes[conversation].popleft() for _ in range(requests)]
            if sum(write.output_tokens for write in written) != tokens:
                raise SystemExit(f"wrong: {tokens} tokens were told, {written} were written")
            waits += [(receipt.received - write.written) / 1e6 for write in written]
    if left := sum(map(len, writes.values())):
        raise SystemExit(f"wrong: {left} replies were never told")
    return sorted(waits)


def _report(waits: list[float], updates: int, load: float) -> None:
    print(f"{len(waits)} replies in {updates} updates; the daemon used {load:.1%} of a core")
    for percent in (50, 90, 99):
        print(f"p{percent}  {percentile(waits, percent):6.2f} ms")
    print(f"max  {waits[-1]:6.2f} ms")


if __name__ == "__main__":
    main()

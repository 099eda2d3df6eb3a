"""A stand-in for ``bd``, the command of Beads: the real program can't be had from a package registry.

It answers as the real one (1.0.5) is written: ids resolve by a unique substring, failures are told as text
and status 1, and it waits for its database's lock for ever. ``$BEADS_DIR`` holds ``issues.json`` (their
labels, by id), ``comments.jsonl``, and ``calls.jsonl``, a line for each call when it begins and when it ends.
``mode.json`` says how it behaves: what it ``refuses`` with, in which ``envelope`` it answers, how many
seconds it ``waits`` before its work and ``lingers`` behind it, on which issue it ``puts`` comments instead,
and behind which verb it ``dies``.
"""

import fcntl
import json
import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

NOT_FOUND = "no issues found matching the provided IDs"


def main(words: list[str]) -> None:
    """Do what these words say."""
    folder = Path(os.environ["BEADS_DIR"])
    log(folder, "begins", words)
    if not (folder / "issues.json").exists():
        fail("Error: no beads database found")
    mode = read(folder / "mode.json", {})
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        time.sleep(mode.get("waits", 0))
        if refusal := mode.get("refuses"):
            fail(refusal)
        answer = work(folder, words, mode)
        time.sleep(mode.get("lingers", 0))
        if mode.get("dies") in words:
            os.kill(os.getpid(), signal.SIGKILL)
    say(answer, mode.get("envelope"))
    log(folder, "ends", words)


def work(folder: Path, words: list[str], mode: dict[str, Any]) -> Any:
    """The answer to these words."""
    match words:
        case ["list", "--id", wanted, "--all", "--json"]:
            id = resolve(folder, wanted)
            labels = read(folder / "issues.json", {})[id]
            return [{"id": id, "title": "A task", "status": "closed", "labels": labels}]
        case ["comments", "add", wanted, "-f", file, "-a", author, "--json"]:
            id = resolve(folder, wanted)
            comment = {
                "id": time.time_ns(),
                "issue_id": mode.get("puts", id),
                "author": author,
                "text": Path(file).read_text("utf-8"),
                "created_at": datetime.now(UTC).isoformat(),
            }
            append(folder / "comments.jsonl", comment)
            return comment
        case ["comments", wanted, "--json"]:
            id = resolve(folder, wanted)
            return [each for each in comments(folder) if each["issue_id"] == id] or None
        case _:
            fail(f"Error: unknown command {words}")


def resolve(folder: Path, wanted: str) -> str:
    """The issue that this names, by its id or a part of it that only it has."""
    known = read(folder / "issues.json", {})
    found = [id for id in known if id == wanted] or [id for id in known if wanted in id]
    if len(found) != 1:
        print(json.dumps({"error": NOT_FOUND}))
        fail(f"Error resolving {wanted}: {NOT_FOUND}")
    return found[0]


def comments(folder: Path) -> list[dict[str, Any]]:
    """All comments that were ever written, for tests as well."""
    return lines(folder / "comments.jsonl")


def calls(folder: Path) -> list[dict[str, Any]]:
    """The calls so far, each as it began and as it ended."""
    return lines(folder / "calls.jsonl")


def say(answer: Any, envelope: str | None) -> None:
    """Print the answer, as it is or in an envelope."""
    match envelope:
        case "data":
            print(json.dumps({"schema_version": 1, "data": answer}))
        case "object" if isinstance(answer, list):
            print(json.dumps({"schema_version": 1, "items": answer}))
        case "object" if isinstance(answer, dict):
            print(json.dumps({"schema_version": 1, **answer}))
        case _:
            print(json.dumps(answer))


def log(folder: Path, event: str, words: list[str]) -> None:
    """Note the call, and what it was given."""
    append(
        folder / "calls.jsonl",
        {
            "event": event,
            "words": words,
            "pid": os.getpid(),
            "cwd": os.getcwd(),
            "stdin": sys.stdin.read(),
            "actor": os.environ.get("BEADS_ACTOR"),
        },
    )


def fail(words: str) -> NoReturn:
    """Say why on stderr, and end."""
    print(words, file=sys.stderr)
    sys.exit(1)


def read(path: Path, default: Any) -> Any:
    return json.loads(path.read_text("utf-8")) if path.exists() else default


def lines(path: Path) -> list[dict[str, Any]]:
    return (
        [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
    )


def append(path: Path, line: dict[str, Any]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])

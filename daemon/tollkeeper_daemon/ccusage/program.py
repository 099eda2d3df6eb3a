"""Finds the ccusage that is installed, and runs it: nothing is downloaded unless the settings say so."""

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from tollkeeper.cli.words import plain
from tollkeeper_daemon.ccusage.shapes import Shape, UnknownShape, shape_of, version_in
from tollkeeper_daemon.config import CcusageSettings
from tollkeeper_daemon.outlets.children import (
    LONGEST_WORDS,
    Answer,
    ChildError,
    run_child,
    words_of,
)

# Over some gigabytes of logs an old one takes its time.
TIMEOUT_SECONDS = 300.0
VERSION_SECONDS = 60.0
LONGEST_COMPLAINTS = 64 << 10
ERROR = re.compile(r"(?:\w*error:|npm error)", re.IGNORECASE)
# In this order: the program itself, and those that run a package without installing it.
WAYS = (
    ("ccusage",),
    ("bunx", "--no-install", "ccusage"),
)
# npx runs what npm has installed for all. What it has run itself, it looks up in the network once more.
LAST_WAY, LAST_WAY_ONLINE = ("npx", "--no", "--", "ccusage"), ("npx", "--yes", "--", "ccusage")
RUN_BY_NPX = ("_npx", "*", "node_modules", ".bin", "ccusage")
SETTING = "ccusage.command"
# How npx (of npm 11, offline and not) and bunx complain that they have no ccusage.
LACKING = re.compile(r"\bENOTCACHED\b|missing packages|Could not find an existing 'ccusage'")
NOT_INSTALLED, INSTALL = "ccusage is not installed", "install it with: npm install -g ccusage"
HOW_CALLED = "how it is called: toll config get ccusage"


class CcusageError(Exception):
    """ccusage could not be asked, or what it answered is of no use; the text says why, ``hint`` what to do."""

    def __init__(self, message: str, hint: str = HOW_CALLED) -> None:
        super().__init__(message)
        self.hint = hint


class Program(Struct, frozen=True):
    """A ccusage that runs: how it is called, its version, and how that answers."""

    words: tuple[str, ...]
    version: str
    shape: Shape
    offline: bool


async def find_program(settings: CcusageSettings, homes: Sequence[str], folder: str) -> Program:
    """The ccusage of the settings, else the one that is found; CcusageError when there is none.

    Old versions want to see the homes (with logs) before they say anything at all.
    """
    if not homes:
        raise CcusageError("there is no Claude home with logs that ccusage could read", hint="")
    words = way_to(settings)
    answer = await _run(words, ("--version",), folder, VERSION_SECONDS, settings, homes)
    try:
        version = version_in(answer.out)
    except UnknownShape as error:
        raise CcusageError(f"{' '.join(words)}: {error}") from None
    return Program(tuple(words), version, shape_of(version), not settings.online)


async def daily(
    program: Program, settings: CcusageSettings, zone: str, homes: Sequence[str], folder: str
) -> bytes:
    """Its report by day, of the logs of these homes, as JSON; CcusageError when it gives none."""
    options = ["--json", "-z", zone, *(["--offline"] if program.offline else [])]
    words = [*program.shape.words, *options]
    answer = await _run(program.words, words, folder, TIMEOUT_SECONDS, settings, homes)
    return answer.out


def way_to(settings: CcusageSettings) -> list[str]:
    """The words by which it is called, the program's path first; CcusageError where there is no way."""
    if settings.command:
        try:
            return words_of(settings.command, SETTING)
        except ChildError as error:
            raise CcusageError(str(error)) from None
    last = LAST_WAY_ONLINE if settings.online else LAST_WAY
    ways = (*map(_installed, WAYS), _run_by_npx(), _installed(last))
    found = next(filter(None, ways), None)
    if found is None:
        raise CcusageError(NOT_INSTALLED, INSTALL)
    return found


def _installed(way: Sequence[str]) -> list[str]:
    program = shutil.which(way[0])
    return [os.path.abspath(program), *way[1:]] if program else []


def _run_by_npx() -> list[str]:
    """The ccusage that npx brought last into npm's cache."""
    cache = os.environ.get("npm_config_cache") or os.path.expanduser("~/.npm")
    found = [path for path in Path(cache).glob("/".join(RUN_BY_NPX)) if os.access(path, os.X_OK)]
    latest = max(found, key=lambda path: path.lstat().st_mtime, default=None)
    return [str(latest)] if latest else []


async def _run(
    words: Sequence[str],
    options: Sequence[str],
    folder: str,
    timeout: float,
    settings: CcusageSettings,
    homes: Sequence[str],
) -> Answer:
    environment = {**os.environ, "NO_COLOR": "1", "CLAUDE_CONFIG_DIR": ",".join(homes)}
    if not settings.online:
        # What npx would fetch by itself.
        environment["npm_config_offline"] = "true"
    try:
        answer = await run_child([*words, *options], folder, timeout, environment)
    except ChildError as error:
        raise CcusageError(str(error)) from None
    if answer.status and LACKING.search(_complaints(answer)):
        raise CcusageError(NOT_INSTALLED, INSTALL)
    if answer.status:
        raise CcusageError(f"{' '.join(words)} ended with status {answer.status}{_said(answer)}")
    return answer


def _said(answer: Answer) -> str:
    """What it complained of: the first line of an error, else the last one."""
    lines = _complaints(answer).splitlines()
    words = next((plain(line) for line in lines if ERROR.match(line)), answer.last_words)
    return f": {words.strip()[:LONGEST_WORDS]}" if words else ""


def _complaints(answer: Answer) -> str:
    return answer.error[:LONGEST_COMPLAINTS].decode("utf-8", "replace")

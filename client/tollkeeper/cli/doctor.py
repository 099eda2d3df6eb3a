"""``toll doctor``: say what is wrong, and how to mend it."""

import re
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from msgspec import to_builtins
from msgspec.structs import replace

from tollkeeper import __version__
from tollkeeper.cli.context import MISREAD, NOT_OURS, Ask, print_json
from tollkeeper.cli.doctor_beads import beads_findings
from tollkeeper.cli.doctor_ccflare import ccflare_findings
from tollkeeper.cli.doctor_ccusage import ccusage_findings
from tollkeeper.cli.doctor_clocks import clock_findings
from tollkeeper.cli.doctor_notices import notice_findings
from tollkeeper.cli.doctor_service import service_findings
from tollkeeper.cli.doctor_setup import setup_findings
from tollkeeper.cli.doctor_sockets import socket_findings
from tollkeeper.cli.doctor_tray import tray_findings
from tollkeeper.cli.facts import Facts
from tollkeeper.cli.finding import Finding, print_findings
from tollkeeper.cli.unreadable import unreadable
from tollkeeper.control import Toll, is_listening
from tollkeeper.errors import NoAnswerError, ProtocolError, StartError
from tollkeeper.paths import Paths, find_paths
from tollkeeper.start import refusal

MOST_NAMED = 10
TOO_OTHER = Finding(False, NOT_OURS, "toll down, then toll up")
# What is looked at beside the daemon's own word, in the order in which it is told.
CHECKS: tuple[Callable[[Facts], list[Finding]], ...] = (
    socket_findings,
    setup_findings,
    service_findings,
    tray_findings,
    notice_findings,
    clock_findings,
    ccflare_findings,
    ccusage_findings,
    beads_findings,
)


HELP = "Look at the installation, a line each; exit status 1 when something needs mending."


def options(parser: ArgumentParser) -> None:
    """None of its own."""


def run(ask: Ask, options: Namespace) -> int:
    paths = find_paths()
    findings = [Finding(True, f"directories: {paths.config}, {paths.data}, {paths.run}")]
    facts = Facts(paths, datetime.now(UTC))
    try:
        if ask.may_start:
            ask.paths()
    except StartError as error:
        findings += without_daemon(paths, error)
    else:
        if is_listening(paths):
            facts, found = _ask(facts)
            findings += found
        else:
            findings += without_daemon(paths)
    findings += [finding for check in CHECKS for finding in _checked(check, facts)]
    if ask.as_json:
        print_json(to_builtins(findings))
    else:
        print_findings(findings)
    return 0 if all(finding.well for finding in findings) else 1


def _checked(check: Callable[[Facts], list[Finding]], facts: Facts) -> list[Finding]:
    """What the check finds; an answer of the daemon that it can't read is no reason to end."""
    try:
        return check(facts)
    except MISREAD:
        return [TOO_OTHER]


def _ask(facts: Facts) -> tuple[Facts, list[Finding]]:
    """The facts with the daemon's word on itself, and what that says."""
    paths = facts.paths
    try:
        with Toll(paths) as toll:
            ping, health = (toll.call(word, dict[str, Any]) for word in ("ping", "health"))
        return replace(facts, pid=ping["pid"], health=health), examine(ping, health)
    except (ProtocolError, *MISREAD):
        return facts, [TOO_OTHER]
    except NoAnswerError as error:
        pid = paths.lock.read_text().strip() if paths.lock.is_file() else ""
        mend = f"kill -CONT {pid}; or, to end it, kill -KILL {pid}"
        return facts, [Finding(False, error.message, mend)]


def without_daemon(paths: Paths, failed: StartError | None = None) -> list[Finding]:
    """What can be said without one: why it did not start, and which files no TOML can be read of."""
    own_files = (paths.settings, paths.prices, paths.plans)

    def told(text: str) -> Finding:
        is_own = any(str(path) in text for path in own_files)
        return Finding(False, text, _way_out(text) if is_own else f"then: toll up; see {paths.log}")

    if failed:
        findings = [told(failed.message)]
    else:
        findings = [Finding(False, "no daemon is running", "toll up")]
        if words := refusal(paths):
            findings.append(told(f"the last start failed: {words}"))
    for path in own_files:
        text = unreadable(path)
        if text and not any(str(path) in finding.text for finding in findings):
            findings.append(Finding(False, text, _way_out(text)))
    return findings


def _way_out(text: str) -> str:
    """How to mend what is wrong with a file, at the line that is named, if one is."""
    line = re.search(r"at line \d+", text)
    return f"mend it {line[0]}, or move it away" if line else "mend it, or move it away"


def examine(ping: dict[str, Any], health: dict[str, Any]) -> list[Finding]:
    """What the daemon's word about itself says of its health. Pure."""
    same = ping["version"] == __version__
    findings = [
        Finding(
            same,
            f"daemon: pid {ping['pid']}, version {ping['version']}",
            None if same else f"this is {__version__}: toll down, then toll up",
        ),
        *_homes(health),
        _watcher(health),
        Finding(True, f"logs: {health['logs']} read"),
    ]
    if health.get("failing"):
        findings.append(Finding(False, health["failing"], "make room, and see tolld.log"))
    if held := health.get("held"):
        findings.append(_held(held))
    findings += map(_command, health.get("failing_commands", ()))
    if health["bad_lines"]:
        findings.append(Finding(True, f"log lines that could not be read: {health['bad_lines']}"))
    if (audit := health.get("audit")) and audit["audited"]:
        findings.append(_audit(audit))
    for path in health["bad_session_files"]:
        findings.append(Finding(False, f"{path} can't be read", "remove it"))
    for path in health["bad_stats_caches"]:
        text = f"{path} can't be read: days before the first log stay unknown"
        findings.append(Finding(True, text))
    for file in health.get("own_files", ()):
        if file["broken"]:
            text = f"{file['broken']}; what it said before holds, but the next start may fail"
            findings.append(Finding(False, text, _way_out(file["broken"])))
    if plan := health.get("unknown_plan"):
        text = f"config.toml names a plan that is not known: {plan}"
        findings.append(Finding(False, text, "toll config set plan.name=…, one of: toll plans"))
    if health["unpriced_models"]:
        models = ", ".join(health["unpriced_models"][:MOST_NAMED])
        if (more := len(health["unpriced_models"]) - MOST_NAMED) > 0:
            models += f" and {more} more"
        findings.append(Finding(False, f"no price for {models}", "see: toll prices check"))
    if outdated := health.get("outdated_guesses"):
        models = ", ".join(outdated[:MOST_NAMED])
        findings.append(
            Finding(False, f"requests of {models} were charged at a guess", "toll reprice")
        )
    return findings


def _audit(audit: dict[str, Any]) -> Finding:
    text = f"audit: {audit['agree']} of {audit['audited']} conversations agree with the client's totals"
    if audit["differ"]:
        text += f", {audit['differ']} differ"
    if audit.get("time"):
        seen = datetime.fromisoformat(audit["time"]).astimezone()
        text += f" (as of {seen:%Y-%m-%d %H:%M})"
    if unexplained := audit.get("unexplained"):
        return Finding(False, f"{text}, {unexplained} of them for no known cause", "toll audit")
    return Finding(True, f"{text}: toll audit says why" if audit["differ"] else text)


def _held(held: dict[str, str]) -> Finding:
    """Who is held: nothing is wrong with that, but who wonders why an agent stands still looks here."""
    names = [f"{name} ({kind})" for name, kind in held.items()]
    told = ", ".join(names[:MOST_NAMED])
    if (more := len(names) - MOST_NAMED) > 0:
        told += f" and {more} more"
    return Finding(True, f"held: {told}; why: toll log, to let one go on: toll resume NAME")


def _command(command: dict[str, Any]) -> Finding:
    """A command of the user's that failed when it last ran."""
    name, failures = command["name"], command["failures"]
    times = "" if failures == 1 else f", {failures} times in a row"
    seen = datetime.fromisoformat(command["time"]).astimezone()
    text = f"the command in {name} fails{times}: it {command['error']} ({seen:%Y-%m-%d %H:%M})"
    return Finding(False, text, f"mend {name} in config.toml; what it says is in tolld.log")


def _homes(health: dict[str, Any]) -> list[Finding]:
    there = [home for home in health["homes"] if home["exists"]]
    if not there:
        paths = " or ".join(home["path"] for home in health["homes"])
        return [
            Finding(
                False, f"no Claude home at {paths}", "run claude once, or set CLAUDE_CONFIG_DIR"
            )
        ]
    return [Finding(True, f"Claude home: {home['path']}") for home in there]


def _watcher(health: dict[str, Any]) -> Finding:
    if health["watcher"] == "polling":
        return Finding(
            False,
            "file watches ran out: logs are looked at once a second",
            "sudo sysctl fs.inotify.max_user_watches=524288, then toll down and toll up",
        )
    return Finding(True, f"file events: {health['watcher']}")

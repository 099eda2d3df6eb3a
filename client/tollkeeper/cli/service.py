"""``toll service``: the daemon started at login and kept running, by systemd or launchd."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from tollkeeper.cli import service_install, service_status, service_uninstall
from tollkeeper.cli.context import Ask, UsageError
from tollkeeper.cli.subverbs import add_subverbs, run_subverb

SUBVERBS = {
    "install": service_install,
    "uninstall": service_uninstall,
    "status": service_status,
}
HELP = (
    "Start the daemon at login and keep it running, as a user service of systemd or an agent of "
    "launchd. docs/service.md says what it may do, and where its logs are."
)


def options(parser: ArgumentParser) -> None:
    add_subverbs(parser, SUBVERBS)


def run(ask: Ask, options: Namespace) -> int | None:
    if not options.subverb:
        raise UsageError("say install, uninstall or status; see toll service --help")
    return run_subverb(ask, options, SUBVERBS)

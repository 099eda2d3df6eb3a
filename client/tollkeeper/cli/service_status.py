"""``toll service status``: whether the service is installed, is up to date, and runs."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tollkeeper.cli.context import Ask

HELP = (
    "Say whether the service is installed, as it would be written now, and runs; whether the daemon "
    "that answers is the service's. Exit status 1 when it is not installed, systemd or launchd can't be "
    "asked, or something is to be mended."
)


def options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--tray",
        action="store_true",
        help="exit status 1 as well when the tray icon is not started",
    )


def run(ask: Ask, options: Namespace) -> int:
    from msgspec import to_builtins

    from tollkeeper.cli.context import print_json
    from tollkeeper.cli.doctor_service import (
        judge_service,
        judge_tray,
        look_at_service,
        look_at_tray,
    )
    from tollkeeper.cli.finding import print_findings
    from tollkeeper.cli.service_installing import present
    from tollkeeper.paths import find_paths

    service, tray = look_at_service(present(find_paths())), look_at_tray()
    found = [*judge_service(service), *judge_tray(tray)]
    is_known = service.standing.text is not None and not service.unreachable
    is_tray_there = tray.standing.text is not None or not options.tray
    if ask.as_json:
        files = {
            name: {"path": facts.file, "kind": facts.standing.kind}
            for name, facts in (("service", service), ("tray", tray))
        }
        state = to_builtins(service.state)
        print_json(
            {
                **files,
                "at_login": service.linked,
                "unreachable": service.unreachable,
                "state": state,
                "daemon_pid": service.present,
                "findings": to_builtins(found),
            }
        )
    else:
        print_findings(found)
    return 0 if is_known and is_tray_there and all(each.well for each in found) else 1

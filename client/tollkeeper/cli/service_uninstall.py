"""``toll service uninstall``: stop the service, and remove all that an installation has left."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tollkeeper.cli.context import Ask

HELP = (
    "Stop the service, and remove what install has written; the daemon ends with it, agents and "
    "their account stay. A file that was edited by hand is kept beside."
)


def options(parser: ArgumentParser) -> None:
    parser.add_argument("--tray", action="store_true", help="only the start of the tray icon")
    parser.add_argument(
        "--force", action="store_true", help="also what is for another account (another TOLL_HOME)"
    )


def run(ask: Ask, options: Namespace) -> None:
    from pathlib import Path

    from tollkeeper.cli.context import print_json
    from tollkeeper.cli.service_installing import check_account, teller
    from tollkeeper.cli.service_removing import remove_part
    from tollkeeper.service.parts import daemon_part, tray_part
    from tollkeeper.service.placing import standing
    from tollkeeper.service.wanted import wanted

    say, want = teller(ask.as_json), wanted()
    parts = [tray_part()] if options.tray else [tray_part(), daemon_part()]
    there = [(part, before) for part in parts if (before := standing(part, want)).text is not None]
    for part, before in there if not options.force else ():
        check_account(part, before, "remove")
    backups = [remove_part(part, before, Path(want.home), say) for part, before in there]
    if ask.as_json:
        files = [
            {"path": str(part.file), "backup": str(backup) if backup else None}
            for (part, _), backup in zip(there, backups, strict=True)
        ]
        print_json({"files": files})
    elif not there:
        print("Nothing to do: nothing of ours is installed.")

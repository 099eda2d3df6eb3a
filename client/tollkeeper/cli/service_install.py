"""``toll service install``: write the service's files, and let its manager start it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tollkeeper.cli.context import Ask
    from tollkeeper.cli.service_installing import Step

HELP = (
    "Start the daemon at login and keep it running. It writes a user unit of systemd, or an agent of "
    "launchd, for this Python and this environment, and starts it. A daemon that runs by itself is "
    "stopped for that, as by toll down; agents go on."
)


def options(parser: ArgumentParser) -> None:
    parser.add_argument("--tray", action="store_true", help="start the tray icon at login, too")
    parser.add_argument("--dry-run", action="store_true", help="only show what would be written")
    parser.add_argument(
        "--force",
        action="store_true",
        help="replace a file that was edited by hand, which is kept beside, or is for another account",
    )


def run(ask: Ask, options: Namespace) -> None:
    from tollkeeper.cli.doctor_tray import HOW_TO_INSTALL, is_installed
    from tollkeeper.cli.service_installing import Step, check, check_manager
    from tollkeeper.errors import TollError
    from tollkeeper.service.parts import daemon_part, tray_part
    from tollkeeper.service.placing import standing
    from tollkeeper.service.wanted import wanted

    if options.tray and not is_installed():
        raise TollError("the tray icon is not installed", HOW_TO_INSTALL)
    want = wanted()
    parts = [daemon_part(), *([tray_part()] if options.tray else [])]
    steps = [Step(part, standing(part, want), part.text(want)) for part in parts]
    if options.dry_run:
        _show(ask, steps)
        return
    for step in steps if not options.force else ():
        check(step)
    for step in steps:
        check_manager(step.part)
    _install(ask, steps)


def _show(ask: Ask, steps: Sequence[Step]) -> None:
    from tollkeeper.cli.context import print_json
    from tollkeeper.cli.setup_view import difference, print_difference

    changes = [(step.part.file, step.before.text, step.text) for step in steps]
    if ask.as_json:
        print_json([{"path": str(each[0]), "diff": difference(*each)} for each in changes])
        return
    for change in changes:
        print_difference(*change)
    print("Nothing was changed.")


def _install(ask: Ask, steps: Sequence[Step]) -> None:
    from tollkeeper.cli.context import print_json
    from tollkeeper.cli.service_installing import say_how_long, start, start_tray, teller, write
    from tollkeeper.cli.setup_view import print_difference
    from tollkeeper.paths import find_paths

    say, news = teller(ask.as_json), [step.is_news for step in steps]
    for step in steps if not ask.as_json else ():
        if step.before.text is not None:
            print_difference(step.part.file, step.before.text, step.text)
    backups = [write(step, say) for step in steps]
    daemon, *tray = steps
    pid = start(daemon.part, news[0], find_paths(), say)
    if pid is not None:
        say_how_long(say)
    for step in tray:
        start_tray(step.part, say)
    if ask.as_json:
        files = [
            {
                "path": str(step.part.file),
                "changed": is_news,
                "backup": str(backup) if backup else None,
            }
            for step, is_news, backup in zip(steps, news, backups, strict=True)
        ]
        print_json({"files": files, "pid": pid})

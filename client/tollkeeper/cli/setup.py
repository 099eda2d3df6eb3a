"""``toll setup``: put our status line and hooks into Claude Code's settings, or take them out."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from tollkeeper.claude_settings.edit import has_any, installed, removed, status_command
from tollkeeper.claude_settings.parts import Ours, Record, UnfitError
from tollkeeper.cli import terminal, words
from tollkeeper.cli.context import Ask, print_json
from tollkeeper.cli.doctor_switches import switch_findings
from tollkeeper.cli.service_offer import offer_service
from tollkeeper.cli.setup_view import difference, print_difference
from tollkeeper.errors import TollError
from tollkeeper.ours import is_our_status_line, shown_beside
from tollkeeper.paths import Paths, find_paths
from tollkeeper.setups import (
    Setups,
    back_up,
    claude_homes,
    load_setups,
    read_settings,
    save_setups,
    write_settings,
    write_whole,
)
from tollkeeper.status_script import script

HELP = (
    "Put our status line and hooks into Claude Code's settings.json, of each Claude home. Every "
    "other setting stays as it is; a status line of your own is shown beside ours. It shows the "
    "change and asks first, and keeps a backup. In a terminal it offers the service in the end."
)
SETTINGS = "settings.json"
SCRIPT_MODE = 0o700


class Change(Struct, frozen=True):
    """What becomes of one settings file; None is no file, and no record."""

    file: Path
    before: str | None
    after: str | None
    record: Record | None


def options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--project", action="store_true", help="in .claude/settings.json of this directory"
    )
    parser.add_argument("--undo", action="store_true", help="take out what setup put there")
    parser.add_argument("--dry-run", action="store_true", help="only show the change")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")


def run(ask: Ask, options: Namespace) -> int:
    paths = find_paths()
    setups = load_setups(paths)
    files = _files(options.project)
    if options.undo:
        changes = [_removal(file, setups) for file in files]
    else:
        changes = [_addition(file, setups, paths, options.project) for file in files]
    news = [change for change in changes if change.before != change.after]
    if not ask.as_json:
        for change in news:
            print_difference(change.file, change.before, change.after)
    if not options.dry_run:
        _ask(ask, options, news)
    backups = {} if options.dry_run else _carry_out(paths, setups, changes, options.undo)
    if ask.as_json:
        print_json(_told(changes, backups, options))
    else:
        _print_done(news, backups, options)
        _print_hindrances(changes, options)
        _print_others(setups, changes, options)
    if not (options.undo or options.dry_run or options.project):
        offer_service(ask, options.yes)
    return 0


def _files(project: bool) -> list[Path]:
    if project:
        return [Path.cwd() / ".claude" / SETTINGS]
    return [home / SETTINGS for home in claude_homes()]


def _addition(file: Path, setups: Setups, paths: Paths, project: bool) -> Change:
    before, record = read_settings(file), setups.files.get(str(file))
    ours = Ours(f"{shlex.quote(_toll())} hook", str(paths.status_script))
    inherited = _of_the_person() if project else None
    try:
        if before is None or not has_any(before):
            record = None  # What an earlier setup put there is gone, with the file that it was in.
        after, record = installed(before, ours, record, inherited)
    except UnfitError as error:
        raise _unfit(file, error) from None
    return Change(_encodable(file, after), before, after, replace(record, project=project))


def _removal(file: Path, setups: Setups) -> Change:
    before = read_settings(file)
    try:
        after = None if before is None else removed(before, setups.files.get(str(file)))
    except UnfitError as error:
        raise _unfit(file, error) from None
    return Change(file, before, after, None)


def _of_the_person() -> str | None:
    """The status line of the person's own settings, which one of a project hides."""
    with suppress(TollError, UnfitError):
        for home in claude_homes():
            text = read_settings(home / SETTINGS)
            if text and (command := status_command(text)):
                return shown_beside(command) if is_our_status_line(command) else command
    return None


def _toll() -> str:
    """The path of the command that runs now: as it was called, so that it stays good when the package is replaced."""
    called, beside = Path(sys.argv[0]).absolute(), Path(sys.executable).with_name("toll")
    found = [called] if called.name == "toll" else []
    for path in [*found, beside]:
        if path.is_file() and os.access(path, os.X_OK):
            return str(path)
    if path := shutil.which("toll"):
        return os.path.abspath(path)
    raise TollError("there is no command toll beside this Python", "install the package")


def _unfit(file: Path, error: UnfitError) -> TollError:
    return TollError(f"{file}: {error}", "nothing was changed; mend the file first")


def _encodable(file: Path, text: str) -> Path:
    """The file, if its new text can be written."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise TollError(f"{file} can't name a path that is no UTF-8", "set TOLL_HOME") from None
    return file


def _ask(ask: Ask, options: Namespace, news: Sequence[Change]) -> None:
    """Go on if the person agrees, or has to say nothing; TollError else."""
    if not news or options.yes:
        return
    if ask.as_json or not terminal.is_interactive():
        raise TollError("nothing was changed", "to do it without being asked, say --yes")
    print("Take it out? [y/N] " if options.undo else "Write it? [y/N] ", end="", flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise TollError("nothing was changed")


def _carry_out(
    paths: Paths, setups: Setups, changes: Sequence[Change], undo: bool
) -> dict[Path, Path]:
    """Write it; the backups by their files.

    The script is there before a file names it, and goes when no file that we know of does any more.
    """
    backups: dict[Path, Path] = {}
    if not undo:
        paths.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_script(paths)
    for change in changes:
        setups, known = setups.with_file(change.file, change.record), setups
        if not undo and setups != known:
            save_setups(paths, setups)  # First, so that what was written can be taken out.
        if change.before != change.after:
            if change.before is not None and not undo:
                backups[change.file] = back_up(change.file, change.before)
            try:
                write_settings(change.file, change.before, change.after)
            except BaseException:
                if not undo:
                    save_setups(paths, known)
                raise
        if undo and setups != known:
            save_setups(paths, setups)
    if undo and not setups.files:
        paths.status_script.unlink(missing_ok=True)
    return backups


def _write_script(paths: Paths) -> None:
    content = os.fsencode(script(str(paths.run)))
    file = paths.status_script
    if not file.is_file() or file.read_bytes() != content or not os.access(file, os.X_OK):
        write_whole(file, content, SCRIPT_MODE)


def _told(
    changes: Sequence[Change], backups: dict[Path, Path], options: Namespace
) -> dict[str, object]:
    files = [
        {
            "path": str(change.file),
            "changed": change.before != change.after,
            "backup": str(backups[change.file]) if change.file in backups else None,
            "diff": difference(change.file, change.before, change.after),
        }
        for change in changes
    ]
    return {"undo": options.undo, "dry_run": options.dry_run, "files": files}


def _print_done(news: Sequence[Change], backups: dict[Path, Path], options: Namespace) -> None:
    if not news:
        there = "nothing of ours is there" if options.undo else "all is set up"
        print(f"Nothing to do: {there}.")
    elif options.dry_run:
        print("Nothing was changed.")
    else:
        done = "Taken out of" if options.undo else "Written to"
        for change in news:
            kept = f"; as it was: {backups[change.file]}" if change.file in backups else ""
            print(words.plain(f"{done} {change.file}{kept}"))
    if news and not (options.undo or options.dry_run) and os.environ.get("TOLL_HOME"):
        own = find_paths().own_home
        print(words.plain(f"Your agents' hooks need it, too: TOLL_HOME={own}"))


def _print_hindrances(changes: Sequence[Change], options: Namespace) -> None:
    """What keeps the client from running what was set up."""
    is_set_up = not (options.undo or options.dry_run)
    for finding in switch_findings(change.file for change in changes) if is_set_up else ():
        print(words.plain(f"But {finding.text} ({finding.mend})"))


def _print_others(setups: Setups, changes: Sequence[Change], options: Namespace) -> None:
    """Where else something was set up, which is not undone."""
    touched = {str(change.file) for change in changes}
    for name in sorted(setups.files.keys() - touched) if options.undo else ():
        print(words.plain(f"Still set up: {name}"))

"""Lets a person edit a file in the editor of their own."""

import os
import shlex
import signal
import subprocess
from pathlib import Path

from tollkeeper.errors import TollError

USUAL = "vi"


def edit(file: Path) -> None:
    """Let the person edit the file to the end; TollError when that fails. One left empty is not made."""
    is_new = not file.exists()
    try:
        if is_new:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600))
        status = _run_editor(file)
    except OSError as error:
        name = error.filename if error.filename is not None else file
        raise TollError(
            f"can't open {name}: {error.strerror}", "name an editor in EDITOR"
        ) from None
    finally:
        if is_new and file.exists() and not file.stat().st_size:
            os.unlink(os.path.realpath(file))
    if status:
        raise TollError(f"the editor ended with status {status}", "see: toll config get")


def _run_editor(file: Path) -> int:
    """Its exit status; ^C in the terminal is for the editor alone."""
    wanted = (os.environ.get(name, "").strip() for name in ("VISUAL", "EDITOR"))
    named = next(filter(None, wanted), USUAL)
    try:
        command = shlex.split(named)
    except ValueError as error:
        raise TollError(f"can't make out the editor {named!r}: {error}", "mend EDITOR") from None
    with subprocess.Popen([*command, str(file)]) as editor:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            return editor.wait()
        finally:
            signal.signal(signal.SIGINT, before)

"""A project with Beads in it, as far as the stand-in for its command goes (bd_stand_in.py)."""

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import bd_stand_in

COMMAND = shlex.join([sys.executable, "-S", bd_stand_in.__file__])


class BeadsProject:
    """Its issues, what is commented on them, and how the command behaves."""

    def __init__(self, folder: Path, issues: dict[str, list[str]] | None = None) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        if issues is not None:
            self.has(issues)

    def write_program(self, path: Path) -> None:
        """Make the command a program of its own, which finds this project wherever it runs."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            f'#!/bin/sh\nexport BEADS_DIR={shlex.quote(str(self.folder))}\nexec {COMMAND} "$@"\n'
        )
        path.chmod(0o755)

    def has(self, issues: dict[str, list[str]]) -> None:
        """These are the issues, with their labels."""
        (self.folder / "issues.json").write_text(json.dumps(issues))

    def behaves(self, **mode: Any) -> None:
        """So the command behaves from now on."""
        new = self.folder / "mode.new"
        new.write_text(json.dumps(mode))
        new.replace(self.folder / "mode.json")

    def comments(self, issue: str | None = None) -> list[str]:
        """The texts of all comments, or of those on an issue."""
        found = bd_stand_in.comments(self.folder)
        return [each["text"] for each in found if issue in (None, each["issue_id"])]

    def calls_in_order(self) -> list[dict[str, Any]]:
        """All calls, each as it began and as it ended."""
        return bd_stand_in.calls(self.folder)

    def calls(self, event: str = "begins") -> list[dict[str, Any]]:
        """The calls that began, or ended, so far."""
        return [each for each in bd_stand_in.calls(self.folder) if each["event"] == event]

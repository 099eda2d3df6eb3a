"""Task ids: what they say by their structure, and where they stand in a text. Pure.

Beads' ids are ``prefix-hash``, their children ``.N`` (``bd-4nq.1.2``); orchestrators add a suffix by
hand: ``.claude-4nq.1-analyze`` is stage number 1, ``analyze``, of the workflow ``.claude-4nq``.
"""

import re
from collections.abc import Iterable, Sequence

from tollkeeper_daemon.labels.labels import NONE, Labels

LONGEST_TEXT = 20_000
LONGEST_ID = 200

# The bound keeps a search linear in the length of the text, whatever stands in it.
PREFIX = r"\.?[A-Za-z][\w-]{0,60}-"
ROOT = rf"{PREFIX}(?=[A-Za-z0-9]*[A-Za-z])[A-Za-z0-9]{{3,20}}"
CHILD = rf"{ROOT}(?:\.\d+)+(?:-[A-Za-z][\w-]*)?"
ENDS = r"(?![\w-])(?!\.[\w-])"
# A child's id is told by its form alone; one without a number needs the word before it, and a digit.
BUILT_IN = (
    rf"(?<![\w.-])(?P<task>{CHILD}){ENDS}",
    (
        r"(?i:\b(?:task|issue|bead)s?(?:\s+id)?\s*[:#]?\s+[`'\"(]*)"
        rf"(?P<task>{PREFIX}(?=[A-Za-z]*\d)(?=[0-9]*[A-Za-z])[A-Za-z0-9]{{3,20}}){ENDS}"
    ),
)
# Where the client itself puts trees of a repository: no folder that ids are called after.
TREES = "/.claude/worktrees"
IS_ROOT = re.compile(ROOT)
NUMBERS = re.compile(r"((?:\.\d+)+)(?:-[A-Za-z][\w-]*)?$")
IS_CHILD = re.compile(rf"(?P<workflow>{ROOT})(?:\.\d+)+(?:-(?P<stage>[A-Za-z][\w-]*))?")


class TaskIds:
    """Finds task ids by the patterns built in, and by more of the user's own.

    In a pattern the group named ``task`` is the id, else all that it matches.
    """

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        self._patterns = [re.compile(each) for each in (*patterns, *BUILT_IN)]

    def find(self, text: str) -> str:
        """The first task id in the text, empty when there is none; the user's patterns come first."""
        text = text[:LONGEST_TEXT]
        for pattern in self._patterns:
            if found := pattern.search(text):
                named = "task" in pattern.groupindex
                task = found["task"] if named else found[0]
                if task and len(task) <= LONGEST_ID:
                    return task
        return ""

    def first_in(self, texts: Iterable[str]) -> str:
        """The first id in any of these."""
        return next((task for text in texts if (task := self.find(text))), "")

    def in_place(self, branch: str, folder: str) -> str:
        """The task id in the branch, else in the folder; empty when there is none.

        No part of a branch's name may begin with a dot (git-check-ref-format). Beads calls ids after the
        project's folder: where that begins with a dot, and none has the name without it, so does the id.
        """
        found = self.first_in((branch, folder))
        prefix = of_task(found).workflow.rpartition("-")[0]
        names = folder.replace(TREES, "").split("/")
        return f".{found}" if f".{prefix}" in names and prefix not in names else found


BUILT_IN_IDS = TaskIds()


def of_task(task: str) -> Labels:
    """The labels of a task, with what its id says by its structure."""
    if not task:
        return NONE
    if child := IS_CHILD.fullmatch(task):
        return Labels(child["workflow"], task, child["stage"] or "")
    if IS_ROOT.fullmatch(task):
        return Labels(task, task)
    return Labels(task=task)


def numbers_of(task: str) -> tuple[int, ...]:
    """The numbers that a task's id counts it by, ``(1, 2)`` of ``bd-4nq.1.2-plan``; none without any."""
    found = NUMBERS.search(task)
    return tuple(map(int, found[1].split(".")[1:])) if found else ()

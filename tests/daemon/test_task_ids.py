"""Task ids: found in texts, and what they say."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkeeper_daemon.labels.labels import Labels
from tollkeeper_daemon.labels.task_ids import LONGEST_TEXT, TaskIds, of_task

FOUND = {
    "work on .claude-4nq.1-analyze now": ".claude-4nq.1-analyze",
    "see bd-4nq.1.2.": "bd-4nq.1.2",
    "feature/.claude-4nq.2-plan": ".claude-4nq.2-plan",
    "(bd-a3f8e9.1)": "bd-a3f8e9.1",
    "Task bd-4nq: mend it": "bd-4nq",
    "issue: `.claude-4nq`": ".claude-4nq",
}
NOT_FOUND = [
    "node-20.11-alpine",
    "python-3.11-slim",
    "utf-8",
    "ubuntu-22.04",
    "the task fast-track",
    "path/to/foo-bar.1.txt",
    "bd-4nq without a word before it",
    "task: gpt-4o mini",
    "",
]


@pytest.mark.parametrize("text", FOUND)
def test_found(text: str) -> None:
    """A child's id is found by its form, another one behind the word for it."""
    assert FOUND[text] == TaskIds().find(text)


@pytest.mark.parametrize(
    ("branch", "folder", "task"),
    [
        ("claude-4nq.1-analyze", "/home/dev/.claude", ".claude-4nq.1-analyze"),
        ("agent/claude-4nq.1", "/home/dev/.claude/.worktrees/claude-ada", ".claude-4nq.1"),
        ("main", "/home/dev/.claude/.worktrees/claude-4nq.1", ".claude-4nq.1"),
        ("claude-4nq.1", "/home/dev/.claude/.claude/worktrees/one", ".claude-4nq.1"),
        ("claude-4nq.1", "/home/dev/src/shop/.claude/worktrees/one", "claude-4nq.1"),
        ("claude-4nq.1", "/home/dev/src/claude/.claude", "claude-4nq.1"),
        ("shop-4nq.1", "/home/dev/.claude", "shop-4nq.1"),
        ("main", "/home/dev/.claude/.claude-4nq.1", ".claude-4nq.1"),
        ("main", "/home/dev/.claude", ""),
        ("", "", ""),
    ],
)
def test_dots_that_branches_lose(branch: str, folder: str, task: str) -> None:
    """No branch may begin with a dot: an id in one gets it back from the folder that it is called after."""
    assert task == TaskIds().in_place(branch, folder)


@pytest.mark.parametrize("text", NOT_FOUND)
def test_not_found(text: str) -> None:
    """What only looks a little like an id is none."""
    assert "" == TaskIds().find(text)


def test_patterns_of_ones_own() -> None:
    """They come first; the id is the group named task, or all that matches."""
    ids = TaskIds([r"JIRA-\d+", r"ticket (?P<task>#\d+)"])
    assert ["JIRA-12", "#7", "bd-4nq.1"] == [
        ids.find(text) for text in ("bd-4nq.1 of JIRA-12", "ticket #7", "bd-4nq.1")
    ]


def test_structure() -> None:
    """An id says its workflow and its stage, as far as it has them."""
    assert Labels(".claude-4nq", ".claude-4nq.1-analyze", "analyze") == of_task(
        ".claude-4nq.1-analyze"
    )
    assert Labels("bd-4nq", "bd-4nq.1.2") == of_task("bd-4nq.1.2")
    assert Labels("bd-4nq", "bd-4nq") == of_task("bd-4nq")
    assert Labels("", "JIRA-12") == of_task("JIRA-12")
    assert Labels() == of_task("")


@given(st.text(alphabet="aB1-. `task:#\n", max_size=300))
def test_any_text(text: str) -> None:
    """Whatever is found stands in the text, and has a structure."""
    found = TaskIds().find(text)
    assert found in text
    assert found == of_task(found).task


@pytest.mark.parametrize("part", ["a-", "task ", "a" * 50 + "-", "-a1a", "task `", "a1-b2.1-"])
def test_hostile_text(part: str) -> None:
    """No text takes long to search."""
    began = time.perf_counter()
    TaskIds().find(part * (LONGEST_TEXT // len(part)))
    assert time.perf_counter() - began < 5
